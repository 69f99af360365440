"""Chunks: a conversation in spans that a model can be sent, apart at turns, with calls and results together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from boildown.stages.window import turns
from boildown.tokens import Counter
from boildown.transcript import Message, Text, ToolResult

Chunk = tuple[Message, ...]


def chunks(messages: Sequence[Message], tokens: int, counter: Counter) -> list[Chunk]:
    """`messages` in spans of at most `tokens`, where a turn ends if possible; the same from the start when more follow.

    A message that is larger comes in several parts of the same id, its text parted at lines.
    """
    found = list[list[Message]]()
    size = tokens
    for turn in _units(messages, tokens, counter):
        more = sum(counter.messages(turn))
        if size + more > tokens:
            found.append([])
            size = 0
        found[-1] += turn
        size += more
    return [tuple(chunk) for chunk in found]


def _units(messages: Sequence[Message], tokens: int, counter: Counter) -> Iterator[list[Message]]:
    """Whole turns; messages of those that are larger than a chunk; parts of messages that are."""
    for turn in turns(messages):
        members = [messages[i] for i in turn]
        if sum(counter.messages(members)) <= tokens:
            yield members
            continue
        for message in members:
            if sum(counter.messages([message])) <= tokens:
                yield [message]
            else:
                yield from ([part] for part in _parts(message, tokens, counter))


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
