"""Gemini CLI sessions: an object with messages or, as later versions write it, a line for each state of a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from boildown.errors import UsageError
from boildown.formats import gemini_parts
from boildown.formats.gemini import FRAMING
from boildown.formats.gemini_cli_new import new_session, render
from boildown.formats.gemini_parts import Calls, part_list
from boildown.formats.layout import LINES, Piece, Row, Written, conversations, row, write_shared
from boildown.formats.source import Json, Sample, as_list, as_object, as_text, dump, lines, members, parse, sample
from boildown.transcript import (
    EVERYTHING,
    Block,
    FormatInfo,
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
    name="gemini-cli",
    title="Gemini CLI session: an object with the session's messages, or its lines",
    example='{"sessionId": "...", "projectHash": "...", "messages": [{"type": "user", "content": "Hello", ...}]}',
    framing=FRAMING,
    rules=Rules(user_first=True),
    says=(EVERYTHING | {"audio", "video"}) - {"name", "system"},
)
SPEAKERS = {"user": "user", "gemini": "assistant"}
UNSEEN = {"info", "error", "warning"}
"""What the client told its user: the model is not shown it."""


def sniff(sample: Sample) -> bool:
    """A session's id and project with its messages, or as the first of the lines."""
    first = next(iter(sample.objects), {})
    session = isinstance(first.get("sessionId"), str) and isinstance(first.get("projectHash"), str)
    if sample.kind == "lines" and "messages" not in first:
        return session
    return session and isinstance(first.get("messages"), list)


def read(data: bytes) -> Iterator[Transcript]:
    """The one session in `data`; what the client told only its user is carried in its place."""
    seen = sample(data)
    if seen.kind == "lines" and "messages" not in seen.objects[0]:
        yield _session_lines(data)
    else:
        yield from conversations(data, INFO.name, _session)


def _session(piece: Piece) -> Transcript:
    value = piece.value if isinstance(piece.value, dict) else {}
    held = next((m for m in members(piece.text, piece.start) if m.key == "messages"), None) if value else None
    if held is None or not isinstance(held.value, list):
        raise ValueError("an object without a list of messages")
    found = row(piece.text, held.start, piece.start, piece.end)
    odd = [
        Note("unknown record", f"message {n}", "of no type that is known; carried as it stands")
        for n, record in enumerate(found.values, 1)
        if not _is_known(record)
    ]
    return _transcript(found, range(len(found.values)), odd, str(value.get("summary") or ""), piece.before, piece.after)


def _is_known(record: Json) -> bool:
    return isinstance(record, dict) and str(record.get("type")) in {*SPEAKERS, *UNSEEN}


def _session_lines(data: bytes) -> Transcript:
    """A session whose lines are states of messages: the last one of each message's id holds."""
    records = tuple(lines(data))
    values: list[Json] = []
    notes: list[Note] = []
    last: dict[str, int] = {}
    for index, line in enumerate(records):
        try:
            value = parse(line) if line.strip() else None
        except (ValueError, RecursionError) as error:
            value = None
            notes.append(Note("bad line", f"line {index + 1}", f"not valid JSON ({error}); carried as it stands"))
        values.append(value)
        if not isinstance(value, dict):
            continue
        if "$rewindTo" in value:
            gone = last.get(str(value["$rewindTo"]), index)
            last = {key: place for key, place in last.items() if place < gone}
        elif _is_known(value):
            last.pop(str(value.get("id", index)), None)
            last[str(value.get("id", index))] = index
        elif not {"$set", "sessionId"} & value.keys():
            notes.append(Note("unknown record", f"line {index + 1}", "of no type that is known; carried as it stands"))
    return _transcript(Row(tuple(values), records, LINES), sorted(last.values()), notes)


def _transcript(
    found: Row,
    shown: Iterable[int],
    notes: Sequence[Note],
    title: str = "",
    before: bytes = b"",
    after: bytes = b"",
) -> Transcript:
    messages: list[Message] = []
    answered: set[str] = set()
    for index in shown:
        record = found.values[index]
        if not isinstance(record, dict) or str(record.get("type")) not in SPEAKERS or _repeated(record) & answered:
            continue
        time = record.get("timestamp") if isinstance(record.get("timestamp"), str) else None
        for role, blocks in _said(record, index):
            answered |= {b.call_id for b in blocks if isinstance(b, ToolResult)}
            messages.append(Message(f"m{len(messages) + 1}", role, tuple(blocks), time=time, records=(index,)))
    source = Source(INFO.name, found.records, tuple(messages), before, after, found.frame, tuple(notes))
    return Transcript(source.messages, source, title)


def _repeated(record: Json) -> set[str]:
    """The calls whose responses a user's record repeats from the record of the calls, if it holds nothing else."""
    held = record.get("content") if isinstance(record, dict) and record.get("type") == "user" else None
    if not isinstance(held, list):
        return set()
    found = [gemini_parts.member(p, gemini_parts.RESPONSE) for p in held if isinstance(p, dict)]
    whole = len(found) == len(held) and all(isinstance(f, dict) for f in found)
    return {str(f.get("id")) for f in found} if whole else set()


@dataclass(frozen=True, slots=True)
class Parts:
    """What the model is shown of a record. In a block's place, thoughts come first, then content, then calls.

    Where the content holds thoughts or calls of its own, it alone is what the model is shown, as the client has it.
    """

    thoughts: list[Json]
    content: list[Json]
    calls: list[Json]

    @classmethod
    def of(cls, record: dict[str, Json]) -> Parts:
        content = record.get("content")
        held = [p for p in part_list(content) if p != ""]
        own = [
            p for p in held if isinstance(p, dict) and (p.get("thought") or gemini_parts.member(p, gemini_parts.CALL))
        ]
        thoughts, calls = record.get("thoughts"), record.get("toolCalls")
        return cls(
            thoughts if isinstance(thoughts, list) and not own else [],
            held,
            [c for c in as_list(calls) if isinstance(c, dict)],
        )

    @property
    def first_call(self) -> int:
        return len(self.thoughts) + len(self.content)

    def ids(self, index: int) -> list[str]:
        """The ids of the calls, made up by place where a call of the record at `index` has none."""
        return [str(call.get("id") or f"{index}-{n}") for n, call in enumerate(self.calls)]


def _said(record: dict[str, Json], index: int) -> Iterator[tuple[str, list[Block]]]:
    """The messages of a record: the user's, or the model's and what its calls gave back."""
    found = Parts.of(record)
    ids = found.ids(index)
    said: list[Block] = [Thinking(_thought(t), at=at) for at, t in enumerate(found.thoughts)]
    own = _own_ids(found, ids)
    for block in gemini_parts.blocks(found.content, Calls()):
        if isinstance(block, ToolCall):
            block = replace(block, id=own.pop(0))
        said.append(replace(block, at=block.at + len(found.thoughts)))
    if not any(isinstance(b, ToolCall) for b in said):
        for at, (id, call) in enumerate(zip(ids, found.calls, strict=True), found.first_call):
            said.append(ToolCall(id, str(call.get("name", "")), as_text(call.get("args") or {}), at))
    role = SPEAKERS[record["type"]]
    only_results = bool(said) and all(isinstance(b, ToolResult) for b in said)
    yield "tool" if role == "user" and only_results else role, said
    results = [
        _result(call, id, at)
        for at, (id, call) in enumerate(zip(ids, found.calls, strict=True))
        if call.get("result") is not None
    ]
    if results:
        yield "tool", list(results)


def _own_ids(found: Parts, ids: list[str]) -> list[str]:
    """The ids of the content's own calls, each that of the tool call of its name where it has none."""
    left = [(id, call.get("name")) for id, call in zip(ids, found.calls, strict=True)]
    own: list[str] = []
    for n, part in enumerate(found.content):
        call = gemini_parts.member(part, gemini_parts.CALL) if isinstance(part, dict) else None
        if isinstance(call, dict):
            same = next((p for p in left if p[0] == call.get("id")), None)
            pair = same or next((p for p in left if p[1] == call.get("name")), (str(call.get("id") or f"part-{n}"), ""))
            left = [p for p in left if p != pair]
            own.append(pair[0])
    return own


def _thought(thought: Json) -> str:
    """A thought as the client shows it to the model again."""
    if not isinstance(thought, dict):
        return as_text(thought)
    subject, description = as_text(thought.get("subject")), as_text(thought.get("description"))
    return f"**{subject}** {description}" if subject else description


def _result(call: dict[str, Json], id: str, at: int) -> ToolResult:
    texts: list[str] = []
    media: list[Opaque] = []
    error = call.get("status") == "error"
    for block in gemini_parts.blocks(part_list(call["result"]), Calls()):
        if isinstance(block, ToolResult):
            media += block.media
            error = error or block.is_error
        if isinstance(block, Opaque):
            media.append(block)
        elif not isinstance(block, ToolCall):
            texts.append(block.text)
    return ToolResult(id, "\n".join(texts), tuple(media), error, at)


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """A session, its records in place; copies of what was changed or taken out go with it."""
    foreign = 0
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == INFO.name:
            yield source.before
            yield write_shared(transcript, _rewrite, render, _carried(transcript, source))
            yield source.after
            continue
        foreign += 1
        if foreign > 1:
            raise UsageError("a Gemini CLI session is one conversation, and there are more. Convert them one by one.")
        yield dump(new_session(transcript)) + b"\n"


def _carried(transcript: Transcript, source: Source) -> set[int]:
    """The records that are no message, without those that repeat what has changed or is gone."""
    same = {m.id for m, unchanged in transcript.unchanged() if unchanged}
    gone = [m for m in source.messages if m.id not in same]
    carried = set(range(len(source.records))) - {i for m in source.messages for i in m.records}
    if not gone:
        return carried
    blocks = [b for m in gone for b in m.blocks]
    calls = {b.id for b in blocks if isinstance(b, ToolCall)} | {b.call_id for b in blocks if isinstance(b, ToolResult)}
    states = {_state(source.records[i]) for m in gone for i in m.records} - {None}
    return {i for i in carried if not _repeats(source.records[i], states, calls)}


def _state(record: bytes) -> str | None:
    value = _parsed(record)
    return str(value["id"]) if isinstance(value, dict) and "id" in value else None


def _repeats(record: bytes, states: set[str | None], calls: set[str]) -> bool:
    return _state(record) in states or bool(_repeated(_parsed(record)) & calls)


def _parsed(record: bytes) -> Json:
    try:
        return parse(record)
    except (ValueError, RecursionError):
        return None


def _rewrite(records: dict[int, bytes], was: Sequence[Message], now: Sequence[Message]) -> Written:
    ((index, record),) = records.items()
    value = parse(record)
    results = {b.at: b for m in was for b in m.blocks if isinstance(b, ToolResult)} if len(was) > 1 else {}
    left = {b.at: b for m in now if m.id != was[0].id for b in m.blocks if isinstance(b, ToolResult)}
    said = next((m.blocks for m in now if m.id == was[0].id), ())
    if said != was[0].blocks:
        _rewrite_said(value, was[0].blocks, said)
    if left != results or said != was[0].blocks:
        _rewrite_calls(value, index, said, results, left)
    return [(index, dump(value, record))]


def _rewrite_said(value: dict[str, Json], was: Sequence[Block], now: Sequence[Block]) -> None:
    found = Parts.of(value)
    thoughts, end = len(found.thoughts), found.first_call
    value.pop("displayContent", None)
    kept = [found.thoughts[b.at] for b in now if 0 <= b.at < thoughts]
    if [b for b in now if isinstance(b, Thinking)] != [b for b in was if isinstance(b, Thinking)]:
        value["thoughts"] = kept
        if not kept:
            del value["thoughts"]
    added = [b for b in now if b.at < 0 and not isinstance(b, ToolCall | Thinking)]
    before, after = ([replace(b, at=b.at - thoughts) for b in m if thoughts <= b.at < end] for m in (was, now))
    if isinstance(value.get("content"), list):
        value["content"] = gemini_parts.rewritten(found.content, before, [*after, *added], {})
    else:
        value["content"] = "\n".join(b.text for b in [*after, *added] if isinstance(b, Text))


def _rewrite_calls(
    value: dict[str, Json], index: int, said: Sequence[Block], was: dict[int, ToolResult], now: dict[int, ToolResult]
) -> None:
    """The calls that are left. A result that changed loses what the client showed of it."""
    found = Parts.of(value)
    calls = {b.id: b for b in said if isinstance(b, ToolCall)}
    kept: list[Json] = []
    for n, (id, call) in enumerate(zip(found.ids(index), found.calls, strict=True)):
        block, result = calls.get(id), now.get(n)
        if block is None and result is None:
            continue
        if block is not None and as_text(call.get("args") or {}) != block.arguments:
            call["args"] = as_object(block.arguments)
        if result != was.get(n):
            call.pop("resultDisplay", None)
            call["result"] = None if result is None else _answer(call["result"], was[n], result)
        kept.append(call)
    if "toolCalls" in value:
        value["toolCalls"] = kept


def _answer(held: Json, was: ToolResult, now: ToolResult) -> Json:
    """A tool call's result that says what `now` says: in its first response, with the images that are left."""
    if isinstance(held, str):
        return now.text
    left = {m.data for m in now.media}
    found: list[Json] = []
    texts = now.text
    for part in part_list(held):
        response = gemini_parts.member(part, gemini_parts.RESPONSE) if isinstance(part, dict) else None
        (block,) = gemini_parts.blocks([part], Calls())
        if isinstance(response, dict) and isinstance(block, ToolResult):
            key = next(k for k in gemini_parts.RESPONSE if k in part)
            said = replace(block, text=texts, media=tuple(m for m in block.media if m.data in left))
            found.append({**part, key: gemini_parts.answer(response, block, said)})
            texts = ""
        elif isinstance(block, Opaque) and (not block.data or block.data in left):
            found.append(part)
    if texts:
        found.insert(0, {"text": texts})
    return found if isinstance(held, list) else found[0] if found else None
