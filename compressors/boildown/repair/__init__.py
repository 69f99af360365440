"""Mending a file: what a rule finds is mended without inventing anything, and all else keeps its bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from boildown.formats import Format
from boildown.repair import claude_code, codex, messages, openai
from boildown.validity import Violation, violations
from boildown.validity.rules import Rule, rules
from boildown.validity.session import Found, Session, sessions

MOST_ROUNDS = 8
"""One mend may bare what another mends; more rounds than this were never needed."""

BY_RECORD = {"claude-code": claude_code.MENDS, "codex": codex.MENDS, "openai": openai.MENDS}
"""Formats that are mended record by record, as far as they have a mend of their own for the rule."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A mended file: its bytes, what was wrong and is mended, and what is wrong still."""

    data: bytes
    mended: tuple[Violation, ...]
    left: tuple[Violation, ...]


def repair(format: Format, data: bytes) -> Repaired:
    """Mend a file of plain UTF-8. Mending twice is mending once. Raises ValueError as the format's `read` does.

    Lines are those of `data`, but for what was bared by another mend: its line is that of the file at that time.
    """
    held, seen = list(sessions(format, data)), violations(format, data)
    told = list(seen)
    for _ in range(MOST_ROUNDS):
        before = data
        for rule in rules(format.INFO.name):
            mended = _without(rule, held, data)
            if mended != data:
                data, held, seen = mended, list(sessions(format, mended)), violations(format, mended)
                told += _unknown(told, seen)
        if data == before:
            break
    left = _named(seen)
    return Repaired(data, tuple(v for v in told if _not_among(left, v)), tuple(seen))


def _named(found: Sequence[Violation]) -> Counter[tuple[str, str]]:
    return Counter((v.rule, v.subject) for v in found)


def _not_among(left: Counter[tuple[str, str]], violation: Violation) -> bool:
    """Whether a violation is none of those `left`; each of those stands for one."""
    name = (violation.rule, violation.subject)
    if left[name]:
        left[name] -= 1
        return False
    return True


def _unknown(told: Sequence[Violation], seen: Sequence[Violation]) -> list[Violation]:
    known = _named(told)
    return [v for v in seen if _not_among(known, v)]


def _without(rule: Rule, held: Sequence[Session], data: bytes) -> bytes:
    """The file `data`, whose conversations are `held`, without what one rule finds, as far as that is mended."""
    found = [list(rule.check(session)) for session in held]
    if not any(found):
        return data
    return b"".join(_mended(rule, session, ours) for session, ours in zip(held, found, strict=True))


def _mended(rule: Rule, session: Session, found: Sequence[Found]) -> bytes:
    """The conversation's part of the file without what the rule found, or as it was where nothing mends that."""
    by_record = BY_RECORD.get(session.info.name, {})
    if found and rule.name in by_record:
        return by_record[rule.name](session, found)
    mend = messages.MENDS.get(rule.name) if found else None
    transcript = mend(session, found) if mend else session.transcript
    return b"".join(session.format.write([transcript]))
