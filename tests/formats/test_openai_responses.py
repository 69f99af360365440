"""OpenAI Responses: items are messages, reasoning stays with what it led to, and instructions beside them are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import InputError
from boildown.formats import detect, openai_responses
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import SAMPLES, check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("derived/openai_responses.json", samples=["openai-responses.json"])
THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]}
CALL = {"id": "fc_1", "type": "function_call", "name": "ls", "arguments": "{}", "call_id": "c1"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "a.py b.py"}


def said(text: str, role: str = "assistant", **more: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text, **more}]}


def body(*items: Any, **more: Any) -> bytes:
    return json.dumps({**more, "input": list(items)}).encode()


def only(data: bytes) -> Transcript:
    (found,) = read(openai_responses, data)
    return found


def without(data: bytes, *gone: str) -> Any:
    transcript = only(data)
    left = transcript.with_messages(m for m in transcript.messages if m.id not in gone)
    return json.loads(write(openai_responses, [left]))


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(openai_responses, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(openai_responses, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_of_this_format_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "openai-responses")


@pytest.mark.parametrize(
    "data",
    [
        body(said("Hi", "user")),
        body({"role": "user", "content": "Hi"}, model="gpt-5.2"),
        body(said("Hi", "user")) + b"\n" + body(said("Ho", "user")) + b"\n",
        b"[" + body(said("Hi", "user")) + b", " + body(said("Ho", "user")) + b"]",
        json.dumps([said("Hi", "user"), CALL, OUTPUT]).encode(),
        json.dumps(said("Hi", "user")).encode() + b"\n\n" + json.dumps(CALL).encode() + b"\n",
        json.dumps({"object": "response", "output": [THOUGHT, said("Hi")], "instructions": None}).encode(),
    ],
)
def test_each_shape_is_found_out_and_comes_back_byte_for_byte(data: bytes) -> None:
    check_one_format(data, "openai-responses")
    check_round_trip(openai_responses, data)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'[{"role": "user", "content": "Hi"}]', "openai"),
        (b'[{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]', "openai"),
        (b'[{"type": "message", "role": "assistant", "stop_sequence": null, "content": []}]', "anthropic"),
    ],
)
def test_messages_of_other_apis_are_not_taken_for_items(data: bytes, name: str) -> None:
    assert detect(data, "x").INFO.name == name


def test_each_item_becomes_the_block_that_the_model_is_shown() -> None:
    items = [
        said("Be brief.", "developer"),
        {"role": "user", "content": "ls?"},
        {**THOUGHT, "encrypted_content": "gAAA"},
        CALL,
        {**CALL, "call_id": "c2"},
        OUTPUT,
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "x"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"type": "web_search_call", "id": "ws", "action": {"type": "search", "query": "x"}},
    ]
    assert [(m.role, m.blocks, m.records) for m in only(body(*items)).messages] == [
        ("system", (Text("Be brief.", 0),), (0,)),
        ("user", (Text("ls?", 0),), (1,)),
        (
            "assistant",
            (Thinking("Hm", "gAAA", 0), ToolCall("c1", "ls", "{}", 1), ToolCall("c2", "ls", "{}", 2)),
            (2, 3, 4),
        ),
        ("tool", (ToolResult("c1", "a.py b.py", at=0),), (5,)),
        ("tool", (ToolResult("c2", "x", at=0),), (6,)),
        ("assistant", (Opaque("refusal", text="No.", at=0),), (7,)),
        ("assistant", (Opaque("web_search_call", text='{"type":"search","query":"x"}', at=0),), (8,)),
    ]


def test_instructions_are_the_system_message_and_go_when_it_goes() -> None:
    data = b'{"model": "m", "instructions": "Be brief.", "input": [{"role": "user", "content": "Hi"}]}'
    transcript = only(data)
    assert [(m.role, m.text) for m in transcript.messages] == [("system", "Be brief."), ("user", "Hi")]
    assert write(openai_responses, [with_text(transcript, "Short.")]) == data.replace(b"Be brief.", b"Short.")
    assert without(data, "m1") == {"model": "m", "input": [{"role": "user", "content": "Hi"}]}


def test_a_changed_text_leaves_every_other_key_in_its_place() -> None:
    data = body({"id": "msg", **said("long", "user", k=1), "z": 2}, temperature=0)
    assert write(openai_responses, [with_text(only(data), "short")]) == data.replace(b"long", b"short")


def test_what_points_into_a_changed_text_or_repeats_it_goes() -> None:
    words = said("a long answer", logprobs=[{"token": "long"}], annotations=[{"start_index": 2}], k=1)
    data = json.dumps({"output": [words], "output_text": "a long answer"}).encode()
    out = write(openai_responses, [with_text(only(data), "short")])
    assert b"long" not in out
    assert json.loads(out)["output"][0]["content"] == [
        {"type": "output_text", "text": "short", "logprobs": [], "annotations": [], "k": 1}
    ]
    assert json.loads(out)["output_text"] == "short"


def test_reasoning_goes_with_what_it_led_to() -> None:
    data = body(said("a", "user"), THOUGHT, CALL, OUTPUT, said("b"))
    assert without(data, "m2", "m3") == {"input": [said("a", "user"), said("b")]}


def test_a_call_whose_reasoning_is_gone_has_no_id_by_which_the_api_would_miss_it() -> None:
    transcript = only(body(said("a", "user"), THOUGHT, CALL, OUTPUT))
    first, thought, result = transcript.messages
    left = transcript.with_messages([first, thought.with_blocks(thought.blocks[1:]), result])
    bare = {key: value for key, value in CALL.items() if key != "id"}
    assert json.loads(write(openai_responses, [left]))["input"] == [said("a", "user"), bare, OUTPUT]


def test_a_shortened_output_leaves_no_long_one() -> None:
    transcript = only(body(CALL, OUTPUT, said("done")))
    call, result, end = transcript.messages
    out = write(
        openai_responses, [transcript.with_messages([call, result.with_blocks([ToolResult("c1", "a", at=0)]), end])]
    )
    assert json.loads(out)["input"] == [CALL, {**OUTPUT, "output": "a"}, said("done")]


def test_a_changed_line_keeps_its_ending() -> None:
    line = json.dumps(said("long", "user")).encode()
    data = line + b"\r\n" + line.replace(b"long", b"b") + b"\r\n"
    assert write(openai_responses, [with_text(only(data), "short")]) == data.replace(b"long", b"short")


def test_a_new_message_stands_in_its_place() -> None:
    transcript = only(body(said("a", "user"), THOUGHT, said("b"), said("c", "user")))
    first, second, third = transcript.messages
    new = Message("s1", "user", (Text("In short."),), covers=(first.id,))
    out = json.loads(write(openai_responses, [transcript.with_messages([new, second, third])]))
    assert out["input"] == [said("In short.", "user"), THOUGHT, said("b"), said("c", "user")]


def test_bad_lines_and_unknown_records_are_carried_and_noted() -> None:
    data = json.dumps(said("a", "user")).encode() + b'\n{"type": "mess\n7\n' + json.dumps(OUTPUT).encode() + b"\n"
    transcript = only(data)
    assert transcript.source is not None
    assert [(n.what, n.where) for n in transcript.source.notes] == [
        ("bad line", "line 2"),
        ("unknown record", "item 3"),
    ]
    check_round_trip(openai_responses, data)


def test_a_body_that_breaks_off_says_where() -> None:
    data = (SAMPLES / "openai-responses.json").read_bytes()[:900]
    with pytest.raises(InputError, match=r"line \d+, column \d+: the JSON ends in the middle"):
        read(openai_responses, data)


def test_conversations_of_another_format_become_a_body_a_line() -> None:
    messages = (
        Message("m1", "system", (Text("Be kind."),)),
        Message("m2", "user", (Text("ls?"), Opaque("image", 85, media_type="image/png", data="AAAA"))),
        Message("m3", "assistant", (Text("Yes."), ToolCall("c1", "ls", "{}"))),
        Message("m4", "tool", (ToolResult("c1", "a.py"),)),
    )
    out = write(openai_responses, [Transcript(messages), Transcript(messages)])
    check_one_format(out, "openai-responses")
    again = read(openai_responses, out)
    assert [[(m.role, m.text) for m in t.messages] for t in again] == [
        [("system", "Be kind."), ("user", "ls?"), ("assistant", "Yes."), ("assistant", ""), ("tool", "a.py")]
    ] * 2
