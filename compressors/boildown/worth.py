"""What each word of a transcript is worth: rarity, first mention, sentence, message and speaker, in one table.

The worth of a word occurrence is `sqrt(idf)`, with idf = ln(1 + N / (1 + df)) over the N messages (Spärck Jones 1972),
a twentieth of that for function words, three times that for numbers, and divided by n ** 0.2 for its n-th mention, so
that a fact's second mention is worth less than its first (coverage, as in Lin and Bilmes 2011). Where a transcript uses
tools, paths, identifiers, hashes and numbers count five times more: later calls need them letter by letter. Sentences,
messages and speakers then multiply it: dense ones count more, sentences in which the speaker speaks of itself count
half as much again, and a role that talks at far greater length than the user is discounted, for its words are the
easier to do without.
"""

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
from boildown.text.words import FIRST_PERSON, FUNCTION, WORD
from boildown.transcript import Message, Text, Thinking, ToolCall, ToolResult

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

FUNCTION_WORTH = 0.05
DIGIT_WORTH = 3.0
REPEAT = 0.2
OWN_WORDS = 1.5
SENTENCE_DENSITY = 0.5
MESSAGE_DENSITY = 1.0
LENGTH_DISCOUNT = 0.75
IDENTIFIER_WORTH = 5.0
MARKED = "\0"
EMPTY_LINE = re.compile(r" *\d+→")
"""A line of a file as a tool shows it, of which there is nothing but its number"""
STAMP_WORTH = 2.0
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


def rarity(spoken: Words, messages: Ints) -> Floats:
    """ln(1 + N / (1 + df)) of each word, df being the number of the N messages that hold it."""
    import numpy as np

    span = int(messages.max(initial=0)) + 1
    pairs = np.unique(spoken.word * span + messages[spoken.piece])
    df = np.bincount(pairs // span, minlength=len(spoken.vocabulary))
    return np.log1p(len(np.unique(messages)) / (1.0 + df))


def worth(found: Table, messages: Sequence[Message], costs: Floats, framing: Floats) -> Floats:
    """The worth of each piece. `costs` are its tokens, `framing` those each message costs besides its text."""
    import numpy as np

    working = any(isinstance(b, ToolCall | ToolResult) for m in messages for b in m.blocks)
    spoken, where, count = words(found, working), found.messages, len(found.kind)
    plain = function_words(spoken)
    digits = np.array([any(map(str.isdigit, w)) for w in spoken.vocabulary], bool)
    value = np.sqrt(rarity(spoken, where)) * np.where(plain, FUNCTION_WORTH, 1.0) * np.where(digits, DIGIT_WORTH, 1.0)
    value[spoken.plain :] = IDENTIFIER_WORTH * np.maximum(value[spoken.plain :], 1.0)
    piece = np.bincount(spoken.piece, value[spoken.word] * mention(spoken.word) ** -REPEAT, count)
    piece = piece * np.array([STAMP_WORTH if STAMP.fullmatch(t) else 1.0 for t in found.types])[found.kind]
    own = np.array([w in FIRST_PERSON for w in spoken.vocabulary], float)
    said = np.array([m.role in ("user", "assistant") for m in messages], bool)[where]
    size = int(found.unit.max(initial=-1)) + 1
    personal = np.bincount(found.unit, said * np.bincount(spoken.piece, own[spoken.word], count), size) > 0
    piece = piece * np.where(personal, OWN_WORDS, 1.0)[found.unit]
    piece = piece * density(found.unit, piece, costs, np.zeros(size))[found.unit] ** SENTENCE_DENSITY
    piece = piece * density(where, piece, costs, framing)[where] ** MESSAGE_DENSITY
    return np.asarray(piece * speakers(where, messages, costs)[where])


def function_words(spoken: Words) -> Bools:
    """Which words of the vocabulary only hold sentences together, in the languages that the text is in.

    A language counts where its function words are at least half as frequent as those of the commonest one.
    """
    import numpy as np

    seen = np.bincount(spoken.word, minlength=len(spoken.vocabulary))
    member = {name: np.array([w in listed for w in spoken.vocabulary], bool) for name, listed in FUNCTION.items()}
    often = {name: int(seen[held].sum()) for name, held in member.items()}
    most = max(often.values())
    return np.asarray(np.any([held for name, held in member.items() if 2 * often[name] >= most], axis=0))


def mention(kinds: Ints) -> Floats:
    """1 for the first of its kind, 2 for the second, and so on."""
    import numpy as np

    order = np.argsort(kinds, kind="stable")
    ranked = kinds[order]
    first = np.concatenate([[True], ranked[1:] != ranked[:-1]]) if len(kinds) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    nth = np.empty(len(kinds))
    nth[order] = np.arange(len(kinds)) - np.repeat(starts, np.diff(np.append(starts, len(kinds)))) + 1
    return nth


def density(holder: Ints, worths: Floats, costs: Floats, framing: Floats) -> Floats:
    """Worth per token of each holder (sentence or message), as a multiple of the mean."""
    import numpy as np

    size = len(framing)
    value = np.bincount(holder, worths, size) / np.maximum(np.bincount(holder, costs, size) + framing, 1.0)
    mean = float(value[value > 0].mean()) if (value > 0).any() else 1.0
    return np.asarray(value / mean)


def speakers(where: Ints, messages: Sequence[Message], costs: Floats) -> Floats:
    """Each message's factor: 1 for roles that talk as the user does, less the longer a role talks."""
    import numpy as np

    length = np.bincount(where, costs, len(messages))
    roles: dict[str, list[float]] = {}
    for message, tokens in zip(messages, length, strict=True):
        if tokens:
            roles.setdefault(message.role, []).append(float(tokens))
    means = {role: sum(held) / len(held) for role, held in roles.items()}
    usual = means.get("user") or min(means.values(), default=1.0)
    factor = {role: max(mean / usual, 1.0) ** -LENGTH_DISCOUNT for role, mean in means.items()}
    return np.array([factor.get(m.role, 1.0) for m in messages])
