"""The message that carries a summary, and finding it again where an earlier run left it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from boildown.summaries.summary import OPEN, Summary, found
from boildown.transcript import Message, Text

ID = "summary"


@dataclass(frozen=True, slots=True)
class Before:
    """A conversation without the summary that an earlier run put at its beginning, and that summary, if there was one.

    covers  the ids of the messages that went with it
    """

    messages: tuple[Message, ...]
    summary: Summary | None = None
    covers: tuple[str, ...] = ()


def before(messages: Sequence[Message]) -> Before:
    """`messages` apart from a summary in the first that a user says; what looks like one elsewhere is only text."""
    place = next((i for i, m in enumerate(messages) if m.role != "system"), len(messages))
    first = messages[place] if place < len(messages) else None
    block = first.blocks[0] if first is not None and first.blocks else None
    if first is None or first.pinned or first.role != "user" or not isinstance(block, Text):
        return Before(tuple(messages))
    if not block.text.startswith(OPEN):
        return Before(tuple(messages))
    rest, summary = found(block.text)
    blocks = (*([replace(block, text=rest.lstrip("\n"))] if rest.strip() else []), *first.blocks[1:])
    kept = [first.with_blocks(blocks)] if blocks else []
    left = (*messages[:place], *kept, *messages[place + 1 :])
    return Before(left, summary, () if kept else (first.id, *first.covers))


def message(summary: Summary, how: str, covers: Sequence[str] = (), note: str = "") -> Message:
    """The message that says it: the user's, since every consumer takes one from there."""
    return Message(ID, "user", (Text(summary.text(how)),), covers=tuple(covers), pinned=True, note=note)
