"""A transcript of one format made sayable in another, and what that costs, named."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from boildown.transcript import (
    Block,
    FormatInfo,
    Message,
    Note,
    Opaque,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Transcript,
)

SIGNED = {
    "anthropic": "Anthropic",
    "claude-code": "Anthropic",
    "codex": "OpenAI",
    "openai-responses": "OpenAI",
    "gemini": "Google",
}
"""Formats whose API takes back only reasoning that it signed itself, and whose signature that is."""
TEXT_RESULTS = {"openai", "openhands", "swe-agent", "gemini", "gemini-cli"}
"""Formats that say images, but not in a tool's result."""
WORDS = {"command", "compacted", "refusal"}
"""Kinds of opaque block that are plain words in another format."""
ROLES = {"system", "user", "assistant", "tool"}
SURROGATE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
"""Half of a character. The rest of the range stands for bytes that are no UTF-8, which are written back."""


def convert(transcript: Transcript, info: FormatInfo) -> tuple[Transcript, tuple[Note, ...]]:
    """What the format `info` can say of `transcript`, and a note for each message and kind of thing that it cannot.

    A tool call that the format has no place for becomes the text `name(arguments)`, a result the user's text; a
    system message without a system role, and a speaker's name without names, stand in the user's words. A message
    of which nothing is left is dropped. The same format is left alone.
    """
    source = transcript.source
    if source is not None and source.format == info.name:
        return transcript, ()
    target = _Target(info, source.format if source else "")
    messages = [said for message in in_turn(transcript.messages) if (said := target.message(message)) is not None]
    if info.rules.alternate:
        messages = join_turns(messages)
    return transcript.with_messages(messages), tuple(target.notes)


def in_turn(messages: Iterable[Message]) -> Iterator[Message]:
    """`messages` with each result right behind its call: APIs refuse what some clients' records put between them."""
    behind: dict[int, list[Message]] = {}
    caller: dict[str, int] = {}
    for n, message in enumerate(messages):
        callers = [caller.get(b.call_id, n) if isinstance(b, ToolResult) else n for b in message.blocks]
        behind.setdefault(max(callers, default=n), []).append(message)
        caller |= {b.id: n for b in message.blocks if isinstance(b, ToolCall)}
    for n in sorted(behind):
        yield from behind[n]


@dataclass(slots=True)
class _Target:
    """The format that is converted to, and the notes taken so far."""

    info: FormatInfo
    source: str
    notes: list[Note] = field(default_factory=list)

    def message(self, message: Message) -> Message | None:
        notes: dict[str, str] = {}
        blocks = [said for block in message.blocks if (said := self._block(block, notes)) is not None]
        role = self._role(message, blocks, notes)
        if message.name and message.role != "tool" and "name" not in self.info.says:
            blocks = _named(message.name, blocks)
            notes["name"] = "the format has no names; it stands before the text"
        if self.info.plain:
            blocks = _bare(blocks, notes)
        if not blocks:
            notes["message"] = "nothing of it is left"
        self.notes += [Note(what, message.id, why) for what, why in notes.items()]
        if not blocks:
            return None
        name = message.name if "name" in self.info.says else None
        return replace(message, role=role, blocks=tuple(blocks), name=name)

    def _role(self, message: Message, blocks: list[Block], notes: dict[str, str]) -> str:
        if message.role in ("system", "developer"):
            if "system" in self.info.says:
                return "system"
            notes["system"] = "the format has no system role; it speaks as the user"
            return "user"
        if message.role == "tool" and not any(isinstance(b, ToolResult) for b in blocks):
            return "user"
        if message.role not in ROLES:
            notes["role"] = f"{message.role!r} is no role of the format; it speaks as the user"
            return "user"
        return message.role

    def _block(self, block: Block, notes: dict[str, str]) -> Block | None:
        says = self.info.says
        if isinstance(block, Thinking):
            return self._thinking(block, notes)
        if isinstance(block, Opaque) and block.kind in WORDS:
            return Text(block.text)
        if isinstance(block, Opaque):
            return block if self._shows(block, notes) else None
        if isinstance(block, ToolCall):
            if "tool call" in says:
                return replace(block, arguments=_object(block.arguments))
            notes["tool call"] = "the format has no tool calls; it is written as text"
            return Text(f"{block.name}({block.arguments})")
        if isinstance(block, ToolResult):
            shown = tuple(m for m in block.media if self._shows(m, notes, result=True))
            block = replace(block, media=shown)
            if "tool result" in says:
                return block
            notes["tool result"] = "the format has no tool results; it is written as the user's text"
            return Text(block.text) if block.text else None
        return block

    def _shows(self, block: Opaque, notes: dict[str, str], result: bool = False) -> bool:
        kind = f"tool result {block.kind}" if result else block.kind
        if block.kind not in self.info.says or (result and self.info.name in TEXT_RESULTS):
            notes[kind] = "the format has no place for it"
        elif not block.data:
            notes[kind] = "the source does not hold its data"
        return kind not in notes

    def _thinking(self, block: Thinking, notes: dict[str, str]) -> Thinking | None:
        signer = SIGNED.get(self.info.name)
        if "thinking" not in self.info.says:
            notes["thinking"] = "the format has no place for it"
        elif signer and not (block.signature and SIGNED.get(self.source) == signer):
            notes["thinking"] = f"{signer} takes back only reasoning that it signed"
        elif signer:
            return block
        elif block.text:
            return replace(block, signature="")
        else:
            notes["thinking"] = "it is encrypted, and holds no text"
        return None


def _bare(blocks: list[Block], notes: dict[str, str]) -> list[Block]:
    """The blocks as one text that plain text can hold."""
    text = "\n".join(b.text for b in blocks if isinstance(b, Text) and b.text)
    bare = text.strip()
    if bare != text:
        notes["blanks"] = "the format has none at a message's ends"
    if SURROGATE.search(bare):
        notes["characters"] = "it holds halves of characters, which are replaced"
        bare = bare.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return [Text(bare)] if bare else []


def _named(name: str, blocks: list[Block]) -> list[Block]:
    named = list(blocks)
    for n, block in enumerate(named):
        if isinstance(block, Text):
            named[n] = replace(block, text=f"{name}: {block.text}")
            break
    return named


def _object(arguments: str) -> str:
    """Arguments as the JSON object that an API asks for: other text becomes its `input`."""
    try:
        if not arguments or isinstance(json.loads(arguments), dict):
            return arguments or "{}"
    except (ValueError, RecursionError):
        pass
    return json.dumps({"input": arguments}, ensure_ascii=False)


def one_turn(first: Message, second: Message) -> bool:
    """Whether two neighbours are of one role and name, and hold nothing but text."""
    same = first.role == second.role and first.name == second.name
    return same and first.role != "tool" and all(isinstance(b, Text) for b in (*first.blocks, *second.blocks))


def join_turns(
    messages: Iterable[Message], may: Callable[[Message, Message], bool] = one_turn, between: str = "\n\n"
) -> list[Message]:
    """`messages`, of which neighbours that `may` be joined are one, `between` standing between their texts.

    The one is the first of them, names the others in `covers`, and is pinned where one of them is.
    """
    joined: list[Message] = []
    for message in messages:
        if joined and may(joined[-1], message):
            joined[-1] = _join(joined[-1], message, between)
        else:
            joined.append(message)
    return joined


def _join(first: Message, second: Message, between: str) -> Message:
    texts = [b for m in (first, second) for b in m.blocks if isinstance(b, Text) and b.text]
    at = next((b.at for b in first.blocks if isinstance(b, Text)), -1)
    return replace(
        first,
        blocks=(Text(between.join(b.text for b in texts), at),) if texts else (),
        covers=(*first.covers, second.id, *second.covers),
        pinned=first.pinned or second.pinned,
        note="; ".join(dict.fromkeys(filter(None, (first.note, second.note)))),
    )
