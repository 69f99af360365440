"""OASST trees: the best branch is the conversation, and the others stay while what they hang from does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.formats import oasst
from boildown.transcript import Message, Text, Transcript
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

FILES = files("oasst/*.jsonl", samples=["oasst.jsonl"])


def node(text: str, *replies: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message whose id is its text; its role is set by its depth in `tree`."""
    return {"message_id": text, "text": text, **more, "replies": list(replies)}


def tree(prompt: dict[str, Any]) -> bytes:
    waiting = [(prompt, None, "prompter")]
    while waiting:
        held, above, role = waiting.pop()
        held |= {"role": role} | ({"parent_id": above} if above else {})
        waiting += [(r, held["message_id"], "assistant" if role == "prompter" else "prompter") for r in held["replies"]]
    return json.dumps({"message_tree_id": prompt["message_id"], "tree_state": "x", "prompt": prompt}).encode()


A = tree(node("a", node("b2", rank=1), node("b", node("c", node("d", rank=0), node("d2", rank=1)), node("c2"), rank=0)))


def only(data: bytes) -> Transcript:
    (found,) = read(oasst, data)
    return found


def left(ids: str) -> Any:
    """The tree A of which only the messages said as `ids` are left; an upper-case one is new."""
    transcript = only(A)
    said = {m.text: m for m in transcript.messages}
    new = [said.get(i) or Message(f"new-{i}", "user", (Text(i),)) for i in ids]
    return json.loads(write(oasst, [transcript.with_messages(new)]))["prompt"]


def shown(value: Any) -> str:
    """A tree as `a(b(c)d)`, with `!` where a message names another parent than the one above it."""
    if value is None:
        return ""
    below = "".join(shown(r) + ("" if r.get("parent_id") == value["message_id"] else "!") for r in value["replies"])
    return value["text"] + (f"({below})" if below else "")


def texts(data: bytes) -> list[str]:
    return [m.text for m in only(data).messages]


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(oasst, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(oasst, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_an_oasst_file_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "oasst")


@pytest.mark.parametrize("path", FILES)
def test_a_changed_text_leaves_every_other_byte_and_branch(path: Path) -> None:
    data = path.read_bytes()
    for transcript, line in zip(read(oasst, data), data.splitlines(keepends=True), strict=True):
        was = json.dumps(transcript.messages[0].text, ensure_ascii=line.isascii()).encode()
        assert write(oasst, [with_text(transcript, "other words")]) == line.replace(was, b'"other words"', 1)


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_tree_is_a_tree(path: Path) -> None:
    transcripts = read(oasst, path.read_bytes())
    for line in write(oasst, [thinned(t) for t in transcripts]).splitlines():
        assert is_linked(json.loads(line)["prompt"])


def is_linked(value: Any) -> bool:
    """Whether each message below `value` names the one above it as its parent."""
    replies = value["replies"] if value else []
    return all(r["parent_id"] == value["message_id"] and is_linked(r) for r in replies)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (node("a", node("b", rank=2), node("c", rank=0), node("d", rank=1)), "ac"),
        (node("a", node("b"), node("c", node("d"))), "ab"),
        (node("a", node("b"), node("c", rank=3)), "ac"),
        (node("a", node("b", rank=0, deleted=True), node("c", rank=1)), "ac"),
        (node("a", node("b", rank=0, review_result=False), node("c", rank=1, review_result=None)), "ac"),
        (node("a", node("b", deleted=True)), "a"),
        (node("a"), "a"),
    ],
)
def test_the_best_branch_is_the_one_that_was_ranked_first_and_not_refused(
    prompt: dict[str, Any], expected: str
) -> None:
    data = tree(prompt)
    assert "".join(texts(data)) == expected
    check_round_trip(oasst, data)
    check_thinned(oasst, data)


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ("abcd", "a(b2b(c(dd2)c2))"),
        ("acd", "a(c(dd2))"),
        ("abd", "a(b2b(d))"),
        ("abc", "a(b2b(cc2))"),
        ("bcd", "b(c(dd2)c2)"),
        ("d", "d"),
        ("", ""),
        ("aNbcd", "a(N(b(c(dd2)c2)))"),
        ("Nabcd", "N(a(b2b(c(dd2)c2)))"),
        ("abcdN", "a(b2b(c(d(N)d2)c2))"),
    ],
)
def test_a_branch_stays_while_the_messages_that_it_leaves_between_stay_neighbours(ids: str, expected: str) -> None:
    value = left(ids)
    assert shown(value) == expected
    assert value is None or "parent_id" not in value
    assert texts(json.dumps({"message_tree_id": "a", "prompt": value}).encode()) == list(ids)


@given(st.sets(st.integers(0, 7)), st.integers(0, 8))
def test_any_drop_and_a_new_message_anywhere_leave_a_tree_that_reads_again(gone: set[int], place: int) -> None:
    for transcript in read(oasst, (SAMPLES / "oasst.jsonl").read_bytes()):
        kept = [m for n, m in enumerate(transcript.messages) if n not in gone]
        kept.insert(place, Message("s1", "user", (Text("In short."),)))
        data = write(oasst, [transcript.with_messages(kept)])
        assert [(m.role, m.text) for m in only(data).messages] == [(m.role, m.text) for m in kept]
        assert is_linked(json.loads(data)["prompt"])


def test_the_other_branches_are_noted() -> None:
    source = only(A).source
    assert source is not None
    assert [(n.what, n.where, n.why) for n in source.notes] == [
        ("branch", "a", "3 messages off the best branch are carried, and go where a message beside or above them goes")
    ]


def test_a_message_without_a_list_of_replies_gets_one_where_a_reply_comes() -> None:
    data = b'{"message_tree_id": "a", "prompt": {"message_id": "a", "text": "a", "role": "prompter"}}'
    transcript = only(data)
    out = write(oasst, [transcript.with_messages([*transcript.messages, Message("s", "assistant", (Text("b"),))])])
    assert texts(out) == ["a", "b"]
    assert write(oasst, [transcript]) == data


def test_bad_lines_are_carried_and_noted() -> None:
    data = A + b'\n{"message_tree_id": "x", "prompt": 7}\n{"message_tree_id": "y", "pro\n' + A
    check_round_trip(oasst, data)
    found = [n.where for t in read(oasst, data) if t.source for n in t.source.notes if n.what == "bad line"]
    assert found == ["line 2", "line 3"]


def test_conversations_of_another_format_become_trees_of_one_branch() -> None:
    messages = (Message("m1", "user", (Text("Hi"),)), Message("m2", "assistant", (Text("Hello, 世界"),)))
    out = write(oasst, [Transcript(messages, title="One"), Transcript(())])
    check_one_format(out, "oasst")
    first, second = read(oasst, out)
    assert [(m.role, m.text) for m in first.messages] == [("user", "Hi"), ("assistant", "Hello, 世界")]
    assert second.messages == ()
    assert all(is_linked(json.loads(line)["prompt"]) for line in out.splitlines())
