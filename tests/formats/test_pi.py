"""pi sessions: the branch that ends last is read, and the chain of entries holds when some of them go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import UsageError
from boildown.formats import pi
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import SAMPLES, check_one_format, check_round_trip, check_thinned, files, read, thinned, with_text, write

FILES = files("pi/*.jsonl", samples=["pi.jsonl"])
HEADER = {"type": "session", "version": 3, "id": "s", "timestamp": "2027-01-01T00:00:00.000Z", "cwd": "/x"}
OLD = {"type": "session", "id": "s", "timestamp": "2025-11-20T00:00:00.000Z", "cwd": "/x", "provider": "anthropic"}


def entry(id: str, parent: str | None, type: str = "message", **more: Any) -> dict[str, Any]:
    return {"type": type, "id": id, "parentId": parent, "timestamp": "2027-01-01T00:00:01.000Z", **more}


def user(id: str, parent: str | None, text: str) -> dict[str, Any]:
    return entry(id, parent, message={"role": "user", "content": text, "timestamp": 1})


def answer(id: str, parent: str | None, *parts: Any) -> dict[str, Any]:
    said = [{"type": "text", "text": p} if isinstance(p, str) else p for p in parts]
    return entry(id, parent, message={"role": "assistant", "content": said, "stopReason": "stop"})


def session(*entries: Any, header: Any = HEADER) -> bytes:
    return b"".join(json.dumps(e).encode() + b"\n" for e in (header, *entries))


def bare(*entries: dict[str, Any]) -> bytes:
    """A session of the first version, whose entries have no ids."""
    return session(*({k: v for k, v in e.items() if k not in ("id", "parentId")} for e in entries), header=OLD)


def only(data: bytes) -> Transcript:
    (found,) = read(pi, data)
    return found


def records(data: bytes) -> list[Any]:
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def without(data: bytes, *gone: str) -> list[Any]:
    transcript = only(data)
    return records(write(pi, [transcript.with_messages(m for m in transcript.messages if m.id not in gone)]))


def check_chain(entries: list[Any]) -> None:
    ids = [e["id"] for e in entries if e["type"] != "session"]
    assert len(set(ids)) == len(ids)
    seen: set[str] = set()
    for found in (e for e in entries if e["type"] != "session"):
        assert found["parentId"] is None or found["parentId"] in seen
        seen.add(found["id"])


CHAIN = (user("a", None, "one"), answer("b", "a", "two"), user("c", "b", "three"), answer("d", "c", "four"))


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(pi, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(pi, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_a_pi_file_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "pi")


def test_the_chain_of_a_thinned_sample_holds() -> None:
    transcript = only((SAMPLES / "pi.jsonl").read_bytes())
    left = thinned(transcript)
    assert len(left.messages) < len(transcript.messages)
    check_chain(records(write(pi, [left])))


def test_each_entry_becomes_what_the_model_is_shown_of_it() -> None:
    thought = {"type": "thinking", "thinking": "Hm", "thinkingSignature": "Eq"}
    call = {"type": "toolCall", "id": "t", "name": "read", "arguments": {"path": "a"}}
    image = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
    result = {"role": "toolResult", "toolCallId": "t", "toolName": "read", "isError": True}
    shell = {"role": "bashExecution", "command": "ls", "output": "a.py"}
    data = session(
        user("a", None, "hi"),
        answer("b", "a", thought, "I look", call),
        entry("c", "b", message={**result, "content": [{"type": "text", "text": "no"}, image]}),
        entry("d", "c", message=shell),
        entry("e", "d", message={**shell, "excludeFromContext": True}),
        entry("f", "e", "custom_message", customType="x", content="from an extension", display=True),
        entry("g", "f", "branch_summary", fromId="z", summary="We tried."),
        entry("h", "g", "custom", customType="x", data={"words": "not shown"}),
        answer("i", "h"),
    )
    shown = Opaque("image", 1600, "", "image/png", "AAAA", 1)
    assert [(m.role, m.blocks) for m in only(data).messages] == [
        ("user", (Text("hi", 0),)),
        ("assistant", (Thinking("Hm", "Eq", 0), Text("I look", 1), ToolCall("t", "read", '{"path":"a"}', 2))),
        ("tool", (ToolResult("t", "no", (shown,), True, 0),)),
        ("user", (Opaque("command", text="Ran `ls`", at=0), Text("a.py", 1))),
        ("user", (Text("from an extension", 0),)),
        ("user", (Text("We tried.", 0),)),
    ]


def test_the_branch_that_ends_last_is_read_and_the_others_are_carried() -> None:
    data = session(*CHAIN[:2], user("x", "b", "given up"), user("c", "b", "three"))
    transcript = only(data)
    assert [m.text for m in transcript.messages] == ["one", "two", "three"]
    assert transcript.source is not None
    assert [(n.what, n.why) for n in transcript.source.notes] == [
        ("branch", "1 messages off the active branch are carried")
    ]
    out = without(data, "m2")
    check_chain(out)
    assert [(e["id"], e["parentId"]) for e in out[1:]] == [("a", None), ("x", "a"), ("c", "a")]


def test_a_session_whose_last_entries_went_still_ends_on_its_branch() -> None:
    data = session(*CHAIN[:2], user("x", "b", "given up"), user("c", "b", "three"))
    out = without(data, "m3")
    check_chain(out)
    assert [e["type"] for e in out] == ["session", "message", "message", "message", "custom"]
    assert out[-1]["parentId"] == "b"
    assert [m.text for m in only(session(*out[1:])).messages] == ["one", "two"]


def test_what_pointed_at_an_entry_that_went_points_at_what_is_left() -> None:
    compacted = entry("e", "d", "compaction", summary="In short", firstKeptEntryId="b", tokensBefore=9)
    label = entry("f", "e", "label", targetId="b", label="here")
    out = without(session(*CHAIN, compacted, label), "m2")
    check_chain(out)
    assert {e["id"]: e.get("firstKeptEntryId") or e.get("targetId") for e in out[-2:]} == {"e": "c", "f": "a"}


def test_in_a_session_without_ids_the_place_of_the_first_kept_entry_moves() -> None:
    compacted = entry("e", "d", "compaction", summary="In short", firstKeptEntryIndex=3, tokensBefore=9)
    out = without(bare(*CHAIN, compacted), "m1")
    assert out[-1]["firstKeptEntryIndex"] == 2
    assert "parentId" not in out[1]


def test_a_compaction_is_one_message_and_noted() -> None:
    transcript = only(session(*CHAIN, entry("e", "d", "compaction", summary="In short", firstKeptEntryId="c")))
    assert transcript.messages[-1].blocks == (Opaque("compacted", text="In short", at=0),)
    assert transcript.source is not None
    assert [(n.what, n.where) for n in transcript.source.notes] == [("compacted", "line 6")]


def test_a_shortened_result_loses_its_details_and_keeps_its_images() -> None:
    call = {"type": "toolCall", "id": "t", "name": "edit", "arguments": {}}
    image = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
    said = {"role": "toolResult", "toolCallId": "t", "toolName": "edit", "details": {"diff": "long"}, "isError": False}
    content = [{"type": "text", "text": "long"}, image]
    transcript = only(session(answer("a", None, call), entry("b", "a", message={**said, "content": content})))
    asked, result = transcript.messages
    (block,) = result.blocks
    assert isinstance(block, ToolResult)
    out = write(pi, [transcript.with_messages([asked, result.with_blocks([ToolResult("t", "short", block.media)])])])
    assert b"long" not in out
    assert records(out)[-1]["message"]["content"] == [{"type": "text", "text": "short"}, image]


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"type": "custom_message", "content": "a", "display": True}, {"content": "b"}),
        ({"type": "branch_summary", "summary": "a", "fromId": "x"}, {"summary": "b"}),
        (
            {"type": "message", "message": {"role": "user", "content": "a"}},
            {"message": {"role": "user", "content": "b"}},
        ),
    ],
)
def test_a_changed_text_goes_back_into_its_field(given: dict[str, Any], changed: dict[str, Any]) -> None:
    out = records(write(pi, [with_text(only(session({"id": "a", "parentId": None, **given})), "b")]))
    assert out[1] == {"id": "a", "parentId": None, **given, **changed}


def test_what_the_user_ran_keeps_its_command_when_its_output_changes() -> None:
    shell = {"role": "bashExecution", "command": "ls", "output": "long", "exitCode": 0}
    out = records(write(pi, [with_text(only(session(entry("a", None, message=shell))), "short")]))
    assert out[1]["message"] == {**shell, "output": "short"}


def test_a_changed_text_leaves_every_other_key_in_its_place() -> None:
    data = session({"z": 1, **answer("a", None, {"k": 2, "type": "text", "text": "a", "textSignature": "m"}), "y": 3})
    assert write(pi, [with_text(only(data), "b")]) == data.replace(b'"text": "a"', b'"text": "b"')


def test_new_messages_stand_in_the_chain_where_they_stand_in_the_conversation() -> None:
    transcript = only(session(*CHAIN))
    new, end = Message("s1", "user", (Text("In short."),)), Message("s2", "assistant", (Text("So be it."),))
    kept = transcript.messages[2:]
    out = write(pi, [transcript.with_messages([new, *kept, end])])
    check_chain(records(out))
    assert [m.text for m in only(out).messages] == ["In short.", "three", "four", "So be it."]
    assert write(pi, [transcript.with_messages([new, *kept, end])]) == out
    again = only(out)
    check_chain(records(write(pi, [again.with_messages([new, *again.messages])])))


def test_a_session_without_ids_gets_none() -> None:
    transcript = only(bare(*CHAIN))
    out = write(pi, [transcript.with_messages([Message("s1", "user", (Text("In short."),)), *transcript.messages[2:]])])
    assert [m.text for m in only(out).messages] == ["In short.", "three", "four"]
    assert not [e for e in records(out)[1:] if "id" in e or "parentId" in e]


def test_bad_lines_and_unknown_records_are_carried_and_noted() -> None:
    data = session(CHAIN[0]) + b'{"type": "mess\n' + session(entry("b", "a", "novel"), 7)[len(session()) :]
    check_round_trip(pi, data)
    transcript = only(data)
    assert transcript.source is not None
    assert [(n.what, n.where) for n in transcript.source.notes] == [
        ("bad line", "line 3"),
        ("unknown record", "line 4"),
        ("unknown record", "line 5"),
    ]
    assert b'{"type": "mess\n' in write(pi, [transcript.with_messages([])])


def test_a_chain_that_runs_in_a_circle_is_read_once() -> None:
    data = session(user("a", "b", "one"), user("b", "a", "two"))
    assert [m.text for m in only(data).messages] == ["one", "two"]
    assert len(without(data, "m1")) == 2


def test_a_conversation_of_another_format_becomes_a_session() -> None:
    messages = (
        Message("m1", "user", (Text("See"), Opaque("image", 85, media_type="image/png", data="AAAA"))),
        Message("m2", "assistant", (Text("I open it."), ToolCall("k", "open", '{"path":"a.py"}'))),
        Message("m3", "tool", (ToolResult("k", "x = 1"),)),
    )
    out = write(pi, [Transcript(messages)])
    check_one_format(out, "pi")
    check_chain(records(out))
    assert [m.role for m in only(out).messages] == ["user", "assistant", "tool"]
    assert [e["message"].get("toolName") for e in records(out)[1:]] == [None, None, "open"]
    assert records(out)[2]["message"]["stopReason"] == "toolUse"
    with pytest.raises(UsageError, match="one by one"):
        write(pi, [Transcript(messages), Transcript(messages)])
