"""OpenAI Responses API: the items of a request's input or a response's output, as a body, bodies, or the bare items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from boildown.formats import items, media
from boildown.formats.beside import Body, beside, write_beside
from boildown.formats.layout import (
    Piece,
    Row,
    Written,
    bodies_or_row,
    with_values,
    write_shared,
)
from boildown.formats.source import Json, Sample, as_text, dump, members, parse
from boildown.transcript import (
    EVERYTHING,
    Block,
    FormatInfo,
    Message,
    Note,
    Opaque,
    Source,
    Text,
    Transcript,
)

INFO = FormatInfo(
    name="openai-responses",
    title="OpenAI Responses API: a request or response, one a line, an array of them, or the bare items",
    example='{"instructions": "Be brief.", "input": [{"type": "message", "role": "user", "content": [...]}]}',
    framing=items.FRAMING,
    says=EVERYTHING - {"name", "document"},
)
HOLDERS = ("input", "output")
SYSTEM = {"system", "developer"}


def sniff(sample: Sample) -> bool:
    """Bodies whose input or output is a list of items, or more items than anything else."""
    objects = sample.objects
    if sample.kind == "lines" and any(map(media.is_rollout_header, objects[:1])):
        return False
    bodies = [item for item in objects if _is_body(item)]
    if bodies and len(bodies) * 2 >= len(objects):
        return True
    return sample.kind != "object" and sum(map(items.is_item, objects)) * 2 > len(objects)


def _is_body(value: dict[str, Json]) -> bool:
    held: list[Json] = next((value[key] for key in HOLDERS if isinstance(value.get(key), list)), [])
    return bool(held) and (any(map(items.is_item, held)) or all(map(_is_easy, held)))


def _is_easy(value: Json) -> bool:
    """Whether it is a message in the short form: a role and content, of which a request's body says what they are."""
    return isinstance(value, dict) and isinstance(value.get("role"), str) and "content" in value


def read(data: bytes) -> Iterator[Transcript]:
    """The conversations in `data`. An item that is no object is carried as a message, and noted."""
    return bodies_or_row(data, INFO.name, _is_body, _body, _transcript)


def _body(piece: Piece) -> Transcript:
    if not isinstance(piece.value, dict):
        raise ValueError("no object")
    found = list(members(piece.text, piece.start))
    lists = [m for key in HOLDERS for m in found if m.key == key and isinstance(m.value, list)]
    if not lists:
        raise ValueError("an object without a list of input or output items")
    held, body, said = beside(piece, found, lists[0], ("instructions",))
    notes = [Note("unread", "output", "carried as it stands: the conversation is the input")] if lists[1:] else []
    return _transcript(held, body, said, piece.before, piece.after, notes)


def _transcript(
    found: Row,
    body: Body | None = None,
    instructions: Json = None,
    before: bytes = b"",
    after: bytes = b"",
    notes: Iterable[Note] = (),
    skip: frozenset[int] = frozenset(),
) -> Transcript:
    messages: list[Message] = []
    if instructions is not None:
        plain = isinstance(instructions, str)
        block = Text(instructions, 0) if plain else Opaque("instructions", text=as_text(instructions))
        messages.append(Message("m1", "system", (block,), records=(len(found.records) - 1,)))
    for run in _runs(found.values, skip):
        values = [found.values[i] for i in run]
        blocks = tuple(_blocks(values))
        messages.append(Message(f"m{len(messages) + 1}", _role(values[-1]), blocks, records=tuple(run)))
    odd = [
        Note("unknown record", f"item {index + 1}", "no JSON object; carried as it stands")
        for index, value in enumerate(found.values)
        if not isinstance(value, dict | str) and index not in skip
    ]
    layout = body or found.frame
    source = Source(INFO.name, found.records, tuple(messages), before, after, layout, (*notes, *odd))
    return Transcript(source.messages, source)


def _runs(values: Sequence[Json], skip: frozenset[int]) -> list[list[int]]:
    """The items of each message: reasoning and what it led to, and calls that were made at once."""
    runs: list[list[int]] = []
    for index, value in enumerate(values):
        if index in skip:
            continue
        if runs and _goes_on([values[i] for i in runs[-1]], value):
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs


def _goes_on(run: Sequence[Json], value: Json) -> bool:
    if _role(run[-1]) != "assistant" or _role(value) != "assistant":
        return False
    kinds = [str(item.get("type", "message")) for item in run]
    if value.get("type", "message") in ("reasoning", "message"):
        return kinds[-1] == "reasoning"
    return "reasoning" in kinds or kinds[-1] != "message"


def _role(value: Json) -> str:
    if not isinstance(value, dict):
        return "unknown"
    role = value.get("role")
    if isinstance(role, str):
        return "system" if role in SYSTEM else role
    return "tool" if str(value.get("type", "")).endswith("_output") else "assistant"


def _blocks(values: Iterable[Json]) -> Iterator[Block]:
    """The blocks of a message's items; `at` counts through the items' parts."""
    start = 0
    for value in values:
        if isinstance(value, dict):
            yield from (replace(block, at=start + block.at) for block in items.blocks(_typed(value)))
        else:
            yield Opaque("unknown record", text=as_text(value), at=start)
        start += _parts(value)


def _typed(value: dict[str, Json]) -> dict[str, Json]:
    return value if "type" in value else {**value, "type": "message"}


def _parts(value: Json) -> int:
    content = value.get("content") if isinstance(value, dict) and value.get("type") != "reasoning" else None
    return max(1, len(content)) if isinstance(content, list) else 1


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation into its source's frame; those of another format as a request body a line."""
    for transcript in transcripts:
        source = transcript.source
        if source is None or source.format != INFO.name:
            yield dump({"input": [item for message in transcript.messages for item in items.render(message)]}) + b"\n"
            continue
        yield source.before
        yield _written(transcript, source)
        yield source.after


def _written(transcript: Transcript, source: Source) -> bytes:
    whole = write_beside(
        transcript, source, _instructions, lambda t, carried: write_shared(t, _rewrite, items.render, carried)
    )
    if not isinstance(source.layout, Body) or _same(transcript, source):
        return whole
    # Some clients add this copy of all that the model said.
    said = [b.text for m in transcript.messages if m.role == "assistant" for b in m.blocks if isinstance(b, Text)]
    return with_values(whole, {"output_text": "".join(said)})


def _same(transcript: Transcript, source: Source) -> bool:
    return [m.id for m, same in transcript.unchanged() if same] == [m.id for m in source.messages]


def _instructions(record: bytes, was: Message | None, now: Sequence[Message]) -> bytes:
    return dump("\n\n".join(m.text for m in now if m.text), record)


def _rewrite(records: dict[int, bytes], was: Sequence[Message], now: Sequence[Message]) -> Written:
    """The items of one message. Where one of them is gone, the others lose the ids by which the API would miss it."""
    (old,), (new,) = was, now
    values = {index: parse(record) for index, record in records.items()}
    added = [b for b in new.blocks if b.at < 0]
    host = next((i for i in reversed(values) if _typed(values[i])["type"] == "message"), None)
    written: Written = []
    start = 0
    for index, value in values.items():
        before, after = (_within(m.blocks, start, _parts(value)) for m in (old, new))
        start += _parts(value)
        after += added if index == host else []
        if after == before:
            written.append((index, records[index]))
        elif after:
            items.patch(value, before, after)
            written.append((index, dump(value, records[index])))
    if len(written) < len(records):
        written = [(index, _without_id(record)) for index, record in written]
    if added and host is None:
        written += [(-1, dump(value)) for value in items.render(new.with_blocks(added))]
    return written


def _within(blocks: Iterable[Block], start: int, parts: int) -> list[Block]:
    return [replace(b, at=b.at - start) for b in blocks if start <= b.at < start + parts]


def _without_id(record: bytes) -> bytes:
    value = parse(record)
    if "id" not in value:
        return record
    del value["id"]
    return dump(value, record)
