"""What is needed letter by letter: URLs, paths, hashes, names in code and numbers, and where each stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from boildown.actions import arguments, texts
from boildown.marks import is_mark
from boildown.text.words import SEPARATOR
from boildown.transcript import Block, Message, Opaque, Place, ToolCall

# Each form begins only where no character of its own kind stands before it, which keeps the search linear.
IDENTIFIER = re.compile(
    r"https?://[^\s\"'<>)\]]+|(?<![\w.@~/-])[\w.@~-]*/[\w.@~/-]*\w|(?<![\w-])[\w-]+\.[a-z]{1,4}\b"
    r"|(?<!\w)(?:[0-9a-f]{7,40}|\d{3,}|[^\W_]+_\w+|[a-z]+[A-Z]\w*|[A-Z][a-z0-9]+[A-Z]\w*)(?!\w)"
)
_WITH_SEPARATORS = re.compile(f"{IDENTIFIER.pattern}|{SEPARATOR}")
# Outside of URLs no identifier holds other characters than these, so that each distinct run is searched once.
_RUN = re.compile(rf"https?://[^\s\"'<>)\]]+|[\w.@~/-]+|{SEPARATOR}")
# What stands before is looked at last, for a search that begins with letters skips to them.
_GLUED = re.compile(r"http(?<=[\w.@~/-]http)s?://")
NUMBERED = re.compile(r"^ *\d+(?:→|\t)", re.MULTILINE)
"""The number that a tool puts before each line of a file"""


def identifiers(text: str, known: dict[str, list[str]] | None = None) -> list[str]:
    """The identifiers of a text in order, repeated ones too; numbers of lines before file contents are none.

    `known` holds what was found in runs of characters before, as in other texts.
    """
    return separated(_unnumbered(text), {} if known is None else known)


def _marked(text: str, mark: str) -> list[str]:
    found = _WITH_SEPARATORS.findall(text)
    return [mark + i if i != SEPARATOR else i for i in found] if mark else found


def _plain(run: str) -> bool:
    """Whether a run of characters is a word as any other, and not one of hexadecimal digits."""
    return run.isalpha() and (run.istitle() or (run.islower() and (len(run) < 7 or run.strip("abcdef") != "")))


def _unnumbered(text: str) -> str:
    text = text.replace(SEPARATOR, " ")
    return NUMBERED.sub("", text) if "→" in text or "\t" in text else text


def separated(text: str, known: dict[str, list[str]], mark: str = "") -> list[str]:
    """All identifiers, each behind `mark`, and the separators between texts.

    `known` holds what was found in runs of characters before.
    """
    if "://" in text and _GLUED.search(text):
        return _marked(text, mark)
    runs = _RUN.findall(text)
    for run in set(runs).difference(known):
        known[run] = [] if _plain(run) else _marked(run, mark)
    return [i for run in runs if (held := known[run]) for i in held]


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
    found, known = Stated(), dict[str, list[str]]()
    for i, message in enumerate(messages):
        for j, block in enumerate(message.blocks):
            hidden = isinstance(block, Opaque) or (not isinstance(block, ToolCall) and is_mark(block.text))
            held = [] if hidden else identifiers(shown(block), known)
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
