"""A transcript's text as a table: the pieces that may be kept or dropped, as columns, and the words in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

from boildown.identifiers import separated
from boildown.marks import is_mark
from boildown.text.frames import MARK, Frame, frames
from boildown.text.kinds import Kind
from boildown.text.pieces import Cutter, mixed
from boildown.text.units import rows, sentences
from boildown.text.words import apart, lone, numbered
from boildown.transcript import Message, Text, Thinking, ToolResult

if TYPE_CHECKING:
    from boildown.arrays import Bools, Ints

MARKED = "\0"
EMPTY_LINE = re.compile(r" *\d+→")
"""A line of a file as a tool shows it, of which there is nothing but its number"""
STAMP = re.compile(r"\[[^\[\]\n]{0,40}\d[^\[\]\n]{0,40}\]")
WORDY = frozenset({Kind.SENTENCE, Kind.ITEM, Kind.HEADING})
_TEXTS = (Text, ToolResult, Thinking)
FRAMING = frozenset({Kind.HEAD, Kind.OPEN, Kind.CLOSE})


@dataclass(frozen=True, slots=True)
class Place:
    """A block of text in a transcript: message index, block index, and whether it is thinking, which is not cut."""

    message: int
    block: int
    whole: bool


@dataclass(slots=True)
class Table:
    """A transcript's pieces as columns, all of one length P, in reading order.

    place     index into `places`: whose text a piece is in          start, end   its span in that text
    messages  index of its message
    unit      index of its sentence, list item, line, code block      kind         index of its string in `types`
    wordy     whether it is of a sentence, not of code or the like
    types     what pieces say; a string may stand there twice
    texts     the text of each place                               frames        what frames pieces there, if anything
    """

    places: list[Place]
    place: Ints
    messages: Ints
    start: Ints
    end: Ints
    unit: Ints
    kind: Ints
    types: list[str]
    wordy: Bools
    texts: list[str]
    frames: list[list[Frame]]


def _texts(messages: Sequence[Message]) -> list[tuple[Place, str]]:
    return [
        (Place(i, j, isinstance(block, Thinking)), block.text)
        for i, message in enumerate(messages)
        for j, block in enumerate(() if message.pinned else message.blocks)
        if isinstance(block, _TEXTS) and not (not block.text or block.text.isspace() or is_mark(block.text))
    ]


def table(messages: Sequence[Message], cut: Cutter) -> Table:
    """All text of the messages that are not pinned, cut into pieces. Thinking is one piece a block, marks are none."""
    import numpy as np

    read = _Reading()
    for at, text in _texts(messages):
        read.add(at, text)
    found = mixed(read.said, read.wordy, cut)
    shift, unit, place = (
        np.repeat(np.array(column, np.int64), found.many) for column in (read.start, read.unit, read.place)
    )
    unit = np.cumsum(np.diff(unit, prepend=unit[:1]) > 0)
    start, end = found.start + shift, found.end + shift
    wordy = np.repeat(np.array(read.wordy, bool), found.many)
    holder = np.array([p.message for p in read.places], np.int64)[place]
    return Table(read.places, place, holder, start, end, unit, found.kind, found.types, wordy, read.texts, read.frames)


def part(known: Table, messages: Sequence[Message]) -> Table | None:
    """The table of `messages`, taken from one that holds all of their texts; None where it does not."""
    import numpy as np

    texts = _texts(messages)
    index = {(place.whole, text): n for n, (place, text) in enumerate(zip(known.places, known.texts, strict=True))}
    at = [index.get((place.whole, text), -1) for place, text in texts]
    if not at or min(at) < 0:
        return None
    first = np.searchsorted(known.place, np.arange(len(known.texts) + 1))
    many = np.diff(first)[at]
    rows = np.concatenate([np.arange(first[n], first[n + 1]) for n in at])
    place = np.repeat(np.arange(len(at)), many)
    opens = (np.diff(place, prepend=0) != 0) | (np.diff(known.unit[rows], prepend=known.unit[rows[:1]]) != 0)
    used = np.bincount(known.kind[rows], minlength=len(known.types)) > 0
    return Table(
        places=[held for held, _ in texts],
        place=place,
        messages=np.array([held.message for held, _ in texts], np.int64)[place],
        start=known.start[rows],
        end=known.end[rows],
        unit=np.cumsum(opens),
        kind=(np.cumsum(used) - 1)[known.kind[rows]],
        types=list(compress(known.types, used.tolist())),
        wordy=known.wordy[rows],
        texts=[text for _, text in texts],
        frames=[known.frames[n] for n in at],
    )


class _Reading:
    """The texts of some messages as parts, each of which is cut by itself.

    said   what a part says                    start        where it begins in its text
    wordy  whether words of it may go          place, unit  whose it is
    """

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.texts: list[str] = []
        self.frames: list[list[Frame]] = []
        self.start: list[int] = []
        self.place: list[int] = []
        self.unit: list[int] = []
        self.wordy: list[bool] = []
        self.said: list[str] = []
        self._units = 0

    def add(self, place: Place, text: str) -> None:
        self.places.append(place)
        self.texts.append(text)
        if not place.whole and (ends := sentences(text)):
            self.frames.append([])
            self._sentences(text, [0, *ends[:-1]], ends)
            return
        parts = [] if place.whole else rows(text)
        kinds = {unit[2] for unit in parts}
        self.frames.append([] if kinds.isdisjoint(FRAMING) else frames(text, parts))
        stamp = STAMP.match(text) if parts else None
        if parts and not stamp and kinds <= WORDY:
            self._sentences(text, [start for start, _, _ in parts], [end for _, end, _ in parts])
            return
        for start, end, kind in parts or [(0, len(text), Kind.CODE)]:
            if kind in FRAMING:
                continue
            said, wordy = text[start:end], kind in WORDY
            if not wordy and parts and "…" in said and MARK.fullmatch(said.strip()):
                continue
            if stamp and start < stamp.end() <= end:
                self._part(start, text[start : stamp.end()], False)
                start, said = stamp.end(), text[stamp.end() : end]
            self._part(start, said, wordy)
            self._units += 1

    def _sentences(self, text: str, starts: Sequence[int], ends: Sequence[int]) -> None:
        """Add parts all of which are of words."""
        many = len(starts)
        self.start += starts
        self.said += [text[start:end] for start, end in zip(starts, ends, strict=True)]
        self.place += [len(self.places) - 1] * many
        self.unit += range(self._units, self._units + many)
        self.wordy += [True] * many
        self._units += many

    def _part(self, start: int, said: str, wordy: bool) -> None:
        self.start.append(start)
        self.place.append(len(self.places) - 1)
        self.unit.append(self._units)
        self.wordy.append(wordy)
        self.said.append(said)


@dataclass(frozen=True, slots=True)
class Words:
    """The W words of all pieces: ids into `vocabulary`, and the piece that each stands in.

    The first `plain` entries of the vocabulary are words, those after it identifiers. `index` is where each stands.
    """

    word: Ints
    piece: Ints
    vocabulary: list[str]
    plain: int
    index: dict[str, int]

    def among(self, listed: Iterable[str]) -> Bools:
        """Which entries of the vocabulary are listed."""
        import numpy as np

        found = np.zeros(len(self.vocabulary), bool)
        found[[self.index[word] for word in listed if word in self.index]] = True
        return found


def words(found: Table, identifiers: bool = False) -> Words:
    """The words of the pieces, lower case, and where asked for their identifiers; each distinct piece is split once."""
    import numpy as np

    ids: dict[str, int] = {}
    types = found.types
    if any("→" in text for text in found.texts):
        types = ["" if t.endswith("→") and EMPTY_LINE.fullmatch(t) else t for t in types]
    found_in = [lone(types, ids)]
    at = np.flatnonzero(np.bincount(found_in[0][1], minlength=len(types)) == 0)
    number, holder = numbered([types[n] for n in at.tolist()], ids)
    found_in.append((number, at[holder]))
    plain = len(ids)
    if identifiers:
        known: dict[str, list[str]] = {}
        found_in.append(numbered(types, ids, lambda text: apart(separated(text, known, MARKED))))
    flat, holder = map(np.concatenate, zip(*found_in, strict=True))
    order = np.argsort(holder, kind="stable")
    flat, holder = flat[order], holder[order]
    sizes = np.bincount(holder, minlength=len(types))
    first, many = np.cumsum(sizes) - sizes, sizes[found.kind]
    ends = np.cumsum(many)
    place = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first[found.kind] - (ends - many), many)
    return Words(flat[place], np.repeat(np.arange(len(many)), many), list(ids), plain, ids)
