"""Codex CLI rollouts: a record a line, of which the response items and compactions are what the model is shown."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import cast

from boildown.errors import UsageError
from boildown.formats import media
from boildown.formats.layout import LINES, Render, write_records
from boildown.formats.source import Json, Sample, as_text, dump, lines, parse
from boildown.transcript import (
    EVERYTHING,
    Block,
    FormatInfo,
    Framing,
    Message,
    Note,
    Opaque,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Transcript,
)

INFO = FormatInfo(
    name="codex",
    title="Codex CLI rollout: a session's records, one a line, of this year's shape or the first one's",
    example='{"type": "response_item", "payload": {"type": "message", "role": "user", "content": [...]}}',
    framing=Framing(
        message=5,
        name=1,
        block=2,
        reply=3,
        source="an estimate after Chat Completions' figures; OpenAI states none for the Responses API",
    ),
    says=EVERYTHING - {"name", "document"},
)
RECORDS = {"session_meta", "response_item", "event_msg", "turn_context", "compacted"}
ITEMS = {"message", "reasoning", "function_call", "function_call_output", "local_shell_call", "custom_tool_call"}
ITEMS |= {"custom_tool_call_output", "web_search_call"}
UNSEEN = {"ghost_snapshot"}
SPOKEN = {"user_message": "user", "agent_message": "assistant"}
NO_TIME = "1970-01-01T00:00:00.000Z"
Key = tuple[str, str]


def sniff(sample: Sample) -> bool:
    """Lines with a type and a payload that begin with a session's metadata, or bare items behind the old header."""
    objects = sample.objects
    if sample.kind != "lines" or not objects:
        return False
    if media.is_rollout_header(objects[0]):
        return len(objects) == 1 or any(item.get("type") in ITEMS for item in objects[1:])
    known = [o for o in objects if o.get("type") in RECORDS and isinstance(o.get("payload"), dict)]
    return bool(known) and (known[0].get("type") == "session_meta" or len(known) * 2 > len(objects))


def read(data: bytes) -> Iterator[Transcript]:
    """The one session in `data`. Records that the model is not shown are carried in their place."""
    records = tuple(lines(data))
    messages: list[Message] = []
    notes: list[Note] = []
    title = ""
    for index, record in enumerate(records):
        if not record.strip():
            continue
        try:
            value = parse(record)
        except (ValueError, RecursionError) as error:
            notes.append(Note("bad line", f"line {index + 1}", f"not valid JSON ({error}); carried as it stands"))
            continue
        message, note = _message(value, index, f"m{len(messages) + 1}")
        messages += [message] if message else []
        notes += [note] if note else []
        title = _title(value) or title
    source = Source("codex", records, tuple(messages), layout=LINES, notes=tuple(notes))
    yield Transcript(source.messages, source, title)


def _message(value: Json, index: int, id: str) -> tuple[Message | None, Note | None]:
    where = f"line {index + 1}"
    if not isinstance(value, dict):
        return None, Note("unknown record", where, "no JSON object; carried as it stands")
    time = value.get("timestamp") if isinstance(value.get("timestamp"), str) else None
    item = response_item(value)
    if item is not None:
        blocks = tuple(_blocks(item))
        shown = _is_shown(item, blocks)
        return Message(id, _role(item), blocks, time=time, records=(index,)) if shown else None, None
    if value.get("type") == "compacted" and isinstance(value.get("payload"), dict):
        note = Note("compacted", where, "the client shows the model this in place of all before it; both are counted")
        return Message(id, "user", (_compacted(value["payload"]),), time=time, records=(index,)), note
    if value.get("type") in RECORDS or media.is_rollout_header(value) or "record_type" in value:
        return None, None
    return None, Note("unknown record", where, f"a record of the type {value.get('type')!r}; carried as it stands")


def response_item(record: Json) -> dict[str, Json] | None:
    """The response item of a record, which in old rollouts is the record."""
    if not isinstance(record, dict):
        return None
    if record.get("type") == "response_item" and isinstance(record.get("payload"), dict):
        return cast(dict[str, Json], record["payload"])
    return record if "payload" not in record and record.get("type") in ITEMS else None


def _is_shown(item: dict[str, Json], blocks: tuple[Block, ...]) -> bool:
    return item.get("type") not in UNSEEN and (bool(blocks) or item.get("type") != "reasoning")


def _role(item: dict[str, Json]) -> str:
    kind = str(item.get("type", ""))
    if kind == "message":
        return str(item.get("role", "unknown"))
    return "tool" if kind.endswith("_output") else "assistant"


def _title(value: Json) -> str:
    payload = value.get("payload") if isinstance(value, dict) else None
    return str(payload.get("thread_name") or "") if isinstance(payload, dict) else ""


def _blocks(item: dict[str, Json]) -> Iterator[Block]:
    kind, call = str(item.get("type", "")), str(item.get("call_id") or item.get("id") or "")
    if kind == "message":
        yield from _parts(item.get("content"))
    elif kind == "reasoning":
        yield from _thinking(item)
    elif kind in ("function_call", "custom_tool_call"):
        yield ToolCall(call, str(item.get("name", "")), as_text(item.get("arguments", item.get("input"))), at=0)
    elif kind == "local_shell_call":
        yield ToolCall(call, "local_shell", as_text(item.get("action")), at=0)
    elif kind == "web_search_call":
        yield Opaque(kind, text=as_text(item.get("action")), at=0)
    elif kind.endswith("_output") and "output" in item:
        yield _result(item["output"], call)
    elif kind.endswith("_output") and "call_id" in item:
        yield ToolResult(call, "", (Opaque(kind, text=_shown(item)),), at=0)
    elif kind.endswith("_call") and "call_id" in item:
        yield ToolCall(call, kind, _shown(item), at=0)
    else:
        yield Opaque(kind, text=_shown(item), at=0)


def _shown(item: dict[str, Json]) -> str:
    """An item of a kind that is not known, without what only OpenAI's servers can read."""
    return as_text({k: v for k, v in item.items() if k != "encrypted_content"})


def _parts(content: Json) -> Iterator[Text | Opaque]:
    if isinstance(content, str):
        content = [{"text": content}]
    for at, part in enumerate(content if isinstance(content, list) else []):
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            if part["text"]:
                yield Text(part["text"], at)
        elif isinstance(part, dict) and part.get("type") == "input_image":
            url = str(part.get("image_url") or "")
            kind, data = media.split_data_url(url)
            yield Opaque("image", media.openai_image_tokens(url, str(part.get("detail", "auto"))), "", kind, data, at)
        elif isinstance(part, dict) and part.get("type") in ("input_file", "input_audio"):
            yield Opaque(str(part["type"]), media.attachment_tokens(part), at=at)
        else:
            kind = str(part.get("type", "part")) if isinstance(part, dict) else "part"
            yield Opaque(kind, text=as_text(part), at=at)


def _thinking(item: dict[str, Json]) -> Iterator[Thinking]:
    text, signature = "\n".join(_thoughts(item)), str(item.get("encrypted_content") or "")
    if text or signature:
        yield Thinking(text, signature, at=0)


def _thoughts(item: dict[str, Json]) -> list[str]:
    parts = [p for key in ("summary", "content") if isinstance(item.get(key), list) for p in item[key]]
    return [p["text"] for p in parts if isinstance(p, dict) and isinstance(p.get("text"), str)]


def _result(output: Json, call: str) -> ToolResult:
    if isinstance(output, dict):
        return ToolResult(call, as_text(output.get("content", output)), is_error=output.get("success") is False, at=0)
    parts = list(_parts(output))
    text = "\n".join(p.text for p in parts if isinstance(p, Text))
    return ToolResult(call, text, tuple(p for p in parts if isinstance(p, Opaque)), at=0)


def _compacted(payload: dict[str, Json]) -> Opaque:
    history = payload.get("replacement_history")
    blocks = [b for i in (history if isinstance(history, list) else []) if isinstance(i, dict) for b in _blocks(i)]
    texts = [as_text(payload.get("message")), *map(_words, blocks)]
    tokens = sum(b.tokens for b in blocks if isinstance(b, Opaque))
    return Opaque("compacted", tokens, "\n".join(t for t in texts if t), at=0)


def _words(block: Block) -> str:
    return f"{block.name} {block.arguments}" if isinstance(block, ToolCall) else block.text


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """A rollout, its records in place; events that repeat what was taken out or changed go with it.

    A reasoning item stays where its message stays, also where the item that it led to is gone. Codex sends items
    without their ids, so that the API has no pair to miss; a client that sends ids would be told "reasoning was
    provided without its required following item".
    """
    foreign = 0
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == "codex":
            yield write_records(transcript, _patch, _renderer(source), _carried(transcript, source))
            continue
        foreign += 1
        if foreign > 1:
            raise UsageError("a Codex rollout holds one conversation, and there are more. Convert them one by one.")
        yield _header(transcript)
        yield from (dump(record) + b"\n" for m in transcript.messages for record in render(m))


def _renderer(source: Source) -> Render:
    first = next((r for r in source.records if r.strip()), b"{}")
    try:
        old = media.is_rollout_header(parse(first))
    except (ValueError, RecursionError):
        old = False
    return _items if old else render


def _header(transcript: Transcript) -> bytes:
    said = "\n".join(m.text for m in transcript.messages)
    time = next((m.time for m in transcript.messages if m.time and "T" in m.time), NO_TIME)
    meta = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, said.encode("utf-8", "replace").decode())),
        "timestamp": time,
        "cwd": ".",
        "originator": "boildown",
        "cli_version": "0.0.0",
        "instructions": None,
    }
    return dump({"timestamp": time, "type": "session_meta", "payload": meta}) + b"\n"


def _carried(transcript: Transcript, source: Source) -> set[int]:
    kept = {message.id for message, same in transcript.unchanged() if same}
    messages = {i for m in source.messages for i in m.records}
    gone = {i for m in source.messages if m.id not in kept for i in m.records}
    carried = set(range(len(source.records))) - messages
    return carried - _repeats(source, sorted(messages), gone) if gone else carried


def _repeats(source: Source, messages: list[int], gone: set[int]) -> set[int]:
    """Carried records that say only what a record in `gone` says: where several say it, the nearest decides.

    An event of a call goes with the call or with its output. A reasoning item that says nothing belongs to the
    message behind it.
    """
    owners: dict[Key, list[int]] = {}
    events: list[tuple[int, Key]] = []
    found: set[int] = set()
    known = set(messages)
    for index, record in enumerate(source.records):
        value = _parsed(record)
        item = response_item(value)
        if index in known:
            for key in _keys(item or {}):
                owners.setdefault(key, []).append(index)
        elif item is not None and item.get("type") == "reasoning":
            following = bisect_left(messages, index)
            found |= {index} if following < len(messages) and messages[following] in gone else set()
        elif (said := _event_key(value)) is not None:
            events.append((index, said))
    for index, key in events:
        same = owners.get(key, [])
        deciding = [_nearest(same, index)] if same and key[0] != "call" else same
        if not gone.isdisjoint(deciding):
            found.add(index)
    return found


def _parsed(record: bytes) -> Json:
    try:
        return parse(record)
    except (ValueError, RecursionError):
        return None


def _nearest(places: list[int], index: int) -> int:
    after = bisect_left(places, index)
    return min(places[max(0, after - 1) : after + 1], key=lambda place: abs(place - index))


def _keys(item: dict[str, Json]) -> Iterator[Key]:
    """By what an event can be seen to repeat an item."""
    for call in {item.get("call_id"), item.get("id")}:
        if isinstance(call, str):
            yield "call", call
    if item.get("type") == "message":
        texts = [b.text for b in _parts(item.get("content")) if isinstance(b, Text)]
        yield str(item.get("role")), "\n".join(texts).strip()
    if item.get("type") == "reasoning":
        yield from (("thought", text.strip()) for text in {*_thoughts(item), "\n".join(_thoughts(item))})
    if item.get("type") == "web_search_call":
        yield "search", as_text(item.get("action"))


def _event_key(record: Json) -> Key | None:
    event = record.get("payload") if isinstance(record, dict) and record.get("type") == "event_msg" else None
    if not isinstance(event, dict):
        return None
    kind = str(event.get("type", ""))
    if kind in SPOKEN and isinstance(event.get("message"), str):
        return SPOKEN[kind], event["message"].strip()
    if kind.startswith("agent_reasoning") and isinstance(event.get("text"), str):
        return "thought", event["text"].strip()
    if kind == "web_search_end":
        return "search", as_text(event.get("action"))
    return ("call", event["call_id"]) if isinstance(event.get("call_id"), str) else None


def _patch(record: Json, was: Message, message: Message) -> Json:
    item = response_item(record)
    if item is None:
        return record
    first = message.blocks[0] if message.blocks else None
    if item.get("type") == "message":
        item["content"] = _patched_content(item, message)
    elif isinstance(first, Thinking):
        item["summary"] = [{"type": "summary_text", "text": first.text}]
        if item.get("content"):
            item["content"] = None
    elif isinstance(first, ToolCall) and first != was.blocks[0]:
        for key in item.keys() & {"arguments", "input", "action"}:
            text = isinstance(item[key], str)
            item[key] = first.arguments if text else _parsed(first.arguments.encode()) or item[key]
    elif isinstance(first, ToolResult) and "output" in item:
        item["output"] = _patched_output(item["output"], first)
    return record


def _patched_content(item: dict[str, Json], message: Message) -> Json:
    content = item.get("content")
    if not isinstance(content, list):
        return message.text
    kept = {b.at: b for b in message.blocks}
    spoken = "output_text" if item.get("role") == "assistant" else "input_text"
    added = [{"type": spoken, "text": b.text} for b in message.blocks if isinstance(b, Text) and b.at < 0]
    parts = [(p, kept[at]) for at, p in enumerate(content) if at in kept]
    return [{**p, "text": b.text} if isinstance(b, Text) else p for p, b in parts] + added


def _patched_output(output: Json, block: ToolResult) -> Json:
    if isinstance(output, dict) and "content" in output:
        return {**output, "content": block.text}
    if not isinstance(output, list):
        return block.text
    kept = {b.at for b in block.media}
    text = [{"type": "input_text", "text": block.text}] if block.text else []
    return [*text, *(p for at, p in enumerate(output) if at in kept)]


def render(message: Message) -> list[Json]:
    """The records that say what `message` says: an item each, texts and images that stand together in one."""
    time = message.time if message.time and "T" in message.time else NO_TIME
    return [{"timestamp": time, "type": "response_item", "payload": item} for item in _items(message)]


def _items(message: Message) -> list[Json]:
    role = {"system": "developer", "tool": "user"}.get(message.role, message.role)
    items: list[Json] = []
    for block in message.blocks:
        part = _rendered_part(block, role)
        if part is None:
            items += _rendered(block)
        elif items and items[-1]["type"] == "message":
            items[-1]["content"].append(part)
        else:
            items.append({"type": "message", "role": role, "content": [part]})
    return items


def _rendered_part(block: Block, role: str) -> Json | None:
    if isinstance(block, Text):
        return {"type": "output_text" if role == "assistant" else "input_text", "text": block.text}
    if isinstance(block, Opaque) and block.data:
        url = block.data if not block.media_type else f"data:{block.media_type};base64,{block.data}"
        return {"type": "input_image", "image_url": url}
    return None


def _rendered(block: Block) -> list[Json]:
    if isinstance(block, Thinking):
        summary = [{"type": "summary_text", "text": block.text}] if block.text else []
        whole = {"content": None, "encrypted_content": block.signature or None}
        return [{"type": "reasoning", "summary": summary, **whole}]
    if isinstance(block, ToolCall):
        return [{"type": "function_call", "name": block.name, "arguments": block.arguments, "call_id": block.id}]
    if isinstance(block, ToolResult):
        images = [p for p in (_rendered_part(m, "user") for m in block.media) if p]
        output: Json = [{"type": "input_text", "text": block.text}, *images] if images else block.text
        return [{"type": "function_call_output", "call_id": block.call_id, "output": output}]
    return []
