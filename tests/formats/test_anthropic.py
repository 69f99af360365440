"""The Anthropic Messages format: what is read, what is written, and what is left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import InputError
from boildown.formats import anthropic, openai
from boildown.formats.source import sample
from boildown.transcript import Block, Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript, groups
from roundtrip import SAMPLES, check_one_format, files

SAMPLE = SAMPLES / "anthropic.json"
FILES = files("derived/anthropic_messages.json*", samples=[SAMPLE.name])
every_file = pytest.mark.parametrize("path", FILES)


def read(data: bytes) -> list[Transcript]:
    return list(anthropic.read(data))


def write(transcripts: list[Transcript]) -> bytes:
    return b"".join(anthropic.write(transcripts))


def said(transcript: Transcript) -> list[tuple[str, list[Block]]]:
    return [(m.role, [replace(b, at=0) for b in m.blocks]) for m in transcript.messages]


def content(block: Any) -> bytes:
    return json.dumps([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [block]}]).encode()


def only_block(block: Any) -> Block:
    return replace(read(content(block))[0].messages[1].blocks[0], at=0)


def body(**keys: Any) -> bytes:
    return json.dumps(keys).encode()


HELLO = [{"role": "user", "content": "Hello"}]


@every_file
def test_unchanged_files_come_back_byte_for_byte(path: Path) -> None:
    data = path.read_bytes()
    assert write(read(data)) == data


@every_file
def test_files_are_anthropic_and_nothing_else(path: Path) -> None:
    check_one_format(path.read_bytes(), "anthropic")


@every_file
def test_dropping_every_third_group_leaves_the_rest_as_it_was(path: Path) -> None:
    before = read(path.read_bytes())
    after = [t.with_messages(_without_thirds(t)) for t in before]
    assert [said(t) for t in read(write(after))] == [said(t) for t in after]
    for was, now in zip(before, after, strict=True):
        assert was.source is not None
        out = write([now])
        assert all(was.source.records[i] in out for m in now.messages for i in m.records)


def _without_thirds(transcript: Transcript) -> list[Message]:
    gone = {i for n, group in enumerate(groups(transcript.messages)) if n % 3 == 2 for i in group}
    return [m for i, m in enumerate(transcript.messages) if i not in gone]


SOURCES = [
    pytest.param({"type": "text", "text": "Hi"}, Text("Hi", 0), id="text"),
    pytest.param("Hi", Text("Hi", 0), id="bare string"),
    pytest.param(
        {"type": "tool_use", "id": "t", "name": "ls", "input": {"p": "é"}},
        ToolCall("t", "ls", '{"p":"é"}', 0),
        id="call",
    ),
    pytest.param(
        {"type": "tool_result", "tool_use_id": "t", "content": "ok"}, ToolResult("t", "ok", at=0), id="string result"
    ),
    pytest.param(
        {"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": [{"type": "text", "text": "no"}]},
        ToolResult("t", "no", is_error=True, at=0),
        id="error result",
    ),
    pytest.param(
        {
            "type": "tool_result",
            "tool_use_id": "t",
            "content": [{"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}}],
        },
        ToolResult("t", "", (Opaque("image", 1600, data="https://x.org/a.png", at=0),), at=0),
        id="image in a result",
    ),
    pytest.param({"type": "tool_result", "tool_use_id": "t"}, ToolResult("t", "", at=0), id="result without content"),
    pytest.param(
        {"type": "thinking", "thinking": "hm", "signature": "s"}, Thinking("hm", "s", 0), id="signed thinking"
    ),
    pytest.param(
        {"type": "redacted_thinking", "data": "A" * 160},
        Opaque("redacted_thinking", 30, data="A" * 160, at=0),
        id="redacted",
    ),
    pytest.param(
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        Opaque("image", 1600, "", "image/png", "AAAA", 0),
        id="image",
    ),
    pytest.param(
        {"type": "document", "title": "T", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        Opaque("document", text="T\nwords", at=0),
        id="text document",
    ),
    pytest.param(
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        Opaque("server_tool_use", text='{"type":"server_tool_use","id":"s","name":"web_search","input":{}}', at=0),
        id="server tool",
    ),
    pytest.param(
        {"type": "hologram", "x": 1}, Opaque("hologram", text='{"type":"hologram","x":1}', at=0), id="unknown"
    ),
    pytest.param(7, Opaque("block", text="7", at=0), id="no object"),
    pytest.param(
        {"type": "text", "text": None}, Opaque("text", text='{"type":"text","text":null}', at=0), id="odd text"
    ),
]


@pytest.mark.parametrize(("block", "expected"), SOURCES)
def test_each_block_is_read_as_what_it_is(block: Any, expected: Block) -> None:
    assert only_block(block) == replace(expected, at=0)
    assert write(read(content(block))) == content(block)


@pytest.mark.parametrize("odd", [None, 5, {"a": 1}, [], "", [None]])
def test_a_message_with_odd_content_is_carried(odd: Any) -> None:
    data = body(system="s", messages=[{"role": "user", "content": odd}, 42, "x", None])
    assert write(read(data)) == data
    assert len(read(data)[0].messages) == 5


def test_the_system_text_is_the_first_message() -> None:
    transcript = read(body(messages=HELLO, system="Be brief."))[0]
    assert said(transcript) == [("system", [Text("Be brief.", 0)]), ("user", [Text("Hello", 0)])]


def test_a_user_message_of_results_only_is_the_tools() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "ok"}
    data = body(
        system="s", messages=[{"role": "user", "content": [result]}, {"role": "user", "content": [result, "x"]}]
    )
    assert [m.role for m in read(data)[0].messages] == ["system", "tool", "user"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"system": "A", "messages": []}', '{ "messages": []}'),
        ('{"model": "m", "system": [{"type": "text", "text": "A"}], "messages": []}', '{"model": "m", "messages": []}'),
        ('{"messages": [], "system": "A"}', '{"messages": []}'),
        ('{"messages": [], "system": "A", "top_k": 3}', '{"messages": [], "top_k": 3}'),
    ],
)
def test_a_dropped_system_text_takes_its_key_along(before: str, after: str) -> None:
    transcript = read(before.encode())[0]
    assert write([transcript.with_messages(())]) == after.encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"system":"A","messages":[]}', '{"system":"B","messages":[]}'),
        ('{"messages": [], "system": "A", "top_k": 3}', '{"messages": [], "system": "B", "top_k": 3}'),
        (
            '{"system":[{"type":"text","text":"A","cache_control":{"type":"ephemeral"}}],"messages":[]}',
            '{"system":[{"type":"text","text":"B","cache_control":{"type":"ephemeral"}}],"messages":[]}',
        ),
    ],
)
def test_a_changed_system_text_keeps_its_place_and_its_other_keys(before: str, after: str) -> None:
    transcript = read(before.encode())[0]
    system = transcript.messages[0].with_blocks([Text("B", 0)])
    assert write([transcript.with_messages([system])]) == after.encode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"model": "m", "messages": []}', '{"system": "new", "model": "m", "messages": []}'),
        ('{"system": "A", "messages": []}', '{"system": "A\\n\\nnew", "messages": []}'),
        ('{"system": null, "messages": []}', '{"system": "new", "messages": []}'),
    ],
)
def test_a_system_message_that_a_stage_made_goes_into_the_system_text(before: str, after: str) -> None:
    transcript = read(before.encode())[0]
    new = Message("summary", "system", (Text("new"),))
    assert write([transcript.with_messages([*transcript.messages, new])]) == after.encode()


def test_changing_a_text_changes_that_message_only() -> None:
    transcript = read(SAMPLE.read_bytes())[0]
    messages = list(transcript.messages)
    messages[4] = messages[4].with_blocks([Text("Shorter.", 0)])
    before, after = json.loads(SAMPLE.read_bytes()), json.loads(write([transcript.with_messages(messages)]))
    before["messages"][3]["content"][0]["text"] = "Shorter."
    assert json.dumps(after) == json.dumps(before)


def test_other_keys_of_a_changed_block_stay() -> None:
    block = {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}, "citations": None}
    data = content({"type": "tool_result", "tool_use_id": "t", "content": [block], "cache_control": None})
    transcript = read(data)[0]
    user, message = transcript.messages
    changed = message.with_blocks([replace(message.blocks[0], text="short")])
    assert write([transcript.with_messages([user, changed])]) == data.replace(b"long", b"short")


def test_an_image_in_a_result_stays_when_its_text_is_changed() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://x.org/a.png"}}
    parts = [{"type": "text", "text": "one"}, image, {"type": "text", "text": "two"}]
    transcript = read(content({"type": "tool_result", "tool_use_id": "t", "content": parts}))[0]
    user, message = transcript.messages
    changed = message.with_blocks([replace(message.blocks[0], text="short")])
    after = json.loads(write([transcript.with_messages([user, changed])]))
    assert after[1]["content"][0]["content"] == [{"type": "text", "text": "short"}, image]


def test_signed_thinking_is_whole_or_gone() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    data = body(system="s", messages=[{"role": "assistant", "content": [thought, {"type": "text", "text": "Hi"}]}])
    transcript = read(data)[0]
    system, message = transcript.messages
    edited = message.with_blocks([replace(message.blocks[0], text="h"), message.blocks[1]])
    without = message.with_blocks(message.blocks[1:])
    assert write([transcript.with_messages([system, edited])]) == data
    assert json.loads(write([transcript.with_messages([system, without])]))["messages"][0]["content"] == [
        {"type": "text", "text": "Hi"}
    ]


def test_a_block_that_a_stage_added_stands_where_it_was_put() -> None:
    transcript = read(
        body(system="s", messages=[{"role": "user", "content": [{"type": "text", "text": "b", "x": 1}]}])
    )[0]
    system, message = transcript.messages
    changed = message.with_blocks([Text("a"), *message.blocks])
    after = json.loads(write([transcript.with_messages([system, changed])]))
    assert after["messages"][0]["content"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "x": 1}]


def test_results_of_parallel_calls_become_one_user_message() -> None:
    messages = (
        Message("m1", "system", (Text("Be brief."),)),
        Message("m2", "user", (Text("Read both."),)),
        Message("m3", "assistant", (ToolCall("a", "read", '{"p":1}'), ToolCall("b", "read", "not JSON"))),
        Message("m4", "tool", (ToolResult("a", "A"),)),
        Message("m5", "tool", (ToolResult("b", "B", is_error=True),)),
    )
    written = json.loads(write([Transcript(messages)]))
    assert written == {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Read both."},
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "a", "name": "read", "input": {"p": 1}},
                    {"type": "tool_use", "id": "b", "name": "read", "input": {"input": "not JSON"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a", "content": "A"},
                    {"type": "tool_result", "tool_use_id": "b", "content": "B", "is_error": True},
                ],
            },
        ],
    }


def test_results_are_pulled_up_behind_their_call() -> None:
    call, result = (
        Message("m1", "assistant", (ToolCall("a", "f", "{}"),)),
        Message("m3", "tool", (ToolResult("a", "A"),)),
    )
    between = Message("m2", "user", (Text("meanwhile"),))
    assert list(anthropic.paired([call, between, result])) == [call, result, between]


def test_openai_images_become_image_blocks() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    transcripts = list(openai.read(json.dumps([{"role": "user", "content": [image]}]).encode()))
    assert json.loads(write(transcripts))["messages"][0]["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    ]


def test_what_the_api_refuses_is_not_written_for_a_new_message() -> None:
    assert anthropic.render(Message("m1", "assistant", (Thinking("unsigned"), Text("")))) == []


def test_a_response_is_a_message() -> None:
    data = json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "content": [{"type": "text", "text": "Hi"}],
            "stop_sequence": None,
        },
        indent=1,
    ).encode()
    assert anthropic.sniff(sample(data))
    assert not openai.sniff(sample(data))
    assert said(read(data)[0]) == [("assistant", [Text("Hi", 0)])]
    assert write(read(data)) == data


def test_a_line_that_is_no_conversation_is_carried_and_noted() -> None:
    good = body(system="s", messages=HELLO)
    data = good + b"\n{broken\n\n[1]\n" + good
    transcripts = read(data)
    assert write(transcripts) == data
    assert [n.where for t in transcripts if t.source for n in t.source.notes] == ["line 2", "line 4"]


def test_message_lines_are_one_conversation() -> None:
    call = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]}
    data = json.dumps(call).encode() + b"\r\n\r\n{bad\r\n" + json.dumps(HELLO[0]).encode()
    transcript = read(data)[0]
    assert [m.role for m in transcript.messages] == ["assistant", "unknown", "user"]
    assert write([transcript]) == data


def test_an_array_of_bodies_keeps_the_bytes_between_them() -> None:
    one = body(system="s", messages=HELLO)
    data = b"[\n " + one + b" ,\n" + one + b"\n]\n"
    assert len(read(data)) == 2
    assert write(read(data)) == data


def test_a_body_that_was_cut_off_is_an_error_with_its_place() -> None:
    with pytest.raises(InputError, match="line 1, column"):
        read(b'{"system": "s", "messages": [{"role": "user"')
