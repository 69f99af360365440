"""How a budget is divided between the newest messages and a summary of the others."""

from __future__ import annotations

from dataclasses import dataclass

from boildown.pipeline import Context
from boildown.transcript import Transcript, groups


@dataclass(frozen=True, slots=True)
class Split:
    first: int
    summary: int
    facts: int


def plan(transcript: Transcript, context: Context, recent: int, ratio: float) -> Split | None:
    messages = transcript.messages
    sizes = context.sizes(messages)
    pinned = sum(s for m, s in zip(messages, sizes, strict=True) if m.pinned)
    free = context.target - pinned - 40
    if free < 100:
        return None
    room, first = min(recent, free // 2), len(messages)
    for members in reversed(groups(messages)):
        need = sum(sizes[i] for i in members if not messages[i].pinned)
        if need > room or members[-1] >= first:
            break
        room -= need
        first = members[0]
    older = sum(s for m, s in zip(messages[:first], sizes[:first], strict=True) if not m.pinned)
    used = min(recent, free // 2) - room
    summary = int(min((free - used) * 0.8, older / ratio))
    return Split(first, summary, free - used - summary)
