"""Inspect AI's eval logs: each sample is a conversation; what its events say once more goes where it changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from boildown.errors import UsageError
from boildown.formats import media
from boildown.formats.layout import Frame, Piece, raw, row, spliced, write_records
from boildown.formats.source import Json, Sample, as_list, as_text, dump, members, parse
from boildown.transcript import (
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
    name="inspect-ai",
    title="Inspect AI eval log, as JSON: a conversation a sample (read and written back, not converted to)",
    example='{"version": 2, "eval": {...}, "samples": [{"id": 1, "messages": [{"role": "user", "content": "Hello"}]}]}',
    framing=Framing(
        message=4, name=1, block=3, reply=3, source="taken as Chat Completions'; Inspect calls any provider's model"
    ),
    says=frozenset({"text", "tool call", "tool result", "thinking", "image", "document", "system"}),
)
WORDLESS = {"span_begin", "span_end", "step", "sample_limit"}
"""Events that repeat nothing of the messages: all that stays of a sample's events where a message changed."""
POOLS = ("events_data", "timelines")
"""What newer logs hold of the events beside them."""
RETOLD = ("input", "output", "scores", "store")
"""What a sample holds of its messages besides its events."""
ATTACHMENT = "attachment://"
WORDS = 16
"""Characters from which on a text that equals a message's repeats it, and is no word that both happen to use."""
_REFERENCE = re.compile(rb"attachment://([0-9a-f]+)")


def sniff(sample: Sample) -> bool:
    """One object with an `eval` and a `version`, and samples unless the log holds only its header."""
    found = sample.objects[0] if len(sample.items) == 1 and sample.objects else {}
    return isinstance(found.get("eval"), dict) and "version" in found and isinstance(found.get("samples") or [], list)


@dataclass(frozen=True, slots=True)
class Log:
    """A sample's messages in their frame. `ids` are those that the log gives them, "" for none."""

    frame: Frame
    ids: tuple[str, ...]


def read(data: bytes) -> Iterator[Transcript]:
    """A conversation for each sample. A sample without messages is carried, and noted."""
    text = data.decode("utf-8", "surrogateescape")
    found = {m.key: m for m in members(text)}
    if "eval" not in found:
        raise ValueError("an object without an eval")
    held = found.get("samples")
    if held is None or not isinstance(held.value, list) or not held.value:
        note = Note("no samples", "the log", "it holds none, as a header does; carried as it stands")
        yield Transcript((), Source("inspect-ai", (), (), data, b"", Log(Frame(), ()), (note,)))
        return
    place, waiting = 0, None
    for number, member in enumerate(members(text, held.start), 1):
        if waiting is not None:
            yield _sample(waiting)
        before = raw(text[place : member.start])
        waiting = Piece(f"sample {number}", member.value, text, member.start, member.end, before)
        place = member.end
    if waiting is not None:
        yield _sample(replace(waiting, after=raw(text[place:])))


def _sample(piece: Piece) -> Transcript:
    value = piece.value if isinstance(piece.value, dict) else {}
    held = next((m for m in members(piece.text, piece.start) if m.key == "messages"), None) if value else None
    if held is None or not isinstance(held.value, list):
        whole = piece.before + raw(piece.text[piece.start : piece.end])
        note = Note("unknown record", piece.where, "a sample without messages; carried as it stands")
        return Transcript((), Source("inspect-ai", (), (), whole, piece.after, Log(Frame(), ()), (note,)))
    found = row(piece.text, held.start, piece.start, piece.end)
    attached = value["attachments"] if isinstance(value.get("attachments"), dict) else {}
    messages = tuple(_message(index, item, attached) for index, item in enumerate(found.values))
    notes = tuple(
        Note("unknown record", f"{piece.where}, message {n}", "no JSON object; carried as it stands")
        for n, item in enumerate(found.values, 1)
        if not isinstance(item, dict)
    )
    ids = tuple(as_text(item.get("id")) if isinstance(item, dict) else "" for item in found.values)
    log = Log(found.frame, ids)
    source = Source("inspect-ai", found.records, messages, piece.before, piece.after, log, notes)
    return Transcript(messages, source, as_text(value.get("id")))


def _message(index: int, item: Json, attached: Mapping[str, Json]) -> Message:
    if not isinstance(item, dict):
        return Message(f"m{index + 1}", "unknown", (Opaque("unknown record", text=as_text(item)),), records=(index,))
    return Message(f"m{index + 1}", str(item.get("role", "unknown")), tuple(_blocks(item, attached)), records=(index,))


def _blocks(item: dict[str, Json], attached: Mapping[str, Json]) -> Iterator[Block]:
    parts = list(_parts(item.get("content"), attached))
    if item.get("role") == "tool":
        # The model is shown the error in place of the content.
        text = _error(item) or "\n".join(p.text for p in parts if isinstance(p, Text))
        other = tuple(p for p in parts if isinstance(p, Opaque))
        yield ToolResult(as_text(item.get("tool_call_id")), text, other, bool(item.get("error")), 0)
        return
    yield from parts
    calls = item.get("tool_calls")
    for at, call in enumerate(as_list(calls)):
        if isinstance(call, dict):
            name, given = as_text(call.get("function")), as_text(call.get("arguments", {}))
            yield ToolCall(as_text(call.get("id")), name, given, at)
        else:
            yield Opaque("tool call", text=as_text(call), at=at)


def _error(item: dict[str, Json]) -> str:
    return as_text(item["error"].get("message")) if isinstance(item.get("error"), dict) else ""


def _parts(content: Json, attached: Mapping[str, Json]) -> Iterator[Text | Thinking | Opaque]:
    if isinstance(content, str):
        if content:
            yield Text(_resolved(content, attached), 0)
        return
    for at, part in enumerate(as_list(content)):
        kind = str(part.get("type", "part")) if isinstance(part, dict) else "part"
        if kind == "text" and isinstance(part.get("text"), str):
            yield Text(_resolved(part["text"], attached), at)
        elif kind == "reasoning" and isinstance(part.get("reasoning"), str):
            yield _thinking(part, at)
        elif kind == "image" and isinstance(part.get("image"), str):
            url = _resolved(part["image"], attached)
            media_type, data = media.split_data_url(url)
            tokens = media.openai_image_tokens(url, str(part.get("detail", "auto")))
            yield Opaque("image", tokens, "", media_type, data, at)
        elif kind in ("audio", "video", "document", "data"):
            yield Opaque(kind, media.attachment_tokens(part), at=at)
        else:
            yield Opaque(kind, text=as_text(part), at=at)


def _thinking(part: dict[str, Json], at: int) -> Thinking:
    """Reasoning, of which a redacted one holds only what its provider can read."""
    if part.get("redacted"):
        return Thinking(as_text(part.get("summary")), part["reasoning"], at)
    return Thinking(part["reasoning"], as_text(part.get("signature")), at)


def _resolved(text: str, attached: Mapping[str, Json]) -> str:
    """A text, or the attachment that stands for it."""
    held = attached.get(text.removeprefix(ATTACHMENT)) if text.startswith(ATTACHMENT) else None
    return held if isinstance(held, str) else text


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each sample in its place in the log. A sample whose messages changed keeps no events but the wordless ones."""
    said: dict[str, str] = {}
    for transcript in transcripts:
        source = transcript.source
        if source is None or not isinstance(source.layout, Log):
            raise UsageError(
                "an eval log holds an evaluation and its scores, which a conversation has none of. "
                "Write openai or anthropic instead: --to openai."
            )
        yield source.before
        yield _written(transcript, source, source.layout, said)
        yield _reductions(source.after, said) if said and source.after else source.after


def _written(transcript: Transcript, source: Source, log: Log, said: dict[str, str]) -> bytes:
    """The sample. What its changed messages said is added to `said`, with what they say now."""
    framed = Transcript(transcript.messages, Source("inspect-ai", source.records, source.messages, layout=log.frame))
    whole = write_records(framed, _patch, render)
    same = {m.id for m, unchanged in transcript.unchanged() if unchanged}
    if all(m.id in same for m in source.messages):
        return whole
    now = {m.id: m for m in transcript.messages}
    changed = [m for m in source.messages if m.id not in same]
    mine = {_key(m.text): now[m.id].text if m.id in now else "" for m in changed if m.text}
    said |= mine
    values: dict[str, Json] = {}
    for was in changed:
        place = was.records[0]
        values[log.ids[place]] = _patch(parse(source.records[place]), was, now[was.id]) if was.id in now else None
    values.pop("", None)
    return _thinned(whole, values, mine)


def _key(text: str) -> str:
    """A text as it is compared: some scorers write an answer in small letters."""
    return text.strip().casefold()


def _thinned(whole: bytes, values: Mapping[str, Json], said: Mapping[str, str]) -> bytes:
    """A sample without what repeats its changed messages. `values` are these by id, None for those that went."""
    put: dict[str, bytes | None] = dict.fromkeys(POOLS)
    attached: dict[str, Json] = {}
    for member in members(whole.decode("utf-8", "surrogateescape")):
        if member.key == "events" and isinstance(member.value, list):
            kept = [e for e in member.value if isinstance(e, dict) and str(e.get("event")) in WORDLESS]
            put["events"] = dump(kept, whole[:200])
        elif member.key in RETOLD:
            least = 0 if member.key == "input" and isinstance(member.value, str) else WORDS
            after = _retold(member.value, values, said, least)
            put |= {member.key: dump(after, whole[:200])} if after != member.value else {}
        elif member.key == "attachments" and isinstance(member.value, dict):
            attached = member.value
    whole = spliced(whole, put)
    if not attached:
        return whole
    used = {found.decode() for found in _REFERENCE.findall(whole)}
    left = {key: value for key, value in attached.items() if key in used}
    return spliced(whole, {"attachments": dump(left, whole[:200])})


def _retold(value: Json, values: Mapping[str, Json], said: Mapping[str, str], least: int) -> Json:
    """A value in which messages with an id of `values` and texts of at least `least` characters are as they are now."""
    if isinstance(value, dict):
        if _is_message(value, values):
            now = values[value["id"]]
            return {**value, "content": "", "tool_calls": None} if now is None else now
        return {key: _retold(item, values, said, least) for key, item in value.items()}
    if isinstance(value, list):
        kept = [v for v in value if not (_is_message(v, values) and values[v["id"]] is None)]
        return [_retold(v, values, said, least) for v in kept]
    if isinstance(value, str) and len(value) >= least:
        return said.get(_key(value), value) if value.strip() else value
    return value


def _is_message(value: Json, values: Mapping[str, Json]) -> bool:
    return isinstance(value, dict) and "role" in value and isinstance(value.get("id"), str) and value["id"] in values


def _reductions(after: bytes, said: Mapping[str, str]) -> bytes:
    """The log behind its last sample, whose reductions hold the answers once more."""
    opened = b'{"samples":['
    text = (opened + after).decode("utf-8", "surrogateescape")
    held = next((m for m in members(text) if m.key == "reductions"), None)
    if held is None:
        return after
    told = _retold(held.value, {}, said, WORDS)
    put = dump(told, after) if told != held.value else raw(text[held.start : held.end])
    return raw(text[: held.start])[len(opened) :] + put + raw(text[held.end :])


def _patch(record: Json, was: Message, message: Message) -> Json:
    if not isinstance(record, dict):
        return record
    results = [b for b in message.blocks if isinstance(b, ToolResult)]
    if _error(record):
        record["error"]["message"] = message.text
    if isinstance(record.get("content"), list):
        kept = {b.at: b for b in (results[0].media if results else message.blocks) if not isinstance(b, ToolCall)}
        record["content"] = _patched_parts(record["content"], kept, message, bool(results))
    else:
        record["content"] = message.text
    if isinstance(record.get("tool_calls"), list):
        calls = {b.at: b for b in message.blocks if isinstance(b, ToolCall | Opaque)}
        record["tool_calls"] = [_patched_call(c, calls[at]) for at, c in enumerate(record["tool_calls"]) if at in calls]
    return record


def _patched_parts(content: list[Json], kept: Mapping[int, Block], message: Message, result: bool) -> list[Json]:
    parts: list[Json] = [{"type": "text", "text": message.text}] if result and message.text else []
    for at, part in enumerate(content):
        block = kept.get(at)
        if isinstance(block, Text):
            parts.append({**part, "text": block.text})
        elif block is not None:
            parts.append(part)
    return parts + [{"type": "text", "text": b.text} for b in message.blocks if isinstance(b, Text) and b.at < 0]


def _patched_call(call: Json, block: ToolCall | Opaque) -> Json:
    if isinstance(block, ToolCall) and as_text(call.get("arguments", {})) != block.arguments:
        call["arguments"] = json.loads(block.arguments)
    return call


def render(message: Message) -> list[Json]:
    """The log's messages that say what `message`, a new one, says."""
    values: list[Json] = [
        {"role": "tool", "content": b.text, "tool_call_id": b.call_id}
        for b in message.blocks
        if isinstance(b, ToolResult)
    ]
    role = message.role if message.role in ("system", "user", "assistant") else "user"
    calls = [
        {"id": b.id, "function": b.name, "arguments": json.loads(b.arguments)}
        for b in message.blocks
        if isinstance(b, ToolCall)
    ]
    text = "\n".join(b.text for b in message.blocks if isinstance(b, Text))
    if text or calls:
        values.append({"role": role, "content": text, **({"tool_calls": calls} if calls else {})})
    return values
