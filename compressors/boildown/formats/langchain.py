"""LangChain messages: what `dumpd` (`lc`, `kwargs`) or `messages_to_dict` (`type`, `data`) writes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from boildown.formats.langchain_parts import content_blocks, is_copy, rendered
from boildown.formats.layout import Piece, Render, Row, bodies_or_row, row, write_records
from boildown.formats.source import (
    Json,
    Member,
    Sample,
    as_list,
    as_object,
    as_text,
    dump,
    members,
    parse,
)
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
    Thinking,
    ToolCall,
    ToolResult,
    Transcript,
)

INFO = FormatInfo(
    name="langchain",
    title="LangChain messages as dumpd or messages_to_dict write them: an array, one a line, or an object of them",
    example='{"type": "human", "data": {"content": "Hello"}}',
    framing=Framing(
        message=4, name=1, block=3, reply=3, source="taken as Chat Completions'; LangChain's messages go to any API"
    ),
    rules=Rules(joins=True),
)
ROLES = {
    "human": "user",
    "ai": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "chat": "unknown",
}
CLASSES = {
    "user": ("human", "HumanMessage"),
    "assistant": ("ai", "AIMessage"),
    "system": ("system", "SystemMessage"),
    "tool": ("tool", "ToolMessage"),
}
CALLS = ("tool_calls", "invalid_tool_calls")


def sniff(sample: Sample) -> bool:
    """Mostly LangChain's messages, or objects that hold a list of them."""
    objects = sample.objects
    if sum(map(_is_message, objects)) * 2 > len(objects):
        return True
    held = [found for item in objects if (found := _held(item)) is not None]
    return bool(held) and len(held) * 2 >= len(objects) and any(map(_is_message, (m for h in held for m in h)))


def _is_message(value: Json) -> bool:
    return _kind(value) != ""


def _kind(value: Json) -> str:
    """A message's type: human, ai, system, tool, function or chat; nothing for what is no message."""
    if not isinstance(value, dict):
        return ""
    path, type_ = value.get("id"), str(value.get("type"))
    if "lc" in value and isinstance(value.get("kwargs"), dict) and isinstance(path, list) and path:
        name = str(path[-1]).removesuffix("Chunk").removesuffix("Message").lower()
        return name if name in ROLES and "Message" in str(path[-1]) else ""
    kind = type_.removesuffix("MessageChunk").lower()
    data = value.get("data")
    return kind if kind in ROLES and isinstance(data, dict) and "content" in data else ""


def _held(value: dict[str, Json]) -> list[Json] | None:
    """The messages of an object: a chain's or graph's state, or a prompt's dump."""
    inner = value.get("kwargs")
    for holder in (value, inner if isinstance(inner, dict) else {}):
        if isinstance(holder.get("messages"), list):
            return cast("list[Json]", holder["messages"])
    return None


def _fields(record: dict[str, Json]) -> dict[str, Json]:
    return cast("dict[str, Json]", record["kwargs"] if "lc" in record else record["data"])


def read(data: bytes) -> Iterator[Transcript]:
    """The conversations in `data`. What is no message is carried as one, and noted."""
    return bodies_or_row(data, INFO.name, lambda item: _held(item) is not None, _conversation, _transcript)


def _conversation(piece: Piece) -> Transcript:
    held = _list_of_messages(piece.text, piece.start) if isinstance(piece.value, dict) else None
    if held is None:
        raise ValueError("an object without a list of messages")
    return _transcript(row(piece.text, held.start, piece.start, piece.end), piece.before, piece.after)


def _list_of_messages(text: str, start: int) -> Member | None:
    found = list(members(text, start))
    held = next((m for m in found if m.key == "messages" and isinstance(m.value, list)), None)
    inner = next((m for m in found if m.key == "kwargs" and isinstance(m.value, dict)), None)
    return held or (_list_of_messages(text, inner.start) if inner else None)


def _transcript(
    found: Row,
    before: bytes = b"",
    after: bytes = b"",
    notes: Iterable[Note] = (),
    skip: frozenset[int] = frozenset(),
) -> Transcript:
    messages: list[Message] = []
    odd = list(notes)
    for index, value in enumerate(found.values):
        if index in skip:
            continue
        messages.append(_message(f"m{len(messages) + 1}", value, index))
        if not _is_message(value) and not isinstance(value, str):
            odd.append(
                Note("unknown record", f"message {index + 1}", "no message of LangChain's; carried as it stands")
            )
    source = Source(INFO.name, found.records, tuple(messages), before, after, found.frame, tuple(odd))
    return Transcript(source.messages, source)


def _message(id: str, value: Json, index: int) -> Message:
    kind = _kind(value)
    if not kind:
        return Message(id, "unknown", (Opaque("unknown record", text=as_text(value)),), records=(index,))
    fields = _fields(value)
    name = fields.get("name")
    role = str(fields.get("role", "unknown")) if kind == "chat" else ROLES[kind]
    blocks = _results(fields) if role == "tool" else _blocks(fields)
    return Message(id, role, tuple(blocks), name=name if isinstance(name, str) else None, records=(index,))


def _results(fields: dict[str, Json]) -> Iterator[Block]:
    found = list(content_blocks(fields.get("content"), set()))
    text = "\n".join(b.text for b in found if isinstance(b, Text))
    others = tuple(b for b in found if isinstance(b, Opaque))
    call = str(fields.get("tool_call_id") or fields.get("name") or "")
    yield ToolResult(call, text, others, fields.get("status") == "error", at=0)


def _blocks(fields: dict[str, Json]) -> Iterator[Block]:
    """Reasoning that stands beside the content, without a place; the content's parts; and the calls, behind them."""
    content = fields.get("content")
    start = len(content) if isinstance(content, list) else 1
    calls = list(_calls(fields))
    beside = _beside(fields)
    if beside:
        yield Thinking(beside)
    yield from content_blocks(content, {str(call.get("id")) for call in calls})
    for at, call in enumerate(calls, start):
        yield ToolCall(str(call.get("id") or f"call-{at}"), str(call.get("name", "")), as_text(call.get("args")), at)
    extra = fields.get("additional_kwargs")
    legacy = extra.get("function_call") if isinstance(extra, dict) and not calls else None
    if isinstance(legacy, dict):
        yield ToolCall(str(legacy.get("name", "")), str(legacy.get("name", "")), as_text(legacy.get("arguments")))


def _calls(fields: dict[str, Json]) -> Iterator[dict[str, Json]]:
    for key in CALLS:
        held = fields.get(key)
        yield from (call for call in as_list(held) if isinstance(call, dict))


def _beside(fields: dict[str, Json]) -> str:
    extra = fields.get("additional_kwargs")
    thought = extra.get("reasoning_content") if isinstance(extra, dict) else None
    return thought if isinstance(thought, str) else ""


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation into its source's frame; one of another format as an array, several as an object a line."""
    foreign: list[list[Json]] = []
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == INFO.name:
            carried = set(range(len(source.records))) - {i for m in source.messages for i in m.records}
            yield source.before
            yield write_records(transcript, _patch, _renderer(source), carried)
            yield source.after
        else:
            foreign.append([value for m in transcript.messages for value in render(m)])
    if len(foreign) == 1:
        yield b"[\n" + b",\n".join(map(dump, foreign[0])) + b"\n]\n"
    else:
        yield from (dump({"messages": values}) + b"\n" for values in foreign)


def _patch(record: Json, was: Message, message: Message) -> Json:
    if not _is_message(record):
        return record
    fields = _fields(record)
    result = next((b for b in message.blocks if isinstance(b, ToolResult)), None)
    if result is not None:
        _patch_result(fields, result)
        return record
    calls = {b.at: b for b in message.blocks if isinstance(b, ToolCall) and b.at >= 0}
    ids = {str(call.get("id")) for call in _calls(fields)}
    content = fields.get("content")
    start = len(content) if isinstance(content, list) else 1
    fields["content"] = _patched_content(content, ids, was, message)
    _patch_calls(fields, calls, start)
    extra = fields.get("additional_kwargs")
    if isinstance(extra, dict):
        if not any(isinstance(b, Thinking) and b.at < 0 for b in message.blocks):
            extra.pop("reasoning_content", None)
        if isinstance(extra.get("tool_calls"), list):
            extra["tool_calls"] = list(_patched_copies(extra["tool_calls"], calls.values()))
    if was.text != message.text and isinstance(fields.get("response_metadata"), dict):
        # The tokens of the answer, each with its text.
        fields["response_metadata"].pop("logprobs", None)
    return record


def _patch_result(fields: dict[str, Json], result: ToolResult) -> None:
    """Another text, and without the artifact: what the tool gave back besides, of which that text was made."""
    content = fields.get("content")
    if isinstance(content, list):
        kept = {b.at for b in result.media}
        text = [{"type": "text", "text": result.text}] if result.text else []
        fields["content"] = [*text, *(p for at, p in enumerate(content) if at in kept)]
    else:
        fields["content"] = result.text
    if fields.get("artifact") is not None:
        fields["artifact"] = None


def _patched_content(content: Json, ids: set[str], was: Message, message: Message) -> Json:
    if not isinstance(content, list):
        return message.text if message.text or isinstance(content, str) else content
    left = {b.id for b in message.blocks if isinstance(b, ToolCall)}
    before = {b.at: b for b in was.blocks}
    now = {b.at: b for b in message.blocks}
    parts: list[Json] = []
    for at, part in enumerate(content):
        if is_copy(part, ids):
            parts += [part] if is_copy(part, left) else []
        elif at in now:
            parts.append(_patched_part(part, before[at], now[at]))
    return [*parts, *({"type": "text", "text": b.text} for b in message.blocks if isinstance(b, Text) and b.at < 0)]


def _patched_part(part: Json, was: Block, now: Block) -> Json:
    if was == now or not isinstance(now, Text):
        return part
    if isinstance(part, str):
        return now.text
    return {**part, "text": now.text, **{key: [] for key in ("annotations", "citations", "logprobs") if part.get(key)}}


def _patch_calls(fields: dict[str, Json], calls: dict[int, ToolCall], start: int) -> None:
    """Keep the calls that are left."""
    for key in CALLS:
        if not isinstance(fields.get(key), list):
            continue
        kept: list[Json] = []
        for call in fields[key]:
            if not isinstance(call, dict):
                kept.append(call)
                continue
            block, start = calls.get(start), start + 1
            if block is not None and as_text(call.get("args")) != block.arguments:
                text = isinstance(call.get("args"), str)
                kept.append({**call, "args": block.arguments if text else as_object(block.arguments)})
            elif block is not None:
                kept.append(call)
        fields[key] = kept
    if isinstance(fields.get("tool_call_chunks"), list):
        fields["tool_call_chunks"] = list(_patched_copies(fields["tool_call_chunks"], calls.values()))


def _patched_copies(copies: Sequence[Json], calls: Iterable[ToolCall]) -> Iterator[Json]:
    """The copies that a provider's own fields hold of the calls that are left."""
    left = {call.id: call for call in calls}
    for copy in copies:
        call = left.get(str(copy.get("id"))) if isinstance(copy, dict) else None
        if call is None:
            continue
        function = copy.get("function")
        yield {**copy, "function": {**function, "arguments": call.arguments}} if isinstance(function, dict) else copy


def _renderer(source: Source) -> Render:
    """New messages in the manner of the source: as constructors, or as types and data."""
    first: dict[str, Json] = next((v for r in source.records if _is_message(v := _parsed(r))), {})
    if "lc" not in first:
        return render
    place = first["id"][:-1]

    def constructors(message: Message) -> list[Json]:
        names = dict(CLASSES.values())
        return [
            {"lc": 1, "type": "constructor", "id": [*place, names[value["type"]]], "kwargs": value["data"]}
            for value in render(message)
        ]

    return constructors


def _parsed(record: bytes) -> Json:
    try:
        return parse(record)
    except (ValueError, RecursionError):
        return None


def render(message: Message) -> list[Json]:
    """The messages that say what `message` says: each tool result is one of its own."""
    found = [_result(b, message.name) for b in message.blocks if isinstance(b, ToolResult)]
    parts = [part for b in message.blocks if not isinstance(b, ToolResult | ToolCall) for part in rendered(b)]
    calls = [
        {"name": b.name, "args": as_object(b.arguments), "id": b.id, "type": "tool_call"}
        for b in message.blocks
        if isinstance(b, ToolCall)
    ]
    if not parts and not calls:
        return found
    plain = all(part["type"] == "text" for part in parts)
    said: Json = "\n".join(part["text"] for part in parts) if plain else parts
    kind = CLASSES.get(message.role, CLASSES["user"])[0] if message.role != "tool" else "human"
    more = {"tool_calls": calls, "invalid_tool_calls": []} if kind == "ai" else {}
    return [*found, _record(kind, said, message.name, more)]


def _result(block: ToolResult, name: str | None) -> Json:
    parts = [part for item in block.media for part in rendered(item)]
    said: Json = [*rendered(Text(block.text)), *parts] if parts else block.text
    more = {"tool_call_id": block.call_id, "artifact": None, "status": "error" if block.is_error else "success"}
    return _record("tool", said, name, more)


def _record(kind: str, content: Json, name: str | None, more: dict[str, Json]) -> Json:
    data = {"content": content, "additional_kwargs": {}, "response_metadata": {}, "type": kind, "name": name}
    return {"type": kind, "data": {**data, "id": None, **more}}
