"""Codex CLI rollouts: a record a line, of which the response items and compactions are what the model is shown."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import cast

from boildown.errors import UsageError
from boildown.formats import items, media
from boildown.formats.layout import LINES, Render, write_records
from boildown.formats.source import Json, Sample, as_list, as_text, dump, lines, parse
from boildown.transcript import (
    EVERYTHING,
    Block,
    FormatInfo,
    Message,
    Note,
    Opaque,
    Source,
    Text,
    ToolCall,
    Transcript,
)

INFO = FormatInfo(
    name="codex",
    title="Codex CLI rollout: a session's records, one a line, of this year's shape or the first one's",
    example='{"type": "response_item", "payload": {"type": "message", "role": "user", "content": [...]}}',
    framing=items.FRAMING,
    says=EVERYTHING - {"name", "document"},
)
RECORDS = {"session_meta", "response_item", "event_msg", "turn_context", "compacted"}
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
        return len(objects) == 1 or any(str(item.get("type")) in items.ITEMS for item in objects[1:])
    known = [o for o in objects if str(o.get("type")) in RECORDS and isinstance(o.get("payload"), dict)]
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
        blocks = tuple(items.blocks(item))
        shown = _is_shown(item, blocks)
        return Message(id, _role(item), blocks, time=time, records=(index,)) if shown else None, None
    if value.get("type") == "compacted" and isinstance(value.get("payload"), dict):
        note = Note("compacted", where, "the client shows the model this in place of all before it; both are counted")
        return Message(id, "user", (_compacted(value["payload"]),), time=time, records=(index,)), note
    if str(value.get("type")) in RECORDS or media.is_rollout_header(value) or "record_type" in value:
        return None, None
    return None, Note("unknown record", where, f"a record of the type {value.get('type')!r}; carried as it stands")


def response_item(record: Json) -> dict[str, Json] | None:
    """The response item of a record, which in old rollouts is the record."""
    if not isinstance(record, dict):
        return None
    if record.get("type") == "response_item" and isinstance(record.get("payload"), dict):
        return cast(dict[str, Json], record["payload"])
    return record if "payload" not in record and str(record.get("type")) in items.ITEMS else None


def _is_shown(item: dict[str, Json], blocks: tuple[Block, ...]) -> bool:
    return str(item.get("type")) not in UNSEEN and (bool(blocks) or item.get("type") != "reasoning")


def _role(item: dict[str, Json]) -> str:
    kind = str(item.get("type", ""))
    if kind == "message":
        return str(item.get("role", "unknown"))
    return "tool" if kind.endswith("_output") else "assistant"


def _title(value: Json) -> str:
    payload = value.get("payload") if isinstance(value, dict) else None
    return str(payload.get("thread_name") or "") if isinstance(payload, dict) else ""


def _compacted(payload: dict[str, Json]) -> Opaque:
    history = payload.get("replacement_history")
    blocks = [b for i in as_list(history) if isinstance(i, dict) for b in items.blocks(i)]
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
    return items.render if old else render


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
    yield from {("call", call) for call in (item.get("call_id"), item.get("id")) if isinstance(call, str)}
    if item.get("type") == "message":
        texts = [b.text for b in items.parts(item.get("content")) if isinstance(b, Text)]
        yield str(item.get("role")), "\n".join(texts).strip()
    if item.get("type") == "reasoning":
        yield from (("thought", text.strip()) for text in {*items.thoughts(item), "\n".join(items.thoughts(item))})
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
    if item is not None:
        items.patch(item, was.blocks, message.blocks)
    return record


def render(message: Message) -> list[Json]:
    """The records that say what `message` says: an item each, texts and images that stand together in one."""
    time = message.time if message.time and "T" in message.time else NO_TIME
    return [{"timestamp": time, "type": "response_item", "payload": item} for item in items.render(message)]
