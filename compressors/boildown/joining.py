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
        self.texts = [self.whole.get(m.id, "") for m in messages]
        self.speakers = [(m.role, m.name) if m.id in self.whole else None for m in messages]

    def may(self, first: Message, second: Message) -> bool:
        """Whether two neighbours are to be one.

        Of the texts that count as much in a row as one by one, for no token reaches over the line break.
        """
        same = first.role == second.role and first.name == second.name
        return same and self._cut(first) and self._cut(second) and _ends_tokens(_text(second))

    def _cut(self, message: Message) -> bool:
        was = self.whole.get(message.id)
        return was is not None and was != _text(message)

    def saved(self, said: Sequence[str | None]) -> int:
        """The tokens that joining saves in what is left of each message's text; None stands for one that goes.

        Those that may not be joined have any text.
        """
        return self._saved([(i, text) for i, text in enumerate(said) if text is not None] if self.whole else [])

    def _saved(self, left: Sequence[tuple[int, str]]) -> int:
        """What joining saves where nothing is left but these texts, by their places."""
        texts, names = list[str](), list[str]()
        for (i, first), (j, second) in pairwise(left):
            speaker = self.speakers[i]
            if speaker is None or speaker != self.speakers[j] or first == self.texts[i] or second == self.texts[j]:
                continue
            if _ends_tokens(second):
                texts.append(first)
                names += [speaker[1]] if speaker[1] else []
        if not texts:
            return 0
        breaks = sum(self.count([text + BETWEEN for text in texts])) - sum(self.count(texts))
        framing = self.framing.message * len(texts) + self.framing.name * len(names) + sum(self.count(names))
        return framing - breaks

    def lost(self, said: Sequence[str | None], at: int, text: str) -> int:
        """The tokens that are saved no longer with `text` in the place `at`; negative where more are."""
        if not self.whole:
            return 0
        before = next(((i, s) for i in range(at - 1, -1, -1) if (s := said[i]) is not None), None)
        behind = next(((i, s) for i in range(at + 1, len(said)) if (s := said[i]) is not None), None)
        was = said[at]
        around = [side for side in (before, behind) if side]
        there = around if was is None else sorted([*around, (at, was)])
        return self._saved(there) - self._saved(sorted([*around, (at, text)]))

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
