"""claude.ai's export, conversations.json: an array of conversations, or one of them, with chat messages."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import PurePosixPath

from boildown.formats import anthropic, media
from boildown.formats.layout import Piece, Render, Written, conversations, row, with_values, write_shared
from boildown.formats.source import Json, Sample, as_list, as_text, dump, members, parse
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
    name="claude-ai",
    title="claude.ai export: conversations.json, an array of conversations or one of them",
    example='{"uuid": "...", "name": "...", "chat_messages": [{"sender": "human", "text": "Hello", ...}]}',
    framing=Framing(
        message=4, name=0, block=6, values=True, source="taken as the Messages API's, which is an estimate itself"
    ),
    says=EVERYTHING - {"name", "system", "image", "document"},
)
SENDERS = {"human": "user", "assistant": "assistant"}
ROOT = "00000000-0000-4000-8000-000000000000"
"""What claude.ai names as the parent of a conversation's first message."""
COPIES = {"display_content", "structured_content", "summaries", "citations"}
"""Keys of a content block that repeat its words or point into them."""
NO_TIME = "1970-01-01T00:00:00.000000Z"


def sniff(sample: Sample) -> bool:
    """Objects with a list of chat messages, which name their senders."""
    return sum(map(_is_conversation, sample.objects)) * 2 > len(sample.objects)


def _is_conversation(value: Json) -> bool:
    held = value.get("chat_messages") if isinstance(value, dict) else None
    return isinstance(held, list) and all(isinstance(m, dict) and "sender" in m for m in held[:8])


def read(data: bytes) -> Iterator[Transcript]:
    """The conversations in `data`: where messages name their parents, the branch that ends at the last or open one."""
    return conversations(data, INFO.name, _conversation)


def _conversation(piece: Piece) -> Transcript:
    value = piece.value if isinstance(piece.value, dict) else {}
    held = next((m for m in members(piece.text, piece.start) if m.key == "chat_messages"), None) if value else None
    if held is None or not isinstance(held.value, list):
        raise ValueError("no object with a list of chat messages")
    found = row(piece.text, held.start, piece.start, piece.end)
    active = _branch(found.values, value.get("current_leaf_message_uuid"))
    title = str(value.get("name") or "")
    notes = [
        Note("unknown record", f"message {n}", "no object with a sender; carried as it stands")
        for n, record in enumerate(found.values, 1)
        if not _is_message(record)
    ]
    others = sum(_is_message(v) for i, v in enumerate(found.values) if i not in active)
    if others:
        notes.append(Note("branch", title, f"{others} messages off the active branch are carried"))
    messages: list[Message] = []
    for index, record in enumerate(found.values):
        if index not in active or not _is_message(record):
            continue
        time = str(record["created_at"]) if record.get("created_at") else None
        for role, blocks in _turns(record, index):
            messages.append(Message(f"m{len(messages) + 1}", role, blocks, time=time, records=(index,)))
    source = Source(INFO.name, found.records, tuple(messages), piece.before, piece.after, found.frame, tuple(notes))
    return Transcript(source.messages, source, title)


def _is_message(record: Json) -> bool:
    return isinstance(record, dict) and isinstance(record.get("sender"), str)


def _branch(records: Sequence[Json], leaf: Json) -> set[int]:
    """The places of the messages from the first to `leaf`, or to the last of all; of all where they name no parents."""
    place = {str(r.get("uuid")): i for i, r in enumerate(records) if isinstance(r, dict)}
    linked = any(_parent(r) in place for r in records)
    if not linked:
        return set(range(len(records)))
    at = place.get(str(leaf), len(records) - 1)
    found: set[int] = set()
    while at not in found:
        found.add(at)
        at = place.get(_parent(records[at]), at)
    return found


def _parent(record: Json) -> str:
    return str(record.get("parent_message_uuid") or "") if isinstance(record, dict) else ""


def _turns(record: dict[str, Json], index: int) -> Iterator[tuple[str, tuple[Block, ...]]]:
    """What is said in a message: the user's, or by turns the model's and its tools'."""
    role = SENDERS.get(str(record["sender"]), str(record["sender"]))
    found = [*_blocks(record, index), *_attached(record)]
    if not found:
        yield role, ()
    for results, group in groupby(found, lambda b: isinstance(b, ToolResult)):
        yield "tool" if results else role, tuple(group)


def _content(record: dict[str, Json]) -> list[Json]:
    """The content's blocks; the text alone where a message, as older exports have it, has no blocks."""
    content = record.get("content")
    return content if isinstance(content, list) and content else [as_text(record.get("text"))]


def _blocks(record: dict[str, Json], index: int) -> Iterator[Block]:
    """The blocks of a message's content, with ids made up by place for calls that have none."""
    content = _content(record)
    waiting: list[ToolCall] = []
    for block in anthropic.blocks(content):
        part = content[block.at]
        if isinstance(block, ToolCall):
            block = replace(block, id=str(part.get("id") or f"{index}-{block.at}"))
            waiting.append(block)
        elif isinstance(block, ToolResult):
            given, name = part.get("tool_use_id"), part.get("name")
            asked = next((c for c in waiting if c.id == given), None) or next(
                (c for c in waiting if not given and c.name == name), waiting[0] if waiting and not given else None
            )
            block = replace(block, call_id=asked.id if asked else str(given or ""))
            waiting = [c for c in waiting if c is not asked]
        if not (isinstance(block, Text) and not block.text):
            yield block


def _attached(record: dict[str, Json]) -> Iterator[Block]:
    """The texts of a message's attachments, then its files. Their places come behind the content's."""
    start = len(_content(record))
    attachments, files = as_list(record.get("attachments")), as_list(record.get("files"))
    for at, item in enumerate(attachments, start):
        text = item.get("extracted_content") if isinstance(item, dict) else None
        if isinstance(text, str) and text:
            yield Text(text, at)
    for at, item in enumerate(files, start + len(attachments)):
        name = str(item.get("file_name") or "") if isinstance(item, dict) else ""
        image = PurePosixPath(name).suffix.lower() in (".png", ".jpg", ".jpeg", ".gif", ".webp")
        tokens = media.anthropic_image_tokens("") if image else anthropic.PAGE_TOKENS
        yield Opaque("image" if image else "document", tokens, at=at)


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation in its source's text, messages with the parents that are left; others as an array."""
    foreign = 0
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == INFO.name:
            yield source.before
            yield _written(transcript, source)
            yield source.after
            continue
        foreign += 1
        yield (b",\n" if foreign > 1 else b"[\n") + dump(_new_conversation(transcript))
    if foreign:
        yield b"\n]\n"


def _written(transcript: Transcript, source: Source) -> bytes:
    carried = set(range(len(source.records))) - {i for m in source.messages for i in m.records}
    read = {m.id for m in source.messages}
    if [m.id for m in transcript.messages] == [m.id for m in source.messages]:
        return write_shared(transcript, _rewrite, render, carried)
    values = [parse(record) for record in source.records]
    left = {i for m in transcript.messages if m.id in read for i in m.records} | carried
    links, parents, leaf = _links(transcript, values, left, read)
    records = tuple(
        with_values(record, {"parent_message_uuid": links[i]}) if i in links else record
        for i, record in enumerate(source.records)
    )
    linked = replace(transcript, source=replace(source, records=records))
    whole = write_shared(linked, _rewrite, _renderer(parents), carried)
    return with_values(whole, {"current_leaf_message_uuid": leaf}) if leaf else whole


def _links(
    transcript: Transcript, values: Sequence[Json], left: set[int], read: set[str]
) -> tuple[dict[int, str], dict[str, str], str]:
    """The parents of records that no longer have theirs, those of new messages by their ids, and the last message."""
    place = {str(v.get("uuid")): i for i, v in enumerate(values) if isinstance(v, dict)}
    links: dict[int, str] = {}
    for index in left:
        above, seen = _parent(values[index]), {index}
        while above in place and place[above] not in left and place[above] not in seen:
            seen.add(place[above])
            above = _parent(values[place[above]])
        if above and above != _parent(values[index]):
            links[index] = above
    if not any(map(_parent, values)):
        return {}, {}, ""
    parents: dict[str, str] = {}
    last, new, written = ROOT, False, set[int]()
    for message in transcript.messages:
        if message.id not in read:
            parents[message.id], last, new = last, _uuid(message), True
            continue
        index = message.records[0]
        if index in written:
            continue
        written.add(index)
        if new:
            links[index], new = last, False
        last = str(values[index].get("uuid"))
    return links, parents, last


def _uuid(message: Message) -> str:
    said = as_text([message.id, message.role, message.text]).encode("utf-8", "replace").decode()
    return str(uuid.uuid5(uuid.NAMESPACE_OID, said))


def _rewrite(records: dict[int, bytes], was: Sequence[Message], now: Sequence[Message]) -> Written:
    """A message with the blocks that are left, its text rewritten with them."""
    ((index, record),) = records.items()
    value = parse(record)
    content = _content(value)
    before = {b.at: b for m in was for b in m.blocks}
    after = [b for m in now for b in m.blocks]
    left = {b.at: b for b in after if b.at >= 0}
    added = [part for b in after if b.at < 0 for part in anthropic.rendered(b)]
    parts = [
        _part(part, before[at], left[at]) if at in left else part
        for at, part in enumerate(content)
        if at in left or at not in before
    ] + added
    value["text"] = _text(value, before, after, len(content))
    if isinstance(value.get("content"), list) and value["content"]:
        value["content"] = parts
    _attach(value, before, left, len(content))
    return [(index, dump(value, record))]


def _part(part: Json, was: Block, now: Block) -> Json:
    """A content block that says `now`, without what repeats the old words; ids that the export lacks stay away."""
    if was == now:
        return part
    if not isinstance(part, dict):
        return now.text if isinstance(now, Text) else part
    (said,) = anthropic.rewritten([part], [replace(was, at=0)], [replace(now, at=0)])
    ids = {key: part[key] for key in ("id", "tool_use_id") if key in part}
    fresh = {key: value for key, value in said.items() if key not in ("id", "tool_use_id")}
    return {**part, **fresh, **ids, **{key: _nothing(part[key]) for key in sorted(COPIES & part.keys())}}


def _nothing(value: Json) -> Json:
    return [] if isinstance(value, list) else None


def _text(value: dict[str, Json], before: Mapping[int, Block], after: Iterable[Block], end: int) -> Json:
    """The message's words, joined as the export joins them."""
    old = [b.text for at, b in sorted(before.items()) if at < end and isinstance(b, Text)]
    text = value.get("text")
    apart = next((s for s in ("", "\n", "\n\n") if len(old) > 1 and s.join(old) == text), "\n")
    said = [b.text for b in after if b.at < end and isinstance(b, Text)]
    return apart.join(said) if text or said else text


def _attach(value: dict[str, Json], before: Mapping[int, Block], left: Mapping[int, Block], start: int) -> None:
    """The attachments and files that are left."""
    for key in ("attachments", "files"):
        held = as_list(value.get(key))
        kept: list[Json] = []
        for at, item in enumerate(held, start):
            block = left.get(at)
            if isinstance(block, Text) and block != before.get(at):
                kept.append({**item, "extracted_content": block.text})
            elif block is not None or at not in before:
                kept.append(item)
        start += len(held)
        if held:
            value[key] = kept


def render(message: Message) -> list[Json]:
    """The chat message that says what `message` says, without a parent."""
    return [_record(message.role, [message])] if message.blocks else []


def _renderer(parents: Mapping[str, str]) -> Render:
    def linked(message: Message) -> list[Json]:
        above = {"parent_message_uuid": parents[message.id]} if message.id in parents else {}
        return [{**record, **above} for record in render(message)]

    return linked


def _record(role: str, messages: Sequence[Message]) -> Json:
    content = [part for m in messages for b in m.blocks for part in _rendered(b)]
    time = next((m.time for m in messages if m.time and "T" in m.time), NO_TIME)
    return {
        "uuid": _uuid(messages[0]),
        "text": "\n".join(b.text for m in messages for b in m.blocks if isinstance(b, Text)),
        "content": content,
        "sender": "assistant" if role in ("assistant", "tool") else "human",
        "created_at": time,
        "updated_at": time,
        "attachments": [],
        "files": [],
    }


def _rendered(block: Block) -> list[Json]:
    if isinstance(block, Thinking):
        return [{"type": "thinking", "thinking": block.text}] if block.text else []
    return anthropic.rendered(block)


def _is_answer(message: Message) -> bool:
    return message.role in ("assistant", "tool")


def _new_conversation(transcript: Transcript) -> Json:
    """The conversation: what the model says and its tools give back, up to the user's next word, is one message."""
    found: list[list[Message]] = []
    for message in transcript.messages:
        if found and _is_answer(message) and _is_answer(found[-1][0]):
            found[-1].append(message)
        else:
            found.append([message])
    records = [_record(run[0].role, run) for run in found]
    whole = as_text([transcript.title, records]).encode("utf-8", "replace").decode()
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, whole)),
        "name": transcript.title,
        "created_at": records[0]["created_at"] if records else NO_TIME,
        "updated_at": records[-1]["created_at"] if records else NO_TIME,
        "chat_messages": records,
    }
