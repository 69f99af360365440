"""What every format's test asks of a file: it round-trips, and what is left of it when messages go reads again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boildown import formats
from boildown.formats.convert import convert
from boildown.transcript import Block, Message, Text, ToolCall, ToolResult, Transcript, groups

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
SAMPLES = ROOT / "samples"


def files(*patterns: str, samples: Iterable[str] = ()) -> list[Any]:
    """The samples named and the real files that match, as parameters; a skip where there are no real files."""
    found = [pytest.param(SAMPLES / name, id=name) for name in samples]
    for pattern in patterns:
        real = sorted(DATA.glob(pattern))
        found += [pytest.param(path, id=str(path.relative_to(DATA))) for path in real]
        if not real:
            why = f"../shared/data/{pattern} is not there: real conversations are not part of the clone"
            found.append(pytest.param(DATA / pattern, id=pattern, marks=pytest.mark.skip(reason=why)))
    return found


def read(form: formats.Format, data: bytes) -> list[Transcript]:
    return list(form.read(data))


def write(form: formats.Format, transcripts: Iterable[Transcript]) -> bytes:
    return b"".join(form.write(transcripts))


def said(messages: Iterable[Message]) -> list[tuple[str, tuple[Block, ...]]]:
    """Roles and blocks, with call ids by the order of their calls: some formats make them up, place by place."""
    ids: dict[str, str] = {}

    def same(block: Block) -> Block:
        if isinstance(block, ToolCall):
            ids[block.id] = f"#{len(ids)}" if block.id not in ids else ids[block.id]
            return replace(block, id=ids[block.id])
        return replace(block, call_id=ids.get(block.call_id, "")) if isinstance(block, ToolResult) else block

    return [(m.role, tuple(same(b) for b in m.blocks)) for m in messages]


def thinned(transcript: Transcript) -> Transcript:
    """Without every third group of messages that belong together."""
    gone = {i for members in groups(transcript.messages)[::3] for i in members}
    return transcript.with_messages(m for i, m in enumerate(transcript.messages) if i not in gone)


def with_text(transcript: Transcript, text: str = "Shorter.") -> Transcript:
    """With other words in its first block of text."""
    for n, message in enumerate(transcript.messages):
        for place, block in enumerate(message.blocks):
            if isinstance(block, Text):
                blocks = [*message.blocks[:place], replace(block, text=text), *message.blocks[place + 1 :]]
                changed = message.with_blocks(blocks)
                return transcript.with_messages([*transcript.messages[:n], changed, *transcript.messages[n + 1 :]])
    return transcript


def check_round_trip(form: formats.Format, data: bytes) -> None:
    transcripts = read(form, data)
    assert write(form, transcripts) == data
    assert [said(t.messages) for t in read(form, data)] == [said(t.messages) for t in transcripts]


def in_turns(messages: Iterable[Message]) -> list[Message]:
    """What the model says in a row as one message, and blocks without their places: Gemini's contents are turns."""
    turns: list[Message] = []
    for message in messages:
        bare = message.with_blocks(replace(b, at=-1) for b in message.blocks)
        if turns and message.role == turns[-1].role == "assistant":
            turns[-1] = turns[-1].with_blocks([*turns[-1].blocks, *bare.blocks])
        else:
            turns.append(bare)
    return turns


def check_thinned(form: formats.Format, data: bytes, turns: bool = False) -> None:
    """What is left reads as it was, block by block, or in `turns` where a record holds several messages or parts."""
    left = [thinned(t) for t in read(form, data)]
    again = read(form, write(form, left))
    same = in_turns if turns else list
    assert [said(same(t.messages)) for t in again] == [said(same(t.messages)) for t in left]


def check_one_format(data: bytes, name: str) -> None:
    assert formats.detect(data, "the file").INFO.name == name


CHATS = files(
    "derived/openai_chat.jsonl",
    "derived/openai_messages_array.json",
    "derived/edge/multilingual.json",
    samples=["openai.jsonl", "openai-tools.json"],
)
"""Chats in the openai format, to be converted"""


def check_converts(path: Path, form: formats.Format) -> None:
    """A real chat is written in `form`, found out, and read again equal; what could not be said was noted."""
    openai, counted = formats.load("openai"), 0
    chats = [(t, *convert(t, form.INFO)) for t in read(openai, path.read_bytes())]
    data = write(form, [there for _, there, _ in chats])
    check_one_format(data, form.INFO.name)
    check_round_trip(form, data)
    for again, (source, there, notes) in zip(read(form, data), chats, strict=True):
        assert [(m.role, m.name, m.text) for m in again.messages] == [(m.role, m.name, m.text) for m in there.messages]
        noted = {n.where for n in notes}
        kept = {m.id: m for m in there.messages}
        for message in source.messages:
            same = message.id in kept and (message.role, message.text) == (kept[message.id].role, kept[message.id].text)
            assert same or message.id in noted
        counted += len(again.messages)
    assert counted


def check_said(form: formats.Format, spoken: list[tuple[str, str]]) -> None:
    messages = [Message(f"m{n}", role, (Text(t),)) for n, (role, t) in enumerate(spoken)]
    there, _ = convert(Transcript(tuple(messages)), form.INFO)
    data = write(form, [there])
    if there.messages:
        (again,) = read(form, data)
        assert [m.text for m in again.messages] == [m.text for m in there.messages]
        check_round_trip(form, data)
