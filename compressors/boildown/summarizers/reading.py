"""A transcript as a model is shown it: data in a fence, which no text in it can leave."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from boildown.identifiers import shown
from boildown.summarizers.tags import fenced
from boildown.transcript import Block, Message, ToolCall

_HEAD = re.compile(r"^---(?=[ \t]+\w+[ \t]*(?:,|$))", re.MULTILINE)
_BEHEADED = r"\\---"


def readable(messages: Sequence[Message], others: Collection[str] = ()) -> str:
    """Who speaks, when, and all that is said, called and given back, in the tag `transcript`.

    What reads as a tag of that name, or of `others`, is made harmless.
    """
    return fenced("transcript", "\n\n".join(map(spoken, messages)), others)


def referable(messages: Sequence[Message], others: Collection[str] = ()) -> str:
    """The same, where an answer is to name messages: each head begins with its message's id."""
    return fenced("transcript", "\n\n".join(spoken(m, m.id) for m in messages), others)


def spoken(message: Message, id: str = "") -> str:
    """One message: a head with role, name and time, then its blocks, in which no line can be taken for a head."""
    head = ", ".join(filter(None, (_flat(id), message.role, _flat(message.name), _flat(message.time))))
    text = "\n".join(filter(None, map(said, message.blocks)))
    return f"--- {head}\n{_HEAD.sub(_BEHEADED, text)}"


def said(block: Block) -> str:
    """What a model reads of a block; of a call, its tool as well."""
    return f"[call of {_flat(block.name)}] {shown(block)}" if isinstance(block, ToolCall) else shown(block)


def _flat(text: str | None) -> str:
    """One line, for a name is no place for a message."""
    return " ".join((text or "").split())
