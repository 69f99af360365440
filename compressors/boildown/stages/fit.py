"""The last step of every pipeline: exactly the budget, and a conversation that the consumer accepts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from boildown.formats.convert import join_turns
from boildown.pipeline import Context
from boildown.selection import NOTHING, shrink
from boildown.stages.window import window
from boildown.text.spans import pieces
from boildown.transcript import Message, Text, Transcript, groups
from boildown.worth import whole

FULL = 0.99
MOST_CUTS = 4
OPENING_SHARE = 0.02
OPENING_LEAST = 16


@dataclass(frozen=True, slots=True)
class Fit:
    """Drop the oldest turns while the budget is passed, and put back the newest of what was taken while it is not.

    `source` is the transcript before any stage. The group that no longer fits whole is cut to the room that is left.
    """

    REASON = "oldest, to meet the budget"

    source: Transcript

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        gained = 0
        for _ in range(3):
            larger = replace(context, target=context.target + gained)
            filled = self._fill(transcript, larger)
            joined = filled.with_messages(join_turns(filled.messages)) if context.rules.alternate else filled
            size = context.count(joined)
            if size > context.target:
                return self._tightened(transcript, context)
            if size >= FULL * context.target or joined is filled:
                return joined
            gained = context.count(filled) - size
        return joined

    def _tightened(self, transcript: Transcript, context: Context) -> Transcript:
        filled = self._fill(transcript, context)
        return filled.with_messages(join_turns(filled.messages)) if context.rules.alternate else filled

    def _fill(self, transcript: Transcript, context: Context) -> Transcript:
        opening = self._opening(context) if context.rules.user_first else None
        reserve = sum(context.sizes([opening])) if opening else 0
        fitted = window(transcript, replace(context, target=context.target - reserve))
        if opening and _first_role(fitted) not in ("user", None):
            fitted = self._with(fitted, (opening,))
        return self._restored(fitted, context)

    def _opening(self, context: Context) -> Message | None:
        """The first user message, short: what a conversation begins with whose beginning is gone."""
        first = next((m for m in self.source.messages if m.role != "system"), None)
        if first is None or first.role != "user" or first.pinned:
            return None
        room = max(OPENING_LEAST, int(context.target * OPENING_SHARE))
        short = shrink(self.source.with_messages([first]), context, pieces, room + context.counter.framing.reply)
        return short.messages[0] if short.messages else first.with_blocks([Text(NOTHING, 0)])

    def _restored(self, transcript: Transcript, context: Context) -> Transcript:
        room, cuts = context.target - context.count(transcript), 0
        now = {m.id: m for m in transcript.messages}
        back: list[Message] = []
        for members in self._missing(now):
            if room <= (1 - FULL) * context.target or cuts == MOST_CUTS:
                break
            have = sum(context.sizes([now[m.id] for m in members if m.id in now]))
            extra = sum(context.sizes(members)) - have
            if extra > room:
                cuts += 1
                members = self._cut(members, context, have + room)
                extra = sum(context.sizes(members)) - have
            if members and 0 < extra <= room:
                back += members
                room -= extra
        return self._with(transcript, back) if back else transcript

    def _missing(self, now: dict[str, Message]) -> Iterator[tuple[Message, ...]]:
        """The source's groups that are not as they were, newest first."""
        messages = self.source.messages
        for members in reversed(groups(messages)):
            found = tuple(messages[i] for i in members)
            if any(m.id not in now or now[m.id].blocks != m.blocks for m in found):
                yield found

    def _cut(self, members: tuple[Message, ...], context: Context, room: int) -> tuple[Message, ...]:
        """The group cut to `room` tokens: at sentences where that fills it, else at words. Empty where it cannot be."""
        part = self.source.with_messages(replace(m, pinned=False) for m in members)
        for cutter in (whole, pieces):
            short = shrink(part, context, cutter, room + context.counter.framing.reply)
            size = context.count(short) - context.counter.framing.reply
            if len(short.messages) == len(members) and FULL * room <= size <= room:
                return short.messages
        return short.messages if len(short.messages) == len(members) and size <= room else ()

    def _with(self, transcript: Transcript, back: tuple[Message, ...] | list[Message]) -> Transcript:
        """`transcript` with messages put (back) in their places, no longer covered by others."""
        place = {m.id: i for i, m in enumerate(self.source.messages)}
        put = {m.id: m for m in back}
        kept = [
            replace(m, covers=tuple(i for i in m.covers if i not in put)) if not put.keys().isdisjoint(m.covers) else m
            for m in transcript.messages
            if m.id not in put
        ]
        merged, waiting = [], sorted(put.values(), key=lambda m: place[m.id], reverse=True)
        for message in kept:
            while waiting and place[waiting[-1].id] < place.get(message.id, -1):
                merged.append(waiting.pop())
            merged.append(message)
        return transcript.with_messages([*merged, *reversed(waiting)])


def _first_role(transcript: Transcript) -> str | None:
    return next((m.role for m in transcript.messages if m.role != "system"), None)
