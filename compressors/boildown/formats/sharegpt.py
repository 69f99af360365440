"""ShareGPT conversations: turns with `from` and `value`, in an array of conversations, one a line, or one object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from boildown.formats.layout import Piece, Render, conversations, row, write_records
from boildown.formats.source import Json, Sample, as_text, dump, members, parse
from boildown.transcript import (
    Block,
    FormatInfo,
    Framing,
    Message,
    Note,
    Opaque,
    Rules,
    Source,
    Text,
    ToolCall,
    ToolResult,
    Transcript,
)

INFO = FormatInfo(
    name="sharegpt",
    title="ShareGPT: conversations of turns with `from` and `value`, as an array, one a line, or one object",
    example='{"conversations": [{"from": "human", "value": "Hello"}]}',
    framing=Framing(message=4, block=3, reply=3, source="taken as Chat Completions'; ShareGPT is data, no API"),
    rules=Rules(alternate=True, joins=True),
    says=frozenset({"text", "tool call", "tool result", "system"}),
)
ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "system": "system",
    "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool",
    "observation": "tool",
    "function_response": "tool",
}
CALLS = {"function_call", "tool_call"}
TURNS = ("conversations", "items", "messages")


def sniff(sample: Sample) -> bool:
    """Objects that hold a list of turns with `from` and `value`."""
    held = [turns for item in sample.objects if (turns := _turns(item)) is not None]
    spoken = [turn for turns in held for turn in turns if _is_turn(turn)]
    return bool(spoken) and len(held) * 2 >= len(sample.objects)


def _turns(item: dict[str, Json]) -> list[Json] | None:
    return next((item[key] for key in TURNS if isinstance(item.get(key), list)), None)


def _is_turn(turn: Json) -> bool:
    return isinstance(turn, dict) and isinstance(turn.get("from"), str) and "value" in turn


def read(data: bytes) -> Iterator[Transcript]:
    """The conversations in `data`. A turn that cannot be read is carried as a message, and noted."""
    return conversations(data, "sharegpt", _conversation)


def _conversation(piece: Piece) -> Transcript:
    if not isinstance(piece.value, dict):
        raise ValueError("no object")
    held = next((m for m in members(piece.text, piece.start) if m.key in TURNS and isinstance(m.value, list)), None)
    if held is None:
        raise ValueError("an object without a list of turns")
    found = row(piece.text, held.start, piece.start, piece.end)
    messages = tuple(_messages(found.values))
    odd = tuple(
        Note("unknown turn", f"turn {n}", "no object with `from` and `value`; carried as it stands")
        for n, turn in enumerate(found.values, 1)
        if not _is_turn(turn)
    )
    source = Source("sharegpt", found.records, messages, piece.before, piece.after, found.frame, odd)
    return Transcript(messages, source, str(piece.value.get("title") or piece.value.get("id") or ""))


def _messages(turns: tuple[Json, ...]) -> Iterator[Message]:
    """The turns as messages: what a tool gave back answers, in order, the calls just before it."""
    waiting: list[str] = []
    count = 0
    for index, turn in enumerate(turns):
        said = str(turn["from"]) if _is_turn(turn) else ""
        role = ROLES.get(said, said or "unknown")
        answered = index + 1 < len(turns) and _is_turn(turns[index + 1]) and _is_result(turns[index + 1])
        blocks: tuple[Block, ...]
        if not said:
            blocks = (Opaque("unknown turn", text=as_text(turn)),)
        elif said in CALLS or (role == "assistant" and answered):
            blocks = tuple(_calls(turn["value"], count)) or _text(turn["value"])
            waiting = [b.id for b in blocks if isinstance(b, ToolCall)]
            count += len(waiting)
        elif role == "tool" and waiting:
            blocks = (ToolResult(waiting.pop(0), as_text(turn["value"]), at=0),)
        else:
            blocks, waiting = _text(turn["value"]), []
        yield Message(f"m{index + 1}", role, blocks, records=(index,))


def _is_result(turn: dict[str, Json]) -> bool:
    return ROLES.get(str(turn["from"])) == "tool"


def _text(value: Json) -> tuple[Block, ...]:
    return (Text(as_text(value), 0),) if as_text(value) else ()


def _calls(value: Json, count: int) -> Iterator[ToolCall]:
    """The calls that a value's JSON names, as {"name", "arguments"} or Chat Completions' tool calls; else nothing.

    Ids that the source lacks are made up: c1, c2, ...
    """
    found = _call_list(value)
    for at, call in enumerate(found):
        function = _function(call)
        arguments = function.get("arguments", function.get("parameters"))
        yield ToolCall(str(call.get("id") or f"c{count + at + 1}"), str(function["name"]), as_text(arguments), at)


def _call_list(value: Json) -> list[dict[str, Json]]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    calls = value if isinstance(value, list) else [value]
    return calls if all(isinstance(c, dict) and isinstance(_function(c).get("name"), str) for c in calls) else []


def _function(call: dict[str, Json]) -> dict[str, Json]:
    return call["function"] if isinstance(call.get("function"), dict) else call


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation into its source's frame; those of another format as an array, a conversation a line."""
    foreign = 0
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == "sharegpt":
            yield source.before
            yield write_records(transcript, _patch, _renderer(source))
            yield source.after
            continue
        foreign += 1
        turns = [turn for m in transcript.messages for turn in render(m)]
        value = {"id": transcript.title or f"conversation-{foreign}", "conversations": turns}
        yield (b",\n" if foreign > 1 else b"[\n") + dump(value)
    if foreign:
        yield b"\n]\n"


def _renderer(source: Source) -> Render:
    """New turns in the words that this conversation uses for its speakers."""
    words: dict[str, str] = {}
    for record in source.records:
        turn = parse(record)
        if _is_turn(turn) and turn["from"] not in CALLS:
            words.setdefault(ROLES.get(turn["from"], turn["from"]), turn["from"])

    def said(turn: Json) -> Json:
        word = turn["from"]
        return turn if word in CALLS else {**turn, "from": words.get(ROLES.get(word, ""), word)}

    return lambda message: [said(turn) for turn in render(message)]


def _patch(record: Json, was: Message, message: Message) -> Json:
    if not _is_turn(record):
        return record
    calls = {b.at: b for b in message.blocks if isinstance(b, ToolCall)}
    if not calls:
        record["value"] = message.text
        return record
    value = record["value"]
    found = _call_list(value)
    kept = [_patched_call(call, calls[at]) for at, call in enumerate(found) if at in calls]
    whole: Json = kept if len(found) > 1 or as_text(value).lstrip().startswith("[") else kept[0]
    record["value"] = as_text(whole) if isinstance(value, str) else whole
    return record


def _patched_call(call: dict[str, Json], block: ToolCall) -> dict[str, Json]:
    function = _function(call)
    key = "arguments" if "arguments" in function else "parameters"
    if as_text(function.get(key)) != block.arguments:
        function[key] = block.arguments if isinstance(function.get(key), str) else _value(block.arguments)
    return call


def _value(arguments: str) -> Json:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def render(message: Message) -> list[Json]:
    """The turns that say what `message` says; calls that were made at once are one turn."""
    said = {"user": "human", "assistant": "gpt"}.get(message.role, message.role)
    turns: list[Json] = []
    text = "\n".join(b.text for b in message.blocks if isinstance(b, Text))
    if text:
        turns.append({"from": said, "value": text})
    calls = [{"name": b.name, "arguments": _value(b.arguments)} for b in message.blocks if isinstance(b, ToolCall)]
    if calls:
        turns.append({"from": "function_call", "value": as_text(calls[0] if len(calls) == 1 else calls)})
    results = [b for b in message.blocks if isinstance(b, ToolResult)]
    return [*turns, *({"from": "observation", "value": b.text} for b in results)]
