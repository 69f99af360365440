"""What a kind of secret is known by: a rule has marks, one of which is in every text that it finds something in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

Span = tuple[int, int]

LEAST_LETTERS = 7
"""Different characters that a token has; `ghp_xxxxxxxx` and other stand-ins have fewer"""

RUN = re.compile(r"[^\w.+/=-][\w.+/=-]{20,}", re.ASCII)
"""What every token is or begins with, and the character before it, which spares trying all ends of a word"""
_BEFORE = re.compile(r"(?:^|[^A-Za-z0-9_]|\\[bfnrt]|\\u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}|(?:\x1b|\\u001[bB])\[[\d;]*m)\Z")
"""What may stand before a token: no part of a longer word, but the end of an escape"""
_REST = re.compile(r"[\w-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of secret.

    marks    every text that `spans` finds something in has one of them; a look for them costs little
    spans    where in a text the secrets stand, in order; their limits are those of what has to go
    spreads  whether what was found is known by what stands around it, so that it is to be looked for elsewhere, too
    in_run   whether its marks stand in a `RUN`, so that there is no need to look for them elsewhere
    """

    kind: str
    marks: tuple[str, ...]
    spans: Callable[[str], Iterable[Span]]
    spreads: bool = False
    in_run: bool = False


def begins(text: str, start: int) -> bool:
    """Whether a token may begin at `start`."""
    return _BEFORE.search(text[max(0, start - 12) : start]) is not None


def token(kind: str, marks: tuple[str, ...], *patterns: re.Pattern[str], in_run: bool = True) -> Rule:
    """A rule for tokens that a service gives out.

    What is found is widened to the end of its word, since a pattern that only finds out that there is a token may
    stop in its middle.
    """

    def spans(text: str) -> Iterator[Span]:
        for pattern in patterns:
            for found in pattern.finditer(text):
                rest = _REST.match(text, found.end())
                end = rest.end() if rest else found.end()
                if begins(text, found.start()) and len(set(text[found.start() : end])) >= LEAST_LETTERS + 4:
                    yield found.start(), end

    return Rule(kind, marks, spans, in_run=in_run)


def around(kind: str, marks: tuple[str, ...], pattern: str, accept: Callable[[str], bool] = bool) -> Rule:
    """A rule for what stands as the group `secret` of a pattern, if it is acceptable."""
    compiled = re.compile(pattern)

    def spans(text: str) -> Iterator[Span]:
        for found in compiled.finditer(text):
            if accept(found["secret"]):
                yield found.span("secret")

    return Rule(kind, marks, spans, spreads=True)
