"""OpenAI Chat Completions messages: a JSON array, a message a line, a conversation a line, or one request body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from boildown.formats import media
from boildown.formats.items import is_item
from boildown.formats.layout import Piece, Row, conversations, line_row, row, write_records
from boildown.formats.source import Json, Sample, as_list, as_text, dump, members, sample
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
    name="openai",
    title="OpenAI Chat Completions: an array of messages, a message a line, a conversation a line, or a request body",
    example='{"role": "user", "content": "Hello"}',
    framing=Framing(
        message=4,
        name=1,
        block=3,
        reply=3,
        source="OpenAI cookbook, how to count tokens: 3 a message, 1 for the role, 1 for a name, 3 for the reply",
    ),
    rules=Rules(joins=True),
    says=frozenset({"text", "tool call", "tool result", "thinking", "image", "system", "name"}),
)
HOLDERS = ("messages", "traj")
ROLES = {"system", "developer", "user", "assistant", "tool", "function"}


def sniff(sample: Sample) -> bool:
    """Messages with a role and content, or objects that hold a list of such messages and no Anthropic blocks."""
    objects = sample.objects
    if not objects and sample.kind == "array":
        return not sample.items
    if sample.kind == "lines" and any(map(media.is_rollout_header, objects[:1])):
        return False
    if sum(map(is_item, objects)) * 2 > len(objects):
        return False
    said = [item for item in objects if _is_message(item)]
    held = [found for item in objects if (found := _held(item)) is not None]
    if held and len(held) * 2 >= len(objects):
        flat = [m for group in held for m in group if isinstance(m, dict)]
        return not any(map(media.is_anthropic_body, objects)) and any(map(_is_message, flat))
    return len(said) * 2 > len(objects) and not any(map(media.is_anthropic_message, said))


def _held(item: dict[str, Json]) -> list[Json] | None:
    """The messages of a conversation object: a request's or a log's `messages`, or the `traj` of an agent benchmark."""
    return next((item[key] for key in HOLDERS if isinstance(item.get(key), list)), None)


def _is_message(item: dict[str, Json]) -> bool:
    role = item.get("role")
    return isinstance(role, str) and role in ROLES and bool({"content", "tool_calls", "function_call"} & item.keys())


def read(data: bytes) -> Iterator[Transcript]:
    """The conversations in `data`. A line or an element that is no message is carried as one, and noted."""
    kind = sample(data).kind
    if kind == "lines":
        first = next((v for v in sample(data).items if isinstance(v, dict)), {})
        alone = _held(first) is None
        yield from iter([_message_lines(data)]) if alone else conversations(data, "openai", _conversation)
    elif kind == "array" and not _holds_conversations(data):
        yield _transcript(row(data.decode("utf-8", "surrogateescape")))
    else:
        yield from conversations(data, "openai", _conversation)


def _message_lines(data: bytes) -> Transcript:
    found, notes, _ = line_row(data)
    return _transcript(found, notes, blank=True)


def _holds_conversations(data: bytes) -> bool:
    return any(_held(item) is not None for item in sample(data).objects[:1])


def _conversation(piece: Piece) -> Transcript:
    held = next((m for m in members(piece.text, piece.start) if m.key in HOLDERS and isinstance(m.value, list)), None)
    if held is None:
        raise ValueError("an object without a list of messages")
    return _transcript(row(piece.text, held.start, piece.start, piece.end), before=piece.before, after=piece.after)


def _transcript(
    found: Row, notes: tuple[Note, ...] = (), before: bytes = b"", after: bytes = b"", blank: bool = False
) -> Transcript:
    odd = list(notes)
    messages: list[Message] = []
    for index, value in enumerate(found.values):
        if blank and value is None:
            continue
        if isinstance(value, dict):
            said = tuple(blocks(value))
            role, name = str(value.get("role", "unknown")), value.get("name")
        else:
            said, role, name = (Opaque("unknown record", text=as_text(value)),), "unknown", None
            if not isinstance(value, str):
                odd.append(Note("unknown record", f"message {index + 1}", "no JSON object; carried as it stands"))
        messages.append(
            Message(
                id=f"m{len(messages) + 1}",
                role={"developer": "system", "function": "tool"}.get(role, role),
                blocks=said,
                name=name if isinstance(name, str) else None,
                records=(index,),
            )
        )
    source = Source("openai", found.records, tuple(messages), before, after, found.frame, tuple(odd))
    return Transcript(source.messages, source)


def blocks(value: dict[str, Json]) -> Iterator[Block]:
    """The blocks of one message."""
    content = value.get("content")
    if isinstance(value.get("reasoning_content"), str) and value["reasoning_content"]:
        yield Thinking(value["reasoning_content"])
    if value.get("role") in ("tool", "function"):
        call = str(value.get("tool_call_id") or value.get("name") or "")
        yield ToolResult(call, _text(content), tuple(b for b in _parts(content) if isinstance(b, Opaque)), at=0)
    else:
        yield from _parts(content)
    if isinstance(value.get("refusal"), str) and value["refusal"]:
        yield Opaque("refusal", text=value["refusal"])
    calls = value.get("tool_calls")
    for at, call in enumerate(as_list(calls)):
        yield _call(call, at)
    if isinstance(value.get("function_call"), dict):
        called = value["function_call"]
        yield ToolCall(str(called.get("name", "")), str(called.get("name", "")), as_text(called.get("arguments")))


def _call(call: Json, at: int) -> Block:
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(function, dict):
        return ToolCall(str(call.get("id", "")), str(function.get("name", "")), as_text(function.get("arguments")), at)
    if isinstance(call, dict) and isinstance(call.get("custom"), dict):
        custom = call["custom"]
        return ToolCall(str(call.get("id", "")), str(custom.get("name", "")), str(custom.get("input", "")), at)
    return Opaque("tool call", text=as_text(call), at=at)


def _text(content: Json) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(b.text for b in _parts(content) if isinstance(b, Text))


def _parts(content: Json) -> Iterator[Text | Opaque]:
    if isinstance(content, str):
        if content:
            yield Text(content, 0)
    elif isinstance(content, list):
        for at, part in enumerate(content):
            yield _part(part, at)
    elif content is not None:
        yield Opaque("content", text=as_text(content), at=0)


def _part(part: Json, at: int) -> Text | Opaque:
    if isinstance(part, str):
        return Text(part, at)
    if not isinstance(part, dict):
        return Opaque("part", text=as_text(part), at=at)
    if isinstance(part.get("text"), str):
        return Text(part["text"], at)
    if part.get("type") == "image_url":
        image = part.get("image_url")
        url = image if isinstance(image, str) else str(image.get("url", "")) if isinstance(image, dict) else ""
        detail = str(image.get("detail", "auto")) if isinstance(image, dict) else "auto"
        kind, payload = media.split_data_url(url)
        return Opaque("image", media.openai_image_tokens(url, detail), "", kind, payload, at)
    if part.get("type") in ("input_audio", "file"):
        return Opaque(str(part["type"]), media.attachment_tokens(part), at=at)
    return Opaque(str(part.get("type", "part")), text=as_text(part), at=at)


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation into its source's frame; those of another format as messages, or conversations, a line."""
    foreign: list[Transcript] = []
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == "openai":
            yield source.before
            yield write_records(transcript, patch, render, _carried(transcript, source))
            yield source.after
        else:
            foreign.append(transcript)
    if len(foreign) == 1:
        yield from (dump(value) + b"\n" for m in foreign[0].messages for value in render(m))
    else:
        for transcript in foreign:
            yield dump({"messages": [value for m in transcript.messages for value in render(m)]}) + b"\n"


def _carried(transcript: Transcript, source: Source) -> set[int]:
    return set(range(len(source.records))) - {i for m in source.messages for i in m.records}


def patch(record: Json, was: Message, message: Message) -> Json:
    """A message's record with what it says now; its other keys stay."""
    content = record.get("content")
    if isinstance(content, list):
        record["content"] = _patched_parts(content, message)
    elif isinstance(content, str) or message.text:
        record["content"] = message.text
    if not any(isinstance(b, Thinking) for b in message.blocks):
        record.pop("reasoning_content", None)
    results = [b for b in message.blocks if isinstance(b, ToolResult)]
    if results and "tool_call_id" in record and record["tool_call_id"] != results[0].call_id:
        record["tool_call_id"] = results[0].call_id
    calls = {b.at: b for b in message.blocks if isinstance(b, ToolCall | Opaque) and b.at >= 0}
    if isinstance(record.get("tool_calls"), list):
        record["tool_calls"] = [_patched_call(c, calls[at]) for at, c in enumerate(record["tool_calls"]) if at in calls]
        if not record["tool_calls"]:
            del record["tool_calls"]
    return record


def _patched_call(call: Json, block: ToolCall | Opaque) -> Json:
    if isinstance(block, Opaque):
        return call
    if block.id != str(call.get("id", "")):
        call["id"] = block.id
    function = call.get("function")
    if isinstance(function, dict) and as_text(function.get("arguments")) != block.arguments:
        function["arguments"] = block.arguments
    return call


def _patched_parts(content: list[Json], message: Message) -> list[Json]:
    if any(isinstance(b, ToolResult) for b in message.blocks):
        shown = {m.at for b in message.blocks if isinstance(b, ToolResult) for m in b.media}
        others = [p for at, p in enumerate(content) if at in shown]
        return [{"type": "text", "text": message.text}, *others]
    kept = {b.at: b for b in message.blocks if isinstance(b, Text | Opaque)}
    added = [{"type": "text", "text": b.text} for b in message.blocks if isinstance(b, Text) and b.at < 0]
    return [_patched_part(part, kept[at]) for at, part in enumerate(content) if at in kept] + added


def _patched_part(part: Json, block: Text | Opaque) -> Json:
    if isinstance(block, Opaque):
        return part
    if not isinstance(_part(part, 0), Text):
        return {"type": "text", "text": block.text}
    return block.text if isinstance(part, str) else {**part, "text": block.text}


def render(message: Message) -> list[Json]:
    """The OpenAI messages that say what `message` says: each tool result is one of its own."""
    results: list[Json] = [
        {"role": "tool", "tool_call_id": b.call_id, "content": b.text}
        for b in message.blocks
        if isinstance(b, ToolResult)
    ]
    parts = [_rendered(b) for b in message.blocks if isinstance(b, Text) or (isinstance(b, Opaque) and b.data)]
    calls = [
        {"id": b.id, "type": "function", "function": {"name": b.name, "arguments": b.arguments}}
        for b in message.blocks
        if isinstance(b, ToolCall)
    ]
    if not parts and not calls:
        return results
    plain = all(p["type"] == "text" for p in parts)
    body: dict[str, Json] = {"role": message.role if message.role in ROLES else "user"}
    body["content"] = ("\n".join(p["text"] for p in parts) if plain else parts) if parts else None
    thought = "\n".join(b.text for b in message.blocks if isinstance(b, Thinking))
    if thought:
        body["reasoning_content"] = thought
    if message.name and message.role != "tool":
        body["name"] = message.name
    if calls:
        body["tool_calls"] = calls
    return [*results, body]


def _rendered(block: Block) -> dict[str, Json]:
    if isinstance(block, Opaque):
        url = block.data if not block.media_type else f"data:{block.media_type};base64,{block.data}"
        return {"type": "image_url", "image_url": {"url": url}}
    return {"type": "text", "text": block.text if isinstance(block, Text) else ""}
