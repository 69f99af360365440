"""ShareGPT: turns are messages, calls and what tools gave back find each other, and the source's words stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boildown.formats import sharegpt
from boildown.transcript import Message, Text, ToolCall, ToolResult, Transcript
from roundtrip import check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("sharegpt/*.json", "derived/sharegpt.json", samples=["sharegpt.json"])


def turns(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"from": who, "value": value} for who, value in pairs]


def held(*pairs: tuple[str, Any], key: str = "conversations") -> bytes:
    return json.dumps({"id": "x", key: turns(*pairs)}).encode()


def only(data: bytes) -> Transcript:
    (found,) = read(sharegpt, data)
    return found


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(sharegpt, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(sharegpt, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_a_sharegpt_file_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "sharegpt")


@pytest.mark.parametrize("key", ["conversations", "items", "messages"])
def test_the_turns_are_found_under_each_usual_key(key: str) -> None:
    data = held(("human", "a"), ("gpt", "b"), key=key)
    check_one_format(data, "sharegpt")
    assert [(m.role, m.text) for m in only(data).messages] == [("user", "a"), ("assistant", "b")]


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("user", "user"),
        ("chatgpt", "assistant"),
        ("bing", "assistant"),
        ("bard", "assistant"),
        ("system", "system"),
        ("narrator", "narrator"),
    ],
)
def test_each_word_for_a_speaker_is_a_role_and_is_written_back(word: str, role: str) -> None:
    transcript = only(held((word, "long"), ("gpt", "b")))
    assert transcript.messages[0].role == role
    assert write(sharegpt, [with_text(transcript, "a")]) == held((word, "a"), ("gpt", "b"))


def test_a_conversation_a_line_and_bad_lines_between_them_round_trip() -> None:
    data = held(("human", "a")) + b"\r\n\n{broken\n" + held(("human", "b")) + b"\n\n"
    check_round_trip(sharegpt, data)
    found = read(sharegpt, data)
    assert [t.title for t in found] == ["x", "", "x"]
    assert found[1].source is not None
    assert [(n.what, n.where) for n in found[1].source.notes] == [("bad line", "line 3")]


def test_a_function_call_is_a_call_and_the_observation_its_result() -> None:
    call = '{"name": "forecast", "arguments": {"city": "Porto"}}'
    data = held(("human", "Rain?"), ("function_call", call), ("observation", "no"), ("gpt", "No."))
    assert [m.blocks for m in only(data).messages] == [
        (Text("Rain?", 0),),
        (ToolCall("c1", "forecast", '{"city":"Porto"}', 0),),
        (ToolResult("c1", "no", at=0),),
        (Text("No.", 0),),
    ]


def test_calls_written_as_chat_completions_before_a_tool_turn_are_calls() -> None:
    calls = json.dumps([{"id": "k", "type": "function", "function": {"name": "f", "arguments": "{}"}}])
    first = only(held(("gpt", calls), ("tool", "x"))).messages
    assert [m.blocks for m in first] == [(ToolCall("k", "f", "{}", 0),), (ToolResult("k", "x", at=0),)]
    assert only(held(("gpt", calls), ("human", "x"))).messages[0].blocks == (Text(calls, 0),)


def test_what_a_tool_says_without_a_call_before_it_is_text() -> None:
    assert [m.blocks for m in only(held(("human", "a"), ("tool", "x"))).messages] == [(Text("a", 0),), (Text("x", 0),)]


def test_a_call_whose_arguments_change_keeps_its_other_keys() -> None:
    data = held(("function_call", '{"k":1,"name":"f","arguments":{"a":1}}'), ("observation", "x"))
    transcript = only(data)
    call, result = transcript.messages
    out = write(sharegpt, [transcript.with_messages([call.with_blocks([ToolCall("c1", "f", '{"a":2}', 0)]), result])])
    assert json.loads(json.loads(out)["conversations"][0]["value"]) == {"k": 1, "name": "f", "arguments": {"a": 2}}


def test_a_changed_text_leaves_every_other_key_in_its_place() -> None:
    data = b'{"id": 1, "conversations": [{"loss": true, "value": "a", "from": "human", "z": [1, 2]}], "n": {"q": 0}}'
    assert write(sharegpt, [with_text(only(data), "b")]) == data.replace(b'"a"', b'"b"')


def test_a_new_turn_speaks_in_the_words_of_its_conversation() -> None:
    transcript = only(held(("user", "a"), ("assistant", "b")))
    new = Message("s1", "user", (Text("In short."),))
    out = json.loads(write(sharegpt, [transcript.with_messages([new, transcript.messages[1]])]))
    assert out["conversations"][0] == {"from": "user", "value": "In short."}


def test_a_turn_that_is_no_turn_is_carried_and_noted() -> None:
    data = b'{"conversations": [{"from": "human", "value": "a"}, 7, {"from": "gpt", "value": null}]}'
    transcript = only(data)
    assert transcript.source is not None
    assert [n.where for n in transcript.source.notes] == ["turn 2"]
    check_round_trip(sharegpt, data)


def test_conversations_of_another_format_become_an_array() -> None:
    messages = (
        Message("m1", "user", (Text("Rain?"),)),
        Message("m2", "assistant", (Text("I look."), ToolCall("k", "f", '{"a": 1}'), ToolCall("l", "g", "{}"))),
        Message("m3", "tool", (ToolResult("k", "no"),)),
        Message("m4", "tool", (ToolResult("l", "yes"),)),
    )
    out = write(sharegpt, [Transcript(messages, title="T"), Transcript(messages)])
    assert [c["id"] for c in json.loads(out)] == ["T", "conversation-2"]
    check_one_format(out, "sharegpt")
    first, _ = read(sharegpt, out)
    assert [b for m in first.messages for b in m.blocks] == [
        Text("Rain?", 0),
        Text("I look.", 0),
        ToolCall("c1", "f", '{"a":1}', 0),
        ToolCall("c2", "g", "{}", 1),
        ToolResult("c1", "no", at=0),
        ToolResult("c2", "yes", at=0),
    ]


def test_an_array_that_breaks_off_says_where() -> None:
    data = b"[" + (held(("human", "a")) + b",\n") * 70 + b'{"conversations": [{"from": "hu'
    with pytest.raises(json.JSONDecodeError) as caught:
        read(sharegpt, data)
    assert caught.value.lineno == 71
