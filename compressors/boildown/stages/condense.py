"""Structured output of tools, said in fewer tokens: first without loss, then without what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from boildown import output
from boildown.marks import is_mark
from boildown.pipeline import Context
from boildown.text.units import fences
from boildown.transcript import Block, Message, Text, ToolResult, Transcript

LEAST = 80
PASTED = 1500
# Their lines are for the later stages to choose from: more of what agents needed next survives so (CONTRIBUTING).
LEFT_TO_OTHERS = frozenset({"diff", "matches", "listing"})
PASTED_KINDS = frozenset({"json", "json lines"})


@dataclass(frozen=True, slots=True)
class Condense:
    """Say logs, JSON, test runs, matches, diffs and listings in fewer tokens, each kind by rules of its own.

    Every result first loses what says nothing: blanks, escapes, keys and paths that repeat. While the transcript is
    above the target, the oldest results then lose what is expected: passing tests, entries like others, unchanged
    lines; matches, listings and diffs only where no stage follows that chooses among their lines. Errors lose nothing.
    Of what people and the model wrote, only long JSON is touched, and loses nothing.
    """

    REASON = "output said in fewer tokens"

    lossless: bool = field(default=False, metadata={"help": "whether nothing that a result says may be left out"})

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        source = transcript.messages
        tight = _smaller(source, [_tight(m) for m in source], context)
        if not self.lossless:
            tight = _until_met(source, tight, context)
        return transcript.with_messages(tight)


def _until_met(source: Sequence[Message], tight: Sequence[Message], context: Context) -> list[Message]:
    """`tight` with the oldest results said with loss, until the target is met."""
    left, found = context.counter.total(tight), list(tight)
    for n, message in enumerate(source):
        if left <= context.target:
            break
        if any(isinstance(b, ToolResult) for b in message.blocks):
            (smaller,) = _smaller([found[n]], [_loose(message, context.last)], context)
            before, after = context.sizes([found[n], smaller])
            left += after - before
            found[n] = smaller
    return found


def _smaller(messages: Sequence[Message], shorter: Sequence[Message], context: Context) -> list[Message]:
    """`messages`, each block replaced by that of `shorter` where it has fewer tokens."""
    count = context.counter.texts
    pairs = [
        (a, b)
        for m, s in zip(messages, shorter, strict=True)
        for a, b in zip(m.blocks, s.blocks, strict=True)
        if isinstance(a, Text | ToolResult) and isinstance(b, Text | ToolResult) and a.text != b.text
    ]
    sizes = zip(pairs, count([a.text for a, _ in pairs]), count([b.text for _, b in pairs]), strict=True)
    worse = {id(b): a for (a, b), was, now in sizes if now >= was}
    return [
        m if m is s else _with(m, [worse.get(id(b), b) for b in s.blocks])
        for m, s in zip(messages, shorter, strict=True)
    ]


def _with(message: Message, blocks: list[Block]) -> Message:
    same = all(a is b for a, b in zip(message.blocks, blocks, strict=True))
    return message if same else message.with_blocks(blocks)


def _tight(message: Message) -> Message:
    if message.pinned:
        return message
    return _with(message, [_without_loss(block, message.role) for block in message.blocks])


def _without_loss(block: Block, role: str) -> Block:
    if isinstance(block, ToolResult) and _may_change(block.text, LEAST):
        text = output.condense(block.text)
        return block if text == block.text else replace(block, text=text)
    if isinstance(block, Text) and role in ("user", "assistant") and _may_change(block.text, PASTED):
        text = "".join(_pasted(block.text))
        return block if text == block.text else replace(block, text=text)
    return block


def _loose(message: Message, last: bool) -> Message:
    if message.pinned:
        return message
    return _with(message, [_with_loss(block, last) for block in message.blocks])


def _with_loss(block: Block, last: bool) -> Block:
    if not isinstance(block, ToolResult) or block.is_error or not _may_change(block.text, LEAST):
        return block
    if not last and output.kind(block.text) in LEFT_TO_OTHERS:
        return block
    text = output.condense(block.text, lossy=True)
    return block if text == block.text else replace(block, text=text)


def _may_change(text: str, least: int) -> bool:
    return len(text) >= least and not is_mark(text)


def _pasted(text: str) -> Iterator[str]:
    """The parts of a text; JSON that stands alone or in a fence, and is long, without its blanks."""
    if output.kind(text) in PASTED_KINDS:
        yield output.condense(text)
        return
    at = 0
    for start, end in fences(text) if "```" in text else ():
        opening, closing = text.find("\n", start, end) + 1, text.rfind("\n", start, end - 1)
        body = text[opening:closing]
        yield text[at:opening]
        yield output.condense(body) if len(body) >= PASTED and output.kind(body) in PASTED_KINDS else body
        at = closing if opening <= closing else opening
    yield text[at:]
