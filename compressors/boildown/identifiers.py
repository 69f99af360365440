"""What is needed letter by letter: URLs, paths, hashes, names in code and numbers, and where each stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from boildown.actions import arguments, texts
from boildown.marks import is_mark
from boildown.transcript import Block, Message, Opaque, Place, ToolCall

# Each form begins only where no character of its own kind stands before it, which keeps the search linear.
IDENTIFIER = re.compile(
    r"https?://[^\s\"'<>)\]]+|(?<![\w.@~/-])[\w.@~-]*/[\w.@~/-]*\w|(?<![\w-])[\w-]+\.[a-z]{1,4}\b"
    r"|(?<!\w)(?:[0-9a-f]{7,40}|\d{3,}|[^\W_]+_\w+|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*)(?!\w)"
)
NUMBERED = re.compile(r"^ *\d+(?:→|\t)", re.MULTILINE)
"""The number that a tool puts before each line of a file"""


def identifiers(text: str) -> list[str]:
    """The identifiers of a text in order, repeated ones too; numbers of lines before file contents are none."""
    return IDENTIFIER.findall(NUMBERED.sub("", text))


@dataclass(slots=True)
class Stated:
    """Where each identifier stands. `blocks` holds those of each block, `holders` each one's message indexes."""

    blocks: dict[Place, list[str]] = field(default_factory=dict)
    holders: dict[str, list[int]] = field(default_factory=dict)

    def at(self, place: Place) -> list[str]:
        return self.blocks.get(place, [])

    def messages(self, identifier: str) -> int:
        """How many messages state it."""
        return len(self.holders.get(identifier, ()))


def stated(messages: Sequence[Message]) -> Stated:
    """The identifiers of all text, calls and results of a transcript; marks state nothing."""
    found = Stated()
    for i, message in enumerate(messages):
        for j, block in enumerate(message.blocks):
            hidden = isinstance(block, Opaque) or (not isinstance(block, ToolCall) and is_mark(block.text))
            held = [] if hidden else identifiers(shown(block))
            if held:
                found.blocks[i, j] = held
            for identifier in held:
                holders = found.holders.setdefault(identifier, [])
                if not holders or holders[-1] != i:
                    holders.append(i)
    return found


def shown(block: Block) -> str:
    """What a model would read of a block: of a call, what its arguments say."""
    return "\n".join(texts(arguments(block))) if isinstance(block, ToolCall) else block.text
