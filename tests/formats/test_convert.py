"""Conversion: what the target can say it says, and what it cannot is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from boildown import formats
from boildown.formats.convert import convert, join_turns
from boildown.transcript import (
    FormatInfo,
    Message,
    Note,
    Opaque,
    Rules,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Transcript,
    groups,
)
from roundtrip import DATA, SAMPLES, files, read, write

NAMES = {
    "openai.jsonl": "openai",
    "openai-tools.json": "openai",
    "codex.jsonl": "codex",
    "chatgpt.json": "chatgpt",
    "sharegpt.json": "sharegpt",
    "oasst.jsonl": "oasst",
    "text.txt": "text",
    "markdown.md": "markdown",
    "anthropic.json": "anthropic",
    "claude-code.jsonl": "claude-code",
    "swe-agent.traj": "swe-agent",
    "openhands.json": "openhands",
    "inspect-ai.json": "inspect-ai",
    "pi.jsonl": "pi",
    "gemini-cli.json": "gemini-cli",
    "gemini.json": "gemini",
    "claude-ai.json": "claude-ai",
    "langchain.json": "langchain",
    "openai-responses.json": "openai-responses",
}
UNWRITABLE = {"inspect-ai"}
SIGNER = ("anthropic", "claude-code")
PAIRS = [
    (name, to)
    for name in NAMES
    if (SAMPLES / name).exists()
    for to in formats.FORMATS
    if to not in (NAMES[name], *UNWRITABLE)
]
TOOLS = [(name, to) for name, to in PAIRS if "tool result" in formats.load(to).INFO.says]
PLAIN = FormatInfo("plain", "", "", says=frozenset({"text"}))
IMAGE = Opaque("image", 85, media_type="image/png", data="AAAA")


def converted(message: Message, info: FormatInfo = PLAIN) -> tuple[list[Message], list[str]]:
    found, notes = convert(Transcript((message,)), info)
    return list(found.messages), [f"{n.what} {n.where}" for n in notes]


def plain_words(messages: Any) -> str:
    """All texts, arguments and results, without the names that a conversion may write before a text."""
    blocks = [b for m in messages for b in m.blocks]
    texts = [b.text for b in blocks if isinstance(b, Text | ToolResult)]
    return "\n".join(texts + [json.dumps(json.loads(b.arguments)) for b in blocks if isinstance(b, ToolCall)])


@pytest.mark.parametrize(("name", "to"), PAIRS)
def test_a_sample_in_any_other_format_keeps_its_words_and_reads_again(name: str, to: str) -> None:
    source, target = formats.load(NAMES[name]), formats.load(to)
    for transcript in read(source, (SAMPLES / name).read_bytes()):
        said, notes = convert(transcript, target.INFO)
        data = write(target, [said])
        if to != "anthropic" or any(isinstance(b, ToolCall) for m in said.messages for b in m.blocks):
            assert formats.detect(data, to).INFO.name == to
        (again,) = read(target, data)
        words = plain_words(again.messages)
        for block in (b for m in transcript.messages for b in m.blocks):
            if isinstance(block, Text | ToolResult):
                assert (block.text.strip() if target.INFO.plain else block.text) in words
        for message in transcript.messages:
            named = {n.what for n in notes if n.where == message.id}
            for block in message.blocks:
                if isinstance(block, Thinking) and NAMES[name] not in SIGNER and to in ("sharegpt", *SIGNER):
                    assert "thinking" in named
                if isinstance(block, Opaque) and block.kind not in ("command", "compacted", *target.INFO.says):
                    assert block.kind in named


@pytest.mark.parametrize(("name", "to"), TOOLS)
def test_calls_and_results_stay_together_in_any_other_format(name: str, to: str) -> None:
    source, target = formats.load(NAMES[name]), formats.load(to)
    for transcript in read(source, (SAMPLES / name).read_bytes()):
        (again,) = read(target, write(target, [convert(transcript, target.INFO)[0]]))
        results = [b for m in again.messages for b in m.blocks if isinstance(b, ToolResult)]
        expected = [b for m in transcript.messages for b in m.blocks if isinstance(b, ToolResult)]
        assert [b.text for b in results] == [b.text for b in expected]
        calls = {b.id for m in again.messages for b in m.blocks if isinstance(b, ToolCall)}
        assert all(b.call_id in calls for b in results)
        paired = [g for g in groups(transcript.messages) if len(g) > 1]
        assert len([g for g in groups(again.messages) if len(g) > 1]) >= len(paired)


@pytest.mark.parametrize("path", files("derived/openai_chat.jsonl"))
def test_tool_runs_become_sharegpt_and_come_back(path: Any) -> None:
    openai, sharegpt = formats.load("openai"), formats.load("sharegpt")
    there = [convert(t, sharegpt.INFO)[0] for t in read(openai, path.read_bytes())]
    back = [convert(t, openai.INFO) for t in read(sharegpt, write(sharegpt, there))]
    assert [n for _, notes in back for n in notes] == []
    for (again, _), original in zip(back, read(openai, path.read_bytes()), strict=True):
        assert [b.text for m in again.messages for b in m.blocks if isinstance(b, ToolResult)] == [
            b.text for m in original.messages for b in m.blocks if isinstance(b, ToolResult)
        ]


def test_the_same_format_is_left_alone() -> None:
    openai = formats.load("openai")
    (transcript,) = read(openai, (SAMPLES / "openai-tools.json").read_bytes())
    assert convert(transcript, openai.INFO) == (transcript, ())
    assert convert(transcript, openai.INFO)[0] is transcript


@pytest.mark.parametrize(
    ("message", "expected", "notes"),
    [
        (
            Message("m1", "assistant", (Text("I look."), ToolCall("c", "ls", '{"d": "."}'))),
            [("assistant", 'I look.\nls({"d": "."})')],
            ["tool call m1"],
        ),
        (Message("m1", "tool", (ToolResult("c", "a.py"),), name="ls"), [("user", "a.py")], ["tool result m1"]),
        (Message("m1", "system", (Text("Be kind."),)), [("user", "Be kind.")], ["system m1"]),
        (Message("m1", "user", (Text("Hi"), Text("there")), name="Ana"), [("user", "Ana: Hi\nthere")], ["name m1"]),
        (Message("m1", "assistant", (Thinking("Hm", "sig"),)), [], ["thinking m1", "message m1"]),
        (Message("m1", "user", (Text("see"), IMAGE, IMAGE)), [("user", "see")], ["image m1"]),
        (Message("m1", "assistant", (Opaque("refusal", text="No."),)), [("assistant", "No.")], []),
        (Message("m1", "critic", (Text("Hm"),)), [("user", "Hm")], ["role m1"]),
        (Message("m1", "user", ()), [], ["message m1"]),
    ],
)
def test_what_a_format_cannot_say_becomes_text_or_goes_and_is_named(
    message: Message, expected: list[tuple[str, str]], notes: list[str]
) -> None:
    found, named = converted(message)
    assert [(m.role, m.text) for m in found] == expected
    assert named == notes


@pytest.mark.parametrize(
    ("source", "to", "kept"),
    [
        ("anthropic", "claude-code", Thinking("Hm", "sig")),
        ("claude-code", "anthropic", Thinking("Hm", "sig")),
        ("anthropic", "codex", None),
        ("codex", "anthropic", None),
        ("openai", "anthropic", None),
        ("anthropic", "openai", Thinking("Hm")),
        ("codex", "chatgpt", Thinking("Hm")),
        ("codex", "sharegpt", None),
    ],
)
def test_signed_reasoning_goes_only_to_whoever_signed_it(source: str, to: str, kept: Thinking | None) -> None:
    from boildown.transcript import Source

    message = Message("m1", "assistant", (Thinking("Hm", "" if source == "openai" else "sig"), Text("Yes")))
    transcript = Transcript((message,), Source(source, (), (message,)))
    found, notes = convert(transcript, formats.load(to).INFO)
    assert [b for b in found.messages[0].blocks if isinstance(b, Thinking)] == ([kept] if kept else [])
    assert [n.what for n in notes] == ([] if kept else ["thinking"])


def test_an_image_in_a_result_is_named_where_results_are_text() -> None:
    message = Message("m1", "tool", (ToolResult("c", "see", (IMAGE,)),))
    found, notes = convert(Transcript((message,)), formats.load("openai").INFO)
    assert found.messages[0].blocks == (ToolResult("c", "see"),)
    assert notes == (Note("tool result image", "m1", "the format has no place for it"),)
    assert convert(Transcript((message,)), formats.load("codex").INFO)[0].messages == (message,)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [('{"a": 1}', '{"a": 1}'), ("", "{}"), ("1 + 1", '{"input": "1 + 1"}'), ("[1]", '{"input": "[1]"}')],
)
def test_arguments_are_a_json_object_in_another_format(arguments: str, expected: str) -> None:
    found, _ = convert(
        Transcript((Message("m1", "assistant", (ToolCall("c", "f", arguments),)),)), formats.load("openai").INFO
    )
    assert found.messages[0].blocks == (ToolCall("c", "f", expected),)


def test_results_stand_right_behind_their_calls_in_another_format() -> None:
    messages = (
        Message("m1", "assistant", (ToolCall("a", "f", "{}"),)),
        Message("m2", "assistant", (ToolCall("b", "g", "{}"),)),
        Message("m3", "user", (Text("meanwhile"),)),
        Message("m4", "tool", (ToolResult("a", "1"),)),
        Message("m5", "tool", (ToolResult("b", "2"),)),
        Message("m6", "tool", (ToolResult("none", "3"),)),
    )
    found, _ = convert(Transcript(messages), formats.load("openai").INFO)
    assert [m.id for m in found.messages] == ["m1", "m4", "m2", "m5", "m3", "m6"]


def user(id: str, text: str, **more: Any) -> Message:
    return Message(id, "user", (Text(text, 0),), **more)


def test_neighbours_of_one_role_become_one_message_that_names_the_others() -> None:
    messages = [user("m1", "a"), user("m2", "b", covers=("m9",)), user("m3", "c", pinned=True)]
    assert join_turns(messages) == [
        Message("m1", "user", (Text("a\n\nb\n\nc", 0),), covers=("m2", "m9", "m3"), pinned=True)
    ]


def test_neighbours_that_hold_tools_or_differ_in_name_or_role_stay_apart() -> None:
    call = Message("m2", "assistant", (ToolCall("c", "f", "{}"),))
    result = Message("m3", "tool", (ToolResult("c", "1"),))
    messages = [
        Message("m1", "assistant", (Text("a"),)),
        call,
        result,
        Message("m4", "tool", (ToolResult("d", "2"),)),
        user("m5", "a", name="Ana"),
        user("m6", "b", name="Ben"),
        user("m7", "c"),
    ]
    assert join_turns(messages) == messages


def test_a_message_without_words_joins_without_a_blank_line() -> None:
    assert join_turns([Message("m1", "user", ()), user("m2", "b")]) == [
        Message("m1", "user", (Text("b", -1),), covers=("m2",))
    ]


def test_turns_are_joined_where_the_format_demands_it() -> None:
    info = FormatInfo("strict", "", "", rules=Rules(alternate=True), says=frozenset({"text"}))
    found, _ = convert(Transcript((user("m1", "a", name="Ana"), user("m2", "b", name="Ben"))), info)
    assert [m.text for m in found.messages] == ["Ana: a\n\nBen: b"]


def test_the_shared_data_is_not_needed_to_convert() -> None:
    assert len(PAIRS) >= 5 * (len(formats.FORMATS) - 1)
    assert not str(SAMPLES).startswith(str(DATA))
