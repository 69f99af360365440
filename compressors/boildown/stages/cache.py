"""Where the provider is to cache the prompt: breakpoints on the longest stable prefixes of a finished transcript."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING, ClassVar

from boildown.caching import Caching, Prefix, reckon
from boildown.pipeline import Context
from boildown.prices import price
from boildown.transcript import (
    END,
    START,
    Breakpoint,
    Message,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Transcript,
)

if TYPE_CHECKING:
    from boildown.tokens import Counter

MOST = 4
"""Breakpoints that a request may have."""
LOOKBACK = 20
"""Positions before a breakpoint, itself included, at which the provider looks for an earlier request's cache.

A run of calls is one position and so is a run of results. Both, and what else is said here of the provider, are from
https://platform.claude.com/docs/en/build-with-claude/prompt-caching.
"""


@dataclass(frozen=True, slots=True)
class Cache:
    """Marks how far the provider is to cache the prompt, and reckons what the broken cache costs; takes nothing out.

    At most four breakpoints, the source's included, on the longest stable prefixes: the whole, up to the end of what
    was compressed, up to its beginning, and tools with system text. None on a prefix too short for the model's cache.
    """

    REASON: ClassVar[str] = "it takes nothing out"

    model: str = field(default="claude-haiku-5-5", metadata={"help": "whose prices and shortest cached prompt hold"})
    ttl: str = field(default="5m", metadata={"help": "how long the cache lasts: 5m or 1h"})
    prices: str = field(default="", metadata={"help": "a TOML file with prices that go before the packed ones"})

    def __post_init__(self) -> None:
        if self.ttl not in ("5m", "1h"):
            raise ValueError(f"ttl={self.ttl!r} is neither 5m nor 1h.")
        price(self.model, self.prices)

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        found = self._breakpoints(context.source or transcript, transcript, context.counter)
        return replace(transcript, breakpoints=found) if found else transcript

    def account(self, before: Transcript, after: Transcript, counter: Counter, /) -> Caching:
        """What the compression did to the cache that the provider has of `before`."""
        same = counter.messages(after.messages[: _same(before.messages, after.messages)])
        sizes = Prefix(counter.total(before.messages), counter.total(after.messages), sum(same), _ahead(after, counter))
        places = tuple(b.after for b in after.breakpoints)
        return reckon(sizes, price(self.model, self.prices), self.ttl, self.model, places)

    def _breakpoints(self, before: Transcript, after: Transcript, counter: Counter) -> tuple[Breakpoint, ...]:
        """New breakpoints in the order of the prompt: those of the longest prefixes, as many as are left."""
        messages, minimum = after.messages, price(self.model, self.prices).minimum
        held = sorted(_held(after))
        sizes, ahead = counter.messages(messages), _ahead(after, counter)
        taken = {place for place, _ in held}
        wanted = [
            place
            for place in dict.fromkeys(_stable(before.messages, messages))
            if place not in taken and sum(sizes[:place]) + ahead >= minimum
        ]
        chosen = sorted(sorted(wanted, reverse=True)[: max(0, MOST - len(held))])
        return tuple(Breakpoint(_name(messages, place), self._ttl(place, held)) for place in chosen)

    def _ttl(self, place: int, held: Sequence[tuple[int, str]]) -> str:
        """How long a new breakpoint lasts: the provider refuses a shorter one before a longer one."""
        if any(ttl == "1h" and there > place for there, ttl in held):
            return "1h"
        return "5m" if any(ttl == "5m" and there < place for there, ttl in held) else self.ttl


def _stable(before: Sequence[Message], after: Sequence[Message]) -> Iterator[int]:
    """The prefixes of `after` that stay as they are for some turns, as numbers of messages."""
    same = _same(before, after)
    tail = _same(before[same:][::-1], after[same:][::-1])
    for place in (len(after), len(after) - tail, _reached(after, same), _system(after)):
        yield _bearing(after, place, _system(after))


def _same(one: Sequence[Message], other: Sequence[Message]) -> int:
    """How many messages both begin with."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda p: _said(p[0]) == _said(p[1]), pairs))


def _said(message: Message) -> tuple[object, ...]:
    return message.id, message.role, message.blocks


def _system(messages: Sequence[Message]) -> int:
    return sum(1 for _ in takewhile(lambda m: m.role == "system", messages))


def _bearing(messages: Sequence[Message], place: int, least: int) -> int:
    """The last place up to `place` where a block can bear a breakpoint: thoughts and empty texts cannot."""
    while place > least and not any(map(_bears, messages[place - 1].blocks)):
        place -= 1
    return max(place, least)


def _bears(block: object) -> bool:
    if isinstance(block, Text):
        return bool(block.text)
    return not isinstance(block, Thinking) and not (isinstance(block, Opaque) and block.kind == "redacted_thinking")


def _reached(messages: Sequence[Message], place: int) -> int:
    """`place`, or where the last request before it ended, if the provider would not look back from `place` so far."""
    back, last = 0, None
    for i in range(place - 1, -1, -1):
        if messages[i].role != "assistant":
            return place if back < LOOKBACK else i + 1
        for block in reversed(messages[i].blocks):
            kind = type(block)
            back += kind is not last or kind not in (ToolCall, ToolResult)
            last = kind
    return place


def _held(transcript: Transcript) -> Iterator[tuple[int, str]]:
    """The source's breakpoints that are still there: after how many messages, and how long they last."""
    places = {m.id: i for i, m in enumerate(transcript.messages, 1)}
    places |= {START: _system(transcript.messages), END: len(transcript.messages)}
    for point in transcript.source.breakpoints if transcript.source else ():
        if point.after in places:
            yield places[point.after], point.ttl


def _name(messages: Sequence[Message], place: int) -> str:
    if place == _system(messages):
        return START
    return END if place == len(messages) else messages[place - 1].id


def _ahead(transcript: Transcript, counter: Counter) -> int:
    return sum(counter.texts([transcript.source.ahead])) if transcript.source and transcript.source.ahead else 0
