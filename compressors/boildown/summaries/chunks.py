"""Chunks: a conversation in spans that a model can be sent, apart where its topic shifts between two turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from boildown.summaries.shifts import Shifts
from boildown.tokens import Counter
from boildown.transcript import Message, Text, ToolResult, groups

Chunk = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """What no chunk parts: a message with the calls and results that belong to it, or a part of one too large.

    opens  whether a turn begins with it
    """

    messages: Chunk
    size: int
    opens: bool = False


def chunks(messages: Sequence[Message], tokens: int, counter: Counter) -> list[Chunk]:
    """`messages` in spans of at most `tokens`, and of half as many where the size of turns allows.

    Each ends at the deepest shift that is there for it, between turns if possible, and never between a call and its
    results unless they are larger than a chunk. What follows decides only on the last one, and an edit only on those
    near to it. A message that is larger comes in several parts of the same id, its text parted at lines.
    """
    units = [unit for whole in _units(messages, counter) for unit in _fitting(whole, tokens, counter)]
    shifts = Shifts([unit.messages for unit in units])
    sizes, opens = [unit.size for unit in units], [unit.opens for unit in units]
    ends = cuts(sizes, tokens // 2, tokens, shifts.before, opens)
    return [tuple(m for unit in units[start:end] for m in unit.messages) for start, end in pairwise([0, *ends])]


def cuts(sizes: Sequence[int], least: int, most: int, shift: Callable[[int], float], good: Sequence[bool]) -> list[int]:
    """Where runs of `sizes` end that sum up to `least` at the least, as far as they can, and `most` at the most.

    Of the places for an end the one with the deepest `shift` is taken, the first of several; `good` ones before others.
    """
    sums, ends, start = [0, *accumulate(sizes)], list[int](), 0
    while start + 1 < len(sizes) and sums[-1] - sums[start] > most:
        last = start + 1
        while sums[last + 1] - sums[start] <= most:
            last += 1
        places = [n for n in range(start + 1, last + 1) if sums[n] - sums[start] >= least] or [last]
        start = max([n for n in places if good[n]] or places, key=shift)
        ends.append(start)
    return [*ends, len(sizes)] if start < len(sizes) else ends


def _units(messages: Sequence[Message], counter: Counter) -> Iterator[_Unit]:
    """The smallest runs of messages that part no call from its results."""
    sizes = counter.messages(messages)
    starts, reach = list[int](), -1
    for members in groups(messages):
        if members[0] > reach:
            starts.append(members[0])
        reach = max(reach, members[-1])
    for start, end in pairwise([*starts, len(messages)]):
        held = tuple(messages[start:end])
        yield _Unit(held, sum(sizes[start:end]), held[0].role in ("user", "system"))


def _fitting(unit: _Unit, tokens: int, counter: Counter) -> Iterator[_Unit]:
    """A unit as it is; where it is larger than a chunk, its messages, and parts of those that are."""
    if unit.size <= tokens:
        yield unit
        return
    for n, message in enumerate(unit.messages):
        size = sum(counter.messages([message]))
        parts = [message] if size <= tokens else list(_parts(message, tokens, counter))
        for m, part in enumerate(parts):
            yield _Unit((part,), sum(counter.messages([part])), unit.opens and n == m == 0)


def _parts(message: Message, tokens: int, counter: Counter) -> Iterator[Message]:
    """A message in parts that have its head."""
    bare = message.with_blocks(())
    room = max(1, tokens - sum(counter.messages([bare])) - counter.framing.block)
    for block in message.blocks:
        if isinstance(block, Text | ToolResult) and sum(counter.texts([block.text])) > room:
            for text in _texts(block.text, room, counter):
                yield bare.with_blocks([replace(block, text=text)])
        else:
            yield bare.with_blocks([block])


def _texts(text: str, room: int, counter: Counter) -> Iterator[str]:
    """A text in parts of at most `room` tokens: halves of halves, at the line break or blank nearest to the middle."""
    if sum(counter.texts([text])) <= room or len(text) < 2:
        yield text
        return
    middle = len(text) // 2
    at = next((place + 1 for mark in "\n " if (place := text.rfind(mark, middle // 2, middle)) > 0), middle)
    yield from _texts(text[:at], room, counter)
    yield from _texts(text[at:], room, counter)
