"""Limits on what a conversation could do without: what stands there twice, output of tools, base64."""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Callable, Iterator

from boildown.checking.conversation import Conversation
from boildown.checking.findings import Finding
from boildown.pipeline import Context
from boildown.stages.repeats import copies, parts
from boildown.transcript import Block, Message, Opaque, Text, Thinking, ToolCall, ToolResult, media

Spent = list[tuple[Message, int]]
"""Messages with tokens that are spent on something, in order"""

LEAST_BASE64 = 200
"""Characters of the shortest run that is looked at: shorter ones are keys, hashes and identifiers"""
_OF = r"[A-Za-z0-9+/_-]"
_BREAK = r"(?:\r?\n|\\n)"
_BASE64 = re.compile(
    rf"(?<![\w+/=-]){_OF}{{60,}}(?:{_BREAK}{_OF}{{60,}})*(?:{_BREAK}{_OF}+(?=\s|=|$))?={{0,2}}", re.ASCII
)
"""A line of base64, those that follow, and what is left of it in the last"""


def duplicates(conversation: Conversation, limit: float) -> Iterator[Finding]:
    """Blocks whose text or image stands in the conversation a second time, word for word.

    As `dedup` finds them: texts and results of 80 characters on, images and documents; one copy of each is no waste.
    """
    context = Context(conversation.counter, 0)
    found = []
    for copy, _ in sorted(copies(parts(conversation.messages, context)), key=lambda pair: pair[0].place):
        tokens = copy.image.tokens if copy.image else conversation.texts([copy.block.text])
        found.append((conversation.messages[copy.place[0]], tokens))
    yield from _shared(conversation, found, limit, "max-duplicate-share", "stand there a second time")


def tool_output(conversation: Conversation, limit: float) -> Iterator[Finding]:
    """What tools gave back, their images included."""
    spent = _spent(conversation, _output)
    yield from _shared(conversation, spent, limit, "max-tool-share", "are output of tools")


def _output(conversation: Conversation, block: Block) -> int:
    if not isinstance(block, ToolResult):
        return 0
    texts = [block.text, *(part.text for part in block.media)]
    return conversation.texts(texts) + sum(part.tokens for part in block.media)


def base64(conversation: Conversation, limit: int) -> Iterator[Finding]:
    """Runs of base64 in texts, calls and results, and the images and documents whose data stand in the file."""
    spent = _spent(conversation, _encoded)
    # In the tokens that the conversation is measured in.
    tokens = -(-sum(n for _, n in spent) * conversation.tokens // max(conversation.size, 1))
    if tokens > limit:
        most, _ = max(spent, key=lambda one: one[1])
        said = f"{tokens:,} tokens of base64, {tokens - limit:,} over {limit:,}; most are in {most.id}"
        yield conversation.found("max-base64-tokens", said, tokens, limit, most, "base64")


def _encoded(conversation: Conversation, block: Block) -> int:
    inline = [part.tokens for part in media(block) if part.data and not _is_url(part.data)]
    return sum(inline) + conversation.texts(runs(_text(block)))


def _is_url(data: str) -> bool:
    return "://" in data[:16]


def _text(block: Block) -> str:
    match block:
        case ToolCall():
            return block.arguments
        case Text() | ToolResult() | Thinking() | Opaque():
            return block.text


def runs(text: str) -> list[str]:
    """The runs of base64 in a text: long, in one piece or in lines, with small and capital letters and digits."""
    if len(text) < LEAST_BASE64:
        return []
    found = (match[0] for match in _BASE64.finditer(text))
    return [run for run in found if len(run) >= LEAST_BASE64 and _is_mixed(run)]


def _is_mixed(run: str) -> bool:
    """Whether a run is like base64, and not like hexadecimal digits, a rule of hyphens or a long name."""
    return all(re.search(kind, run) for kind in ("[a-z]", "[A-Z]", "[0-9]")) and len(set(run)) >= 24


def _spent(conversation: Conversation, cost: Callable[[Conversation, Block], int]) -> Spent:
    each = ((m, sum(cost(conversation, block) for block in m.blocks)) for m in conversation.messages)
    return [(message, tokens) for message, tokens in each if tokens]


def _shared(conversation: Conversation, spent: Spent, limit: float, rule: str, what: str) -> Iterator[Finding]:
    """A finding where too much of the conversation is spent, at the message that spends most."""
    tokens, size = sum(n for _, n in spent), conversation.size
    if tokens <= limit * size:
        return
    by_message: Tally[str] = Tally()
    for message, n in spent:
        by_message[message.id] += n
    most = max((m for m, _ in spent), key=lambda message: by_message[message.id])
    share = tokens / size
    said = f"{tokens:,} of {size:,} tokens ({share:.1%}) {what}, the limit is {limit:.1%}; most are in {most.id}"
    yield conversation.found(rule, said, share, limit, most, rule)
