"""Anthropic Messages API: a request body, a body a line, an array of bodies, or bare messages and responses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import orjson

from boildown.formats import breakpoints, media
from boildown.formats.beside import Body, beside, write_beside
from boildown.formats.layout import Frame, Piece, Row, conversations, line_row, raw, row, write_records
from boildown.formats.source import Json, Sample, as_object, broken, dump, members, parse, sample
from boildown.transcript import (
    END,
    START,
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

FRAMING = Framing(
    message=4,
    name=0,
    block=6,
    values=True,
    source="an estimate: Anthropic publishes no figure; usage records of real sessions show more for a tool call",
)
INFO = FormatInfo(
    name="anthropic",
    title="Anthropic Messages API: a request body, a body a line, an array of bodies, or messages and responses",
    example='{"system": "Be brief.", "messages": [{"role": "user", "content": "Hello"}]}',
    framing=FRAMING,
    rules=Rules(user_first=True, joins=True),
    says=frozenset({"text", "tool call", "tool result", "thinking", "image", "document", "system", "breakpoint"}),
)
ROLES = {"system", "user", "assistant"}
SERVER_BLOCKS = {
    "server_tool_use",
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "mcp_tool_use",
    "mcp_tool_result",
    "container_upload",
    "search_result",
}
"""Blocks that Anthropic's servers make or read: carried whole, and given back to Anthropic only."""
PAGE_TOKENS = 1500
"""What a document counts whose bytes are elsewhere: a page."""


def sniff(sample: Sample) -> bool:
    """Request bodies with a system text or Anthropic blocks, or messages of which one has such blocks."""
    objects = sample.objects
    held = [item for item in objects if isinstance(item.get("messages"), list)]
    if held and len(held) * 2 >= len(objects):
        return any(map(media.is_anthropic_body, objects))
    said = [item for item in objects if str(item.get("role")) in ROLES and "content" in item]
    return len(said) * 2 > len(objects) and any(map(media.is_anthropic_message, said))


def read(data: bytes) -> Iterator[Transcript]:
    """The conversations in `data`. A line or an element that is no message is carried as one, and noted."""
    try:
        yield from _read(data)
    except ValueError as error:
        raise broken("the input", data, error) from None


def _read(data: bytes) -> Iterator[Transcript]:
    seen = sample(data)
    if any("messages" in item for item in seen.objects[:1]):
        yield from conversations(data, "anthropic", _body)
    elif seen.kind == "lines":
        found, notes, blank = line_row(data)
        yield _transcript(found, notes=notes, skip=blank)
    elif seen.kind == "array":
        yield _transcript(row(data.decode("utf-8", "surrogateescape")))
    else:
        yield from conversations(data, "anthropic", _response)


def _response(piece: Piece) -> Transcript:
    """One message that is the whole file."""
    record = raw(piece.text[piece.start : piece.end])
    return _transcript(Row((piece.value,), (record,), Frame(piece.before, (), piece.after)))


def _body(piece: Piece) -> Transcript:
    found = list(members(piece.text, piece.start))
    held = next((m for m in found if m.key == "messages"), None)
    if held is None or not isinstance(held.value, list):
        raise ValueError("an object without a list of messages")
    messages, body, system = beside(piece, found, held, ("system",))
    return _request(piece, _transcript(messages, body, system, piece.before, piece.after))


def _request(piece: Piece, read: Transcript) -> Transcript:
    """What was read, with the request's tools and the breakpoints on its tools, its system text and the whole."""
    assert read.source is not None
    around = tuple(breakpoints.held(piece.value, ()))
    ahead = json_text(piece.value["tools"]) if piece.value.get("tools") else ""
    return replace(read, source=replace(read.source, ahead=ahead, breakpoints=(*around, *read.source.breakpoints)))


def _transcript(
    found: Row,
    body: Body | None = None,
    system: Json = None,
    before: bytes = b"",
    after: bytes = b"",
    notes: tuple[Note, ...] = (),
    skip: frozenset[int] = frozenset(),
) -> Transcript:
    odd = list(notes)
    messages: list[Message] = []
    if system is not None:
        messages.append(Message("m1", "system", tuple(blocks(system)), records=(len(found.records) - 1,)))
    for index, value in enumerate(found.values):
        if index in skip:
            continue
        messages.append(_message(f"m{len(messages) + 1}", value, index))
        if not isinstance(value, dict | str):
            odd.append(Note("unknown record", f"message {index + 1}", "no JSON object; carried as it stands"))
    said = [(m.id, found.values[i]) for m in messages for i in m.records if i < len(found.values)]
    source = Source(
        "anthropic",
        found.records,
        tuple(messages),
        before,
        after,
        body or found.frame,
        tuple(odd),
        breakpoints=tuple(breakpoints.held({}, said)),
    )
    return Transcript(source.messages, source)


def _message(name: str, value: Json, index: int) -> Message:
    if not isinstance(value, dict):
        shown = value if isinstance(value, str) else json_text(value)
        return Message(name, "unknown", (Opaque("unknown record", text=shown),), records=(index,))
    said = tuple(blocks(value.get("content")))
    return Message(name, role_of(str(value.get("role", "unknown")), said), said, records=(index,))


def role_of(role: str, said: Sequence[Block]) -> str:
    """The role of a message: a user's that holds tool results and nothing else is the tool's."""
    only_results = bool(said) and all(isinstance(block, ToolResult) for block in said)
    return "tool" if role == "user" and only_results else role


def blocks(content: Json, start: int = 0) -> Iterator[Block]:
    """The blocks of a message's content, their places counted from `start`."""
    if isinstance(content, str):
        if content:
            yield Text(content, start)
    elif isinstance(content, list):
        for at, part in enumerate(content, start):
            yield _block(part, at)
    elif content is not None:
        yield Opaque("content", text=json_text(content), at=start)


def _block(part: Json, at: int) -> Block:
    if isinstance(part, str):
        return Text(part, at)
    if not isinstance(part, dict):
        return Opaque("block", text=json_text(part), at=at)
    kind = part.get("type")
    if kind == "text" and isinstance(part.get("text"), str):
        return Text(part["text"], at)
    if kind == "tool_use":
        return ToolCall(str(part.get("id", "")), str(part.get("name", "")), json_text(part.get("input", {})), at)
    if kind == "tool_result":
        text, other = _result(part.get("content"))
        return ToolResult(str(part.get("tool_use_id", "")), text, other, part.get("is_error") is True, at)
    if kind == "thinking" and isinstance(part.get("thinking"), str):
        return Thinking(part["thinking"], str(part.get("signature") or ""), at)
    return _opaque(part, at)


def _opaque(part: dict[str, Json], at: int) -> Opaque:
    kind = str(part.get("type", "block"))
    if kind == "redacted_thinking" and isinstance(part.get("data"), str):
        # Encrypted, so about the size of what was thought: three bytes for four characters, four bytes a token.
        return Opaque(kind, max(1, len(part["data"]) * 3 // 16), data=part["data"], at=at)
    given = part.get("source")
    if kind not in ("image", "document") or not isinstance(given, dict):
        return Opaque(kind, text=json_text(part), at=at)
    media_type, data = str(given.get("media_type", "")), str(given.get("data", ""))
    if given.get("type") == "url":
        media_type, data = "", str(given.get("url", ""))
    if kind == "image":
        return Opaque(kind, media.anthropic_image_tokens(data if media_type else ""), "", media_type, data, at)
    if given.get("type") in ("text", "content"):
        return Opaque(kind, text="\n".join(_document(part, given)), at=at)
    tokens = media.attachment_tokens(data) if media_type else PAGE_TOKENS
    return Opaque(kind, tokens, "", media_type, data, at)


def _document(part: dict[str, Json], given: dict[str, Json]) -> Iterator[str]:
    yield from (part[key] for key in ("title", "context") if isinstance(part.get(key), str))
    content = given.get("data") if given.get("type") == "text" else given.get("content")
    yield from (block.text for block in blocks(content) if isinstance(block, Text | Opaque))


def _result(content: Json) -> tuple[str, tuple[Opaque, ...]]:
    texts, other = [], []
    for block in blocks(content):
        if isinstance(block, Text):
            texts.append(block.text)
        elif isinstance(block, Opaque):
            other.append(block)
        else:
            other.append(Opaque("block", text=json_text(content[block.at]), at=block.at))
    return "\n".join(texts), tuple(other)


def json_text(value: Json) -> str:
    """A value as compact JSON text; a mark in its place where it is nested too deeply, as its record still holds it."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        pass
    try:
        return dump(value).decode("utf-8", "surrogateescape")
    except RecursionError:
        return '"nested too deeply"'


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation into its source's frame; those of another format as a request body a line."""
    for transcript in transcripts:
        source = transcript.source
        if source is None or source.format != "anthropic":
            yield dump(_foreign(transcript)) + b"\n"
            continue
        yield source.before
        yield _written(transcript, source)
        yield source.after


def _written(transcript: Transcript, source: Source) -> bytes:
    asked = _asked(transcript)

    def marked(message: Message, record: bytes) -> bytes:
        return breakpoints.in_message(record, asked[message.id]) if message.id in asked else record

    def records(plain: Transcript, carried: set[int]) -> bytes:
        return write_records(plain, _patch, render, carried, marked)

    body = write_beside(transcript, source, _system, records)
    return breakpoints.at_start(body, asked[START]) if START in asked else body


def _asked(transcript: Transcript) -> dict[str, str]:
    """How long the breakpoint lasts that is to be put at the end of a message, by its id, or of what is before all."""
    last = transcript.messages[-1].id if transcript.messages else START
    return {last if b.after == END else b.after: b.ttl for b in transcript.breakpoints}


def _system(record: bytes, was: Message | None, now: Sequence[Message]) -> bytes:
    """The system text that says what `now` say, the first of them from `record` where it was read there."""
    content: Json = ""
    if was is not None and now[0].id == was.id:
        content, now = rewritten(parse(record), was.blocks, now[0].blocks), now[1:]
    added = [m.text for m in now if m.text]
    if isinstance(content, str):
        return dump("\n\n".join(filter(None, [content, *added])), record)
    return dump([*content, *({"type": "text", "text": text} for text in added)], record)


def _patch(record: Json, was: Message, message: Message) -> Json:
    record["content"] = rewritten(record.get("content"), was.blocks, message.blocks)
    return record


def rewritten(content: Json, was: Sequence[Block], now: Sequence[Block]) -> Json:
    """A message's content with the blocks `now` where it had `was`: each from its own part where it has one."""
    if not isinstance(content, list):
        if len(now) == 1 and isinstance(now[0], Text):
            return now[0].text
        return content if now == was else [part for block in now for part in rendered(block)]
    before = {block.at: block for block in was}
    parts: list[Json] = []
    for block in now:
        if block.at in before and type(before[block.at]) is type(block):
            parts.append(_rewritten_part(content[block.at], before[block.at], block))
        else:
            parts += rendered(block)
    return parts


def _rewritten_part(part: Json, was: Block, now: Block) -> Json:
    # A signed thought must be whole or absent, so one that a stage edited is written as it was.
    if was == now or isinstance(now, Opaque) or (isinstance(now, Thinking) and now.signature):
        return part
    if isinstance(now, Text):
        return now.text if isinstance(part, str) else {**part, "text": now.text}
    if isinstance(now, Thinking):
        return {**part, "thinking": now.text}
    if isinstance(now, ToolCall):
        return {**part, "id": now.id, "name": now.name, "input": as_object(now.arguments)}
    assert isinstance(was, ToolResult)
    return _rewritten_result(part, was, now)


def _rewritten_result(part: dict[str, Json], was: ToolResult, now: ToolResult) -> Json:
    content = part.get("content")
    after = {**part, "tool_use_id": now.call_id}
    if now.is_error != was.is_error:
        after["is_error"] = now.is_error
    if isinstance(content, list):
        after["content"] = _rewritten_content(content, was, now)
    elif now.text != was.text or now.media != was.media:
        after["content"] = _result_content(now)
    return after


def _rewritten_content(content: list[Json], was: ToolResult, now: ToolResult) -> list[Json]:
    kept, other = {m.at for m in now.media}, {m.at for m in was.media}
    texts = [at for at in range(len(content)) if at not in other]
    parts: list[Json] = []
    for at, part in enumerate(content):
        if at in other:
            parts += [part] if at in kept else []
        elif now.text == was.text:
            parts.append(part)
        elif at == texts[0] and now.text:
            parts.append(now.text if isinstance(part, str) else {**part, "text": now.text})
    if now.text and not texts:
        parts.insert(0, {"type": "text", "text": now.text})
    return parts


def render(message: Message) -> list[Json]:
    """The Anthropic message that says what `message` says; none where nothing of it can be said."""
    parts = [part for block in message.blocks for part in rendered(block)]
    if not parts:
        return []
    plain = len(parts) == 1 and parts[0]["type"] == "text"
    role = "assistant" if message.role == "assistant" else "user"
    return [{"role": role, "content": parts[0]["text"] if plain else parts}]


def rendered(block: Block) -> list[Json]:
    """The part that says what `block` says: none for what the API refuses, empty text and unsigned thoughts."""
    if isinstance(block, Text):
        return [{"type": "text", "text": block.text}] if block.text else []
    if isinstance(block, ToolCall):
        return [{"type": "tool_use", "id": block.id, "name": block.name, "input": as_object(block.arguments)}]
    if isinstance(block, ToolResult):
        result = {"type": "tool_result", "tool_use_id": block.call_id, "content": _result_content(block)}
        return [{**result, "is_error": True} if block.is_error else result]
    if isinstance(block, Thinking):
        signed = {"type": "thinking", "thinking": block.text, "signature": block.signature}
        return [signed] if block.signature else []
    return _rendered_opaque(block)


def _rendered_opaque(block: Opaque) -> list[Json]:
    if block.kind == "redacted_thinking":
        return [{"type": block.kind, "data": block.data}]
    if block.kind in ("image", "document") and block.data:
        based = {"type": "base64", "media_type": block.media_type, "data": block.data}
        return [{"type": block.kind, "source": based if block.media_type else {"type": "url", "url": block.data}}]
    if block.kind in SERVER_BLOCKS and block.text:
        return [parse(block.text.encode("utf-8", "surrogateescape"))]
    return [{"type": "text", "text": block.text}] if block.text else []


def _result_content(block: ToolResult) -> Json:
    parts = [part for item in block.media for part in rendered(item)]
    return [*rendered(Text(block.text)), *parts] if parts else block.text


def _foreign(transcript: Transcript) -> Json:
    messages, asked = list(transcript.messages), _asked(transcript)
    lead = next((i for i, m in enumerate(messages) if m.role != "system"), len(messages))
    system: Json = "\n\n".join(m.text for m in messages[:lead] if m.text)
    if START in asked:
        system = parse(breakpoints.in_content(dump(system), asked[START]))
    body: dict[str, Json] = {"system": system} if system else {}
    body["messages"] = _turns(messages[lead:], asked)
    return body


def _turns(messages: Sequence[Message], asked: Mapping[str, str]) -> list[Json]:
    """The messages to send, the results of parallel calls in one message as the API demands."""
    turns: list[Json] = []
    for message in paired(messages):
        for value in render(message):
            if message.id in asked:
                value = parse(breakpoints.in_message(dump(value), asked[message.id]))
            if turns and _is_results(turns[-1]["content"][-1:]) and _is_results(value["content"][:1]):
                turns[-1]["content"] += value["content"]
            else:
                turns.append(value)
    return turns


def _is_results(content: Json) -> bool:
    return isinstance(content, list) and any(part["type"] == "tool_result" for part in content)


def paired(messages: Sequence[Message]) -> Iterator[Message]:
    """The messages in order, but results directly behind the message that called for them."""
    caller: dict[str, int] = {}
    behind: dict[int, list[Message]] = {}
    for i, message in enumerate(messages):
        called = [caller[b.call_id] for b in message.blocks if isinstance(b, ToolResult) and b.call_id in caller]
        behind.setdefault(called[0] if called else i, []).append(message)
        caller |= {b.id: i for b in message.blocks if isinstance(b, ToolCall)}
    for i in sorted(behind):
        yield from behind[i]
