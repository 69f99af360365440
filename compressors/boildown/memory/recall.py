"""Finding messages again by a question: their words, those of their neighbours, who speaks, and what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from boildown.memory.messages import Kept, Memory, Scope, Seat
from boildown.memory.terms import phrases

if TYPE_CHECKING:
    from boildown.arrays import Floats, Ints
    from boildown.memory.embedders import Embedder

CANDIDATES = 100
"""Messages that are looked at, besides their neighbours"""


LOOKED_AT = 30
"""Messages that are read for what is newer than what others of them say"""
REACH = 2
"""Places to either side from which a message is given something of what its neighbours say"""


@dataclass(frozen=True, slots=True)
class Weights:
    """What makes a message fit, beside each other; fitted on half of LoCoMo's chats (`benchmarks/recall.py`).

    words   its words that are asked for, where the best message's count 1
    before  of that, what a word counts that stands in the message before it, and in the one before that
    after   the same for the messages after it
    named   that it is by somebody whose name is asked for
    meant   that it is near in meaning, where the nearest counts 1
    """

    words: float = 1.0
    before: tuple[float, float] = (0.7, 0.4)
    after: tuple[float, float] = (0.5, 0.3)
    named: float = 0.5
    meant: float = 0.7

    def near(self) -> dict[int, float]:
        """The share of a neighbour by its distance."""
        return {-2: self.before[1], -1: self.before[0], 1: self.after[0], 2: self.after[1]}


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found, and how well it fits: 1 for one that is the best in every respect.

    newer  the message that says something newer of what is asked, where rules for English find one; it comes before
    """

    kept: Kept
    score: float
    newer: Kept | None = None


def recall(
    memory: Memory,
    question: str,
    scope: Scope,
    most: int = 10,
    embedder: Embedder | None = None,
    weights: Weights = Weights(),
    candidates: int = CANDIDATES,
) -> list[Hit]:
    """The `most` messages of the scope that fit a question best, the best first.

    A word of the question counts in a message that holds it, and less in the neighbours of that, but once at most:
    what fits best is where its words come together. Equal ones come in the order of their sessions. What holds no
    longer stands behind what is newer, where both are found, and says so where only it is.

    candidates  how many messages are looked at, besides their neighbours
    """
    asked = phrases(question)
    names = memory.speakers(asked, scope)
    said = [phrase for phrase in asked if phrase not in names] or asked
    seats = memory.search(said, scope, candidates)
    meant = _Meant(memory, question, scope, embedder) if embedder else None
    seats = _around([*seats, *(meant.nearest(candidates) if meant else ())])
    if not seats:
        return []
    spread = _Spread(seats, weights)
    found, spoken = memory.weigh(said, names, seats, scope)
    score, whole = weights.words * _words(found, spread), weights.words
    if names:
        score, whole = score + weights.named * spoken, whole + weights.named
    if meant:
        score, whole = score + weights.meant * meant.at(seats, spread), whole + weights.meant
    return _current(list(_best(memory, scope, seats, score / whole, max(most, LOOKED_AT))), question, most)


def _current(hits: Sequence[Hit], question: str, most: int) -> list[Hit]:
    """The `most` best of `hits`, each with what is newer, and behind it."""
    from boildown.facts.recalled import ranked, stale

    ends = stale([hit.kept for hit in hits], question)
    marked = [replace(hit, newer=hits[ends[n]].kept) if n in ends else hit for n, hit in enumerate(hits)]
    return [marked[n] for n in ranked(ends, min(most, len(hits)))]


def _around(seats: Sequence[Seat]) -> list[Seat]:
    """`seats` and their neighbours, in order. The place behind a session's last is among them, and holds nothing."""
    near = range(-REACH, REACH + 1)
    return sorted({(session, place + k) for session, place in seats for k in near if place + k >= 0})


class _Spread:
    """Gives messages a share of what their neighbours have."""

    def __init__(self, seats: Sequence[Seat], weights: Weights) -> None:
        import numpy as np

        places = np.array(seats) @ (1 << 32, 1)  # ascending, as `seats` are
        self._shares: list[tuple[float, Ints]] = []
        for distance, share in weights.near().items():
            at = np.minimum(np.searchsorted(places, places + distance), len(seats) - 1)
            self._shares.append((share, np.where(places[at] == places + distance, at, len(seats))))

    def __call__(self, values: Floats) -> Floats:
        """`values`, the last axis of which are messages, with shares of their neighbours' added."""
        import numpy as np

        padded = np.concatenate([values, np.zeros((*values.shape[:-1], 1))], axis=-1)
        added: Floats = values + sum(share * padded[..., indexes] for share, indexes in self._shares)
        return added


def _words(found: Floats, spread: _Spread) -> Floats:
    """What the words that are asked for, a row each, make of each message, with 1 for the best."""
    import numpy as np

    if not len(found):
        return np.zeros(found.shape[-1])
    capped: Floats = np.minimum(spread(found), found.max(axis=1, keepdims=True)).sum(axis=0)
    return capped / (capped.max() or 1.0)


class _Meant:
    """How near messages are to a question in meaning."""

    def __init__(self, memory: Memory, question: str, scope: Scope, embedder: Embedder) -> None:
        import numpy as np

        vectors = memory.vectors(embedder.name, scope)
        self._seats = vectors.seats
        near = np.zeros(0) if vectors.rows is None else (vectors.rows @ embedder.vectors([question])[0]).astype(float)
        # Nearness is measured from the middle one's, which any two messages have, up to the best.
        middle = float(np.median(near)) if len(near) else 0.0
        self._near = np.maximum(near - middle, 0.0) / ((near.max() - middle if len(near) else 0.0) or 1.0)

    def nearest(self, most: int) -> Iterator[Seat]:
        import numpy as np

        some = np.argpartition(-self._near, most)[:most] if len(self._near) > most else range(len(self._near))
        return (self._seats[i] for i in some)

    def at(self, seats: Sequence[Seat], spread: _Spread) -> Floats:
        """Each message's nearness with shares of its neighbours', 1 for the best."""
        import numpy as np

        wanted = set(seats)
        known = {seat: self._near[n] for n, seat in enumerate(self._seats) if seat in wanted}
        shared = spread(np.array([known.get(seat, 0.0) for seat in seats]))
        return shared / (shared.max() or 1.0)


def _best(memory: Memory, scope: Scope, seats: Sequence[Seat], score: Floats, most: int) -> Iterator[Hit]:
    """The best of `seats` that are in the scope; neighbours of what was found may be outside of it."""
    import numpy as np

    order = [int(i) for i in np.argsort(-score, kind="stable") if score[i] > 0]
    left, start = most, 0
    while left and start < len(order):
        some = order[start : start + left]
        start += left
        kept = memory.get(seats[i] for i in some)
        for i in some:
            one = kept.get(seats[i])
            if one is not None and scope.holds(one.said):
                left -= 1
                yield Hit(one, round(float(score[i]), 4))
