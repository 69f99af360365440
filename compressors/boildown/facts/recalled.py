"""Messages that were found, and which of them hold something that is no longer so."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from boildown.facts.claims import may_change, topic
from boildown.facts.kinds import stated
from boildown.facts.listing import speaks, without_date
from boildown.facts.superseding import Assertion, Reach, assertion, superseded
from boildown.memory.messages import Kept

_END = re.compile(r"(?<=[.!?])\s+|\n+")
"""Where a sentence ends, roughly: `text.units` takes ten times as long"""
_LONGEST = 4000
"""Characters of a message that are read"""


def stale(found: Sequence[Kept], question: str) -> dict[int, int]:
    """The indexes of those of which a sentence on what is asked was superseded, with that of the newest that did it.

    Within a session the order tells what is newer, between sessions the time, where both say it.
    """
    asked = topic(question)
    spoken = [one for n, kept in enumerate(found) if speaks(kept.said) for one in _sentences(n, kept, asked)]
    telling = {k: change for k, one in enumerate(spoken) if (change := _change(found, one)) is not None}
    if not telling:
        return {}
    # What has no word in common with any of these, or no value such as theirs, none supersedes; and reading takes time.
    about, reach = frozenset[str]().union(*(one.topic for one in telling.values())), Reach(telling.values())
    read = [
        (one.message, telling.get(k) or _assertion(found, one))
        for k, one in enumerate(spoken)
        if k in telling or ((not about or one.topic & about) and reach(one.text, one.topic))
    ]
    ends: dict[int, int] = {}
    for some in _comparable(found, read):
        pairs = superseded([one for _, one in some]).items()
        ends |= {some[old][0]: some[new][0] for old, new in pairs if some[old][0] != some[new][0]}
    return ends


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence by the index of its message."""

    message: int
    text: str
    topic: frozenset[str]


def _sentences(n: int, kept: Kept, asked: AbstractSet[str]) -> Iterator[_Sentence]:
    """What a message states of what is asked; or of what was just spoken of, as "actually, it is Friday" does."""
    for sentence in _END.split(without_date(kept.said.text[:_LONGEST])):
        text = stated(sentence)
        about = topic(text)
        if text and (about & asked or not about):
            yield _Sentence(n, text, about)


def _change(found: Sequence[Kept], one: _Sentence) -> Assertion | None:
    """A sentence, read, if it can supersede anything."""
    read = _assertion(found, one) if may_change(one.text) else None
    return read if read is not None and read.changes else None


def _assertion(found: Sequence[Kept], one: _Sentence) -> Assertion:
    kept = found[one.message]
    session, place = kept.seat
    return assertion(one.text, kept.said.name or kept.said.role, (kept.said.moment or 0.0, (session << 32) + place))


def _comparable(found: Sequence[Kept], read: Sequence[tuple[int, Assertion]]) -> list[list[tuple[int, Assertion]]]:
    """Those whose order is known: of each session without times, and of all with them."""
    apart = defaultdict[int, list[tuple[int, Assertion]]](list)
    for n, one in read:
        apart[found[n].seat[0] if found[n].said.moment is None else -1].append((n, one))
    return list(apart.values())


def ranked(stale: dict[int, int], count: int) -> list[int]:
    """The indexes of `count` messages, the best first, in a new order: each stale one stands behind what is newer."""
    placed = dict[int, None]()

    def place(n: int) -> None:
        if n in placed:
            return
        if stale.get(n, count) < count:
            place(stale[n])
        placed[n] = None

    for n in range(count):
        place(n)
    return list(placed)
