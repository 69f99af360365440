"""Whether a file is a conversation that its consumer accepts: the rules, and where a file breaks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from boildown.formats import Format
from boildown.validity.places import Places
from boildown.validity.rules import rules
from boildown.validity.session import sessions


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that is broken on `line` of the file. `subject` is what names the place also when lines have moved."""

    line: int
    rule: str
    what: str
    remedy: str
    subject: str = ""


def violations(format: Format, data: bytes) -> list[Violation]:
    """What is wrong with a file of plain UTF-8, in the order of its lines. Raises ValueError as the format does."""
    found: list[Violation] = []
    places = Places(data)
    table = rules(format.INFO.name)
    for session in sessions(format, data):
        lines = places.lines(session.source)
        for rule in table:
            for one in rule.check(session):
                line = lines[one.record] if one.record >= 0 else 1
                found.append(Violation(line, rule.name, one.what, rule.remedy, one.subject))
    return sorted(found, key=lambda v: v.line)


def added(before: Iterable[Violation], after: Iterable[Violation]) -> list[tuple[str, str]]:
    """(rule, subject) of what is wrong in `after` and was not in `before`, wherever it stands."""
    counted = Counter((v.rule, v.subject) for v in after)
    counted.subtract(Counter((v.rule, v.subject) for v in before))
    return sorted(counted.elements())
