"""OpenAI Chat Completions: every shape of file, every kind of part, and the hostile files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import InputError
from boildown.formats import openai
from boildown.run import conversations, reader
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import DATA, check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files(
    "derived/openai_chat.jsonl",
    "derived/openai_messages_array.json",
    samples=["openai.jsonl", "openai-tools.json", "openai-output.jsonl"],
)
EDGE = {
    "bad_lines.jsonl": None,
    "bom.json": None,
    "crlf.jsonl": None,
    "deep_nesting.json": None,
    "empty.json": "the file is empty. Give a file that holds a conversation.",
    "empty.jsonl": "the file is empty. Give a file that holds a conversation.",
    "empty_array.json": None,
    "image_parts.json": None,
    "invalid_utf8.jsonl": None,
    "lone_surrogate.json": None,
    "multilingual.json": None,
    "no_trailing_newline.jsonl": None,
    "null_content.json": None,
    "one_huge_message.json": None,
    "orphan_tool_result.json": None,
    "truncated.json": "line 1, column 10630: the JSON ends in the middle: the file was cut off. Get a whole copy of it",
    "utf16.json": None,
}


def only(value: Any) -> Transcript:
    (found,) = read(openai, value if isinstance(value, bytes) else json.dumps(value).encode())
    return found


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(openai, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(openai, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_an_openai_file_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "openai")


@pytest.mark.skipif(not (DATA / "derived/edge").is_dir(), reason="../shared/data is not part of the clone")
def test_every_hostile_file_is_expected_below() -> None:
    assert {p.name for p in (DATA / "derived/edge").iterdir()} == EDGE.keys()


@pytest.mark.parametrize("path", files("derived/edge/*"))
def test_a_hostile_file_round_trips_or_says_where_it_breaks_and_what_to_do(path: Path) -> None:
    data, expected = path.read_bytes(), EDGE[path.name]
    if expected is not None:
        with pytest.raises(InputError) as caught:
            list(conversations(reader(data, path.name)[0], data, path.name))
        assert str(caught.value).startswith(f"{path.name}: {expected}")
        return
    form, plain, code = reader(data, path.name)
    assert form.INFO.name == "openai"
    check_round_trip(form, plain)
    check_thinned(form, plain)
    assert code.bom + code.encode(write(form, conversations(form, plain, path.name))) == data


@pytest.mark.parametrize("path", files("derived/edge/bad_lines.jsonl"))
def test_bad_lines_are_carried_as_messages_and_noted(path: Path) -> None:
    transcript = only(path.read_bytes())
    assert transcript.source is not None
    notes = transcript.source.notes
    assert {n.what for n in notes} <= {"bad line", "unknown record"}
    assert any(n.what == "bad line" for n in notes)
    unknown = [m for m in transcript.messages if m.role == "unknown"]
    assert len(unknown) == len(notes)


MESSAGES = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
SHAPES = {
    "an array of messages": json.dumps(MESSAGES, indent=2),
    "a message a line": "".join(json.dumps(m) + "\n" for m in MESSAGES),
    "a message a line, no ending": "\n".join(json.dumps(m) for m in MESSAGES),
    "an array of conversations": json.dumps([{"id": 1, "messages": MESSAGES}, {"messages": MESSAGES, "k": 2}]),
    "a conversation a line": 2 * (json.dumps({"messages": MESSAGES, "tools": []}) + "\n"),
    "a request body": json.dumps({"model": "gpt-5.2", "messages": MESSAGES, "stream": True}, indent=1) + "\n",
    "one message": json.dumps(MESSAGES[0]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_file_round_trips(shape: str) -> None:
    data = SHAPES[shape].encode()
    check_one_format(data, "openai")
    check_round_trip(openai, data)
    assert all([m.text for m in t.messages] == ["a", "b"][: len(t.messages)] for t in read(openai, data))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_dropped_message_leaves_its_file_in_shape(shape: str) -> None:
    transcripts = read(openai, SHAPES[shape].encode())
    data = write(openai, [t.with_messages(t.messages[1:]) for t in transcripts])
    if shape != "one message":
        assert [[m.text for m in t.messages] for t in read(openai, data)] == [["b"]] * len(transcripts)
    assert b'"a"' not in data


def test_an_element_that_is_no_conversation_is_carried_and_noted() -> None:
    data = json.dumps([{"messages": MESSAGES}, {"error": 1}, {"messages": MESSAGES}]).encode()
    found = read(openai, data)
    assert [len(t.messages) for t in found] == [2, 0, 2]
    assert found[1].source is not None
    assert [n.where for n in found[1].source.notes] == ["conversation 2"]
    check_round_trip(openai, data)


def test_each_kind_of_content_becomes_its_block() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}}
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
        {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "raw"}},
    ]
    found = only(
        [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "Ana", "content": [{"type": "text", "text": "see"}, image]},
            {"role": "assistant", "content": None, "reasoning_content": "Hm", "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "1"}, image]},
            {"role": "function", "name": "g", "content": "2"},
            {"role": "assistant", "content": "", "refusal": "I can't."},
        ]
    )
    picture = Opaque("image", 85, data="https://x/y.png", at=1)
    assert [(m.role, m.name, m.blocks) for m in found.messages] == [
        ("system", None, (Text("Be brief.", 0),)),
        ("user", "Ana", (Text("see", 0), picture)),
        ("assistant", None, (Thinking("Hm"), ToolCall("c1", "f", '{"a": 1}', 0), ToolCall("c2", "g", "raw", 1))),
        ("tool", None, (ToolResult("c1", "1", (picture,), at=0),)),
        ("tool", "g", (ToolResult("g", "2", at=0),)),
        ("assistant", None, (Opaque("refusal", text="I can't."),)),
    ]


def test_content_that_is_not_utf_8_is_shown_and_written_back() -> None:
    data = b'[{"role": "user", "content": {"odd": "caf\xe9"}}]'
    assert only(data).messages[0].blocks == (Opaque("content", text='{"odd":"caf\udce9"}', at=0),)
    check_round_trip(openai, data)


@pytest.mark.parametrize(
    "data",
    [
        b'[{"x": 1, "content": "a", "role": "user", "y": {"z": [1]}}]',
        b'[{"role": "user", "content": [{"k": 1, "text": "a"}, {"type": "image_url", "image_url": "u"}]}]',
        b'{"role":"user","content":"a","k":null}\r\n{"role":"assistant","content":"b"}',
    ],
)
def test_a_changed_text_leaves_every_other_key_in_its_place(data: bytes) -> None:
    assert write(openai, [with_text(only(data), "c")]) == data.replace(b'"a"', b'"c"')


def test_words_find_their_place_where_the_source_had_none() -> None:
    transcript = only([{"role": "assistant", "content": None, "tool_calls": []}])
    said = transcript.messages[0].with_blocks([Text("Hello")])
    assert json.loads(write(openai, [transcript.with_messages([said])]))[0]["content"] == "Hello"
    parts = only([{"role": "user", "content": [{"type": "image_url", "image_url": "u"}]}])
    said = parts.messages[0].with_blocks([*parts.messages[0].blocks, Text("Hello")])
    assert {"type": "text", "text": "Hello"} in json.loads(write(openai, [parts.with_messages([said])]))[0]["content"]


def test_one_of_several_calls_can_go() -> None:
    calls = [{"id": c, "type": "function", "k": 1, "function": {"name": "f", "arguments": "{}"}} for c in "ab"]
    transcript = only([{"role": "assistant", "content": None, "tool_calls": calls}])
    message = transcript.messages[0]
    out = json.loads(write(openai, [transcript.with_messages([message.with_blocks(message.blocks[1:])])]))
    assert out[0]["tool_calls"] == calls[1:]


@pytest.mark.parametrize(
    "data", [b'{"role":"user","content":"a"}\n{"role":"user","content":"b"}', b'[{"role":"user","content":"a"}]']
)
def test_a_new_message_stands_where_it_is_put(data: bytes) -> None:
    transcript = only(data)
    new = Message("s1", "assistant", (Text("In short."),))
    before = write(openai, [transcript.with_messages([new, *transcript.messages])])
    behind = write(openai, [transcript.with_messages([*transcript.messages, new])])
    assert [m.text for m in only(before).messages] == ["In short.", *(m.text for m in transcript.messages)]
    assert [m.text for m in only(behind).messages] == [*(m.text for m in transcript.messages), "In short."]


def test_a_conversation_of_another_format_becomes_a_message_a_line_and_several_a_conversation_a_line() -> None:
    one = Transcript((Message("m1", "user", (Text("a"),), name="Ana"), Message("m2", "assistant", (Text("b"),))))
    assert [m.name for m in only(write(openai, [one])).messages] == ["Ana", None]
    assert len(read(openai, write(openai, [one, one]))) == 2


def test_an_old_codex_rollout_is_no_openai_file() -> None:
    header = {"id": "s", "timestamp": "2025-05-07T17:24:21Z", "instructions": None}
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]}
    check_one_format(b"\n".join(json.dumps(v).encode() for v in (header, item, item)), "codex")


def test_a_file_that_breaks_off_late_names_its_line() -> None:
    data = b"[" + b'{"role": "user", "content": "a"},\n' * 100 + b'{"role": "us'
    with pytest.raises(InputError, match=r"chat.json: line 101, column 10: the JSON ends in the middle"):
        list(conversations(openai, data, "chat.json"))
