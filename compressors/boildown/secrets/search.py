"""Looking for secrets in many texts, each text once."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from boildown.secrets import keys, library, named, personal, tokens
from boildown.secrets.literals import LEAST
from boildown.secrets.rules import RUN, Rule, Span

LEAST_SPREAD = 8
LONG = 512
MANY = 40
"""Characters of a text, and marks, from which on it pays to look for marks in its long words only"""


@dataclass(frozen=True, slots=True)
class Found:
    """A secret in a text. `spreads` is that of its rule."""

    start: int
    end: int
    kind: str
    spreads: bool = False


@cache
def rules(mails: bool = False, phones: bool = False) -> tuple[Rule, ...]:
    """All rules. Where several find the same, the first one says of which kind it is."""
    asked = [rule for rule, wanted in ((personal.MAILS, mails), (personal.PHONES, phones)) if wanted]
    return (*keys.rules(), *library.rules(), *tokens.rules(), *named.rules(), *asked)


def relevant(rules: Sequence[Rule], text: str) -> tuple[Rule, ...]:
    """The rules that may find something in `text` or in a part of it."""
    many = len(text) >= LONG and sum(len(rule.marks) for rule in rules) >= MANY
    runs = "\n".join(RUN.findall(f"\n{text}")) if many else text
    marked = [rule for rule in rules for mark in rule.marks if mark in (runs if rule.in_run else text)]
    return tuple(dict.fromkeys(marked))


def find(text: str, rules: Sequence[Rule], name: str = "") -> tuple[Found, ...]:
    """The secrets in `text`, none in another; `name` is what it stands under in an object, if it does."""
    if len(text) < LEAST:
        return ()
    found = [
        Found(start, end, rule.kind, rule.spreads) for rule in relevant(rules, text) for start, end in rule.spans(text)
    ]
    if name and (kind := named.kind(name, text)):
        found.append(Found(0, len(text), kind, spreads=True))
    if not found:
        return ()
    secrets = list(united(one for one in found if one.kind not in personal.KINDS))
    others = [one for one in found if one.kind in personal.KINDS]
    return (*secrets, *united(apart(others, [(one.start, one.end) for one in secrets])))


def united(found: Iterable[Found]) -> Iterator[Found]:
    """`found` in order, those that overlap as one of the first one's kind."""
    last: Found | None = None
    for one in sorted(found, key=lambda f: (f.start, -f.end)):
        if last is None or one.start >= last.end:
            if last:
                yield last
            last = one
        elif one.end > last.end:
            last = replace(last, end=one.end)
    if last:
        yield last


def apart(found: Iterable[Found], held: Sequence[Span]) -> Iterator[Found]:
    """What has no part of one of `held` in it, which are in order."""
    starts = [start for start, _ in held]
    for one in found:
        before = bisect_left(starts, one.end) - 1
        if before < 0 or held[before][1] <= one.start:
            yield one


def distinct(secret: str) -> bool:
    """Whether a secret is like nothing else, so that it may be taken for one wherever it stands."""
    return len(secret) >= LEAST_SPREAD and any(map(str.isdigit, secret)) and any(map(str.isalpha, secret))
