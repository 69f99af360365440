"""Placeholders for secrets: the same secret has the same one wherever it stands in a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from boildown.secrets.rules import Rule
from boildown.secrets.search import Found, apart, distinct, find, united
from boildown.transcript import Redaction

PLACEHOLDER = re.compile(r"\[redacted:(?P<kind>[a-z-]+):(?P<number>\d+)\]")

MOST_SPREAD = 1_000
"""Secrets that are looked for everywhere, so that the time stays linear in the text"""


@dataclass(slots=True)
class Redactor:
    """Looks at some texts first, then puts placeholders for their secrets.

    A secret is numbered within its kind in the order in which they are replaced. The number says nothing of the
    secret, as a hash of it would; those that stand in the texts already are not given to another. `known` are the
    secrets with their placeholders, and `places` is how many were put.
    """

    rules: Sequence[Rule]
    known: dict[str, Redaction] = field(default_factory=dict)
    places: int = 0
    _spread: dict[str, str] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _found: dict[tuple[str, str], tuple[Found, ...]] = field(default_factory=dict)
    _anywhere: re.Pattern[str] | None = None

    def know(self, redactions: Iterable[Redaction]) -> None:
        """Take over what was redacted elsewhere. Of two placeholders for a secret, the first one holds."""
        for one in redactions:
            self.known.setdefault(one.secret, one)
            self.look(one.placeholder)
            if distinct(one.secret):
                self._spread.setdefault(one.secret, one.kind)
                self._anywhere = None

    def knows(self, text: str) -> bool:
        """Whether a secret stands in `text` that was known from elsewhere."""
        return any(True for _ in self._elsewhere(text))

    @property
    def idle(self) -> bool:
        """Whether there is nothing to redact in what was looked at."""
        return not self._found and not self._spread

    def look(self, text: str, name: str = "") -> str:
        """Take note of what is in `text`, which is given back as it is; `name` is what it stands under, if it does."""
        for held in _held(text):
            self._numbers[held["kind"]] = max(int(held["number"]), self._numbers.get(held["kind"], 0))
        found = find(text, self.rules, name)
        if found:
            self._found[text, name] = found
        for one in found:
            if one.spreads and distinct(secret := text[one.start : one.end]):
                self._spread.setdefault(secret, one.kind)
                self._anywhere = None
        return text

    def redact(self, text: str, name: str = "") -> str:
        """`text`, which was looked at, with a placeholder for each secret. No part of a placeholder is a secret."""
        found = [*self._found.get((text, name), ()), *self._elsewhere(text)]
        done, end = list[str](), 0
        for one in united(apart(found, [m.span() for m in _held(text)])):
            done += [text[end : one.start], self._placeholder(text[one.start : one.end], one.kind)]
            end = one.end
        return "".join([*done, text[end:]]) if done else text

    def _elsewhere(self, text: str) -> Iterator[Found]:
        """Secrets that something around them gave away in another text."""
        if self._anywhere is None:
            first = sorted(islice(self._spread, MOST_SPREAD), key=len, reverse=True)
            self._anywhere = re.compile("|".join(map(re.escape, first)))
        if self._spread:
            for found in self._anywhere.finditer(text):
                yield Found(*found.span(), self._spread[found[0]])

    def _placeholder(self, secret: str, kind: str) -> str:
        if secret not in self.known:
            number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
            self.known[secret] = Redaction(kind, f"[redacted:{kind}:{number}]", secret)
        known = self.known[secret]
        self.places += 1
        self.known[secret] = replace(known, places=known.places + 1)
        return known.placeholder


def _held(text: str) -> Iterator[re.Match[str]]:
    return PLACEHOLDER.finditer(text) if "[redacted:" in text else iter(())
