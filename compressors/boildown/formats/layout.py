"""Where records stand in their file, and how a file is put together again around those that changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from boildown.formats.source import Json, Member, body, broken, dump, ending, lines, members, parse, sample
from boildown.transcript import Message, Note, Source, Transcript


@dataclass(frozen=True, slots=True)
class Frame:
    """The raw bytes around a row of records: before the first, between two, after the last.

    `new` ends a record that has no source where records carry their own endings (JSON lines).
    """

    head: bytes = b""
    gaps: tuple[bytes, ...] = ()
    tail: bytes = b""
    new: bytes = b""

    def join(self, items: Sequence[tuple[int, bytes]]) -> bytes:
        """The row with only `items` in it: (index of the source record or -1, bytes)."""
        usual = Counter(self.gaps).most_common(1)[0][0] if self.gaps else (b"" if self.new else b", ")
        parts = [self.head]
        for n, (index, record) in enumerate(items):
            if n:
                parts.append(self.gaps[index - 1] if 0 < index <= len(self.gaps) else usual)
            whole = index >= 0 and (n + 1 == len(items) or record.endswith(self.new))
            parts.append(record if whole else record + self.new)
        parts.append(self.tail)
        return b"".join(parts)


LINES = Frame(new=b"\n")


@dataclass(frozen=True, slots=True)
class Row:
    """The elements of a JSON array that stands in a text: their values, their bytes, and the frame around them."""

    values: tuple[Json, ...]
    records: tuple[bytes, ...]
    frame: Frame


def row(text: str, array: int = 0, start: int = 0, end: int | None = None) -> Row:
    """The array that begins at `array` in text[start:end], framed by all the rest of that text."""
    end = len(text) if end is None else end
    found = list(members(text, array))
    if not found:
        opened = text.index("[", array) + 1
        return Row((), (), Frame(raw(text[start:opened]), (), raw(text[opened:end])))
    gaps = tuple(raw(text[a.end : b.start]) for a, b in pairwise(found))
    frame = Frame(raw(text[start : found[0].start]), gaps, raw(text[found[-1].end : end]))
    return Row(tuple(m.value for m in found), tuple(raw(text[m.start : m.end]) for m in found), frame)


def line_row(data: bytes) -> tuple[Row, tuple[Note, ...], frozenset[int]]:
    """The lines of a file as a row, a note for each that is no JSON and stands there as text, and which are blank."""
    records = tuple(lines(data))
    values: list[Json] = []
    notes: list[Note] = []
    for number, line in enumerate(records, 1):
        try:
            values.append(parse(line) if line.strip() else None)
        except (ValueError, RecursionError) as error:
            values.append(line.decode("utf-8", "replace"))
            notes.append(Note("bad line", f"line {number}", f"not valid JSON ({error}); carried as it stands"))
    blank = frozenset(i for i, line in enumerate(records) if not line.strip())
    return Row(tuple(values), records, LINES), tuple(notes), blank


def member_span(text: str, found: Sequence[Member], place: int) -> tuple[int, int]:
    """What to cut to take out an object's member: its key and value, and the comma that it no longer needs."""
    member = found[place]
    if place:
        return found[place - 1].end, member.end
    opened = text.rindex("{", 0, member.start - len(member.key)) + 1
    return opened, text.index(",", member.end) + 1 if len(found) > 1 else member.end


def spliced(record: bytes, values: Mapping[str, bytes | None]) -> bytes:
    """A JSON object with other bytes for some of its members' values, and without those that are None."""
    text = record.decode("utf-8", "surrogateescape")
    found = list(members(text))
    for place in reversed(range(len(found))):
        key = found[place].key
        if key not in values:
            continue
        put = values[key]
        start, end = (found[place].start, found[place].end) if put is not None else member_span(text, found, place)
        text = text[:start] + (put or b"").decode("utf-8", "surrogateescape") + text[end:]
        if put is None:
            del found[place]
    return raw(text)


def raw(text: str) -> bytes:
    """Text that was decoded with surrogate escapes, as the bytes it came from."""
    return text.encode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class Piece:
    """One conversation of a file: text[start:end] and its value, and the raw bytes of the file before and after it."""

    where: str
    value: Json
    text: str
    start: int
    end: int
    before: bytes = b""
    after: bytes = b""


def conversations(data: bytes, form: str, build: Callable[[Piece], Transcript]) -> Iterator[Transcript]:
    """What `build` makes of a file's only object, of each element of its array, or of each line, one at a time.

    Where `build` raises ValueError, an empty transcript carries the piece and notes it, unless it is the whole file.
    """
    kind = sample(data).kind
    for piece in _line_pieces(data) if kind == "lines" else _pieces(data):
        try:
            found = build(piece)
        except (ValueError, RecursionError) as error:
            if kind == "object":
                raise
            why = f"no conversation ({error}); carried as it stands"
            found = _unread(form, piece, Note("bad line", piece.where, why))
        yield found


class Whole(Protocol):
    """Makes one conversation of all that stands in a row."""

    def __call__(
        self, found: Row, /, *, notes: Iterable[Note] = (), skip: frozenset[int] = frozenset()
    ) -> Transcript: ...


def bodies_or_row(
    data: bytes,
    form: str,
    is_body: Callable[[dict[str, Json]], bool],
    build: Callable[[Piece], Transcript],
    whole: Whole,
) -> Iterator[Transcript]:
    """The conversations that `build` makes of an object or of bodies, else the one of an array's elements or of lines.

    Raises InputError with the place where the file stops being JSON.
    """
    try:
        seen = sample(data)
        if seen.kind == "object" or any(map(is_body, seen.objects)):
            yield from conversations(data, form, build)
        elif seen.kind == "array":
            yield whole(row(data.decode("utf-8", "surrogateescape")))
        else:
            found, notes, blank = line_row(data)
            yield whole(found, notes=notes, skip=blank)
    except ValueError as error:
        raise broken("the input", data, error) from None


def _unread(form: str, piece: Piece, note: Note) -> Transcript:
    whole = piece.before + raw(piece.text[piece.start : piece.end])
    return Transcript((), Source(form, (), (), whole, piece.after, Frame(), (note,)))


def _pieces(data: bytes) -> Iterator[Piece]:
    text = data.decode("utf-8", "surrogateescape")
    start = len(text) - len(text.lstrip(" \t\r\n"))
    if text[start] == "{":
        value, end = json.JSONDecoder().raw_decode(text, start)
        yield Piece("the object", value, text, start, end, raw(text[:start]), raw(text[end:]))
        return
    place, held = 0, None
    for number, member in enumerate(members(text), 1):
        if held is not None:
            yield held
            place = held.end
        held = Piece(
            f"conversation {number}", member.value, text, member.start, member.end, raw(text[place : member.start])
        )
    if held is not None:
        yield replace(held, after=raw(text[held.end :]))


def _line_pieces(data: bytes) -> Iterator[Piece]:
    """A piece a line; blank lines go with the line before them, those at the top with the first."""
    held, top = None, b""
    for number, line in enumerate(lines(data), 1):
        text = line.decode("utf-8", "surrogateescape")
        if not text.strip():
            top, held = (top, replace(held, after=held.after + line)) if held else (top + line, None)
            continue
        if held is not None:
            yield held
        try:
            value = parse(line)
        except (ValueError, RecursionError):
            value = None
        end = len(text.rstrip("\r\n"))
        held, top = Piece(f"line {number}", value, text, 0, end, top, raw(text[end:])), b""
    if held is not None:
        yield held


Patch = Callable[[Json, Message, Message], Json]
"""(source record, message as it was read, message as it is) -> the record to write; may change what it is given."""
Render = Callable[[Message], list[Json]]
"""message -> the records to write for one that has no source record in this format"""


Finish = Callable[[Message, bytes], bytes]
"""(message, its record) -> the record with what is to be put into it last"""


def write_records(
    transcript: Transcript,
    patch: Patch,
    render: Render,
    carried: Iterable[int] = (),
    finish: Finish = lambda message, record: record,
) -> bytes:
    """One conversation, each message from its own single record; records in `carried` stay where they stood.

    A message without a record comes behind what is carried before the next message, never before a file's header.
    """
    source = transcript.source
    assert source is not None and isinstance(source.layout, Frame)
    read = {m.id: m for m in source.messages}
    like = source.records[0] if source.records else b""
    items: list[tuple[int, bytes]] = []
    new: list[tuple[int, bytes]] = []
    waiting = sorted(carried, reverse=True)
    for message in transcript.messages:
        was = read.get(message.id)
        if was is None or not was.records:
            new += [(-1, finish(message, dump(value, like))) for value in render(message)]
            continue
        while waiting and waiting[-1] < was.records[0]:
            items.append((waiting[-1], source.records[waiting.pop()]))
        items += [*new, (was.records[0], finish(message, _record(source, was, message, patch)))]
        new = []
    items += [(i, source.records[i]) for i in reversed(waiting)]
    return source.layout.join(items + new)


def _record(source: Source, was: Message, message: Message, patch: Patch) -> bytes:
    record = source.records[was.records[0]]
    if was.blocks == message.blocks and was.role == message.role:
        return record
    bare = record.rstrip(b"\r\n")
    return dump(patch(parse(bare), was, message), bare) + record[len(bare) :]


Written = list[tuple[int, bytes]]
"""Records to write: the place of each in the source, or -1, and its bytes"""
Rewrite = Callable[[dict[int, bytes], Sequence[Message], Sequence[Message]], Written]
"""(source records by place, without line endings; the messages read from them; those messages now) -> what to write"""


def write_shared(
    transcript: Transcript,
    rewrite: Rewrite,
    render: Render,
    carried: Iterable[int] = (),
    leaders: Mapping[str, int] | None = None,
) -> bytes:
    """As `write_records`, where messages share a record or have several.

    Messages that begin with the same record are written together. Where all of them are as they were read, their
    records are written as they stand; where none is left, none is. A message in `leaders` is written with those of
    another place, into records that are always made anew.
    """
    source = transcript.source
    assert source is not None and isinstance(source.layout, Frame)
    leaders = leaders or {}
    place = {m.id: m.records[0] for m in source.messages if m.records} | dict(leaders)
    was, now = _together(source.messages, place), _together(transcript.messages, place)
    like = source.records[0] if source.records else b""
    waiting = sorted(carried, reverse=True)
    items: Written = []
    new: Written = []
    for message in transcript.messages:
        if message.id not in place:
            new += [(-1, dump(value, like)) for value in render(message)]
            continue
        first = place[message.id]
        if first not in now:
            continue
        while waiting and waiting[-1] < first:
            items.append((waiting[-1], source.records[waiting.pop()]))
        group = now.pop(first)
        moved = any(m.id in leaders for m in group)
        items += [*new, *_shared(source, was[first], group, moved, rewrite)]
        new = []
    items += [(i, source.records[i]) for i in reversed(waiting)]
    return source.layout.join(items + new)


def _together(messages: Iterable[Message], place: Mapping[str, int]) -> dict[int, list[Message]]:
    found: dict[int, list[Message]] = {}
    for message in messages:
        if message.id in place:
            found.setdefault(place[message.id], []).append(message)
    return found


def _shared(source: Source, was: list[Message], now: list[Message], moved: bool, rewrite: Rewrite) -> Written:
    records = {i: source.records[i] for m in was for i in m.records}
    said = [[(m.id, m.role, m.blocks) for m in messages] for messages in (was, now)]
    if not moved and said[0] == said[1]:
        return list(records.items())
    written = rewrite({i: body(record) for i, record in records.items()}, was, now)
    return [(i, record + ending(records[i]) if i >= 0 else record) for i, record in written]


def with_values(record: bytes, fields: Mapping[str, Json]) -> bytes:
    """A JSON object with other values for some of the members that it has; the rest keeps its bytes."""
    found = members(record.decode("utf-8", "surrogateescape")) if fields else ()
    changed = {m.key for m in found if m.key in fields and fields[m.key] != m.value}
    return spliced(record, {key: dump(fields[key], record) for key in changed}) if changed else record
