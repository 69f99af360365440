"""Secrets in a conversation and beside its messages: of which kind, and where. What they are is said nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from boildown.checking.conversation import Conversation
from boildown.checking.findings import Finding
from boildown.secrets import literals
from boildown.secrets.redaction import PLACEHOLDER, Redactor
from boildown.secrets.rules import Rule
from boildown.secrets.search import find, relevant, rules
from boildown.stages.redact import edit_block
from boildown.transcript import Block, Opaque, Text, Thinking, ToolCall, ToolResult

RULE = "fail-on-secret"
NAMES: dict[type[Block], str] = {
    Text: "text",
    ToolCall: "tool call",
    ToolResult: "tool result",
    Thinking: "thought",
    Opaque: "attachment",
}


def secrets(conversation: Conversation, known: set[str]) -> Iterator[Finding]:
    """The secrets in a conversation, by message. They are put into `known`, which is not to be shown."""
    redactor = Redactor(rules())
    blocks = [(message, block) for message in conversation.messages for block in message.blocks]
    for _, block in blocks:
        edit_block(block, redactor.look)
    if redactor.idle:
        return
    for message, block in blocks:
        for kind, number in _placeholders(block, redactor):
            said = f"{kind} in a {NAMES[type(block)]}: secret {number} of this kind"
            yield conversation.found(RULE, said, message=message, subject=kind)
    known.update(redactor.known)


def _placeholders(block: Block, redactor: Redactor) -> list[tuple[str, str]]:
    """(kind, number) of each secret in a block, once."""
    found: dict[tuple[str, str], None] = {}

    def edit(text: str, name: str) -> str:
        held = set(PLACEHOLDER.findall(text))
        found.update(dict.fromkeys(one for one in PLACEHOLDER.findall(redactor.redact(text, name)) if one not in held))
        return text

    edit_block(block, edit)
    return list(found)


def beside(file: str, data: bytes, plain: bool, known: set[str]) -> Iterator[Finding]:
    """The secrets in a file that are none of those `known` from its messages, by line. `plain` files are no JSON."""
    text = data.decode("utf-8", "surrogateescape")
    few = relevant(rules(), text)
    counted = line = 0
    for start in sorted({text.rfind("\n", 0, place) + 1 for rule in few for place, _ in rule.spans(text)}):
        line += text.count("\n", counted, start)
        counted, end = start, text.find("\n", start)
        row = text[start : end if end >= 0 else None]
        for kind in _kinds(row, few, plain, known):
            yield Finding(file, RULE, f"{kind} beside the messages", line=line + 1, subject=f"beside {kind}")


def _kinds(row: str, few: Sequence[Rule], plain: bool, known: set[str]) -> list[str]:
    """The kinds of the secrets in a line that are not known."""
    kinds: dict[str, None] = {}

    def look(value: str, name: str) -> str:
        for one in find(value, few, name):
            secret = value[one.start : one.end]
            if not any(secret in other or other in secret for other in known):
                kinds[one.kind] = None
        return value

    if plain:
        look(row, "")
    else:
        literals.edited(row, look)
    return list(kinds)
