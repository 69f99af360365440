"""Codex rollouts: what is shown is a message, what repeats it goes with it, all else stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import UsageError
from boildown.formats import codex
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import SAMPLES, check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("codex/**/*.jsonl", "multi-cli-pomodoro/codex-*.jsonl", samples=["codex.jsonl"])
META = {"type": "session_meta", "payload": {"id": "s", "timestamp": "2027-01-01T00:00:00Z"}}


def rollout(*records: Any) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in records)


def item(kind: str, **fields: Any) -> dict[str, Any]:
    return {"timestamp": "2027-01-01T00:00:00Z", "type": "response_item", "payload": {"type": kind, **fields}}


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"timestamp": "2027-01-01T00:00:00Z", "type": "event_msg", "payload": {"type": kind, **fields}}


def user(text: str) -> dict[str, Any]:
    return item("message", role="user", content=[{"type": "input_text", "text": text}])


def only(data: bytes) -> Transcript:
    (found,) = read(codex, data)
    return found


def records(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def without(data: bytes, gone: Callable[[Message], bool]) -> list[Any]:
    transcript = only(data)
    return records(write(codex, [transcript.with_messages(m for m in transcript.messages if not gone(m))]))


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(codex, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(codex, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_a_codex_file_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "codex")


@pytest.mark.parametrize("path", FILES)
def test_every_output_in_what_is_left_has_its_call(path: Path) -> None:
    left = only(path.read_bytes())
    out = records(write(codex, [left.with_messages(m for m in left.messages if m.role != "assistant" or m.text)]))
    payloads = [r["payload"] for r in out if r["type"] == "response_item"]
    assert not [p for p in payloads if p["type"] in ("function_call", "custom_tool_call")]
    ends = [r["payload"] for r in out if r["type"] == "event_msg" and "call_id" in r["payload"]]
    calls = {b.id for m in left.messages for b in m.blocks if isinstance(b, ToolCall)}
    assert not [e for e in ends if e["call_id"] in calls]


def test_each_item_becomes_the_block_that_the_model_is_shown() -> None:
    data = rollout(
        META,
        item("message", role="developer", content=[{"type": "input_text", "text": "Be brief."}]),
        item("reasoning", summary=[{"type": "summary_text", "text": "Hm"}], content=None, encrypted_content="gAAA"),
        item("function_call", name="exec", arguments='{"cmd": "ls"}', call_id="c1"),
        item("function_call_output", call_id="c1", output="a.py"),
        item("custom_tool_call", name="apply_patch", input="*** Begin Patch", call_id="c2"),
        item("custom_tool_call_output", call_id="c2", output="done"),
        item("local_shell_call", call_id="c3", action={"type": "exec", "command": ["ls"]}),
        item("function_call_output", call_id="c3", output={"content": "no", "success": False}),
        item("web_search_call", status="completed", action={"type": "search", "query": "x"}),
        item("new_thing", words="hello", encrypted_content="secret"),
    )
    assert [(m.role, m.blocks) for m in only(data).messages] == [
        ("developer", (Text("Be brief.", 0),)),
        ("assistant", (Thinking("Hm", "gAAA", 0),)),
        ("assistant", (ToolCall("c1", "exec", '{"cmd": "ls"}', 0),)),
        ("tool", (ToolResult("c1", "a.py", at=0),)),
        ("assistant", (ToolCall("c2", "apply_patch", "*** Begin Patch", 0),)),
        ("tool", (ToolResult("c2", "done", at=0),)),
        ("assistant", (ToolCall("c3", "local_shell", '{"type":"exec","command":["ls"]}', 0),)),
        ("tool", (ToolResult("c3", "no", is_error=True, at=0),)),
        ("assistant", (Opaque("web_search_call", text='{"type":"search","query":"x"}', at=0),)),
        ("assistant", (Opaque("new_thing", text='{"type":"new_thing","words":"hello"}', at=0),)),
    ]


def test_an_image_counts_by_its_size() -> None:
    picture = json.loads((SAMPLES / "openai-tools.json").read_text())[10]["content"][1]["image_url"]["url"]
    data = rollout(META, item("message", role="user", content=[{"type": "input_image", "image_url": picture}]))
    (block,) = only(data).messages[0].blocks
    assert isinstance(block, Opaque)
    assert (block.kind, block.media_type, block.text, block.tokens) == ("image", "image/png", "", 255)


def test_an_output_of_parts_keeps_its_images_when_its_text_changes() -> None:
    parts = [{"type": "input_text", "text": "long"}, {"type": "input_image", "image_url": "https://x/y.png"}]
    call = item("function_call", name="shot", arguments="{}", call_id="c1")
    transcript = only(rollout(META, call, item("function_call_output", call_id="c1", output=parts)))
    asked, result = transcript.messages
    (block,) = result.blocks
    assert isinstance(block, ToolResult)
    short = result.with_blocks([ToolResult("c1", "short", block.media, at=0)])
    out = records(write(codex, [transcript.with_messages([asked, short])]))
    assert out[-1]["payload"]["output"] == [{"type": "input_text", "text": "short"}, parts[1]]


def test_reasoning_that_says_nothing_is_no_message_and_goes_with_the_next() -> None:
    data = rollout(META, user("a"), item("reasoning", summary=[], content=None), user("b"), user("c"))
    assert [m.text for m in only(data).messages] == ["a", "b", "c"]
    assert "reasoning" in json.dumps(without(data, lambda m: m.text == "c"))
    assert "reasoning" not in json.dumps(without(data, lambda m: m.text == "b"))


def test_a_compaction_is_one_message_with_the_words_that_it_holds() -> None:
    history = [
        user("old question")["payload"],
        item("function_call", name="ls", arguments="{}", call_id="c")["payload"],
    ]
    record = {"type": "compacted", "payload": {"message": "In short", "replacement_history": history}}
    transcript = only(rollout(META, record))
    assert transcript.messages[0].role == "user"
    assert transcript.messages[0].blocks == (Opaque("compacted", text="In short\nold question\nls {}", at=0),)
    assert records(write(codex, [transcript.with_messages([])])) == [META]


def test_events_that_repeat_a_dropped_message_go_and_others_stay() -> None:
    data = rollout(
        META,
        user("one"),
        event("user_message", message="one"),
        event("token_count", info=None),
        event("agent_message", message="hello"),
        item("message", role="assistant", content=[{"type": "output_text", "text": "hello"}]),
        event("agent_reasoning", text="two thoughts"),
        item("reasoning", summary=[{"type": "summary_text", "text": "two thoughts"}]),
        item("function_call", name="ls", arguments="{}", call_id="c1"),
        event("exec_command_end", call_id="c1", stdout="x"),
        item("function_call_output", call_id="c1", output="x"),
        event("web_search_end", call_id="ws", action={"type": "search"}),
        item("web_search_call", action={"type": "search"}),
    )
    assert without(data, lambda m: True) == [META, event("token_count", info=None)]


def test_of_two_equal_events_the_one_beside_the_dropped_message_goes() -> None:
    first, second = event("user_message", message="go on", n=1), event("user_message", message="go on", n=2)
    data = rollout(META, user("go on"), first, user("why?"), user("go on"), second)
    left = without(data, lambda m: m.id == "m3")
    assert left == [META, user("go on"), first, user("why?")]


def test_an_output_that_is_shortened_takes_its_event_with_it() -> None:
    data = rollout(
        META,
        item("function_call", name="ls", arguments="{}", call_id="c1"),
        event("exec_command_end", call_id="c1", stdout="long"),
        item("function_call_output", call_id="c1", output="long"),
    )
    transcript = only(data)
    call, result = transcript.messages
    out = write(codex, [transcript.with_messages([call, result.with_blocks([ToolResult("c1", "short", at=0)])])])
    assert b"long" not in out
    assert records(out)[-1]["payload"] == {"type": "function_call_output", "call_id": "c1", "output": "short"}


def test_a_changed_text_leaves_every_other_key_in_its_place() -> None:
    data = rollout(
        META, {"x": 1, **item("message", id="i", role="user", content=[{"type": "t", "text": "a", "k": 2}], z=3)}
    )
    out = write(codex, [with_text(only(data), "b")])
    assert out == data.replace(b'"text": "a"', b'"text": "b"')


def test_bad_lines_and_unknown_records_are_carried_and_noted() -> None:
    data = rollout(META) + b'{"type": "resp\n' + rollout({"type": "novel", "payload": {}}, 7, user("a"))
    transcript = only(data)
    assert transcript.source is not None
    assert [(n.what, n.where) for n in transcript.source.notes] == [
        ("bad line", "line 2"),
        ("unknown record", "line 3"),
        ("unknown record", "line 4"),
    ]
    assert write(codex, [transcript.with_messages([])]) == data[: data.rindex(b'{"timestamp"')]


def test_a_new_message_comes_after_the_session_header() -> None:
    transcript = only(rollout(META, user("a"), event("token_count"), user("b")))
    new = Message("s1", "user", (Text("In short."),), covers=("m1",))
    out = records(write(codex, [transcript.with_messages([new, transcript.messages[1]])]))
    assert [r["type"] for r in out] == ["session_meta", "event_msg", "response_item", "response_item"]
    assert out[2]["payload"]["content"] == [{"type": "input_text", "text": "In short."}]


def test_a_new_message_behind_a_last_line_without_an_ending_gets_a_line_of_its_own() -> None:
    transcript = only(rollout(META, user("a")).rstrip())
    out = write(codex, [transcript.with_messages([*transcript.messages, Message("s1", "user", (Text("b"),))])])
    assert [m.text for m in only(out).messages] == ["a", "b"]


def test_an_old_rollout_without_payloads_reads_and_grows_in_its_own_shape() -> None:
    header = {"id": "s", "timestamp": "2025-05-07T17:24:21.123Z", "instructions": None}
    data = rollout(header, {"record_type": "state"}, user("hi")["payload"], {"record_type": "state"})
    check_one_format(data, "codex")
    check_round_trip(codex, data)
    transcript = only(data)
    new = Message("s1", "assistant", (Text("hello"),))
    out = records(write(codex, [transcript.with_messages([*transcript.messages, new])]))
    assert out[-1] == {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}


def test_a_conversation_of_another_format_becomes_a_rollout() -> None:
    messages = (
        Message("m1", "system", (Text("Be kind."),)),
        Message("m2", "user", (Text("ls?"), Opaque("image", 85, media_type="image/png", data="AAAA"))),
        Message("m3", "assistant", (Text("Yes."), ToolCall("c1", "ls", "{}"))),
        Message("m4", "tool", (ToolResult("c1", "a.py"),)),
    )
    out = write(codex, [Transcript(messages)])
    check_one_format(out, "codex")
    assert records(out)[0]["type"] == "session_meta"
    again = only(out).messages
    assert [(m.role, m.text) for m in again] == [
        ("developer", "Be kind."),
        ("user", "ls?"),
        ("assistant", "Yes."),
        ("assistant", ""),
        ("tool", "a.py"),
    ]
    assert write(codex, [Transcript(messages)]) == out


def test_two_conversations_do_not_fit_one_rollout() -> None:
    one = Transcript((Message("m1", "user", (Text("a"),)),))
    with pytest.raises(UsageError, match="one conversation"):
        write(codex, [one, one])
