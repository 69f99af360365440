"""A conversation as requests to count: turns that the API accepts, whatever the conversation lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence

from boildown.formats.source import Json, as_object
from boildown.transcript import Block, Message, Opaque, Text, Thinking, ToolCall, ToolResult, groups

LONGEST = 100_000
"""Characters of one request: where each is more than one token, it still fits into a model's window"""
SAID = "."
"""What stands for a turn that the API demands at either end"""
STRANGE = re.compile(r"[^a-zA-Z0-9_-]")
"""What is in no tool's name (https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview)"""

Turn = dict[str, Json]


def requests(messages: Sequence[Message]) -> Iterator[list[Turn]]:
    """The turns of each request; their tokens together are the conversation's.

    Calls stay with their results, and one that has none gets an empty one. Thoughts go as text: with a signature they
    would be checked, and not counted behind their turn. Images and documents are not sent, and a text that is too
    long for one request goes on in the next.
    """
    held: list[Turn] = []
    size = 0
    for members in groups(messages):
        for turns in _parted(_turns([messages[i] for i in members])):
            length = len(json.dumps(turns, ensure_ascii=False))
            if held and size + length > LONGEST:
                yield _framed(held)
                held, size = [], 0
            held += turns
            size += length
    if held:
        yield _framed(held)


def _framed(turns: Sequence[Turn]) -> list[Turn]:
    """`turns` with a user's at both ends, as JSON can hold them: halves of characters are replaced."""
    first = [_turn("user", [_text(SAID)])] if turns[0]["role"] == "assistant" else []
    last = [_turn("user", [_text(SAID)])] if turns[-1]["role"] == "assistant" else []
    whole = json.dumps([*first, *turns, *last], ensure_ascii=False)
    return list(json.loads(whole.encode("utf-8", "replace")))


def _parted(turns: Iterable[Turn]) -> Iterator[list[Turn]]:
    """Each turn by itself, but one with calls together with that of its results, which is behind it."""
    calling: list[Turn] = []
    for turn in turns:
        if not calling and any(part["type"] == "tool_use" for part in turn["content"]):
            calling = [turn]
        else:
            yield [*calling, turn]
            calling = []


def _turns(messages: Sequence[Message]) -> Iterator[Turn]:
    """What messages say whose calls and results are all among them. Their order may change, which is no token."""
    results = [block for message in messages for block in message.blocks if isinstance(block, ToolResult)]
    more: list[str] = []
    for message in messages:
        asks = message.role == "assistant"
        calls = [block for block in message.blocks if isinstance(block, ToolCall) and asks]
        said = [text for block in message.blocks if block not in calls for text in _words(block)]
        parts = [_text(text) for text in _fitting([f"{message.name}:", *said] if message.name else said, more)]
        uses = [_use(call, f"{message.id}_{n}") for n, call in enumerate(calls)]
        if parts or uses:
            yield _turn("assistant" if asks else "user", [*parts, *uses])
        if calls:
            yield _turn(
                "user", [_result(_taken(results, call), f"{message.id}_{n}", more) for n, call in enumerate(calls)]
            )
    more += [text for result in results for text in _read(result)]
    for text in more:
        for start in range(0, len(text), LONGEST):
            yield from [_turn("user", [_text(part)])] if (part := text[start : start + LONGEST]).strip() else []


def _words(block: Block) -> list[str]:
    """What a model reads of a block that is neither a call nor a result of an assistant's."""
    match block:
        case Text() | Thinking() | Opaque():
            return [block.text]
        case ToolCall():
            return [block.name, block.arguments]
        case _:
            return []


def _read(result: ToolResult) -> list[str]:
    return [result.text, *(part.text for part in result.media)]


def _fitting(texts: Iterable[str], more: list[str]) -> Iterator[str]:
    """The beginnings of `texts` that fit into one request, blank ones left out; the rest is added to `more`."""
    for text in texts:
        if text[:LONGEST].strip():
            yield text[:LONGEST]
        more.append(text[LONGEST:])


def _taken(results: list[ToolResult], call: ToolCall) -> ToolResult:
    """The first of `results` that is the call's, which is taken out; an empty one where there is none."""
    found = next((n for n, result in enumerate(results) if result.call_id == call.id), None)
    return ToolResult(call.id, "") if found is None else results.pop(found)


def _use(call: ToolCall, own: str) -> Json:
    name = STRANGE.sub("_", call.name)[:64] or "tool"
    return {"type": "tool_use", "id": own, "name": name, "input": as_object(call.arguments)}


def _result(result: ToolResult, own: str, more: list[str]) -> Json:
    parts = [_text(text) for text in _fitting(_read(result), more)]
    return {"type": "tool_result", "tool_use_id": own, "content": parts}


def _turn(role: str, parts: Sequence[Json]) -> Turn:
    return {"role": role, "content": list(parts)}


def _text(text: str) -> Json:
    return {"type": "text", "text": text}
