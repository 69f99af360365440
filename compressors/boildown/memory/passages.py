"""What is shown of messages that were found: their texts or the parts that fit best, and what stood around them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from boildown.memory.messages import Kept, Memory, Scope
from boildown.memory.recall import Hit
from boildown.memory.terms import phrases

_LONGEST = 3
"""A message may take one in so many of the tokens, so that a long one leaves room for others"""
_CHARACTERS = 4
"""Characters of a token, about"""
_SHORTEST = 60
_AROUND = 400
"""Characters of a neighbour that are shown at most"""
_STEM = 5
_ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Passage:
    """A message that was found, as it is shown: `text` is the whole of it, or else a part with … where it was cut."""

    hit: Hit
    text: str
    before: Kept | None = None
    after: Kept | None = None

    @property
    def whole(self) -> bool:
        return self.text == self.hit.kept.said.text


Size = Callable[[Sequence[Passage]], int]
"""The tokens that passages take as they are shown"""


def passages(memory: Memory, hits: Sequence[Hit], question: str, scope: Scope, size: Size, most: int) -> list[Passage]:
    """As many of `hits` as can be shown in `most` tokens, in their order; in what is left, their neighbours."""
    words = {word[:_STEM] for phrase in phrases(question) for word in phrase.split()}
    shown = list[Passage]()
    for hit in hits:
        passage = _fitting(hit, words, lambda one: size([*shown, one]) <= most, most * _CHARACTERS // _LONGEST)
        if passage is None:
            break
        shown.append(passage)
    return _with_neighbours(memory, shown, scope, lambda some: size(some) <= most)


def _fitting(hit: Hit, words: set[str], fits: Callable[[Passage], bool], length: int) -> Passage | None:
    """The hit with as much of its text as fits, `length` characters at most; None where too little does."""
    text = hit.kept.said.text
    while True:
        passage = Passage(hit, excerpt(text, words, length))
        if fits(passage):
            return passage
        length = min(length, len(text)) // 2
        if length < _SHORTEST:
            return None


def _with_neighbours(
    memory: Memory, shown: list[Passage], scope: Scope, fits: Callable[[Sequence[Passage]], bool]
) -> list[Passage]:
    seats = {passage.hit.kept.seat for passage in shown}
    around = memory.get((s, p + k) for s, p in sorted(seats) for k in (-1, 1))
    for n, passage in enumerate(shown):
        session, place = passage.hit.kept.seat
        for side, seat in (("before", (session, place - 1)), ("after", (session, place + 1))):
            found = around.get(seat)
            if found is None or seat in seats or not scope.holds(found.said):
                continue
            short = replace(found, said=replace(found.said, text=excerpt(found.said.text, set(), _AROUND)))
            wider = replace(shown[n], before=short) if side == "before" else replace(shown[n], after=short)
            if fits([*shown[:n], wider, *shown[n + 1 :]]):
                shown[n] = wider
                seats.add(seat)
    return shown


def excerpt(text: str, words: set[str], length: int) -> str:
    """Some `length` characters of `text` where most of `words` are, cut at blanks; all where it is no longer."""
    if len(text) <= length:
        return text
    start = _densest(text.lower(), words, length - length // 8)
    start = max(start - length // 8, 0)
    start = 0 if start == 0 else text.find(" ", start) + 1
    end = start + length
    end = len(text) if end >= len(text) else max(text.rfind(" ", start, end), text.rfind("\n", start, end))
    cut = text[start : end if end > start else start + length].strip()
    return f"{_ELLIPSIS if start else ''}{cut}{_ELLIPSIS if end < len(text) else ''}"


def _densest(text: str, words: set[str], length: int) -> int:
    """Where the first part of `length` characters begins that holds most of `words`."""
    if not words:
        return 0
    found = [(m.start(), m[0]) for m in re.finditer("|".join(map(re.escape, sorted(words))), text)]
    best, place, first, inside = 0, 0, 0, Counter[str]()
    for at, word in found:
        inside[word] += 1
        while found[first][0] <= at - length:
            inside[found[first][1]] -= 1
            first += 1
        many = sum(1 for count in inside.values() if count)
        if many > best:
            best, place = many, found[first][0]
    return place
