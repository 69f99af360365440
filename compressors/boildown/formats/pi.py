"""pi's coding-agent sessions: JSON lines chained by `parentId`, of which the branch that ends last is read."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from boildown.errors import UsageError
from boildown.formats import media
from boildown.formats.layout import LINES
from boildown.formats.source import Json, Sample, as_list, as_text, body, dump, ending, lines, parse
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
    name="pi",
    title="pi coding-agent session: JSON lines from ~/.pi/agent/sessions",
    example='{"type": "message", "id": "a1b2c3d4", "parentId": null, "message": {"role": "user", "content": "Hello"}}',
    framing=Framing(
        message=4, name=1, block=3, reply=3, source="taken as Chat Completions'; pi sends a session to any provider"
    ),
    rules=Rules(user_first=True),
    says=frozenset({"text", "tool call", "tool result", "thinking", "image"}),
)
TYPES = {"session", "message", "model_change", "thinking_level_change", "compaction", "branch_summary", "custom"}
TYPES |= {"custom_message", "label", "session_info", "context_transform", "ephemeral"}
ROLES = {"toolResult": "tool", "custom": "user", "hookMessage": "user", "bashExecution": "user"}
LINKS = {"label": "targetId", "branch_summary": "fromId"}
"""What points at an entry besides `parentId`, and is led to its nearest ancestor that stays."""
KEPT = "firstKeptEntryId"
"""The first entry that the client shows beside a compaction's summary; where it goes, the next one on its branch is."""
PLACE = "firstKeptEntryIndex"
"""The same in the first version, which has no ids: a place among the file's entries."""
NO_TIME = "1970-01-01T00:00:00.000Z"
NAMES = uuid.UUID("4f1f27c3-7c0e-5b2c-9d0e-2b1c7e0f9a31")


@dataclass(frozen=True, slots=True)
class Tree:
    """Each record's entry id and its parent's, "" for none; and the records of the branch that is read, in order."""

    ids: tuple[str, ...]
    parents: tuple[str, ...]
    branch: tuple[int, ...]


def sniff(sample: Sample) -> bool:
    """Lines with a session's header, and entries of the known types."""
    objects = sample.objects
    if sample.kind != "lines" or not any(o.get("type") == "session" and "cwd" in o and "id" in o for o in objects[:8]):
        return False
    known = [o for o in objects if str(o.get("type")) in TYPES and ("message" in o) == (o["type"] == "message")]
    return len(known) * 2 > len(objects)


def read(data: bytes) -> Iterator[Transcript]:
    """The one session in `data`: the branch that its last entry is on. All else is carried in its place."""
    records = tuple(lines(data))
    values: list[Json] = []
    notes: list[Note] = []
    for number, record in enumerate(records, 1):
        try:
            values.append(parse(record) if record.strip() else None)
        except (ValueError, RecursionError) as error:
            values.append(None)
            notes.append(Note("bad line", f"line {number}", f"not valid JSON ({error}); carried as it stands"))
    entries = [value if isinstance(value, dict) else {} for value in values]
    tree = _tree(entries)
    for index, value in enumerate(values):
        if value is not None and str(entries[index].get("type")) not in TYPES:
            notes.append(Note("unknown record", f"line {index + 1}", "no entry of a known type; carried as it stands"))
    others = sum(entries[i].get("type") == "message" for i in set(range(len(entries))) - set(tree.branch))
    if others:
        notes.append(Note("branch", "the session", f"{others} messages off the active branch are carried"))
    messages: list[Message] = []
    for index in tree.branch:
        said = _message(entries[index], f"m{len(messages) + 1}", index)
        messages += [said] if said else []
        if said and entries[index]["type"] == "compaction":
            why = "the client shows the model this in place of what is before; both are counted"
            notes.append(Note("compacted", f"line {index + 1}", why))
    title = next((as_text(e.get("name")) for e in reversed(entries) if e.get("type") == "session_info"), "")
    source = Source("pi", records, tuple(messages), layout=tree, notes=tuple(notes))
    yield Transcript(source.messages, source, title)


def _tree(entries: Sequence[dict[str, Json]]) -> Tree:
    ids = tuple(_string(e, "id") if e.get("type") != "session" else "" for e in entries)
    parents = tuple(_string(e, "parentId") for e in entries)
    if not any(ids):
        return Tree(ids, parents, tuple(range(len(entries))))
    places = {own: place for place, own in enumerate(ids) if own}
    branch: dict[int, None] = {}
    place = max(places.values(), default=-1)
    while place >= 0 and place not in branch:
        branch[place] = None
        place = places.get(parents[place], -1)
    return Tree(ids, parents, tuple(reversed(branch)))


def _string(entry: dict[str, Json], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _message(entry: dict[str, Json], id: str, index: int) -> Message | None:
    """The message that an entry shows the model, if any: an answer that broke off before its first word does not."""
    role, blocks = "user", tuple(_entry_blocks(entry))
    if entry.get("type") == "message" and isinstance(entry.get("message"), dict):
        said = str(entry["message"].get("role", "unknown"))
        role, blocks = ROLES.get(said, said), tuple(_blocks(entry["message"]))
    if not blocks:
        return None
    return Message(id, role, blocks, time=_string(entry, "timestamp") or None, records=(index,))


def _entry_blocks(entry: dict[str, Json]) -> Iterator[Block]:
    """What an entry shows the model that is no message of somebody's."""
    kind, summary = entry.get("type"), _string(entry, "summary")
    if kind == "custom_message":
        yield from _parts(entry.get("content"))
    elif kind == "branch_summary" and summary:
        yield Text(summary, 0)
    elif kind == "compaction" and summary:
        yield Opaque("compacted", text=summary, at=0)


def _blocks(said: dict[str, Json]) -> Iterator[Block]:
    role = said.get("role")
    if role == "bashExecution":
        if not said.get("excludeFromContext"):
            yield Opaque("command", text=f"Ran `{as_text(said.get('command'))}`", at=0)
            yield Text(as_text(said.get("output")), 1)
        return
    parts = list(_parts(said.get("content")))
    if role != "toolResult":
        yield from parts
        return
    text = "\n".join(p.text for p in parts if isinstance(p, Text))
    other = tuple(p for p in parts if isinstance(p, Opaque))
    yield ToolResult(_string(said, "toolCallId"), text, other, said.get("isError") is True, 0)


def _parts(content: Json) -> Iterator[Text | Thinking | ToolCall | Opaque]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    for at, part in enumerate(as_list(content)):
        kind = str(part.get("type", "part")) if isinstance(part, dict) else "part"
        if kind == "text" and isinstance(part.get("text"), str):
            if part["text"]:
                yield Text(part["text"], at)
        elif kind == "thinking" and isinstance(part.get("thinking"), str):
            yield Thinking(part["thinking"], _string(part, "thinkingSignature"), at)
        elif kind == "toolCall":
            yield ToolCall(_string(part, "id"), _string(part, "name"), as_text(part.get("arguments", {})), at)
        elif kind == "image":
            data, media_type = _string(part, "data"), _string(part, "mimeType")
            yield Opaque(kind, media.anthropic_image_tokens(data), "", media_type, data, at)
        else:
            yield Opaque(kind, text=as_text(part), at=at)


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each session from its records, its chain mended where messages went; one of another format as a new session."""
    foreign = 0
    for transcript in transcripts:
        source = transcript.source
        if source is not None and isinstance(source.layout, Tree):
            yield _written(transcript, source, source.layout)
            continue
        foreign += 1
        if foreign > 1:
            raise UsageError("a pi session holds one conversation, and there are more. Convert them one by one.")
        yield from _foreign(transcript)


@dataclass(slots=True)
class _Plan:
    """A session being written: records that go, values that changed, and new entries by the record they precede."""

    gone: set[int]
    values: dict[int, dict[str, Json]] = field(default_factory=dict)
    added: dict[int, list[Json]] = field(default_factory=dict)

    def value(self, source: Source, index: int) -> dict[str, Json]:
        if index not in self.values:
            self.values[index] = parse(body(source.records[index]))
        return self.values[index]


def _written(transcript: Transcript, source: Source, tree: Tree) -> bytes:
    read = {m.id: m for m in source.messages}
    now = {m.id for m in transcript.messages}
    plan = _Plan({i for m in source.messages if m.id not in now for i in m.records})
    for message, same in transcript.unchanged():
        if not same and message.id in read:
            was = read[message.id]
            _patch(plan.value(source, was.records[0]), was, message)
    if plan.gone:
        _relink(plan, source, tree)
    _add(plan, transcript, source, tree)
    items: list[tuple[int, bytes]] = []
    like = body(source.records[0]) if source.records else b""
    for i, record in enumerate(source.records):
        items += [(-1, dump(value, like)) for value in plan.added.get(i, ())]
        if i not in plan.gone:
            changed = i in plan.values
            items.append((i, dump(plan.values[i], body(record)) + ending(record) if changed else record))
    items += [(-1, dump(value, like)) for value in plan.added.get(len(source.records), ())]
    return LINES.join(items)


def _relink(plan: _Plan, source: Source, tree: Tree) -> None:
    """What pointed at an entry that is gone points at its nearest ancestor that stays."""
    lost = {tree.ids[i]: tree.parents[i] for i in plan.gone if tree.ids[i]}
    marks = [f'"{key}"'.encode() for key in (*LINKS.values(), KEPT, PLACE)]
    for i in sorted(set(range(len(source.records))) - plan.gone):
        if tree.parents[i] in lost:
            plan.value(source, i)["parentId"] = _ancestor(tree.parents[i], lost) or None
        if any(mark in source.records[i] for mark in marks):
            _repoint(plan, source, tree, i, lost)


def _ancestor(own: str, lost: dict[str, str]) -> str:
    """The first of an entry's ancestors that stays. `lost` is led there, so that no path is walked twice."""
    path: set[str] = set()
    while own in lost and own not in path:
        path.add(own)
        own = lost[own]
    found = "" if own in path else own
    lost.update(dict.fromkeys(path, found))
    return found


def _repoint(plan: _Plan, source: Source, tree: Tree, index: int, lost: dict[str, str]) -> None:
    value = plan.values.get(index)
    if value is None and tree.ids[index] == "" and b'"compaction"' not in source.records[index]:
        return
    value = parse(body(source.records[index])) if value is None else value
    if not isinstance(value, dict):
        return
    kind = _string(value, "type")
    if kind == "compaction" and isinstance(value.get(PLACE), int):
        entries = [i for i, record in enumerate(source.records) if record.strip()]
        value[PLACE] = sum(i not in plan.gone for i in entries[: value[PLACE]])
    elif kind == "compaction" and _string(value, KEPT) in lost:
        place = tree.ids.index(value[KEPT])
        value[KEPT] = next((tree.ids[i] for i in tree.branch if i > place and i not in plan.gone), None)
    elif kind in LINKS and _string(value, LINKS[kind]) in lost:
        value[LINKS[kind]] = _ancestor(value[LINKS[kind]], lost) or None
    else:
        return
    plan.values[index] = value


def _add(plan: _Plan, transcript: Transcript, source: Source, tree: Tree) -> None:
    """New entries for the messages without one, each in the chain above the next that has one, or at its end."""
    read = {m.id: m for m in source.messages}
    place, added = len(source.records), []
    for message in reversed(transcript.messages):
        if message.id in read:
            place = read[message.id].records[0]
        else:
            added.append((place, message))
    chain = _Chain(hashlib.sha256(b"".join(source.records[:1])).hexdigest(), set(tree.ids))
    callers = _callers(transcript)
    leaf = next((tree.ids[i] for i in reversed(tree.branch) if i not in plan.gone), "")
    chained = any(tree.ids)
    for place, message in reversed(added):
        follows = place < len(source.records) and chained
        parent = _string(plan.value(source, place), "parentId") if follows else leaf
        entries = list(chain.entries(message, callers, parent))
        if not chained:
            entries = [{k: v for k, v in entry.items() if k not in ("id", "parentId")} for entry in entries]
        elif follows:
            plan.value(source, place)["parentId"] = entries[-1]["id"] if entries else parent or None
        elif entries:
            leaf = entries[-1]["id"]
        plan.added.setdefault(place, []).extend(entries)
    if chained and _strays(plan, source, tree):
        plan.added[len(source.records)] = [chain.mark(leaf)]


def _strays(plan: _Plan, source: Source, tree: Tree) -> bool:
    """Whether the last entry that is left is on another branch: the client goes on from the last one."""
    if plan.added.get(len(source.records)):
        return False
    left = (i for i in reversed(range(len(source.records))) if i not in plan.gone and tree.ids[i])
    return next(left, -1) not in set(tree.branch)


def _callers(transcript: Transcript) -> dict[str, str]:
    return {b.id: b.name for m in transcript.messages for b in m.blocks if isinstance(b, ToolCall)}


@dataclass(slots=True)
class _Chain:
    """Entries being made for the session called `name`; ids are always the same for the same place."""

    name: str
    known: set[str] = field(default_factory=set)

    def entries(self, message: Message, callers: Mapping[str, str], parent: str) -> Iterator[dict[str, Json]]:
        time = message.time if message.time and "T" in message.time else NO_TIME
        for value in render(message, callers):
            own = self._fresh(message.id)
            head = {"type": "message", "id": own, "parentId": parent or None, "timestamp": time}
            yield {**head, "message": {**value, "timestamp": _milliseconds(time)}}
            parent = own

    def mark(self, parent: str) -> dict[str, Json]:
        """An entry that shows the model nothing, to end a branch with."""
        head = {"type": "custom", "id": self._fresh("leaf"), "parentId": parent or None, "timestamp": NO_TIME}
        return {**head, "customType": "boildown"}

    def _fresh(self, name: str) -> str:
        while (own := uuid.uuid5(NAMES, f"{self.name}/{name}/{len(self.known)}").hex[:8]) in self.known:
            name += "+"
        self.known.add(own)
        return own


def _milliseconds(time: str) -> int:
    try:
        return int(datetime.fromisoformat(time).timestamp() * 1000)
    except ValueError:
        return 0


def _patch(entry: dict[str, Json], was: Message, message: Message) -> None:
    """Write a changed message into its entry."""
    said = entry["message"] if isinstance(entry.get("message"), dict) else entry
    if entry.get("type") == "branch_summary":
        entry["summary"] = message.text
    elif said.get("role") == "bashExecution":
        said["output"] = message.text
    elif said.get("role") == "toolResult":
        _patch_result(said, was, message)
    elif isinstance(said.get("content"), list):
        now = {b.at: b for b in message.blocks}
        parts = [_patched_part(part, now[at]) for at, part in enumerate(said["content"]) if at in now]
        said["content"] = parts + [part for b in message.blocks if b.at < 0 for part in _part(b)]
    elif "content" in said:
        said["content"] = message.text


def _patch_result(said: dict[str, Json], was: Message, message: Message) -> None:
    """A tool's result, without the details where its text changed: they show people the same."""
    result = next(b for b in message.blocks if isinstance(b, ToolResult))
    kept = {b.at for b in result.media}
    content = said["content"] if isinstance(said.get("content"), list) else []
    text = [{"type": "text", "text": result.text}] if result.text else []
    said["content"] = text + [part for at, part in enumerate(content) if at in kept]
    if result.text != was.text:
        said.pop("details", None)


def _patched_part(part: Json, block: Block) -> Json:
    if isinstance(block, Text):
        return {**part, "text": block.text}
    if isinstance(block, Thinking) and not block.signature:
        return {**part, "thinking": block.text}
    if isinstance(block, ToolCall) and as_text(part.get("arguments", {})) != block.arguments:
        return {**{k: v for k, v in part.items() if k != "partialJson"}, "arguments": _object(block.arguments)}
    return part


def _object(arguments: str) -> Json:
    try:
        value = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        value = arguments
    return value if isinstance(value, dict) else {"input": value}


def render(message: Message, callers: Mapping[str, str]) -> list[Json]:
    """The messages that say what `message` says; `callers` are the names of the tools that calls are for."""
    values: list[Json] = [
        {"role": "toolResult", "toolCallId": b.call_id, "toolName": callers.get(b.call_id, ""), **_result(b)}
        for b in message.blocks
        if isinstance(b, ToolResult)
    ]
    parts = [part for block in message.blocks for part in _part(block)]
    if not parts:
        return values
    if message.role != "assistant":
        return [*values, {"role": "user", "content": parts}]
    cost = dict.fromkeys(("input", "output", "cacheRead", "cacheWrite", "total"), 0)
    usage = dict.fromkeys(("input", "output", "cacheRead", "cacheWrite", "totalTokens"), 0)
    # pi shows who answered; nobody did whom it knows.
    head = {"role": "assistant", "content": parts, "api": "boildown", "provider": "boildown", "model": "boildown"}
    stop = "toolUse" if any(part["type"] == "toolCall" for part in parts) else "stop"
    return [*values, {**head, "usage": {**usage, "cost": cost}, "stopReason": stop}]


def _result(block: ToolResult) -> dict[str, Json]:
    shown: list[Block] = [Text(block.text), *block.media]
    parts = [part for b in shown for part in _part(b)]
    return {"content": parts, "isError": block.is_error}


def _part(block: Block) -> list[Json]:
    if isinstance(block, Text):
        return [{"type": "text", "text": block.text}] if block.text else []
    if isinstance(block, Thinking):
        signed = {"thinkingSignature": block.signature} if block.signature else {}
        return [{"type": "thinking", "thinking": block.text, **signed}]
    if isinstance(block, ToolCall):
        return [{"type": "toolCall", "id": block.id, "name": block.name, "arguments": _object(block.arguments)}]
    if isinstance(block, Opaque) and block.media_type and block.data:
        return [{"type": "image", "data": block.data, "mimeType": block.media_type}]
    return []


def _foreign(transcript: Transcript) -> Iterator[bytes]:
    digest = hashlib.sha256(repr([(m.role, m.time, m.blocks) for m in transcript.messages]).encode("utf-8", "replace"))
    session = str(uuid.uuid5(NAMES, digest.hexdigest()))
    time = next((m.time for m in transcript.messages if m.time and "T" in m.time), NO_TIME)
    yield dump({"type": "session", "version": 3, "id": session, "timestamp": time, "cwd": "."}) + b"\n"
    chain, callers, parent = _Chain(session), _callers(transcript), ""
    for message in transcript.messages:
        for entry in chain.entries(message, callers, parent):
            yield dump(entry) + b"\n"
            parent = entry["id"]
