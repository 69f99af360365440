"""Inspect's eval logs: each sample is a conversation, and what its log says once more goes where it changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import UsageError
from boildown.formats import inspect_ai
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("inspect-ai/*.json", samples=["inspect-ai.json"])
ASKED, ANSWERED = "What is the longest river of Europe?", "The longest river of Europe is the Volga."
KEY = "0123456789abcdef0123456789abcdef"


def said(role: str, content: Any, id: str = "", **more: Any) -> dict[str, Any]:
    return {**({"id": id} if id else {}), "content": content, "role": role, **more}


def sample(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"id": 1, "epoch": 1, "messages": list(messages), **more}


def log(*samples: Any, **more: Any) -> bytes:
    return json.dumps(
        {"version": 2, "status": "success", "eval": {"task": "t"}, "samples": list(samples), **more}
    ).encode()


def only(data: bytes) -> Transcript:
    (found,) = read(inspect_ai, data)
    return found


def first(transcript: Transcript, messages: Sequence[Message] | None = None) -> Any:
    """The first sample of the log written with `messages`."""
    kept = transcript if messages is None else transcript.with_messages(messages)
    return json.loads(write(inspect_ai, [kept]))["samples"][0]


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(inspect_ai, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(inspect_ai, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_an_inspect_log_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "inspect-ai")


@pytest.mark.parametrize("path", FILES)
def test_nothing_of_what_was_said_is_left_in_a_log_without_its_messages(path: Path) -> None:
    found = read(inspect_ai, path.read_bytes())
    out = write(inspect_ai, [t.with_messages([]) for t in found]).decode().casefold()
    lines = {line for t in found for m in t.messages for line in m.text.split("\n") if len(line) > 40}
    assert [line for line in lines if json.dumps(line, ensure_ascii=False)[1:-1].casefold() in out] == []


def test_each_part_becomes_the_block_that_the_model_is_shown() -> None:
    parts = [
        {"type": "reasoning", "reasoning": "Hm", "signature": "Eq"},
        {"type": "reasoning", "reasoning": "secret", "redacted": True, "summary": "in short"},
        {"type": "text", "text": "See"},
        {"type": "image", "image": "https://x/y.png"},
        {"type": "novel", "words": "w"},
    ]
    call = {"id": "c", "function": "add", "arguments": {"a": 1}}
    data = log(sample(said("assistant", parts, tool_calls=[call]), said("tool", "2", tool_call_id="c", function="add")))
    assert [(m.role, m.blocks) for m in only(data).messages] == [
        (
            "assistant",
            (
                Thinking("Hm", "Eq", 0),
                Thinking("in short", "secret", 1),
                Text("See", 2),
                Opaque("image", 765, "", "", "https://x/y.png", 3),
                Opaque("novel", text='{"type":"novel","words":"w"}', at=4),
                ToolCall("c", "add", '{"a":1}', 0),
            ),
        ),
        ("tool", (ToolResult("c", "2", at=0),)),
    ]


def test_an_attachment_is_read_where_it_stands_for_a_text_and_goes_when_nothing_names_it() -> None:
    asked = said("user", f"attachment://{KEY}", "u")
    transcript = only(log(sample(asked, said("user", "b", "v"), attachments={KEY: "long words", "f0": "unnamed"})))
    assert transcript.messages[0].text == "long words"
    changed = first(with_text(transcript, "short"))
    assert (changed["messages"][0]["content"], changed["attachments"]) == ("short", {})
    assert first(transcript, transcript.messages[:1])["attachments"] == {KEY: "long words"}


def test_an_error_is_what_the_model_is_shown_of_a_result() -> None:
    call = said("assistant", "", tool_calls=[{"id": "c", "function": "f", "arguments": {}}])
    failed = said("tool", "", tool_call_id="c", error={"type": "timeout", "message": "Too slow"})
    transcript = only(log(sample(call, failed)))
    assert transcript.messages[1].blocks == (ToolResult("c", "Too slow", is_error=True, at=0),)
    short = transcript.messages[1].with_blocks([ToolResult("c", "Slow", is_error=True, at=0)])
    out = first(transcript, [transcript.messages[0], short])
    assert out["messages"][1]["error"] == {"type": "timeout", "message": "Slow"}


def full() -> dict[str, Any]:
    """A sample that says all of its messages several times."""
    asked, answered = said("user", ASKED, "u"), said("assistant", ANSWERED, "a")
    events = [
        {"event": "span_begin", "id": "s"},
        {"event": "model", "input": [asked], "output": {"choices": [{"message": answered}]}},
        {"event": "score", "score": {"explanation": ANSWERED}},
    ]
    output = {"model": "m", "choices": [{"message": answered, "stop_reason": "stop"}]}
    score = {"value": "C", "answer": ANSWERED.lower(), "explanation": ANSWERED}
    more = {
        "scores": {"includes": score},
        "store": {"last": ANSWERED},
        "events": events,
        "events_data": {"messages": [asked]},
    }
    return sample(asked, answered, input=ASKED, target="the Volga", output=output, **more)


REDUCTIONS = [{"scorer": "includes", "samples": [{"value": 1.0, "explanation": ANSWERED, "sample_id": 1}]}]


def test_a_changed_answer_is_changed_wherever_its_sample_and_the_log_repeat_it() -> None:
    data = log(full(), reductions=REDUCTIONS)
    transcript = only(data)
    asked, answered = transcript.messages
    out = json.loads(write(inspect_ai, [transcript.with_messages([asked, answered.with_blocks([Text("Volga.", 0)])])]))
    (changed,) = out["samples"]
    assert changed["output"]["choices"][0] == {"message": said("assistant", "Volga.", "a"), "stop_reason": "stop"}
    assert changed["scores"]["includes"] == {"value": "C", "answer": "Volga.", "explanation": "Volga."}
    assert changed["store"] == {"last": "Volga."}
    assert (changed["input"], changed["target"]) == (ASKED, "the Volga")
    assert changed["events"] == [{"event": "span_begin", "id": "s"}]
    assert "events_data" not in changed
    assert out["reductions"][0]["samples"][0]["explanation"] == "Volga."
    assert ANSWERED.casefold() not in json.dumps(out).casefold()


def test_a_message_that_went_leaves_an_empty_place_where_the_log_needs_one() -> None:
    out = first(only(log(full())), [])
    assert (out["input"], out["messages"]) == ("", [])
    assert out["output"]["choices"][0]["message"] == said("assistant", "", "a", tool_calls=None)


def test_an_input_of_messages_loses_those_that_went() -> None:
    system, asked = said("system", "Be brief.", "s"), said("user", ASKED, "u")
    transcript = only(log(sample(system, asked, input=[system, asked])))
    assert first(transcript, transcript.messages[1:])["input"] == [asked]
    assert first(with_text(transcript, "Brief."))["input"] == [said("system", "Brief.", "s"), asked]


def test_a_sample_that_did_not_change_keeps_all_its_bytes_beside_one_that_did() -> None:
    data = log(full(), full(), reductions=REDUCTIONS)
    one, two = read(inspect_ai, data)
    out = write(inspect_ai, [with_text(one, "River?"), two])
    whole = json.dumps(full()).encode()
    assert data.count(whole) == 2
    assert out.count(whole) == 1
    assert json.loads(out)["samples"][0]["input"] == "River?"


def test_a_changed_text_leaves_every_other_key_in_its_place() -> None:
    data = b'{"version": 2, "eval": {}, "samples": [{"messages": [{"x": 0, "role": "user", "content": "a"}], "y": 2}]}'
    assert write(inspect_ai, [with_text(only(data), "b")]) == data.replace(b'"a"', b'"b"')


def test_a_new_message_stands_in_its_place() -> None:
    transcript = only(log(full()))
    new = Message("s1", "user", (Text("In short."),))
    out = first(transcript, [new, transcript.messages[1]])
    assert out["messages"] == [said("user", "In short."), said("assistant", ANSWERED, "a")]


@pytest.mark.parametrize("more", [{}, {"samples": None}, {"samples": []}])
def test_a_log_without_samples_is_carried_and_noted(more: dict[str, Any]) -> None:
    data = json.dumps({"version": 2, "eval": {"task": "t"}, **more}).encode()
    check_one_format(data, "inspect-ai")
    check_round_trip(inspect_ai, data)
    source = only(data).source
    assert source is not None
    assert [n.what for n in source.notes] == ["no samples"]


def test_what_is_no_sample_or_message_is_carried_and_noted() -> None:
    data = log(7, sample("x", said("user", "a")), {"id": 3})
    check_round_trip(inspect_ai, data)
    found = read(inspect_ai, data)
    assert [[n.where for n in t.source.notes] for t in found if t.source] == [
        ["sample 1"],
        ["sample 2, message 1"],
        ["sample 3"],
    ]


@pytest.mark.parametrize("data", [b'{"samples": []}', b'[{"eval": {}}]'])
def test_what_is_no_log_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="without an eval"):
        read(inspect_ai, data)


def test_a_conversation_of_another_format_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="--to openai"):
        write(inspect_ai, [Transcript((Message("m1", "user", (Text("a"),)),))])
