"""Gemini API: a request body with contents, a body a line, an array of bodies, or the bare contents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from boildown.formats import gemini_parts
from boildown.formats.beside import Body, beside, write_beside
from boildown.formats.gemini_parts import Calls, parts
from boildown.formats.layout import (
    Piece,
    Render,
    Rewrite,
    Row,
    Written,
    bodies_or_row,
    write_shared,
)
from boildown.formats.source import Json, Sample, as_text, dump, members, parse
from boildown.transcript import (
    EVERYTHING,
    Block,
    FormatInfo,
    Framing,
    Message,
    Note,
    Opaque,
    Rules,
    Source,
    ToolCall,
    ToolResult,
    Transcript,
)

FRAMING = Framing(
    message=4, name=0, block=3, source="taken as Chat Completions'; Google states none, and counts by its own tokenizer"
)
INFO = FormatInfo(
    name="gemini",
    title="Gemini API: a request body with contents, one a line, an array of them, or the bare contents",
    example='{"systemInstruction": {"parts": [...]}, "contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}',
    framing=FRAMING,
    rules=Rules(alternate=True, user_first=True, joins=True),
    says=(EVERYTHING | {"audio", "video"}) - {"name"},
)
ROLES = {"user": "user", "model": "assistant", "function": "tool", "system": "system"}
INSTRUCTION = ("systemInstruction", "system_instruction")


def sniff(sample: Sample) -> bool:
    """Bodies with a list of contents, or mostly contents: objects whose parts are a list, of a user or a model."""
    bodies = sum(map(_is_body, sample.objects))
    if bodies:
        return bodies * 2 >= len(sample.objects)
    return sample.kind != "object" and sum(map(_is_content, sample.objects)) * 2 > len(sample.objects)


def _is_body(value: dict[str, Json]) -> bool:
    held = value.get("contents")
    return isinstance(held, list) and any(map(_is_content, held))


def _is_content(value: Json) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("parts"), list | dict):
        return False
    return str(value.get("role") or "user") in ROLES and all(isinstance(part, dict) for part in parts(value))


def read(data: bytes) -> Iterator[Transcript]:
    """The conversations in `data`. A content that cannot be read is carried as a message, and noted."""
    return bodies_or_row(data, INFO.name, _is_body, _body, _transcript)


def _body(piece: Piece) -> Transcript:
    found = list(members(piece.text, piece.start)) if isinstance(piece.value, dict) else []
    held = next((m for m in found if m.key == "contents" and isinstance(m.value, list)), None)
    if held is None:
        raise ValueError("an object without a list of contents")
    contents, body, instruction = beside(piece, found, held, INSTRUCTION)
    return _transcript(contents, body, instruction, piece.before, piece.after)


def _transcript(
    found: Row,
    body: Body | None = None,
    instruction: Json = None,
    before: bytes = b"",
    after: bytes = b"",
    notes: Iterable[Note] = (),
    skip: frozenset[int] = frozenset(),
) -> Transcript:
    odd = list(notes)
    messages: list[Message] = []
    calls = Calls()
    if instruction is not None:
        said = tuple(gemini_parts.blocks(parts(instruction), calls))
        messages.append(Message("m1", "system", said, records=(len(found.records) - 1,)))
    for index, value in enumerate(found.values):
        if index in skip:
            continue
        messages.append(_message(f"m{len(messages) + 1}", value, index, calls))
        if not isinstance(value, dict | str):
            odd.append(Note("unknown record", f"content {index + 1}", "no JSON object; carried as it stands"))
    source = Source(INFO.name, found.records, tuple(messages), before, after, body or found.frame, tuple(odd))
    return Transcript(source.messages, source)


def _message(name: str, value: Json, index: int, calls: Calls) -> Message:
    if not isinstance(value, dict):
        return Message(name, "unknown", (Opaque("unknown record", text=as_text(value)),), records=(index,))
    if value.get("role") == "model":
        calls.waiting.clear()
    said = tuple(gemini_parts.blocks(parts(value), calls))
    role = str(value.get("role") or "user")
    return Message(name, role_of(ROLES.get(role, role), said), said, records=(index,))


def role_of(role: str, said: Sequence[Block]) -> str:
    """The role of a message: a user's that holds function responses and nothing else is the tool's."""
    only_results = bool(said) and all(isinstance(block, ToolResult) for block in said)
    return "tool" if role == "user" and only_results else role


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation into its source's frame; those of another format as a request body a line.

    The API wants turns to alternate and refuses a call that does not follow the user or a response: where what stood
    between two contents of the model is gone, they are one.
    """
    for transcript in transcripts:
        source = transcript.source
        if source is None or source.format != INFO.name:
            yield dump(_foreign(transcript)) + b"\n"
            continue
        yield source.before
        yield write_beside(transcript, source, _instruction, _contents)
        yield source.after


def _contents(transcript: Transcript, carried: set[int]) -> bytes:
    names = call_names(transcript)
    return write_shared(transcript, _rewriter(names), renderer(names), carried, _leaders(transcript))


def call_names(transcript: Transcript) -> dict[str, str]:
    """The names of a conversation's functions by the ids of their calls."""
    return {b.id: b.name for m in transcript.messages for b in m.blocks if isinstance(b, ToolCall)}


def _leaders(transcript: Transcript) -> dict[str, int]:
    """The model's messages that come right behind others of its, which are no calls, and did not in the source."""
    assert transcript.source is not None
    place = {m.id: m.records[0] for m in transcript.source.messages if m.records}
    leaders: dict[str, int] = {}
    before: Message | None = None
    for message in transcript.messages:
        if before is not None and message.role == "assistant" and place.get(message.id, 0) > place[before.id] + 1:
            leaders[message.id] = leaders.get(before.id, place[before.id])
        called = any(isinstance(b, ToolCall) for b in message.blocks)
        before = message if message.role == "assistant" and message.id in place and not called else None
    return leaders


def _rewriter(names: Mapping[str, str]) -> Rewrite:
    def rewrite(records: dict[int, bytes], was: Sequence[Message], now: Sequence[Message]) -> Written:
        read = {m.id: m for m in was}
        first, whole, written = now[0].records[0], None, []
        for message in now:
            value = parse(records[message.records[0]])
            if isinstance(value, dict):
                written += gemini_parts.rewritten(parts(value), read[message.id].blocks, message.blocks, names)
                whole = whole or value
        return [(first, records[first] if whole is None else dump({**whole, "parts": written}, records[first]))]

    return rewrite


def renderer(names: Mapping[str, str]) -> Render:
    """Writes a message as a content, or as none where nothing of it can be said."""

    def render(message: Message) -> list[Json]:
        said = [part for block in message.blocks for part in gemini_parts.rendered(block, names)]
        return [{"role": "model" if message.role == "assistant" else "user", "parts": said}] if said else []

    return render


def _instruction(record: bytes, was: Message | None, now: Sequence[Message]) -> bytes:
    value: Json = parse(record) if record else {"parts": []}
    said: list[Json] = []
    for message in now:
        own = was.blocks if was is not None and message.id == was.id else ()
        said += gemini_parts.rewritten(parts(value) if own else [], own, message.blocks, {})
    if isinstance(value, dict):
        return dump({**value, "parts": said}, record)
    return dump("\n\n".join(m.text for m in now if m.text), record)


def _foreign(transcript: Transcript) -> Json:
    messages = list(transcript.messages)
    lead = next((i for i, m in enumerate(messages) if m.role != "system"), len(messages))
    system = [{"text": m.text} for m in messages[:lead] if m.text]
    body: dict[str, Json] = {"systemInstruction": {"parts": system}} if system else {}
    return {**body, "contents": turns(messages[lead:], renderer(call_names(transcript)))}


def turns(messages: Sequence[Message], render: Render) -> list[Json]:
    """The contents to send: what the model says in a row is one, and so are the responses to calls made at once."""
    found: list[Json] = []
    kinds: list[str] = []
    for message in messages:
        for content in render(message):
            results = all("functionResponse" in part for part in content["parts"])
            kinds.append("results" if results else content["role"])
            if found and kinds[-2] == kinds[-1] != "user":
                found[-1]["parts"] += content["parts"]
            else:
                found.append(content)
    return found
