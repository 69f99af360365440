"""The newest turns: the oldest go first, whole turns at a time."""

from __future__ import annotations

from collections.abc import Sequence

from boildown.pipeline import Context
from boildown.transcript import Message, Transcript, groups


def window(transcript: Transcript, context: Context, /) -> Transcript:
    """Drop the oldest turns, whole turns at a time, tool calls with their results (a token buffer)."""
    messages = transcript.messages
    sizes = context.sizes(messages)
    left = context.count(transcript)
    gone: set[int] = set()
    for turn in turns(messages):
        if left <= context.target:
            break
        loose = [i for i in turn if not messages[i].pinned]
        gone.update(loose)
        left -= sum(sizes[i] for i in loose)
    return transcript.with_messages(m for i, m in enumerate(messages) if i not in gone)


def turns(messages: Sequence[Message]) -> list[tuple[int, ...]]:
    """Turns, oldest first: a user's message and all that answers it. Groups that a turn would part are joined."""
    found: list[list[int]] = []
    for members in groups(messages):
        opens = messages[members[0]].role in ("user", "system") and not any(
            messages[i].role == "tool" for i in members[1:]
        )
        if opens or not found:
            found.append([])
        found[-1] += members
    return [tuple(sorted(turn)) for turn in found]
