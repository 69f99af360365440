"""Neighbouring messages of one speaker as one: which may be, the tokens that it saves, and what was joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from boildown.formats.convert import join_turns, one_turn
from boildown.pipeline import Context
from boildown.transcript import Message, Text

BETWEEN = "\n"
"""What parts the texts of a joined message. It often takes no token, where a blank line takes one."""


class Joining:
    """Which of some messages may be one with their neighbours in what is left of them.

    Those that are not pinned, hold one text and nothing else, and were cut: what is whole stays by itself, as its
    record is. The last stage that takes something out joins, where the format's rules let it.
    """

    def __init__(self, messages: Sequence[Message], context: Context) -> None:
        self.count, self.framing = context.counter.texts, context.counter.framing
        free = [m for m in messages if not m.pinned and _speaks(m)] if context.last and context.rules.joins else []
        # What earlier stages left of a message that held more is known by nothing but its source.
        more = {m.id for m in context.source.messages if not _speaks(m)} if context.source and free else set()
        self.whole = {m.id: _text(m) for m in free if m.id not in more}

    def may(self, first: Message, second: Message) -> bool:
        """Whether two neighbours are to be one.

        Of the texts that count as much in a row as one by one, for no token reaches over the line break.
        """
        same = first.role == second.role and first.name == second.name
        return same and self._cut(first) and self._cut(second) and _ends_tokens(_text(second))

    def _cut(self, message: Message) -> bool:
        was = self.whole.get(message.id)
        return was is not None and was != _text(message)

    def saved(self, kept: Sequence[Message | None]) -> int:
        """The tokens that joining saves in what is left of the messages, each in its place."""
        left = [m for m in kept if m is not None] if self.whole else []
        pairs = [pair for pair in pairwise(left) if self.may(*pair)]
        texts = [_text(first) for first, _ in pairs]
        breaks = sum(self.count([text + BETWEEN for text in texts])) - sum(self.count(texts))
        names = [second.name for _, second in pairs if second.name]
        framing = self.framing.message * len(pairs) + self.framing.name * len(names) + sum(self.count(names))
        return framing - breaks

    def lost(self, kept: Sequence[Message | None], at: int, message: Message) -> int:
        """The tokens that are saved no longer with `message` in the place `at`; negative where more are."""
        if not self.whole:
            return 0
        before = next((kept[i] for i in range(at - 1, -1, -1) if kept[i] is not None), None)
        behind = next((kept[i] for i in range(at + 1, len(kept)) if kept[i] is not None), None)
        return self.saved((before, kept[at], behind)) - self.saved((before, message, behind))

    def joined(self, messages: Sequence[Message]) -> list[Message]:
        """`messages`, of which those that may be are one, which names the others in `covers`."""
        return join_turns(messages, self.may, BETWEEN) if self.whole else list(messages)


def runs(source: Sequence[Message], now: Mapping[str, Message]) -> Iterator[range]:
    """For each message of `now`, by id, that was cut and joined, its place in the source up to that of its last part.

    What else stands there is gone. A copy that `dedup` took out right behind such a message is taken for a part of it:
    what is left of the one no longer says all that the other did.
    """
    place = {m.id: i for i, m in enumerate(source)}
    kept = sorted(place[i] for i in now if i in place)
    for at, behind in pairwise([*kept, len(source)]):
        first, message = source[at], now[source[at].id]
        if not message.covers or not _speaks(first) or message.blocks == first.blocks or BETWEEN not in message.text:
            continue
        parts = [n for i in message.covers if at < (n := place.get(i, -1)) < behind and _alike(first, source[n])]
        if parts:
            yield range(at, max(parts) + 1)


def _alike(first: Message, second: Message) -> bool:
    return _speaks(second) and one_turn(first, second)


def _speaks(message: Message) -> bool:
    """Whether it holds one text of somebody's, and nothing else."""
    return message.role != "tool" and len(message.blocks) == 1 and isinstance(message.blocks[0], Text)


def _text(message: Message) -> str:
    block = message.blocks[0]
    assert isinstance(block, Text)
    return block.text


def _ends_tokens(text: str) -> bool:
    """Whether the line break before this text always ends a token, in every vocabulary there is."""
    return text[:1] not in ("", "/") and not text[0].isspace()
