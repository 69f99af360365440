"""Finding pieces of a conversation, and of archived messages, that fit a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boildown.memory.archiving import embed_inside, said
from boildown.memory.messages import Kept, Memory, Origin, Said, Scope
from boildown.memory.recall import CANDIDATES, recall
from boildown.memory.store import within_memory
from boildown.text.units import units
from boildown.transcript import Message

if TYPE_CHECKING:
    from boildown.memory.embedders import Embedder

LONG = 280
"""Characters of a piece of a longer message, about: some sentences"""
LEAST = 0.1
"""The score from which on a piece is taken for one that fits"""
_ARCHIVED = 50
"""Archived messages that are looked at"""
_OWN = "conversation"


@dataclass(frozen=True, slots=True)
class Found:
    """A piece of a message that fits a question.

    message  the index of the message in the conversation, -1 for an archived one
    place    what pieces are in order by: those of a session by time, the archived sessions before the conversation
    part     which piece of its message it is, of how many
    """

    score: float
    message: int
    place: tuple[float, int, int]
    part: tuple[int, int]
    said: Said
    text: str
    session: str = ""


def pieces(text: str) -> list[str]:
    """`text` in parts of some LONG characters that end where a sentence, an item or a line does."""
    if len(text) <= LONG * 3 // 2:
        return [text]
    found, start = list[str](), 0
    for end in _ends(text):
        if end - start >= LONG:
            found.append(text[start:end])
            start = end
    return [part for part in (*found, text[start:]) if part.strip()]


def _ends(text: str) -> Iterator[int]:
    for unit in units(text):
        at = unit.start
        while unit.end - at > LONG and (at := text.find("\n", at + LONG, unit.end) + 1):
            yield at
            if unit.end - at <= LONG:
                break
        yield unit.end


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a message of the conversation, by its index there, or of an archived one."""

    text: str
    number: int
    many: int
    said: Said
    message: int = -1
    kept: Kept | None = None


class Index:
    """The pieces of a conversation, made to be asked many questions; by meaning, too, with an `embedder`."""

    def __init__(self, messages: Sequence[Message], embedder: Embedder | None = None) -> None:
        self._memory, self._embedder = within_memory(), embedder
        self._texts = {(one.role, one.text) for one in said(messages)}
        self._pieces = [p for i, m in enumerate(messages) for one in said([m]) for p in _pieces(one, message=i)]
        with self._memory.transaction():
            self._put(_OWN, self._pieces, 0)

    def find(self, question: str, most: int, archived: Iterable[Kept] = ()) -> list[Found]:
        """The `most` pieces of the conversation and of `archived` messages that fit best, the best first.

        An archived message that the conversation has is not one of them.
        """
        others = [_pieces(k.said, kept=k) for k in archived if (k.said.role, k.said.text) not in self._texts]
        if not others:
            return self._found(question, most, self._pieces)
        # They are weighed among the conversation's own, and are gone when the question is answered.
        with self._memory.passing():
            known = list(self._pieces)
            for number, some in enumerate(others):
                self._put(f"{number}", some, len(known))
                known += some
            return self._found(question, most, known)

    def _put(self, session: str, some: Sequence[_Piece], first: int) -> None:
        # The time makes equal pieces different ones.
        rows = [Said(str(n), p.said.role, p.text, p.said.name, str(n)) for n, p in enumerate(some, first)]
        self._memory.put(Origin(session), rows)
        if self._embedder is not None:
            embed_inside(self._memory, self._embedder, Scope(session=session))

    def _found(self, question: str, most: int, known: Sequence[_Piece]) -> list[Found]:
        hits = recall(self._memory, question, Scope(), most, self._embedder, candidates=max(CANDIDATES, most))
        return [_found(hit.score, known[int(hit.kept.said.id)]) for hit in hits if hit.score >= LEAST]


def _pieces(said: Said, message: int = -1, kept: Kept | None = None) -> list[_Piece]:
    parts = pieces(said.text)
    return [_Piece(part, n, len(parts), said, message, kept) for n, part in enumerate(parts)]


def _found(score: float, piece: _Piece) -> Found:
    kept = piece.kept
    place = (float("inf"), 0, piece.message) if kept is None else (kept.said.moment or 0.0, *kept.seat)
    session = kept.session if kept else ""
    return Found(score, piece.message, place, (piece.number, piece.many), piece.said, piece.text, session)


def archived(memory: Memory, question: str, scope: Scope, embedder: Embedder | None = None) -> list[Kept]:
    """The archived messages of the scope that fit a question best."""
    return [hit.kept for hit in recall(memory, question, scope, _ARCHIVED, embedder)]
