"""claude.ai's export: every conversation is read, text and content blocks change together, and the tree holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from boildown.formats import claude_ai
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("derived/claude_ai_export.json", samples=["claude-ai.json"])
USE = {"type": "tool_use", "name": "web_search", "input": {"q": "x"}}
RESULT = {"type": "tool_result", "name": "web_search", "content": [{"type": "text", "text": "a long list"}]}


def block(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": text, **more}


def message(uuid: str, sender: str, *content: Any, **more: Any) -> dict[str, Any]:
    parts = [block(c) if isinstance(c, str) else c for c in content]
    text = "\n".join(p["text"] for p in parts if "text" in p)
    return {"uuid": uuid, "text": text, "content": parts, "sender": sender, "attachments": [], "files": [], **more}


def export(*messages: Any, **more: Any) -> bytes:
    return json.dumps([{"uuid": "c", "name": "A talk", "chat_messages": messages, **more}]).encode()


def only(data: bytes) -> Transcript:
    (found,) = read(claude_ai, data)
    return found


def written(transcript: Transcript) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(write(claude_ai, [transcript]))[0]["chat_messages"]
    return found


def kept(data: bytes, keep: Callable[[Message], bool]) -> list[dict[str, Any]]:
    transcript = only(data)
    return written(transcript.with_messages(filter(keep, transcript.messages)))


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(claude_ai, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(claude_ai, path.read_bytes(), turns=True)


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_of_this_format_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "claude-ai")


def test_every_conversation_is_read_and_one_alone_as_well() -> None:
    one = b'{"uuid": "c", "name": "T", "chat_messages": [{"sender": "human", "text": "a"}]}'
    for data, titles in ((one, ["T"]), (b"[" + one + b",\n" + one + b"]", ["T", "T"])):
        check_one_format(data, "claude-ai")
        check_round_trip(claude_ai, data)
        assert [t.title for t in read(claude_ai, data)] == titles


def test_calls_and_results_of_a_message_are_turns_of_their_own_with_ids_by_place() -> None:
    thought = {"type": "thinking", "thinking": "Hm", "summaries": []}
    data = export(message("1", "human", "a"), message("2", "assistant", thought, "b", USE, RESULT, "c"))
    assert [(m.role, m.blocks, m.records) for m in only(data).messages] == [
        ("user", (Text("a", 0),), (0,)),
        ("assistant", (Thinking("Hm", at=0), Text("b", 1), ToolCall("1-2", "web_search", '{"q":"x"}', 2)), (1,)),
        ("tool", (ToolResult("1-2", "a long list", at=3),), (1,)),
        ("assistant", (Text("c", 4),), (1,)),
    ]


def test_ids_that_the_export_holds_are_taken() -> None:
    asked, told = {**USE, "id": "t1"}, {**RESULT, "tool_use_id": "t1", "is_error": True}
    found = only(export(message("2", "assistant", asked, told))).messages
    assert [m.blocks for m in found] == [
        (ToolCall("t1", "web_search", '{"q":"x"}', 0),),
        (ToolResult("t1", "a long list", is_error=True, at=1),),
    ]


def test_text_and_content_change_together_and_other_keys_stay() -> None:
    data = export(message("1", "human", block("long", citations=[{"start": 3}], flags=None), created_at="t", z=1))
    out = write(claude_ai, [with_text(only(data), "short")])
    assert out == data.replace(b"long", b"short").replace(b'[{"start": 3}]', b"[]")


def test_no_copy_of_a_changed_result_stays() -> None:
    shown = {"display_content": {"text": "a long list"}, "structured_content": ["a long list"], "k": 1}
    transcript = only(export(message("2", "assistant", USE, {**RESULT, **shown}, "c")))
    asked, told, end = transcript.messages
    (found,) = written(transcript.with_messages([asked, told.with_blocks([ToolResult("0-0", "short", at=1)]), end]))
    assert found["content"] == [
        USE,
        {**RESULT, "content": [block("short")], "display_content": None, "structured_content": [], "k": 1},
        block("c"),
    ]


def test_attachments_are_text_and_files_are_counted() -> None:
    paste = {"file_name": "notes.txt", "file_type": "text/plain", "extracted_content": "many notes"}
    data = export(
        message("1", "human", "a", attachments=[paste], files=[{"file_name": "x.png"}, {"file_name": "y.pdf"}])
    )
    transcript = only(data)
    (first,) = transcript.messages
    assert first.blocks == (
        Text("a", 0),
        Text("many notes", 1),
        Opaque("image", 1600, at=2),
        Opaque("document", 1500, at=3),
    )
    (changed,) = written(
        transcript.with_messages([first.with_blocks([first.blocks[0], Text("few", 1), first.blocks[3]])])
    )
    assert (changed["text"], changed["content"]) == ("a", [block("a")])
    assert changed["attachments"] == [{**paste, "extracted_content": "few"}]
    assert changed["files"] == [{"file_name": "y.pdf"}]


def linked(uuid: str, parent: str, sender: str = "human") -> dict[str, Any]:
    return message(uuid, sender, uuid, parent_message_uuid=parent)


def test_of_a_tree_the_open_branch_is_read_and_the_others_are_carried() -> None:
    tree = [linked("1", "0"), linked("2", "1"), linked("3", "1"), linked("4", "3")]
    assert [m.text for m in only(export(*tree)).messages] == ["1", "3", "4"]
    opened = only(export(*tree, current_leaf_message_uuid="2"))
    assert [m.text for m in opened.messages] == ["1", "2"]
    assert opened.source is not None
    assert [(n.what, n.why) for n in opened.source.notes] == [
        ("branch", "2 messages off the active branch are carried")
    ]


def test_messages_hang_from_the_parents_that_are_left() -> None:
    data = export(linked("1", "0"), linked("2", "1"), linked("x", "2"), linked("3", "2"), linked("4", "3"))
    left = kept(data, lambda m: m.text not in ("2", "3"))
    assert [(m["uuid"], m["parent_message_uuid"]) for m in left] == [("1", "0"), ("x", "1"), ("4", "1")]


def test_a_new_message_stands_in_its_place_and_in_the_tree() -> None:
    transcript = only(export(linked("1", "0"), linked("2", "1"), linked("3", "2")))
    new = Message("s1", "user", (Text("In short."),), covers=("m2",))
    first, _, last = transcript.messages
    found = written(transcript.with_messages([first, new, last]))
    assert [m["text"] for m in found] == ["1", "In short.", "3"]
    assert [m["parent_message_uuid"] for m in found] == ["0", "1", found[1]["uuid"]]


def test_a_new_message_between_a_call_and_its_result_hangs_below_them() -> None:
    asked = message("2", "assistant", USE, RESULT, "b", parent_message_uuid="1")
    transcript = only(export(linked("1", "0"), asked, linked("3", "2")))
    messages = list(transcript.messages)
    messages.insert(2, Message("s1", "user", (Text("In short."),)))
    found = written(transcript.with_messages(messages))
    assert [m["parent_message_uuid"] for m in found] == ["0", "1", "2", found[2]["uuid"]]


def test_what_is_no_message_is_carried_and_noted() -> None:
    data = export(message("1", "human", "a"), 7, {"uuid": "2", "text": "b"}).replace(b"], [", b"],[")
    transcript = next(iter(read(claude_ai, data)))
    assert transcript.source is not None
    assert [n.where for n in transcript.source.notes] == ["message 2", "message 3"]
    check_round_trip(claude_ai, data)


def test_an_array_that_breaks_off_says_where() -> None:
    data = b"[" + (export(message("1", "human", "a"))[1:-1] + b",\n") * 70 + b'{"chat_mess'
    with pytest.raises(json.JSONDecodeError) as caught:
        read(claude_ai, data)
    assert caught.value.lineno == 71


def test_conversations_of_another_format_become_an_array() -> None:
    messages = (
        Message("m1", "user", (Text("ls?"),)),
        Message("m2", "assistant", (Thinking("Hm"), Text("Yes."), ToolCall("c1", "ls", "{}"))),
        Message("m3", "tool", (ToolResult("c1", "a.py"),)),
        Message("m4", "assistant", (Text("One file."),)),
        Message("m5", "user", (Text("Thanks."),)),
    )
    out = write(claude_ai, [Transcript(messages, title="T"), Transcript(messages)])
    check_one_format(out, "claude-ai")
    for again in read(claude_ai, out):
        assert [(m.role, m.text) for m in again.messages] == [(m.role, m.text) for m in messages]
    assert [[m["sender"] for m in c["chat_messages"]] for c in json.loads(out)] == [["human", "assistant", "human"]] * 2
