"""ChatGPT's export: the open branch is the conversation, and the tree stays a tree whatever goes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.formats import chatgpt_export as chatgpt
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import (
    SAMPLES,
    check_one_format,
    check_round_trip,
    check_thinned,
    files,
    read,
    thinned,
    with_text,
    write,
)

FILES = files("chatgpt-export/*.json", "derived/chatgpt_export_branched.json", samples=["chatgpt.json"])


def conversation(*said: tuple[str, Any], extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """A conversation without branches: (role, text or content) for n1, n2, ... below the root n0."""
    mapping: dict[str, Any] = {"n0": {"id": "n0", "message": None, "parent": None, "children": []}}
    for n, (role, content) in enumerate(said, 1):
        content = {"content_type": "text", "parts": [content]} if isinstance(content, str) else content
        to = content.pop("to", "all")
        message = {"id": f"n{n}", "author": {"role": role}, "content": content, "recipient": to, "weight": 1.0}
        mapping[f"n{n}"] = {"id": f"n{n}", "message": message, "parent": f"n{n - 1}", "children": []}
        mapping[f"n{n - 1}"]["children"] = [f"n{n}"]
    mapping.update(extra or {})
    for key, node in (extra or {}).items():
        mapping[node["parent"]]["children"].append(key)
    return {"title": "T", "mapping": mapping, "current_node": f"n{len(said)}", "id": "c"}


def only(value: Any) -> Transcript:
    (found,) = read(chatgpt, json.dumps(value).encode())
    return found


def written(transcript: Transcript) -> Any:
    return json.loads(write(chatgpt, [transcript]))


def branch(value: Any) -> list[str]:
    """The ids of the active branch, from the root."""
    path, place = [], value["current_node"]
    while place is not None:
        path.append(place)
        place = value["mapping"][place]["parent"]
    return path[::-1]


def check_tree(value: Any) -> None:
    mapping = value["mapping"]
    assert value["current_node"] in mapping
    for key, node in mapping.items():
        assert node["id"] == key
        assert node["parent"] is None or key in mapping[node["parent"]]["children"]
        assert all(mapping[child]["parent"] == key for child in node["children"])
        assert len(set(node["children"])) == len(node["children"])
    assert len(branch(value)) == len(set(branch(value)))


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(chatgpt, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(chatgpt, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_a_chatgpt_file_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "chatgpt")


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_tree_is_a_tree_that_kept_its_other_branches(path: Path) -> None:
    before = json.loads(path.read_bytes())
    transcripts = read(chatgpt, path.read_bytes())
    after = json.loads(write(chatgpt, [thinned(t) for t in transcripts]))
    for old, new, transcript in zip(before, after, transcripts, strict=True):
        check_tree(new)
        assert len(old["mapping"]) - len(new["mapping"]) == len(transcript.messages) - len(thinned(transcript).messages)
        assert set(old["mapping"]) - set(branch(old)) <= set(new["mapping"]) - set(branch(new))
        assert list(old) == list(new)


@pytest.mark.parametrize("path", FILES)
def test_nodes_that_did_not_change_keep_their_bytes(path: Path) -> None:
    transcripts = read(chatgpt, path.read_bytes())
    out = write(chatgpt, [with_text(t, "other words") for t in transcripts])
    for transcript in transcripts:
        assert transcript.source is not None
        lost = [record for record in transcript.source.records if record not in out]
        assert len(lost) == 1


def test_the_open_branch_is_the_conversation_and_the_others_are_noted() -> None:
    other = {"x": {"id": "x", "message": {"author": {"role": "assistant"}}, "parent": "n1", "children": []}}
    transcript = only(conversation(("user", "a"), ("assistant", "b"), extra=other))
    assert [(m.role, m.text) for m in transcript.messages] == [("user", "a"), ("assistant", "b")]
    assert transcript.source is not None
    assert [(n.what, n.where, n.why) for n in transcript.source.notes] == [
        ("branch", "T", "1 messages off the active branch are carried")
    ]


def test_a_dropped_node_hands_its_children_of_every_branch_to_its_parent() -> None:
    other = {"x": {"id": "x", "message": None, "parent": "n2", "children": []}}
    transcript = only(conversation(("user", "a"), ("assistant", "b"), ("user", "c"), extra=other))
    value = written(transcript.with_messages([transcript.messages[0], transcript.messages[2]]))
    assert value["mapping"]["n1"]["children"] == ["n3", "x"]
    assert value["mapping"]["x"]["parent"] == "n1"
    assert branch(value) == ["n0", "n1", "n3"]


def test_the_current_node_moves_up_when_it_goes() -> None:
    transcript = only(conversation(("user", "a"), ("assistant", "b")))
    assert written(transcript.with_messages(transcript.messages[:1]))["current_node"] == "n1"
    assert written(transcript.with_messages([]))["current_node"] == "n0"


@given(st.sets(st.integers(0, 14)), st.integers(0, 15))
def test_any_drop_and_a_new_message_anywhere_leave_a_tree(gone: set[int], place: int) -> None:
    for transcript in read(chatgpt, (SAMPLES / "chatgpt.json").read_bytes()):
        left = [m for n, m in enumerate(transcript.messages) if n not in gone]
        left.insert(place, Message("s1", "user", (Text("In short."),)))
        data = write(chatgpt, [transcript.with_messages(left)]).strip().strip(b"[],\n ")
        check_tree(json.loads(data))
        (again,) = read(chatgpt, data)
        assert [m.text for m in again.messages if m.role != "tool"] == [m.text for m in left if m.role != "tool"]


def test_messages_without_weight_are_carried_and_hidden_ones_count() -> None:
    value = conversation(("system", "seen"), ("system", "not seen"), ("user", "a"))
    value["mapping"]["n1"]["message"]["metadata"] = {"is_visually_hidden_from_conversation": True}
    value["mapping"]["n2"]["message"]["weight"] = 0.0
    transcript = only(value)
    assert [m.text for m in transcript.messages] == ["seen", "a"]
    assert branch(written(transcript.with_messages([]))) == ["n0", "n2"]


@pytest.mark.parametrize(
    ("content", "block"),
    [
        ({"content_type": "code", "text": "1+1"}, Text("1+1", 0)),
        ({"content_type": "system_error", "text": "no"}, Text("no", 0)),
        ({"content_type": "tether_quote", "url": "https://x", "text": "said"}, Text("said", 0)),
        ({"content_type": "tether_browsing_display", "result": "L1", "summary": None}, Text("L1", 0)),
        ({"content_type": "user_editable_context", "user_profile": "", "user_instructions": "short"}, Text("short", 1)),
        ({"content_type": "model_editable_context", "model_set_context": "likes tea"}, Text("likes tea", 0)),
        ({"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "c"}]}, Thinking("c", at=0)),
        ({"content_type": "reasoning_recap", "content": "Thought for 3s"}, Thinking("Thought for 3s", at=0)),
        ({"content_type": "novel", "x": 1}, Opaque("novel", text='{"content_type":"novel","x":1}', at=0)),
        (
            {
                "content_type": "multimodal_text",
                "parts": [{"content_type": "image_asset_pointer", "width": 512, "height": 512}],
            },
            Opaque("image", 255, at=0),
        ),
    ],
)
def test_each_content_type_gives_what_the_model_reads(content: dict[str, Any], block: Any) -> None:
    assert only(conversation(("assistant", dict(content)))).messages[0].blocks == (block,)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ({"content_type": "code", "language": "py", "text": "old"}, "text"),
        ({"content_type": "tether_browsing_display", "result": "old", "summary": None}, "result"),
        ({"content_type": "user_editable_context", "user_profile": "old", "user_instructions": "i"}, "user_profile"),
    ],
)
def test_a_changed_text_goes_back_into_its_field(content: dict[str, Any], key: str) -> None:
    value = written(with_text(only(conversation(("assistant", dict(content)))), "new"))
    assert value["mapping"]["n1"]["message"]["content"] == {**content, key: "new"}


def test_a_message_to_a_tool_is_a_call_and_the_replies_are_its_results() -> None:
    transcript = only(
        conversation(
            ("user", "a"),
            ("assistant", {"content_type": "code", "text": "1+1", "to": "python"}),
            ("tool", {"content_type": "execution_output", "text": "2"}),
            ("tool", {"content_type": "execution_output", "text": "done"}),
            ("assistant", {"content_type": "code", "text": "2+2", "to": "python"}),
            ("tool", {"content_type": "execution_output", "text": "4"}),
        )
    )
    assert [b for m in transcript.messages[1:] for b in m.blocks] == [
        ToolCall("n2", "python", "1+1", 0),
        ToolResult("n2", "2", at=0),
        ToolResult("n2", "done", at=0),
        ToolCall("n5", "python", "2+2", 0),
        ToolResult("n5", "4", at=0),
    ]


def test_calls_made_at_once_are_answered_in_order() -> None:
    messages = (
        Message("m1", "assistant", (ToolCall("a", "f", "{}"), ToolCall("b", "g", "{}"))),
        Message("m2", "tool", (ToolResult("a", "1"),)),
        Message("m3", "tool", (ToolResult("b", "2"),)),
    )
    blocks = [b for m in only(json.loads(write(chatgpt, [Transcript(messages)]))).messages for b in m.blocks]
    ids = [b.id for b in blocks if isinstance(b, ToolCall)]
    assert [(b.call_id, b.text) for b in blocks if isinstance(b, ToolResult)] == [(ids[0], "1"), (ids[1], "2")]


def test_conversations_of_another_format_become_trees_in_an_array() -> None:
    messages = (
        Message("m1", "system", (Text("Be kind."),)),
        Message("m2", "user", (Text("Hi"),), name="Ana", time="1700000000.5"),
        Message("m3", "assistant", (Thinking("Hm"), Text("Hello"))),
    )
    out = write(chatgpt, [Transcript(messages, title="One"), Transcript(())])
    check_one_format(out, "chatgpt")
    first, second = json.loads(out)
    for value in (first, second):
        check_tree(value)
    assert first["title"] == "One"
    again, _ = read(chatgpt, out)
    assert [(m.role, m.name, m.time, m.text) for m in again.messages] == [
        ("system", None, None, "Be kind."),
        ("user", "Ana", "1700000000.5", "Hi"),
        ("assistant", None, None, ""),
        ("assistant", None, None, "Hello"),
    ]


def test_an_export_that_points_at_no_node_is_read_from_its_last_leaf() -> None:
    value = conversation(("user", "a"), ("assistant", "b"))
    value["current_node"] = "gone"
    assert [m.text for m in only(value).messages] == ["a", "b"]


def test_a_tree_that_runs_in_a_circle_is_read_once() -> None:
    value = conversation(("user", "a"), ("assistant", "b"))
    value["mapping"]["n0"]["parent"] = "n2"
    assert [m.text for m in only(value).messages] == ["a", "b"]
