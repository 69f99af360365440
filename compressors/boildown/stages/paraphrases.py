"""Messages that say in other words what another says: near by their vectors, and the same in every fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from boildown.memory.embedders import Embedder
from boildown.neighbours import near
from boildown.text.kinds import Kind
from boildown.text.restated import read, says_again
from boildown.text.units import units
from boildown.transcript import Message
from boildown.vectors import LSA, embedder

_SAID = (Kind.SENTENCE, Kind.ITEM, Kind.HEADING)
"""Kinds of units that can be said in other words; code, tables and the like are the same or are not"""


@dataclass(frozen=True, slots=True)
class Paraphrase:
    """`kept` says what `copy` says, both indexes of messages; the cosine of their vectors, and whose those are."""

    copy: int
    kept: int
    cosine: float
    embedder: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A sentence or a block of a text, and whether it can be said in other words."""

    text: str
    said: bool


def paraphrases(
    messages: Sequence[Message], candidates: Sequence[int], threshold: float, name: str, seed: int
) -> list[Paraphrase]:
    """What may go of `candidates`, the oldest first: a kept message has each of its sentences, in their order.

    Two messages and their sentences are near where the cosine of their vectors is at least `threshold`; what they have
    to share besides says `text.restated`. The longest of each family is kept, the newest of equals; each copy is
    compared with the kept one itself.
    """
    texts = [messages[i].text for i in candidates]
    if len(texts) < 2:
        return []
    model = embedder(name, texts, seed)
    compared = _Compared(texts, model, threshold)
    beside: dict[int, list[int]] = defaultdict(list)
    for one, other in near(compared.rows, threshold, seed).tolist():
        if _speaker(messages[candidates[one]]) == _speaker(messages[candidates[other]]):
            beside[one].append(other)
            beside[other].append(one)
    places = [(-len(texts[c].split()), not messages[candidates[c]].pinned, -c) for c in range(len(texts))]
    stands, found = dict[int, int](), list[Paraphrase]()
    for c in sorted(beside, key=places.__getitem__):
        if messages[candidates[c]].pinned:
            continue
        larger = (stands.get(k, k) for k in beside[c] if places[k] < places[c])
        kept = next((k for k in dict.fromkeys(larger) if compared.says(k, c)), None)
        if kept is not None:
            stands[c] = kept
            found.append(Paraphrase(candidates[c], candidates[kept], compared.cosine(kept, c), model.name))
    return sorted(found, key=lambda one: one.copy)


def _speaker(message: Message) -> tuple[str, str | None]:
    return message.role, message.name


class _Compared:
    """Texts, their vectors, and those of their sentences once they are asked for."""

    def __init__(self, texts: Sequence[str], model: Embedder, threshold: float) -> None:
        self.rows = model.vectors(texts)
        self._texts, self._model, self._threshold = texts, model, threshold
        self._parts: dict[int, list[_Part]] = {}

    def cosine(self, one: int, other: int) -> float:
        return float(self.rows[one] @ self.rows[other])

    def says(self, kept: int, copy: int) -> bool:
        """Whether each sentence of `copy` has its counterpart in `kept`, in their order."""
        there, wanted = self._taken_apart(kept), self._taken_apart(copy)
        if self.cosine(kept, copy) < self._threshold or not all(
            any(self._same(t, w, 1.0) for t in there) for w in wanted
        ):
            return False
        cosines, at = self._cosines(kept, copy), 0
        for n, part in enumerate(wanted):
            found = next((k for k in range(at, len(there)) if self._same(there[k], part, cosines[k][n])), None)
            if found is None:
                return False
            at = found + 1
        return True

    def _taken_apart(self, n: int) -> list[_Part]:
        if n not in self._parts:
            text = self._texts[n]
            self._parts[n] = [_Part(text[u.start : u.end].strip(), u.kind in _SAID) for u in units(text)]
        return self._parts[n]

    def _cosines(self, kept: int, copy: int) -> list[list[float]]:
        """Those of each part of `kept`, a row, and of `copy`, a column."""
        there, wanted = self._taken_apart(kept), self._taken_apart(copy)
        if len(there) == len(wanted) == 1:
            return [[self.cosine(kept, copy)]]
        rows = self._model.vectors([part.text for part in (*there, *wanted)])
        found: list[list[float]] = (rows[: len(there)] @ rows[len(there) :].T).tolist()
        return found

    def _same(self, one: _Part, other: _Part, cosine: float) -> bool:
        if one == other:
            return True
        if not (one.said and other.said) or cosine < self._threshold:
            return False
        # Latent semantic analysis takes words for alike that stand in the same messages: no reason to trust it so far.
        return says_again(read(one.text), read(other.text), None if self._model.name == LSA else cosine)
