"""Gemini CLI sessions: a record is the model's words and what its calls gave back; no copy of a changed text stays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import UsageError
from boildown.formats import gemini_cli
from boildown.transcript import Block, Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("gemini/*.json", "multi-cli-pomodoro/gemini*.json", samples=["gemini-cli.json"])
HEAD = {"sessionId": "s", "projectHash": "p", "startTime": "t", "lastUpdated": "t"}
OUTPUT = {"functionResponse": {"id": "c1", "name": "ls", "response": {"output": "a long list"}}}
THOUGHT = {"subject": "Listing", "description": "I list.", "timestamp": "t"}


def record(id: str, type: str, content: Any = "", **more: Any) -> dict[str, Any]:
    return {"id": id, "timestamp": "t", "type": type, "content": content, **more}


def tool(result: Any, **more: Any) -> dict[str, Any]:
    return {"id": "c1", "name": "ls", "args": {"d": "."}, "result": result, "status": "success", **more}


def session(*records: Any) -> bytes:
    return json.dumps({**HEAD, "messages": list(records)}).encode()


def state_lines(*records: Any) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in (HEAD, *records))


def only(data: bytes) -> Transcript:
    (found,) = read(gemini_cli, data)
    return found


def saying(data: bytes, blocks: Sequence[Block], id: str) -> bytes:
    """The file with the blocks of one message replaced."""
    transcript = only(data)
    now = [m.with_blocks(blocks) if m.id == id else m for m in transcript.messages]
    return write(gemini_cli, [transcript.with_messages(now)])


def without(data: bytes, *gone: str) -> bytes:
    transcript = only(data)
    return write(gemini_cli, [transcript.with_messages(m for m in transcript.messages if m.id not in gone)])


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(gemini_cli, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(gemini_cli, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_of_this_format_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "gemini-cli")


def test_a_record_is_the_models_message_and_its_tools() -> None:
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    failed = tool("no", status="error")
    data = session(
        record("1", "user", [{"text": "See "}, picture]),
        record("2", "info", "Update available"),
        record("3", "gemini", "Yes.", thoughts=[THOUGHT], toolCalls=[tool([OUTPUT, picture]), failed]),
        record("4", "gemini", "Done."),
    )
    image = Opaque("image", 258, media_type="image/png", data="AAAA", at=1)
    assert [(m.role, m.blocks, m.records) for m in only(data).messages] == [
        ("user", (Text("See ", 0), image), (0,)),
        (
            "assistant",
            (
                Thinking("**Listing** I list.", at=0),
                Text("Yes.", 1),
                ToolCall("c1", "ls", '{"d":"."}', 2),
                ToolCall("c1", "ls", '{"d":"."}', 3),
            ),
            (2,),
        ),
        (
            "tool",
            (ToolResult("c1", "a long list", (image,), at=0), ToolResult("c1", "no", is_error=True, at=1)),
            (2,),
        ),
        ("assistant", (Text("Done.", 0),), (3,)),
    ]


def test_what_the_client_told_its_user_is_carried_in_its_place() -> None:
    data = session(record("1", "user", "a"), record("2", "error", "Quota"), record("3", "user", "b"))
    assert [r["id"] for r in json.loads(without(data, "m1"))["messages"]] == ["2", "3"]


@pytest.mark.parametrize("result", [[OUTPUT], OUTPUT, "a long list"])
def test_no_copy_of_a_changed_result_stays(result: Any) -> None:
    shown = {"fileDiff": "a long list"}
    data = session(record("1", "user", "Hi"), record("2", "gemini", toolCalls=[tool(result, resultDisplay=shown, k=1)]))
    out = saying(data, [ToolResult("c1", "short", at=0)], "m3")
    assert b"long" not in out
    (call,) = json.loads(out)["messages"][1]["toolCalls"]
    assert list(call) == ["id", "name", "args", "result", "status", "k"]
    assert only(out).messages[2].text == "short"


def test_a_changed_text_leaves_every_other_key_in_its_place() -> None:
    data = session(record("1", "user", "long", k=1), record("2", "gemini", "b", tokens={"total": 3}))
    assert write(gemini_cli, [with_text(only(data), "short")]) == data.replace(b"long", b"short")


def test_a_thought_that_is_taken_out_leaves_its_record() -> None:
    data = session(record("1", "user", "a"), record("2", "gemini", "b", thoughts=[THOUGHT], model="m"))
    out = json.loads(saying(data, [Text("b", 1)], "m2"))
    assert out["messages"][1] == record("2", "gemini", "b", model="m")


def test_a_call_goes_with_its_record_and_its_result() -> None:
    data = session(
        record("1", "user", "a"), record("2", "gemini", toolCalls=[tool([OUTPUT])]), record("3", "gemini", "c")
    )
    assert json.loads(without(data, "m2", "m3"))["messages"] == [record("1", "user", "a"), record("3", "gemini", "c")]


def test_content_that_holds_calls_and_thoughts_is_what_the_model_is_shown() -> None:
    held = [
        {"text": "Hm", "thought": True, "thoughtSignature": "sig"},
        {"functionCall": {"name": "ls", "args": {"d": "."}}, "thoughtSignature": "x"},
    ]
    data = session(
        record("1", "user", "a"), record("2", "gemini", held, thoughts=[THOUGHT], toolCalls=[tool([OUTPUT])])
    )
    said, result = only(data).messages[1:]
    assert said.blocks == (Thinking("Hm", "sig", 0), ToolCall("c1", "ls", '{"d":"."}', 1))
    assert result.blocks == (ToolResult("c1", "a long list", at=0),)
    out = json.loads(saying(data, said.blocks[1:], "m2"))["messages"][1]
    assert (out["content"], "thoughts" in out) == ([held[1]], False)


def test_a_users_record_that_repeats_a_response_is_no_message_and_goes_with_it() -> None:
    data = session(
        record("1", "user", "a"),
        record("2", "gemini", toolCalls=[tool([OUTPUT])]),
        record("3", "user", [OUTPUT]),
        record("4", "user", "b"),
    )
    check_round_trip(gemini_cli, data)
    assert [m.role for m in only(data).messages] == ["user", "assistant", "tool", "user"]
    assert b"long" not in saying(data, [ToolResult("c1", "short", at=0)], "m3")
    assert [r["id"] for r in json.loads(without(data, "m2", "m3"))["messages"]] == ["1", "4"]


def test_of_the_lines_of_a_session_the_last_state_of_each_message_holds() -> None:
    asked = record("2", "gemini", "long", toolCalls=[])
    data = state_lines(
        record("1", "user", "a"),
        asked,
        {**asked, "toolCalls": [tool([OUTPUT])]},
        {"$set": {"lastUpdated": "u"}},
        record("3", "user", "gone"),
        {"$rewindTo": "3"},
        record("4", "user", "b"),
    )
    check_one_format(data, "gemini-cli")
    check_round_trip(gemini_cli, data)
    assert [(m.text, m.records) for m in only(data).messages] == [
        ("a", (1,)),
        ("long", (3,)),
        ("a long list", (3,)),
        ("b", (7,)),
    ]
    said = only(data).messages[1].blocks
    out = saying(data, [replace(said[0], text="short") if isinstance(said[0], Text) else said[0], *said[1:]], "m2")
    assert out.count(b'"long"') == 0
    assert [m.text for m in only(out).messages] == ["a", "short", "a long list", "b"]


def test_a_bad_line_and_an_unknown_type_are_carried_and_noted() -> None:
    data = state_lines(record("1", "user", "a"), record("2", "novel")) + b'{"id": "3", "ty\n'
    transcript = only(data)
    assert transcript.source is not None
    assert [(n.what, n.where) for n in transcript.source.notes] == [
        ("unknown record", "line 3"),
        ("bad line", "line 4"),
    ]
    check_round_trip(gemini_cli, data)


@pytest.mark.parametrize("odd", [None, 7, True, [], {"a": 1}, [None, "x", {"text": 3}]])
def test_what_stands_where_something_else_should_is_carried(odd: Any) -> None:
    for key in ("id", "type", "content", "thoughts", "toolCalls", "timestamp"):
        check_round_trip(gemini_cli, session({**record("1", "user", "a"), key: odd}, record("2", "gemini", "b")))
        check_round_trip(gemini_cli, session({**record("1", "gemini", "a"), key: odd}, record("2", "user", "b")))
    for key in ("id", "name", "args", "result", "status"):
        check_round_trip(gemini_cli, session(record("1", "gemini", "a", toolCalls=[{**tool([OUTPUT]), key: odd}])))


def test_a_new_message_stands_in_its_place_and_not_between_a_call_and_its_result() -> None:
    transcript = only(session(record("1", "user", "a"), record("2", "gemini", toolCalls=[tool([OUTPUT])])))
    asked, result = transcript.messages[1:]
    new = Message("s1", "user", (Text("In short."),))
    for messages in ([new, asked, result], [new, asked, new, result]):
        out = json.loads(write(gemini_cli, [transcript.with_messages(messages)]))["messages"]
        assert [(r["type"], r["content"]) for r in out][:2] == [("user", "In short."), ("gemini", "")]


def test_a_conversation_of_another_format_becomes_a_session() -> None:
    calls = (ToolCall("c1", "ls", "{}"), ToolCall("c2", "w", "{}"))
    messages = (
        Message("m1", "user", (Text("ls?"), Opaque("image", 85, media_type="image/png", data="AAAA"))),
        Message("m2", "assistant", (Thinking("Hm"), Text("Yes."), *calls)),
        Message("m3", "tool", (ToolResult("c1", "a.py"),)),
        Message("m4", "tool", (ToolResult("c2", "no", is_error=True),)),
        Message("m5", "assistant", (Text("One file."),)),
    )
    out = write(gemini_cli, [Transcript(messages)])
    check_one_format(out, "gemini-cli")
    assert [r["type"] for r in json.loads(out)["messages"]] == ["user", "gemini", "gemini"]
    assert [m.blocks for m in only(out).messages][1:3] == [
        (Thinking("Hm", at=0), Text("Yes.", 1), ToolCall("c1", "ls", "{}", 2), ToolCall("c2", "w", "{}", 3)),
        (ToolResult("c1", "a.py", at=0), ToolResult("c2", "no", is_error=True, at=1)),
    ]
    assert write(gemini_cli, [Transcript(messages)]) == out


def test_a_result_goes_to_the_last_call_with_its_id() -> None:
    asked, told = (
        Message("m1", "assistant", (ToolCall("c1", "ls", "{}"),)),
        Message("m2", "tool", (ToolResult("c1", "a"),)),
    )
    again = Message("m4", "tool", (ToolResult("c1", "b"),))
    out = write(gemini_cli, [Transcript((asked, told, replace(asked, id="m3"), again))])
    assert [m.text for m in only(out).messages if m.role == "tool"] == ["a", "b"]


def test_two_conversations_do_not_fit_one_session() -> None:
    one = Transcript((Message("m1", "user", (Text("a"),)),))
    with pytest.raises(UsageError, match="one conversation"):
        write(gemini_cli, [one, one])
