"""The last step of every pipeline: exactly the budget, and a conversation that the consumer accepts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from math import inf

from boildown.errors import BudgetError
from boildown.formats.convert import join_turns
from boildown.joining import runs
from boildown.marks import digest, reference, referred, settled
from boildown.pipeline import Context
from boildown.scoring.choice import LEARNED
from boildown.selection import shrink
from boildown.stages.window import window
from boildown.table import WORDY
from boildown.text.pieces import Cutter, Pieces, bare, mixed, words
from boildown.text.units import units
from boildown.transcript import Message, Opaque, Text, ToolResult, Transcript, groups
from boildown.written import NOTHING

LINE = re.compile(r"[^\n]+")
FULL = 0.99
MOST_CUTS = 16
MOST_ROUNDS = 4
WORTH_LOSING = 0.9
OPENING_SHARE = 0.02
OPENING_LEAST = 16


@dataclass(frozen=True, slots=True)
class Fit:
    """Drop the oldest turns while the budget is passed, and put back the newest of what was taken while it is not.

    `source` is the transcript before any stage, `scorer` what says how much words are worth. The group that no longer
    fits whole is cut to the room that is left.
    No reference is left whose base went or was cut: what it stood for is gone with it, or put back.
    """

    REASON = "oldest, to meet the budget"

    source: Transcript
    scorer: str = LEARNED

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        best, most, aim, low, high = None, -1, context.target, 0, 0
        transcript = self._settled(transcript)
        for _ in range(MOST_ROUNDS):
            filled = self._fill(transcript, replace(context, target=aim))
            turns = filled
            if context.rules.alternate:
                turns = self._settled(filled.with_messages(self._sourced(join_turns(filled.messages))))
            size = context.count(turns)
            if most < size <= context.target:
                best, most = turns, size
            if len(turns.messages) == len(filled.messages) or FULL * context.target <= size <= context.target:
                break
            # Joined turns cost less framing, so that there is room for more; how much more shows only afterwards.
            low, high = (aim, high) if size <= context.target else (low, aim)
            aim = (low + high) // 2 if high else aim + context.target - size
        return best or replace(self._pinned(), archived=transcript.archived)

    def _fill(self, transcript: Transcript, context: Context) -> Transcript:
        filled = self._restored(self._settled(window(transcript, context)), context)
        first = next((m for m in self.source.messages if m.role != "system"), None)
        if not context.rules.user_first or first is None or first.role != "user" or _begins(filled):
            return filled
        for opening in (self._opening(first, context), first.with_blocks([Text(NOTHING)])):
            reserve = sum(context.sizes([opening]))
            short = self._settled(self._shortened(transcript, context, context.target - reserve))
            opened = self._with(short, [opening])
            if context.count(opened) <= context.target:
                return self._restored(opened, context)
        pinned = self._pinned()
        if not _begins(pinned):
            what = "what is pinned, with a word of the user's to begin with as the format demands,"
            raise BudgetError(context.count(pinned) + reserve, context.target, what)
        return pinned

    def _shortened(self, transcript: Transcript, context: Context, room: int) -> Transcript:
        """`transcript` within `room`: without its oldest turns, or where those are most of it, with fewer words."""
        left = window(transcript, replace(context, target=room))
        if context.count(left) >= WORTH_LOSING * room:
            return left
        short = shrink(transcript, context, self._firmly(), room, scorer=self.scorer)
        return window(short, replace(context, target=room))

    def _firmly(self) -> Cutter:
        """Words, but whole the lines that are no sentences in the source: alone, in a cut text, they may look so."""
        firm: set[str] = set()
        for message in self.source.messages:
            for block in message.blocks:
                if isinstance(block, Text | ToolResult):
                    parts = ((block.text[start:end], kind) for start, end, kind in units(block.text))
                    firm.update(part.strip() for part, kind in parts if kind not in WORDY)

        def cut(texts: Sequence[str]) -> Pieces:
            parts = [[*_parted(text, firm)] for text in texts]
            loose = [flag for held in parts for flag in ([True, False] * len(held))[: len(held)]]
            found = mixed([part for held in parts for part in held], loose, words)
            return found.within([list(map(len, held)) for held in parts])

        return cut

    def _opening(self, first: Message, context: Context) -> Message:
        """The first user message, short: what a conversation begins with whose beginning is gone."""
        room = max(OPENING_LEAST, int(context.target * OPENING_SHARE))
        alone, reply = self.source.with_messages([first]), context.counter.framing.reply
        short = shrink(alone, context, words, room + reply, scorer=self.scorer)
        return short.messages[0] if short.messages else first.with_blocks([Text(NOTHING)])

    def _sourced(self, messages: Iterable[Message]) -> Iterator[Message]:
        """`messages`, which stand for none but the source's: one that was joined may have been added."""
        ids = {m.id for m in self.source.messages}
        for message in messages:
            yield _without(message, set(message.covers) - ids)

    def _settled(self, transcript: Transcript) -> Transcript:
        return settled(transcript, self.source.messages)

    def _pinned(self) -> Transcript:
        return self.source.with_messages(m for m in self.source.messages if m.pinned)

    def _restored(self, transcript: Transcript, context: Context) -> Transcript:
        # Nothing costs nothing, but whatever is put into it costs the reply's framing as well.
        room, cuts = context.target - (context.count(transcript) or context.counter.framing.reply), 0
        now, bases = {m.id: m for m in transcript.messages}, referred(transcript)
        back: dict[str, Message] = {}
        for members, may_cut in self._missing(now, context.rules.joins):
            if room <= (1 - FULL) * context.target or cuts == MOST_CUTS:
                break
            if members[0].id in back:
                continue
            have = sum(context.sizes([now[m.id] for m in members if m.id in now]))
            extra = sum(context.sizes(members)) - have
            if extra > room:
                cuts += may_cut
                short = self._cut(members, context, have + room) if may_cut else ()
                members = short if _bases(short, bases) == _bases(members, bases) else ()
                extra = sum(context.sizes(members)) - have
            if members and 0 < extra <= room:
                back |= {m.id: m for m in members}
                room -= extra
        return self._with(transcript, list(back.values())) if back else transcript

    def _missing(self, now: dict[str, Message], joins: bool) -> Iterator[tuple[tuple[Message, ...], bool]]:
        """The source's groups that are not as they were, newest first, and whether they may be cut.

        Those of which a reference tells all come behind the others. A cut takes the place of what a stage chose to say
        last of all, where nothing else fills the room, and so does what was joined: it goes back as one, and nothing
        goes back that stood between its parts.
        """
        messages = self.source.messages
        changed: list[tuple[Message, ...]] = []
        told: list[tuple[Message, ...]] = []
        joined = {run.start: run for run in runs(messages, now)} if joins else {}
        inside = {i for run in joined.values() for i in run[1:]}
        for members in reversed(groups(messages)):
            found = tuple(messages[i] for i in members)
            if members[0] in joined:
                host = now[found[0].id]
                parts = (m for m in map(messages.__getitem__, joined[members[0]]) if m.id in host.covers)
                changed.append((*found, *parts))
            elif not inside.isdisjoint(members):
                continue
            elif any(m.id not in now for m in found):
                yield found, True
            elif any(not _tells(now[m.id], m) for m in found):
                changed.append(found)
                yield found, False
            elif any(now[m.id].blocks != m.blocks for m in found):
                told.append(found)
        yield from ((found, False) for found in told)
        yield from ((found, True) for found in changed)

    def _cut(self, members: tuple[Message, ...], context: Context, room: int) -> tuple[Message, ...]:
        """The group cut to `room` tokens: at sentences where that fills it, else at words. Empty where it cannot be."""
        part = self.source.with_messages(replace(m, pinned=False) for m in members)
        reply = context.counter.framing.reply
        best: tuple[Message, ...] = ()
        most, largest = 0, inf
        for cutter in (bare, words, words):
            short = shrink(part, context, cutter, room + reply, largest, self.scorer).messages
            size = sum(context.sizes(short))
            if _stand(short) == _stand(members) and most < size <= room:
                best, most = short, size
            if most >= FULL * room:
                break
            largest = room - most if cutter is words else inf
        return best

    def _with(self, transcript: Transcript, back: Sequence[Message]) -> Transcript:
        """`transcript` with messages put (back) in their places, which no other stands for any longer."""
        place = {m.id: i for i, m in enumerate(self.source.messages)}
        now = {m.id: m for m in transcript.messages}
        put = {m.id: replace(now[m.id], blocks=m.blocks) if m.id in now else m for m in back}
        new = [m for m in put.values() if m.id not in now]
        taken = {i for m in new for i in (m.id, *m.covers)}
        merged, waiting = [], sorted(new, key=lambda m: place[m.id], reverse=True)
        for message in transcript.messages:
            while waiting and place[waiting[-1].id] < place.get(message.id, -1):
                merged.append(waiting.pop())
            merged.append(_without(put.get(message.id, message), taken))
        return transcript.with_messages([*merged, *reversed(waiting)])


def _parted(text: str, firm: Set[str]) -> Iterator[str]:
    """The text in parts, every other one of which is a line that is `firm`."""
    at = 0
    for line in LINE.finditer(text):
        if line[0].strip() in firm:
            yield text[at : line.start()]
            yield line[0]
            at = line.end()
    yield text[at:]


def _stand(messages: Iterable[Message]) -> set[str]:
    """The ids of the messages, and of those that they stand for."""
    return {i for m in messages for i in (m.id, *m.covers)}


def _without(message: Message, ids: Set[str]) -> Message:
    """`message`, which no longer stands for `ids`."""
    if ids.isdisjoint(message.covers):
        return message
    return replace(message, covers=tuple(i for i in message.covers if i not in ids))


def _tells(now: Message, was: Message) -> bool:
    """Whether a message says all that it did, besides what a reference stands for."""
    return len(now.blocks) == len(was.blocks) and all(
        new == old or (isinstance(new, Text | ToolResult) and reference(new.text) is not None)
        for new, old in zip(now.blocks, was.blocks, strict=True)
    )


def _bases(messages: Iterable[Message], known: set[str]) -> set[str]:
    """The digests of the messages' blocks, of those that are `known` to be referred to."""
    blocks = [b for m in messages for b in m.blocks] if known else []
    texts = [b.text for b in blocks if isinstance(b, Text | ToolResult)]
    images = [image for b in blocks if isinstance(b, ToolResult) for image in b.media]
    images += [b for b in blocks if isinstance(b, Opaque)]
    return known & {digest(content) for content in (*texts, *(image.data for image in images))}


def _begins(transcript: Transcript) -> bool:
    """Whether the first to speak is the user, if anybody does."""
    return next((m.role == "user" for m in transcript.messages if m.role != "system"), True)
