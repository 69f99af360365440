"""Tool results that give way to marks, for as long as the budget asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from boildown.marks import is_mark
from boildown.pipeline import Context
from boildown.transcript import Message, Place, ToolResult, Transcript


def result_at(messages: Sequence[Message], place: Place) -> ToolResult:
    """The result that stands at a place. Raises TypeError for a block of another kind."""
    block = messages[place[0]].blocks[place[1]]
    if not isinstance(block, ToolResult):
        raise TypeError(f"{type(block).__name__} at {place} is no tool result")
    return block


def marked(transcript: Transcript, context: Context, marks: Iterable[tuple[Place, str]]) -> Transcript:
    """`transcript` with results replaced by their marks, in the order given, until `context.target` is met.

    Pinned messages, marks, and results that take no more tokens than their mark stay. What a result shows besides
    text goes with it.
    """
    messages = list(transcript.messages)
    left = context.count(transcript)
    for place, mark in marks:
        if left <= context.target:
            break
        message, block = messages[place[0]], result_at(messages, place)
        if message.pinned or is_mark(block.text):
            continue
        blocks = list(message.blocks)
        blocks[place[1]] = replace(block, text=mark, media=())
        shorter = message.with_blocks(blocks)
        was, now = (sum(context.sizes([m])) for m in (message, shorter))
        if now < was:
            messages[place[0]] = shorter
            left -= was - now
    return transcript.with_messages(messages)
