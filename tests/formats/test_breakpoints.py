"""Breakpoints in Anthropic requests: read where they stand, written where they are to stand, all else as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from battery import sampled
from boildown import registry
from boildown.formats import anthropic, breakpoints
from boildown.run import Job, run
from boildown.transcript import Breakpoint, Message, Text, ToolCall, ToolResult, Transcript
from roundtrip import SAMPLES, files

MARK = ', "cache_control": {"type": "ephemeral"}'
FILES = files("derived/anthropic_messages.json*", samples=["anthropic.json"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param('"Hi"', '[{"type": "text", "text": "Hi"' + MARK + "}]", id="text"),
        pytest.param('"caf\\u00e9"', '[{"type": "text", "text": "caf\\u00e9"' + MARK + "}]", id="escapes stay"),
        pytest.param('""', '""', id="no text"),
        pytest.param("[]", "[]", id="no blocks"),
        pytest.param("null", "null", id="null"),
        pytest.param('[{"type": "text", "text": "Hi"}]', '[{"type": "text", "text": "Hi"' + MARK + "}]", id="block"),
        pytest.param(
            '[{"type":"text","text":"Hi"}]',
            '[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral"}}]',
            id="compact",
        ),
        pytest.param(
            '[\n  {\n    "type": "text",\n    "text": "Hi"\n  }\n]',
            '[\n  {\n    "type": "text",\n    "text": "Hi",\n    "cache_control": {"type": "ephemeral"}\n  }\n]',
            id="indented",
        ),
        pytest.param(
            '[{"type": "text", "text": "a"}, {"type": "thinking", "thinking": "b", "signature": "s"}]',
            '[{"type": "text", "text": "a"' + MARK + '}, {"type": "thinking", "thinking": "b", "signature": "s"}]',
            id="before a thought",
        ),
        pytest.param(
            '[{"type": "text", "text": "a"}, {"type": "text", "text": ""}]',
            '[{"type": "text", "text": "a"' + MARK + '}, {"type": "text", "text": ""}]',
            id="before an empty text",
        ),
        pytest.param(
            '[{"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1.0}}]',
            '[{"type": "tool_use", "id": "t", "name": "f", "input": {"x": 1.0}' + MARK + "}]",
            id="call",
        ),
        pytest.param(
            '[{"type": "text", "text": "a", "cache_control": null}]',
            '[{"type": "text", "text": "a", "cache_control": {"type":"ephemeral"}}]',
            id="null before",
        ),
        pytest.param('[{"type": "redacted_thinking", "data": "x"}]', '[{"type": "redacted_thinking", "data": "x"}]'),
    ],
)
def test_a_breakpoint_is_put_in_and_all_else_stays(before: str, after: str) -> None:
    assert breakpoints.in_content(before.encode(), "5m").decode() == after


def test_an_hour_is_said() -> None:
    assert b'{"type": "ephemeral", "ttl": "1h"}' in breakpoints.in_content(b'"Hi"', "1h")


BODY = (
    b'{"tools": [{"name": "f"}], "system": "Be brief.", "messages": ['
    b'{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}]}'
)


@pytest.mark.parametrize(
    ("data", "places"),
    [
        pytest.param(BODY, [], id="none"),
        pytest.param(BODY.replace(b'"f"}', b'"f"' + MARK.encode() + b"}"), ["start"], id="tools"),
        pytest.param(BODY.replace(b'"Be brief."', breakpoints.in_content(b'"Be"', "5m")), ["start"], id="system"),
        pytest.param(BODY.replace(b'"One"', breakpoints.in_content(b'"One"', "5m")), ["m2"], id="message"),
        pytest.param(BODY.replace(b'"One"', b'[{"cache_control": {"x": 1}, "type": "t"}]'), ["m2"], id="odd block"),
        pytest.param(BODY.replace(b'{"tools"', b'{"cache_control": {"type": "ephemeral"}, "tools"'), ["end"]),
        pytest.param(
            BODY.replace(b'"One"', b'[{"type": "tool_use", "id": "t", "name": "f", "input": {"cache_control": {}}}]'),
            [],
            id="a call's argument is none",
        ),
        pytest.param(
            BODY.replace(
                b'"One"',
                b'[{"type": "tool_result", "tool_use_id": "t", "content": [{"cache_control": {"ttl": "1h"}}]}]',
            ),
            ["m2"],
            id="inside a result",
        ),
    ],
)
def test_those_of_the_source_are_found(data: bytes, places: list[str]) -> None:
    (found,) = anthropic.read(data)
    assert found.source is not None
    assert [b.after for b in found.source.breakpoints] == places
    assert found.source.ahead.startswith('[{"name":"f"')


def put(data: bytes, *places: str) -> Any:
    (found,) = anthropic.read(data)
    points = tuple(Breakpoint(place) for place in places)
    return json.loads(b"".join(anthropic.write([replace(found, breakpoints=points)])))


def test_start_is_the_system_text_or_without_one_the_last_tool() -> None:
    with_system = put(BODY, "start")
    assert with_system["system"] == [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    assert with_system["tools"] == [{"name": "f"}]
    without = put(BODY.replace(b'"system": "Be brief.", ', b""), "start")
    assert without["tools"] == [{"name": "f", "cache_control": {"type": "ephemeral"}}]


def test_end_is_the_last_message() -> None:
    said = put(BODY, "m2", "end")["messages"]
    assert [list(m["content"][-1])[-1] for m in said] == ["cache_control", "cache_control"]


def test_a_conversation_of_another_format_gets_them_as_well() -> None:
    messages = (
        Message("m1", "system", (Text("Be brief."),)),
        Message("m2", "assistant", (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))),
        Message("m3", "tool", (ToolResult("a", "A"),)),
        Message("m4", "tool", (ToolResult("b", "B"),)),
    )
    points = (Breakpoint("start"), Breakpoint("m2"), Breakpoint("end", "1h"))
    body = json.loads(b"".join(anthropic.write([Transcript(messages, breakpoints=points)])))
    five, hour = {"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}
    assert body["system"] == [{"type": "text", "text": "Be brief.", "cache_control": five}]
    calls, results = (m["content"] for m in body["messages"])
    assert [part.get("cache_control") for part in calls] == [None, five]
    assert [part.get("cache_control") for part in results] == [None, hour]


def compressed(path: Path, pipeline: str, ratio: float) -> list[tuple[dict[str, Any], dict[str, Any], bytes, bytes]]:
    """Each conversation's body before and after, and its bytes."""
    job = Job(registry.parse(pipeline), pipeline, ratio=ratio)
    data = path.read_bytes()
    small, _ = run(data, path.name, job)
    pairs = zip(*([d.splitlines() if path.suffix == ".jsonl" else [d] for d in (data, small)]), strict=True)
    return [(json.loads(a), json.loads(b), a, b) for a, b in pairs]


def unmarked(value: Any) -> Any:
    """A body without its breakpoints, texts as blocks."""
    if isinstance(value, dict):
        held = {k: unmarked(v) for k, v in value.items() if k != "cache_control"}
        for key in ("content", "system"):
            if isinstance(held.get(key), str):
                held[key] = [{"type": "text", "text": held[key]}]
        return held
    return [unmarked(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("ratio", sampled([1.1, 1, 1.3], every=3))
@pytest.mark.parametrize("pipeline", ["prune,cache", "window,cache"])
@pytest.mark.parametrize("path", FILES)
def test_at_most_four_are_written_and_nothing_else_is_changed_by_them(path: Path, pipeline: str, ratio: float) -> None:
    plain = compressed(path, pipeline.removesuffix(",cache"), ratio)
    for (_, bare, *_), (_, after, *_) in zip(plain, compressed(path, pipeline, ratio), strict=True):
        assert json.dumps(after).count('"cache_control": {') <= 4
        assert unmarked(after) == unmarked(bare)


@pytest.mark.parametrize("path", FILES)
def test_the_prefix_before_the_first_change_is_written_byte_for_byte(path: Path) -> None:
    for before, after, old, new in compressed(path, "prune", 1.1):
        pairs = zip(before["messages"], after["messages"], strict=False)
        same = next((n for n, (a, b) in enumerate(pairs) if a != b), len(after["messages"]))
        (source,) = anthropic.read(old)
        assert source.source is not None
        end = old.index(source.source.records[same - 1]) + len(source.source.records[same - 1]) if same else 0
        assert new[:end] == old[:end]


@pytest.mark.parametrize("path", FILES)
def test_a_second_run_writes_the_same_bytes(path: Path) -> None:
    pipeline = "prune,cache"
    job = Job(registry.parse(pipeline), pipeline, budget=2_000)
    once, _ = run(path.read_bytes(), path.name, job)
    assert run(once, path.name, job)[0] == once


def test_with_breakpoints_the_prefix_differs_by_nothing_else() -> None:
    data = (SAMPLES / "anthropic.json").read_bytes()
    (found,) = anthropic.read(data)
    (marked,) = anthropic.read(b"".join(anthropic.write([replace(found, breakpoints=(Breakpoint("m3"),))])))
    assert marked.messages == found.messages
    block = b'"station": "BAY-07"\n          }\n        }'
    put_in = block[:-10] + b',\n          "cache_control": {"type": "ephemeral"}' + block[-10:]
    written = b"".join(anthropic.write([replace(found, breakpoints=(Breakpoint("m3"),))]))
    assert written == data.replace(block, put_in, 1)
