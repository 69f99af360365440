"""Requests to count: everything a conversation says is in them, and the API takes them whatever it lacks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from boildown.formats import detect
from boildown.provider.asking import LONGEST, requests
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult
from counting_server import refused, texts
from roundtrip import files
from strategies import transcripts


def message(role: str, *blocks: object, number: int = 1) -> Message:
    return Message(f"m{number}", role, blocks)  # type: ignore[arg-type]


def said(messages: list[Message]) -> list[str]:
    return [text for turns in requests(messages) for turn in turns for text in texts(turn["content"])]


CALL, RESULT = ToolCall("a b", "run it", '{"x": "one"}'), ToolResult("a b", "two")


@pytest.mark.parametrize(
    ("messages", "found"),
    [
        ([], []),
        ([message("user", Text("Hello"))], ["Hello"]),
        ([message("system", Text("Be brief."))], ["Be brief."]),
        ([message("assistant", Text("Hello"))], [".", "Hello", "."]),
        ([message("user", Text(" \n"))], []),
        ([message("assistant", CALL), message("tool", RESULT)], [".", "run_it", "one", "two"]),
        ([message("assistant", CALL)], [".", "run_it", "one"]),
        ([message("tool", RESULT)], ["two"]),
        ([message("assistant", CALL, CALL), message("tool", RESULT)], [".", "run_it", "one", "run_it", "one", "two"]),
        ([message("assistant", CALL), message("tool", RESULT, RESULT)], [".", "run_it", "one", "two", "two"]),
        ([message("assistant", Thinking("hm", "signed"))], [".", "hm", "."]),
        ([message("user", Opaque("image", 900, data="aGk=", media_type="image/png"), Text("See?"))], ["See?"]),
        ([message("user", Text("half \ud83d"))], ["half ?"]),
        ([replace(message("user", Text("Hello")), name="Ada")], ["Ada:", "Hello"]),
    ],
)
def test_what_is_sent_of_a_conversation(messages: list[Message], found: list[str]) -> None:
    assert said(messages) == found
    assert [refused(turns) for turns in requests(messages) if refused(turns)] == []


def test_a_long_conversation_is_several_requests_and_a_call_stays_with_its_result() -> None:
    long = "word " * (LONGEST // 12)
    messages = [
        message("assistant" if n % 2 else "user", ToolCall(str(n), "f", "{}"), Text(long), number=n) if n % 2
        else message("user", ToolResult(str(n - 1), "ok"), Text(long), number=n)
        for n in range(1, 9)
    ]  # fmt: skip
    asked = list(requests(messages))
    assert len(asked) == 4
    assert [refused(turns) for turns in asked] == [""] * 4


def test_a_text_that_is_too_long_for_one_request_goes_on_in_others() -> None:
    text = "word " * (LONGEST // 2)
    asked = list(requests([message("assistant", CALL), message("tool", ToolResult("a b", text))]))
    assert len(asked) > 2
    assert sum(len(part) for turns in asked for turn in turns for part in texts(turn["content"])) >= len(text)
    assert [refused(turns) for turns in asked if refused(turns)] == []


@given(transcripts())
def test_the_api_would_take_any_conversation(transcript) -> None:
    assert [refused(turns) for turns in requests(transcript.messages) if refused(turns)] == []


@pytest.mark.parametrize(
    "path",
    files(
        "claude-code/entire-cli/61cb*.jsonl",
        "claude-code/viewer/fe5e*.jsonl",
        "claude-code/log-fixtures/*.jsonl",
        "codex/*/**/*.jsonl",
        "derived/*.json*",
        samples=["claude-code.jsonl", "openai-tools.json", "anthropic.json"],
    ),
)
def test_the_api_would_take_real_ones(path: Path) -> None:
    data = path.read_bytes()
    for transcript in detect(data, path.name).read(data):
        assert [refused(turns) for turns in requests(transcript.messages) if refused(turns)] == []
