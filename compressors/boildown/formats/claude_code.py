"""Claude Code sessions: JSON lines, a record each, chained by `parentUuid`; several records may be one message."""

from __future__ import annotations

import hashlib
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from boildown.formats.anthropic import FRAMING, blocks, paired, rewritten, role_of
from boildown.formats.anthropic import render as said
from boildown.formats.layout import LINES, Frame, member_span, raw, row
from boildown.formats.source import Json, Member, Sample, as_list, body, broken, dump, lines, members, parse, sample
from boildown.transcript import (
    Block,
    FormatInfo,
    Message,
    Note,
    Rules,
    Source,
    ToolCall,
    ToolResult,
    Transcript,
)

INFO = FormatInfo(
    name="claude-code",
    title="Claude Code session: JSON lines from ~/.claude/projects",
    example='{"parentUuid": null, "sessionId": "...", "type": "user", "message": {"role": "user", "content": "Hello"}}',
    framing=FRAMING,
    rules=Rules(user_first=True),
    says=frozenset({"text", "tool call", "tool result", "thinking", "image", "document"}),
)
SPOKEN = ("user", "assistant")
CARRIED = {
    "agent-name",
    "ai-title",
    "attachment",
    "custom-title",
    "file-history-snapshot",
    "last-prompt",
    "permission-mode",
    "pr-link",
    "progress",
    "queue-operation",
    "summary",
    "system",
    "tag",
}
"""The record types that Claude Code writes and that are no message. Others are carried as well, and noted."""
TITLES = {"summary": "summary", "ai-title": "aiTitle", "custom-title": "customTitle"}
INHERITED = ("isSidechain", "userType", "cwd", "sessionId", "version", "gitBranch")
LINKS = ("logicalParentUuid", "leafUuid")
"""What points at a record besides `parentUuid`, and is led to the nearest ancestor that stays.

`sourceToolAssistantUUID` is left alone: it names the record of the call, which stays as long as its result does.
"""
EPOCH = "1970-01-01T00:00:00.000Z"
"""When a message was said that no source gives a time for."""
NAMES = uuid.UUID("0d5b7ad6-5f0c-5b1e-9a53-0c1a1e1e6d10")


@dataclass(frozen=True, slots=True)
class Index:
    """What the records of a session are to one another, so that writing parses only those that it changes.

    uuids, parents  of each record, "" for none
    links           (record, key, uuid) for each of LINKS
    progress        (record, ids of the tool calls that it reports on)
    snapshots       the file-history-snapshot records
    side            the records of sub-agents
    """

    frame: Frame
    uuids: tuple[str, ...]
    parents: tuple[str, ...]
    links: tuple[tuple[int, str, str], ...]
    progress: tuple[tuple[int, tuple[str, ...]], ...]
    snapshots: tuple[int, ...]
    side: frozenset[int]


def sniff(sample: Sample) -> bool:
    """Lines that are mostly Claude Code records, or an object with such `loglines`."""
    objects = sample.objects
    if sample.kind == "object":
        objects = [item for item in _loglines(objects[0]) if isinstance(item, dict)]
    known = sum(map(_is_record, objects))
    return known * 2 > len(objects)


def _loglines(value: dict[str, Json]) -> list[Json]:
    return as_list(value.get("loglines"))


def _is_record(item: dict[str, Json]) -> bool:
    kind = item.get("type")
    if kind in SPOKEN:
        return "message" in item
    return isinstance(kind, str) and bool({"sessionId", "leafUuid", "messageId", "parentUuid"} & item.keys())


def read(data: bytes) -> Iterator[Transcript]:
    """The session in `data`. Records that are no message are carried in place; those that are odd are noted."""
    notes: list[Note] = []
    if sample(data).kind != "object":
        records = tuple(lines(data))
        yield _transcript(_values(records, notes), records, LINES, notes)
        return
    text = data.decode("utf-8", "surrogateescape")
    try:
        held = next(m for m in members(text) if m.key == "loglines")
        found = row(text, held.start)
    except (ValueError, StopIteration) as error:
        reason = error if isinstance(error, ValueError) else ValueError("no list of loglines")
        raise broken("the input", data, reason) from None
    yield _transcript(iter(found.values), found.records, found.frame, notes)


def _values(records: Sequence[bytes], notes: list[Note]) -> Iterator[Json]:
    """The value of each line, None for a blank or broken one."""
    for number, line in enumerate(records, 1):
        try:
            yield parse(line) if line.strip() else None
        except (ValueError, RecursionError) as error:
            notes.append(Note("bad line", f"line {number}", f"not valid JSON ({error}); carried as it stands"))
            yield None


@dataclass(slots=True)
class _Draft:
    """A message while its records are met."""

    role: str
    time: str | None
    records: list[int] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    size: int = 0

    def add(self, index: int, value: dict[str, Json]) -> None:
        content = _content(value)
        self.records.append(index)
        self.blocks += blocks(content, self.size)
        self.size += _size(content)

    def message(self, name: str) -> Message:
        said = tuple(self.blocks)
        return Message(name, role_of(self.role, said), said, time=self.time, records=tuple(self.records))


@dataclass(slots=True)
class _Session:
    """A session while its records are met. `open` has the message that each `message.id` goes on with."""

    notes: list[Note]
    drafts: list[_Draft] = field(default_factory=list)
    open: dict[str, _Draft] = field(default_factory=dict)
    uuids: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    links: list[tuple[int, str, str]] = field(default_factory=list)
    progress: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    snapshots: list[int] = field(default_factory=list)
    side: set[int] = field(default_factory=set)
    title: str = ""

    def add(self, index: int, value: Json) -> None:
        record = value if isinstance(value, dict) else {}
        kind = record.get("type")
        own = _string(record, "uuid")
        if kind in SPOKEN and "message" in record:
            self._draft(str(kind), own, record).add(index, record)
        elif value is not None:
            self._carry(index, value)
        self.uuids.append(own)
        self.parents.append(_string(record, "parentUuid"))
        self.links += [(index, key, record[key]) for key in LINKS if _string(record, key)]
        if kind == "progress":
            ids = {_string(record, "parentToolUseID"), _string(record, "toolUseID")} - {""}
            self.progress.append((index, tuple(sorted(ids))))
        if kind == "file-history-snapshot":
            self.snapshots.append(index)
        if record.get("isSidechain") is True:
            self.side.add(index)
        self.seen.add(own)

    def _draft(self, kind: str, own: str, record: dict[str, Json]) -> _Draft:
        """The message that a record belongs to: where it is a new one, it stands where its first record does."""
        message = record["message"] if isinstance(record["message"], dict) else {}
        role = message.get("role")
        shared = _string(message, "id") if kind == "assistant" else ""
        # A session that was resumed may hold a record twice. The copy is no part of the message that it copies.
        if shared in self.open and not (own and own in self.seen):
            return self.open[shared]
        draft = _Draft(role if isinstance(role, str) else kind, _string(record, "timestamp") or None)
        self.drafts.append(draft)
        if shared:
            self.open[shared] = draft
        return draft

    def _carry(self, index: int, value: Json) -> None:
        where = f"line {index + 1}"
        if not isinstance(value, dict):
            self.notes.append(Note("bad line", where, "no JSON object; carried as it stands"))
            return
        kind = _string(value, "type")
        if kind in TITLES:
            self.title = _string(value, TITLES[kind]) or self.title
        elif kind not in CARRIED:
            why = f"the type {value.get('type')!r} is not known; carried as it stands"
            self.notes.append(Note("unknown record", where, why))


def _transcript(values: Iterator[Json], records: tuple[bytes, ...], frame: Frame, notes: list[Note]) -> Transcript:
    session = _Session(notes)
    for place, value in enumerate(values):
        session.add(place, value)
    messages = tuple(draft.message(f"m{n}") for n, draft in enumerate(session.drafts, 1))
    index = Index(
        frame,
        tuple(session.uuids),
        tuple(session.parents),
        tuple(session.links),
        tuple(session.progress),
        tuple(session.snapshots),
        frozenset(session.side),
    )
    source = Source("claude-code", records, messages, layout=index, notes=tuple(notes))
    return Transcript(messages, source, session.title)


def _string(record: dict[str, Json], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _content(record: dict[str, Json]) -> Json:
    message = record.get("message")
    return message.get("content") if isinstance(message, dict) else message


def _size(content: Json) -> int:
    """How many places a record's content takes among those of its message."""
    return len(content) if isinstance(content, list) else int(content is not None)


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each session from its records; those of another format as new sessions."""
    for transcript in transcripts:
        source = transcript.source
        if source is None or not isinstance(source.layout, Index):
            yield from _foreign(transcript)
        else:
            yield source.before
            yield _written(transcript, source, source.layout)
            yield source.after


@dataclass(slots=True)
class _Plan:
    """What happens to the records of a session: `gone` ones, `edited` ones, and new ones by the record they precede."""

    gone: set[int] = field(default_factory=set)
    edited: dict[int, bytes] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    added: list[tuple[int, Message]] = field(default_factory=list)
    reworded: bool = False


def _written(transcript: Transcript, source: Source, index: Index) -> bytes:
    plan = _plan(transcript, source)
    _drop_dependents(plan, index)
    links = links_without(index, plan.gone)
    new = _new_records(plan, source, index, links)
    items: list[tuple[int, bytes]] = []
    for i, record in enumerate(source.records):
        items += [(-1, value) for value in new.get(i, ())]
        if i not in plan.gone:
            whole = plan.edited.get(i, record)
            items.append((i, linked(whole, links[i]) if i in links else whole))
    items += [(-1, value) for value in new.get(len(source.records), ())]
    return index.frame.join(items)


def _drop_dependents(plan: _Plan, index: Index) -> None:
    """What only serves a message goes with it: progress, which repeats what a call got back, and file snapshots.

    A session that lost messages or words keeps no snapshot: rewinding would bring back files that it no longer
    explains, and snapshots are no small part of what a client reads.
    """
    lost = {index.uuids[i] for i in plan.gone} - {""}
    if plan.gone or plan.reworded:
        plan.gone.update(index.snapshots)
    for record, ids in index.progress:
        if plan.touched.intersection(ids) or (not ids and index.parents[record] in lost):
            plan.gone.add(record)
            lost.add(index.uuids[record])


def _plan(transcript: Transcript, source: Source) -> _Plan:
    plan = _Plan()
    read = {m.id: m for m in source.messages}
    left = {m.id for m in transcript.messages}
    for was in source.messages:
        if was.id not in left:
            plan.gone.update(was.records)
            plan.touched |= _calls(was.blocks)
    for message, same in transcript.unchanged():
        if not same and message.id in read:
            _edit(plan, source, read[message.id], message)
    place = len(source.records)
    for message in reversed(transcript.messages):
        if message.id not in read:
            plan.added.insert(0, (place, message))
        else:
            place = min((i for i in read[message.id].records if i not in plan.gone), default=place)
    return plan


def _calls(said: Iterable[Block]) -> set[str]:
    calls = {b.id for b in said if isinstance(b, ToolCall)}
    return calls | {b.call_id for b in said if isinstance(b, ToolResult)}


def _edit(plan: _Plan, source: Source, was: Message, now: Message) -> None:
    """Write a changed message into its records; a record whose blocks all went goes too."""
    values = [parse(body(source.records[i])) for i in was.records]
    starts = list(accumulate((_size(_content(value)) for value in values), initial=0))
    before, after = _shares(was, starts), _shares(now, starts)
    plan.touched |= _calls(set(was.blocks) - set(now.blocks))
    plan.reworded |= was.text != now.text
    for n, i in enumerate(was.records):
        if after[n] == before[n]:
            continue
        if not after[n]:
            plan.gone.add(i)
            continue
        content = rewritten(_content(values[n]), before[n], after[n])
        results = [b for b in before[n] if isinstance(b, ToolResult)]
        plan.edited[i] = with_content(source.records[i], content, any(b not in after[n] for b in results))


def _shares(message: Message, starts: Sequence[int]) -> list[tuple[Block, ...]]:
    """The blocks of each record, at their places in it. One without a place goes with the block before it."""
    shares: list[list[Block]] = [[] for _ in starts[1:]]
    owner = 0
    for block in message.blocks:
        if block.at >= 0:
            owner = min(bisect_right(starts, block.at), len(shares)) - 1
            block = replace(block, at=block.at - starts[owner])
        shares[owner].append(block)
    return [tuple(share) for share in shares]


def with_content(record: bytes, content: Json, stale: bool) -> bytes:
    """A record with other content and every other byte as it was.

    A `stale` one loses its `toolUseResult`, which holds a second copy of the result that was changed.
    """
    text = record.decode("utf-8", "surrogateescape")
    found = list(members(text))
    at = next(k for k, m in enumerate(found) if m.key == "message")
    message = found[at]
    cuts = [(*member_span(text, found, k), b"") for k, m in enumerate(found) if stale and m.key == "toolUseResult"]
    if isinstance(message.value, dict) and "content" in message.value:
        held = [m for m in members(text, message.start) if m.key == "content"][-1]
        cuts.append((held.start, held.end, dump(content, record)))
    else:
        value = message.value if isinstance(message.value, dict) else {"role": _role(found)}
        cuts.append((message.start, message.end, dump({**value, "content": content}, record)))
    for start, end, put in sorted(cuts, reverse=True):
        text = text[:start] + put.decode("utf-8", "surrogateescape") + text[end:]
    return raw(text)


def _role(found: Sequence[Member]) -> str:
    return next((m.value for m in found if m.key == "type" and m.value in SPOKEN), "user")


Links = dict[int, dict[str, str | None]]
"""record -> its keys that point at another record than they did"""


def links_without(index: Index, gone: set[int]) -> Links:
    """What pointed at a record that is gone points at its nearest ancestor that stays."""
    kept = {own for i, own in enumerate(index.uuids) if i not in gone}
    lost = {index.uuids[i]: index.parents[i] for i in gone if index.uuids[i] not in kept}
    links: Links = {}
    for i, parent in enumerate(index.parents):
        if parent in lost and i not in gone:
            links[i] = {"parentUuid": _ancestor(parent, lost, kept)}
    for i, key, target in index.links:
        ancestor = _ancestor(target, lost, kept) if target in lost and i not in gone else None
        if ancestor:
            links.setdefault(i, {})[key] = ancestor
    return links


def _ancestor(own: str, lost: dict[str, str], kept: set[str]) -> str | None:
    """The first of a record's ancestors that stays. `lost` is led there, so that no path is walked twice."""
    path: set[str] = set()
    while own in lost and own not in path:
        path.add(own)
        own = lost[own]
    found = own if own in kept and own else ""
    lost.update(dict.fromkeys(path, found))
    return found or None


def linked(record: bytes, links: dict[str, str | None]) -> bytes:
    """A record that points elsewhere, every other byte as it was."""
    text = record.decode("utf-8", "surrogateescape")
    found = []
    for member in members(text):
        if member.key in links:
            found.append(member)
            if len(found) == len(links):
                break
    for member in reversed(found):
        text = text[: member.start] + dump(links[member.key]).decode("utf-8", "surrogateescape") + text[member.end :]
    return raw(text)


def _new_records(plan: _Plan, source: Source, index: Index, links: Links) -> dict[int, list[bytes]]:
    """The records of messages without one, by the record that they precede.

    Each goes into the chain above the next message of the main conversation, or at the end below its last record.
    """
    new: dict[int, list[bytes]] = {}
    if not plan.added:
        return new
    stays = [i for i in range(len(source.records)) if i not in plan.gone and i not in index.side]
    spoken = sorted(i for m in source.messages for i in m.records)
    main = sorted(set(stays).intersection(spoken))
    last = next((index.uuids[i] for i in reversed(stays) if index.uuids[i]), None)
    known = set(index.uuids)
    for place, message in plan.added:
        at = bisect_left(main, place)
        parent = _parent(main[at], index, links) if at < len(main) else last
        like = _nearest(source, spoken, place)
        for value in render(message):
            own = fresh(f"{_string(like, 'sessionId')}/{message.id}", known)
            time = message.time or _string(like, "timestamp")
            record = dressed(value, own, parent if parent in known else None, like, time)
            new.setdefault(place, []).append(dump(record, body(source.records[0])))
            parent = own
        if at < len(main):
            links.setdefault(main[at], {})["parentUuid"] = parent
        else:
            last = parent
    return new


def _parent(record: int, index: Index, links: Links) -> str | None:
    return links.get(record, {}).get("parentUuid", index.parents[record])


def _nearest(source: Source, spoken: Sequence[int], place: int) -> dict[str, Json]:
    """The message record before `place`, or the first one: what a new record has its surroundings from."""
    near = spoken[max(0, bisect_left(spoken, place) - 1)] if spoken else -1
    return dict(parse(body(source.records[near]))) if near >= 0 else {}


def fresh(name: str, known: set[str]) -> str:
    """A uuid for `name` that is always the same and that no record has: a session may be compressed twice."""
    own = str(uuid.uuid5(NAMES, name))
    while own in known:
        own = str(uuid.uuid5(NAMES, own))
    known.add(own)
    return own


def dressed(value: Json, own: str, parent: str | None, like: dict[str, Json], time: str) -> Json:
    """A record from `render` with its place in the chain and the surroundings that it has from the record `like`."""
    near = {key: like[key] for key in INHERITED if key in like} | {"isSidechain": False}
    message = value["message"]
    if value["type"] == "assistant":
        message = {"id": f"msg_{uuid.UUID(own).hex}"} | message
    return {"parentUuid": parent, **near, **value, "message": message, "uuid": own, "timestamp": time}


def render(message: Message) -> list[Json]:
    """The record that says what `message` says, without its place in a session."""
    records: list[Json] = []
    for value in said(message):
        content = value["content"]
        if value["role"] == "user":
            meta = {"isMeta": True} if message.role == "system" else {}
            records.append({"type": "user", "message": value, **meta})
            continue
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        # Claude Code calls what no model wrote synthetic.
        head = {"type": "message", "role": "assistant", "model": "<synthetic>", "content": parts}
        usage = {"input_tokens": 0, "output_tokens": 0}
        end = {"stop_reason": "end_turn", "stop_sequence": None, "usage": usage}
        records.append({"type": "assistant", "message": head | end})
    return records


def _foreign(transcript: Transcript) -> Iterator[bytes]:
    """A new session. The system's text is a `isMeta` message of the user's, as a session has no place for it."""
    digest = hashlib.sha256(repr([(m.role, m.time, m.blocks) for m in transcript.messages]).encode("utf-8", "replace"))
    session = str(uuid.uuid5(NAMES, digest.hexdigest()))
    like = dict(zip(INHERITED, (False, "external", "", session, "0.0.0", ""), strict=True))
    known: set[str] = set()
    parent, time = None, EPOCH
    for message in paired(transcript.messages):
        time = message.time or time
        for value in render(message):
            own = fresh(f"{session}/{message.id}", known)
            yield dump(dressed(value, own, parent, like, time)) + b"\n"
            parent = own
