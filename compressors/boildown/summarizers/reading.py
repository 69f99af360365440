"""A transcript as a model is shown it: data in a fence, which no text in it can leave."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from boildown.identifiers import shown
from boildown.summarizers.tags import fenced
from boildown.transcript import Block, Message, ToolCall


def readable(messages: Sequence[Message], others: Collection[str] = ()) -> str:
    """Who speaks, when, and all that is said, called and given back, in the tag `transcript`.

    What reads as a tag of that name, or of `others`, is made harmless.
    """
    return fenced("transcript", "\n\n".join(map(spoken, messages)), others)


def spoken(message: Message) -> str:
    """One message: a head with role, name and time, then its blocks."""
    head = ", ".join(filter(None, (message.role, message.name, message.time)))
    said = "\n".join(filter(None, map(_said, message.blocks)))
    return f"--- {head}\n{said}"


def _said(block: Block) -> str:
    return f"[call of {block.name}] {shown(block)}" if isinstance(block, ToolCall) else shown(block)
