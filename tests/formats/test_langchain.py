"""LangChain: both dumps are messages, calls that stand twice are one, and no copy of a changed text stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import InputError
from boildown.formats import langchain
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import SAMPLES, check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("derived/langchain_*.json", samples=["langchain.json"])
CALL = {"name": "ls", "args": {"d": "."}, "id": "c1", "type": "tool_call"}
USE = {"type": "tool_use", "id": "c1", "name": "ls", "input": {"d": "."}}
RAW = {"id": "c1", "type": "function", "function": {"name": "ls", "arguments": '{"d":"."}'}}


def typed(kind: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "data": {"content": content, "type": kind, **more}}


def built(of: str, content: Any, **more: Any) -> dict[str, Any]:
    place = ["langchain", "schema", "messages", of]
    return {"lc": 1, "type": "constructor", "id": place, "kwargs": {"content": content, **more}}


def dumped(*messages: Any) -> bytes:
    return json.dumps(messages).encode()


def only(data: bytes) -> Transcript:
    (found,) = read(langchain, data)
    return found


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(langchain, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(langchain, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_of_this_format_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "langchain")


HELLO = (typed("human", "a"), built("HumanMessage", "a"), built("HumanMessageChunk", "a"))


@pytest.mark.parametrize("message", HELLO)
def test_each_shape_is_found_out_and_comes_back_byte_for_byte(message: Any) -> None:
    line, state = json.dumps(message).encode(), json.dumps({"messages": [message], "k": 1}).encode()
    prompt = json.dumps({"lc": 1, "id": ["x", "ChatPromptValue"], "kwargs": {"messages": [message]}}).encode()
    for data in (b"[" + line + b"]", line + b"\n" + line, state, state + b"\n" + state, prompt):
        check_one_format(data, "langchain")
        check_round_trip(langchain, data)
        assert [m.text for t in read(langchain, data) for m in t.messages][:1] == ["a"]


@pytest.mark.parametrize(
    ("kind", "of", "role"),
    [
        ("human", "HumanMessage", "user"),
        ("ai", "AIMessage", "assistant"),
        ("AIMessageChunk", "AIMessageChunk", "assistant"),
        ("system", "SystemMessage", "system"),
    ],
)
def test_both_dumps_say_the_same(kind: str, of: str, role: str) -> None:
    for data in (dumped(typed(kind, "a", name="Ana")), dumped(built(of, "a", name="Ana"))):
        assert [(m.role, m.name, m.blocks) for m in only(data).messages] == [(role, "Ana", (Text("a", 0),))]


def test_calls_results_thoughts_and_images_are_blocks() -> None:
    content = [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "reasoning", "reasoning": "So"},
        {"type": "text", "text": "I look."},
        USE,
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        {"type": "file", "base64": "AAAA", "mime_type": "application/pdf"},
    ]
    data = dumped(
        typed("ai", content, tool_calls=[CALL], additional_kwargs={"reasoning_content": "Beside"}),
        typed("tool", [{"type": "text", "text": "a.py"}], tool_call_id="c1", status="error"),
        typed("function", "b.py", name="pwd"),
        typed("chat", "Well", role="critic"),
    )
    assert [(m.role, m.blocks) for m in only(data).messages] == [
        (
            "assistant",
            (
                Thinking("Beside"),
                Thinking("Hm", "sig", 0),
                Thinking("So", "", 1),
                Text("I look.", 2),
                Opaque("image", 765, data="https://x/y.png", at=4),
                Opaque("document", 1, media_type="application/pdf", data="AAAA", at=5),
                ToolCall("c1", "ls", '{"d":"."}', 6),
            ),
        ),
        ("tool", (ToolResult("c1", "a.py", is_error=True, at=0),)),
        ("tool", (ToolResult("pwd", "b.py", at=0),)),
        ("critic", (Text("Well", 0),)),
    ]


@pytest.mark.parametrize("content", ["a long list", [{"type": "text", "text": "a long list", "k": 1}]])
def test_no_copy_of_a_changed_result_stays(content: Any) -> None:
    result = typed("tool", content, tool_call_id="c1", artifact={"raw": "a long list"}, status="success")
    transcript = only(dumped(typed("ai", "", tool_calls=[CALL]), result))
    asked, answered = transcript.messages
    short = answered.with_blocks([ToolResult("c1", "short", at=0)])
    out = write(langchain, [transcript.with_messages([asked, short])])
    assert b"long" not in out
    assert list(json.loads(out)[1]["data"]) == list(result["data"])
    assert only(out).messages[1].text == "short"


def test_a_call_that_is_taken_out_leaves_no_copy() -> None:
    content = [{"type": "text", "text": "I look."}, USE]
    more = {"tool_calls": [CALL], "additional_kwargs": {"tool_calls": [RAW]}, "tool_call_chunks": [CALL]}
    transcript = only(dumped(typed("ai", content, **more)))
    (message,) = transcript.messages
    out = write(langchain, [transcript.with_messages([message.with_blocks(message.blocks[:1])])])
    assert b"c1" not in out
    assert json.loads(out)[0]["data"]["tool_calls"] == []


@pytest.mark.parametrize("make", [lambda text: typed("human", text, id=None), lambda text: built("HumanMessage", text)])
def test_a_changed_text_leaves_every_other_key_in_its_place(make: Any) -> None:
    data = dumped(make("long"), make("b"))
    assert write(langchain, [with_text(only(data), "short")]) == data.replace(b"long", b"short")


def test_the_tokens_of_a_changed_answer_go() -> None:
    meta = {"model_name": "m", "logprobs": {"content": [{"token": "long"}]}}
    out = write(langchain, [with_text(only(dumped(typed("ai", "a long one", response_metadata=meta))), "short")])
    assert b"long" not in out
    assert json.loads(out)[0]["data"]["response_metadata"] == {"model_name": "m"}


@pytest.mark.parametrize("make", [lambda text: typed("human", text), lambda text: built("HumanMessage", text)])
def test_a_new_message_stands_in_its_place_in_the_manner_of_the_file(make: Any) -> None:
    transcript = only(dumped(make("a"), make("b"), make("c")))
    new = Message("s1", "user", (Text("In short."),), covers=("m1", "m2"))
    out = write(langchain, [transcript.with_messages([new, transcript.messages[2]])])
    assert json.loads(out)[0].keys() == make("a").keys()
    assert [m.text for m in only(out).messages] == ["In short.", "c"]


def test_what_is_no_message_is_carried_and_noted() -> None:
    data = dumped(typed("human", "a"), typed("remove", ""), 7, typed("ai", "b"), typed("human", "c"))
    transcript = only(data)
    assert transcript.source is not None
    assert [n.where for n in transcript.source.notes] == ["message 2", "message 3"]
    check_round_trip(langchain, data)


def test_a_file_that_breaks_off_says_where() -> None:
    with pytest.raises(InputError, match=r"line \d+, column \d+: the JSON ends in the middle"):
        read(langchain, (SAMPLES / "langchain.json").read_bytes()[:900])


def test_conversations_of_another_format_become_an_array_or_an_object_a_line() -> None:
    messages = (
        Message("m1", "system", (Text("Be kind."),)),
        Message("m2", "user", (Text("ls?"), Opaque("image", 85, media_type="image/png", data="AAAA")), name="Ana"),
        Message("m3", "assistant", (Thinking("Hm"), Text("Yes."), ToolCall("c1", "ls", '{"d": 1}'))),
        Message("m4", "tool", (ToolResult("c1", "no", is_error=True),)),
    )
    one, two = write(langchain, [Transcript(messages)]), write(langchain, [Transcript(messages), Transcript(messages)])
    for out in (one, two):
        check_one_format(out, "langchain")
    for again in (only(one), *read(langchain, two)):
        assert [(m.role, m.name, [type(b) for b in m.blocks]) for m in again.messages] == [
            ("system", None, [Text]),
            ("user", "Ana", [Text, Opaque]),
            ("assistant", None, [Thinking, Text, ToolCall]),
            ("tool", None, [ToolResult]),
        ]
        assert again.messages[3].blocks == (ToolResult("c1", "no", is_error=True, at=0),)
