"""Secrets stay home: keys, tokens and passwords give way to placeholders before anything else is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from boildown.pipeline import Context
from boildown.transcript import Block, Message, Opaque, Redaction, Text, Thinking, ToolCall, ToolResult, Transcript

if TYPE_CHECKING:
    from boildown.secrets.redaction import Redactor

Edit = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Redact:
    """Puts placeholders for keys, tokens and passwords, in pinned messages, too; runs first, and also where all fits.

    Thoughts with a signature that tell a secret go whole, for they cannot be edited; images are not looked into.
    """

    REASON = "a secret"

    mails: bool = field(default=False, metadata={"help": "mail addresses, too"})
    phones: bool = field(default=False, metadata={"help": "phone numbers, too"})

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        return self.together([transcript])[0]

    def together(self, transcripts: Sequence[Transcript]) -> list[Transcript]:
        """`transcripts` with the same placeholder for the same secret in all of them."""
        from boildown.secrets.redaction import Redactor
        from boildown.secrets.search import rules

        redactor = Redactor(rules(self.mails, self.phones))
        for transcript in transcripts:
            for message in transcript.messages:
                _edited(message, redactor.look)
            redactor.look(transcript.title)
        return list(transcripts) if redactor.idle else [_redacted(t, redactor) for t in transcripts]

    def cleaned(self, written: bytes, plain: bool, redactions: Iterable[Redaction], /) -> tuple[bytes, int]:
        """A file without the secrets that stand in it besides those of its messages, and how many places that were.

        A format may repeat what a message says, and has titles, notes and results of its own. `plain` files are text,
        all others JSON. `redactions` are those of the file's conversations; the first one holds for a secret.
        """
        from boildown.secrets import literals
        from boildown.secrets.redaction import Redactor
        from boildown.secrets.search import find, relevant, rules

        text = written.decode("utf-8", "surrogateescape")
        few = relevant(rules(self.mails, self.phones), text)
        redactor = Redactor(few)
        redactor.know(redactions)
        if not find(text, few) and not redactor.knows(text):
            return written, 0
        strings = (lambda line, edit: edit(line, "")) if plain else literals.edited
        lines = [text] if plain else text.split("\n")
        for line in lines:
            if find(line, few):
                strings(line, redactor.look)
        for n, line in enumerate(lines):
            if find(line, few) or redactor.knows(line):
                lines[n] = strings(line, redactor.redact)
        return "\n".join(lines).encode("utf-8", "surrogateescape"), redactor.places


def _redacted(transcript: Transcript, redactor: Redactor) -> Transcript:
    messages = [_edited(message, redactor.redact) for message in transcript.messages]
    title = redactor.redact(transcript.title)
    return replace(transcript, messages=tuple(messages), title=title, redactions=tuple(redactor.known.values()))


def _edited(message: Message, edit: Edit) -> Message:
    """`message` with `edit` applied to all that a model is shown of it: who speaks and when, and its blocks."""
    head = message.role, message.name, message.time
    role, name, time = edit(message.role, ""), *(text and edit(text, "") for text in head[1:])
    if (role, name, time) != head:
        message = replace(message, role=role, name=name, time=time)
    blocks = tuple(edit_block(block, edit) for block in message.blocks)
    if blocks == message.blocks:
        return message
    broken = [b for b, was in zip(blocks, message.blocks, strict=True) if _is_signed(b) and b != was]
    if not broken:
        return message.with_blocks(blocks)
    # A message of which nothing is left would be refused, and one that went would part its neighbours' roles.
    left = [b for b in blocks if b not in broken] or [Text(_placeholders(broken))]
    return replace(message, blocks=tuple(left), note="its signed thoughts went whole")


def edit_block(block: Block, edit: Edit) -> Block:
    """A block with `edit` applied to each text that a secret may stand in."""
    match block:
        case Text() | Thinking():
            return replace(block, text=edit(block.text, ""))
        case Opaque():
            return _shown(block, edit)
        case ToolResult():
            media = tuple(_shown(one, edit) for one in block.media)
            return replace(block, text=edit(block.text, ""), media=media)
        case ToolCall():
            return replace(block, name=edit(block.name, ""), arguments=_arguments(block.arguments, edit))
        case _:
            assert_never(block)


def _shown(block: Opaque, edit: Edit) -> Opaque:
    """What a model reads of a block is text; its data are not looked into."""
    return replace(block, text=edit(block.text, "")) if block.text else block


def _is_signed(block: Block) -> bool:
    return isinstance(block, Thinking) and block.signature != ""


def _placeholders(blocks: Iterable[Block]) -> str:
    from boildown.secrets.redaction import PLACEHOLDER

    found = (m[0] for b in blocks if isinstance(b, Thinking) for m in PLACEHOLDER.finditer(b.text))
    return " ".join(dict.fromkeys(found))


def _arguments(arguments: str, edit: Edit) -> str:
    """A call's arguments, of which JSON stays JSON."""
    from boildown.formats.source import parse
    from boildown.secrets import literals

    try:
        parse(arguments.encode())
    except (ValueError, RecursionError):
        return edit(arguments, "")
    return literals.edited(arguments, edit)
