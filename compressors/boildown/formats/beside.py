"""A text that stands beside a body's array of messages, such as its system text: found, taken out, put back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from boildown.formats.layout import Frame, Piece, Row, member_span, raw, row
from boildown.formats.source import Json, Member
from boildown.transcript import Message, Source, Transcript


@dataclass(frozen=True, slots=True)
class Slot:
    """The text's place in the bytes before a body's messages or, `behind`, after them.

    Those bytes are `before` + `lead` + the text's record + `trail` + `after`, or without the text `before` + `after`.
    """

    before: bytes
    lead: bytes
    trail: bytes
    after: bytes
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: the frame around its messages, and where its text stands.

    The text's record comes after the messages' records; without a text in the source there is a place and no record.
    """

    frame: Frame
    slot: Slot
    present: bool


Say = Callable[[bytes, Message | None, Sequence[Message]], bytes]
"""(the text's record, its message as it was read, the messages that it is to say) -> the record to write"""
Write = Callable[[Transcript, set[int]], bytes]
"""(transcript without what the text says, records that are no message) -> the body"""


def beside(piece: Piece, found: Sequence[Member], held: Member, keys: Sequence[str]) -> tuple[Row, Body, Json]:
    """The elements of the array `held`, the body around them, and the value of the member called as one of `keys`.

    `found` are the members of the piece's object. The value's bytes are the row's last record.
    """
    text, span = piece.text, (piece.start, piece.end)
    messages = row(text, held.start, *span)
    place = next((k for k, m in enumerate(found) if m.key in keys), -1)
    if place < 0:
        head = messages.frame.head
        opened = head.index(b"{") + 1
        slot = Slot(head[:opened], f'"{keys[0]}": '.encode(), b", ", head[opened:])
        return messages, Body(messages.frame, slot, False), None
    said = found[place]
    slot = _slot(text, span, found, place, messages.frame, said.start > held.start)
    records = (*messages.records, raw(text[said.start : said.end]))
    return replace(messages, records=records), Body(messages.frame, slot, True), said.value


def _slot(text: str, span: tuple[int, int], found: Sequence[Member], place: int, frame: Frame, behind: bool) -> Slot:
    start, end = member_span(text, found, place)
    lead, trail = raw(text[start : found[place].start]), raw(text[found[place].end : end])
    if behind:
        after = raw(text[end : span[1]])
        return Slot(frame.tail[: len(frame.tail) - len(raw(text[start : span[1]]))], lead, trail, after, True)
    before = raw(text[span[0] : start])
    return Slot(before, lead, trail, frame.head[len(raw(text[span[0] : end])) :])


def write_beside(transcript: Transcript, source: Source, say: Say, write: Write) -> bytes:
    """A conversation whose layout is a Body or, without a text beside its messages, what `write` takes."""
    taken = {i for m in source.messages for i in m.records}
    body = source.layout
    if not isinstance(body, Body):
        return write(transcript, set(range(len(source.records))) - taken)
    own = next((m for m in source.messages if body.present and m.records == (len(source.records) - 1,)), None)
    known = {m.id for m in source.messages}
    mine = {own.id} if own else set()
    mine |= {m.id for m in transcript.messages if m.role == "system" and m.id not in known}
    said = _said(source, body, own, [m for m in transcript.messages if m.id in mine], say)
    rest = [m for m in transcript.messages if m.id not in mine]
    plain = replace(transcript, messages=tuple(rest), source=replace(source, layout=_framed(body, said)))
    return write(plain, set(range(len(source.records) - body.present)) - taken)


def _said(source: Source, body: Body, own: Message | None, now: Sequence[Message], say: Say) -> bytes | None:
    """The text to write; None where there is none."""
    record = source.records[-1] if body.present else b""
    if not now:
        return record if own is None and body.present else None
    if own is not None and len(now) == 1 and now[0].blocks == own.blocks:
        return record
    return say(record, own, now)


def _framed(body: Body, said: bytes | None) -> Frame:
    slot = body.slot
    held = b"" if said is None else slot.lead + said + slot.trail
    whole = slot.before + held + slot.after
    return replace(body.frame, tail=whole) if slot.behind else replace(body.frame, head=whole)
