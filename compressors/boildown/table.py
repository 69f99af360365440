"""A transcript's text as a table: the pieces that may be kept or dropped, as columns, and the words in them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from boildown.identifiers import IDENTIFIER
from boildown.marks import is_mark
from boildown.text.frames import MARK, Frame, frames
from boildown.text.kinds import Kind
from boildown.text.units import Unit, units
from boildown.text.words import WORD
from boildown.transcript import Message, Text, Thinking, ToolResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

MARKED = "\0"
EMPTY_LINE = re.compile(r" *\d+→")
"""A line of a file as a tool shows it, of which there is nothing but its number"""
STAMP = re.compile(r"\[[^\[\]\n]{0,40}\d[^\[\]\n]{0,40}\]")
WORDY = frozenset({Kind.SENTENCE, Kind.ITEM, Kind.HEADING})
FRAMING = frozenset({Kind.HEAD, Kind.OPEN, Kind.CLOSE})

Pieces = Callable[[str, int, int], Sequence[tuple[int, int]]]
"""(text, start, end) -> the spans in it that may be kept or dropped by themselves"""


@dataclass(frozen=True, slots=True)
class Place:
    """A block of text in a transcript: message index, block index."""

    message: int
    block: int


@dataclass(slots=True)
class Table:
    """A transcript's pieces as columns, all of one length P, in reading order.

    place     index into `places`: whose text a piece is in          start, end   its span in that text
    unit      index of its sentence, list item, line, code block      kind         index of its string in `types`
    texts     the text of each place                               frames        what frames pieces there, if anything
    """

    places: list[Place]
    place: Ints
    start: Ints
    end: Ints
    unit: Ints
    kind: Ints
    types: list[str]
    texts: list[str] = field(default_factory=list)
    frames: list[list[Frame]] = field(default_factory=list)

    @property
    def messages(self) -> Ints:
        """The message index of each piece."""
        import numpy as np

        return np.array([p.message for p in self.places], np.int64)[self.place]


def table(messages: Sequence[Message], pieces: Pieces) -> Table:
    """All text of the messages that are not pinned, cut into pieces. Thinking is one piece a block, marks are none."""
    import numpy as np

    places: list[Place] = []
    texts: list[str] = []
    ids: defaultdict[str, int] = defaultdict()
    ids.default_factory = ids.__len__
    spans: list[tuple[int, int]] = []
    kinds: list[int] = []
    per_unit: list[int] = []
    per_place: list[int] = []
    framed: list[list[Frame]] = []
    for i, message in enumerate(messages):
        for j, block in enumerate(() if message.pinned else message.blocks):
            if not isinstance(block, Text | ToolResult | Thinking) or not block.text.strip() or is_mark(block.text):
                continue
            text, before = block.text, len(spans)
            parts = [] if isinstance(block, Thinking) else units(text)
            for found in _spans(text, parts, pieces):
                spans += found
                per_unit.append(len(found))
                kinds += [ids[text[a:b]] for a, b in found]
            places.append(Place(i, j))
            texts.append(text)
            framed.append(frames(text, parts) if any(unit.kind in FRAMING for unit in parts) else [])
            per_place.append(len(spans) - before)
    start, end = np.fromiter(chain.from_iterable(spans), np.int64, 2 * len(spans)).reshape(-1, 2).T
    place = np.repeat(np.arange(len(places)), per_place)
    unit = np.repeat(np.arange(len(per_unit)), per_unit)
    return Table(places, place, start, end, unit, np.array(kinds, np.int64), list(ids), texts, framed)


def _spans(text: str, parts: Sequence[Unit], pieces: Pieces) -> Iterator[Sequence[tuple[int, int]]]:
    """The pieces of each unit of a text that has any; all of it where it has no units."""
    if not parts:
        yield whole(text, 0, len(text))
        return
    stamp = STAMP.match(text)
    for start, end, kind in parts:
        if kind in FRAMING or (kind not in WORDY and MARK.fullmatch(text[start:end].strip())):
            continue
        first = stamp.end() if stamp and start < stamp.end() <= end else start
        spans = pieces(text, first, end) if kind in WORDY else whole(text, first, end)
        if first > start:
            spans = [(start, first), *spans]
        if spans:
            yield spans


def whole(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """A unit that is kept or dropped as one, without the blanks at its ends."""
    body = text[start:end]
    a = start + len(body) - len(body.lstrip())
    b = start + len(body.rstrip())
    return [(a, b)] if a < b else []


@dataclass(frozen=True, slots=True)
class Words:
    """The W words of all pieces: ids into `vocabulary`, and the piece that each stands in.

    The first `plain` entries of the vocabulary are words, those after it identifiers.
    """

    word: Ints
    piece: Ints
    vocabulary: list[str]
    plain: int


def words(found: Table, identifiers: bool = False) -> Words:
    """The words of the pieces, lower case, and where asked for their identifiers; each distinct piece is split once."""
    import numpy as np

    ids: dict[str, int] = {}
    types = ["" if EMPTY_LINE.fullmatch(t) else t for t in found.types]
    split = [[ids.setdefault(w, len(ids)) for w in WORD.findall(t.lower())] for t in types]
    plain = len(ids)
    if identifiers:
        for text, held in zip(types, split, strict=True):
            held += [ids.setdefault(MARKED + w, len(ids)) for w in IDENTIFIER.findall(text)]
    flat = np.fromiter(chain.from_iterable(split), np.int64)
    first = np.concatenate([[0], np.cumsum([len(s) for s in split], dtype=np.int64)])
    many = np.diff(first)[found.kind]
    ends = np.cumsum(many)
    place = np.arange(ends[-1] if len(ends) else 0) + np.repeat(first[:-1][found.kind] - (ends - many), many)
    return Words(flat[place], np.repeat(np.arange(len(many)), many), list(ids), plain)
