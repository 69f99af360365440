"""Two conversations side by side: which message became which, and what changed in it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.comparison import Side, changes, compare, readable
from boildown.report import Fate
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult


def side(*said: str) -> Side:
    """A conversation of messages `role: text`, each of as many tokens as words."""
    messages = [
        Message(f"m{n}", role, (Text(text),)) for n, (role, _, text) in enumerate((s.partition(": ") for s in said), 1)
    ]
    return Side(messages, [len(m.text.split()) for m in messages])


def told(old: Side, new: Side, known: list[Fate] | None = None) -> list[tuple[str, str, str]]:
    return [(row.fate.id, row.fate.fate, row.id) for row in compare(old, new, known).rows]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([], [], []),
        (["u: a"], [], [("m1", "dropped", "")]),
        ([], ["u: a"], [("", "added", "m1")]),
        (["u: a", "a: b"], ["u: a", "a: b"], [("m1", "kept", "m1"), ("m2", "kept", "m2")]),
        (
            ["u: We met at the old harbour", "a: Noted", "u: The code is 4411"],
            ["u: met harbour", "u: The code is 4411"],
            [("m1", "changed", "m1"), ("m2", "dropped", ""), ("m3", "kept", "m2")],
        ),
        # The other role's message is none that it was made from, however alike.
        (["u: the harbour in May"], ["a: the harbour in May"], [("m1", "dropped", ""), ("", "added", "m1")]),
        (["u: the same", "u: the same"], ["u: the same"], [("m1", "kept", "m1"), ("m2", "stood for", "")]),
        # What is said again is not the first one twice, at the cost of what stands between.
        (
            ["u: the old port", "u: bread and milk"],
            ["u: the old port", "u: bread eggs", "u: the old port"],
            [("m1", "kept", "m1"), ("m2", "changed", "m2"), ("", "added", "m3")],
        ),
        (
            ["u: a", "u: z"],
            ["u: A summary of it all", "u: z"],
            [("m1", "dropped", ""), ("", "added", "m1"), ("m2", "kept", "m2")],
        ),
        (
            ["u: ok", "a: go", "u: ok", "a: stop"],
            ["u: ok", "a: stop"],
            [("m1", "stood for", ""), ("m2", "dropped", ""), ("m3", "kept", "m1"), ("m4", "kept", "m2")],
        ),
    ],
)
def test_the_texts_tell_what_became_of_each_message(old, new, expected):
    found = told(side(*old), side(*new))
    # Which of two equal messages is the kept one is anybody's guess.
    assert sorted(f[1:] for f in found) == sorted(e[1:] for e in expected)
    assert [f for f in found if f[1] in ("changed", "added")] == [e for e in expected if e[1] in ("changed", "added")]


def test_what_is_known_is_said_and_not_guessed():
    known = [
        Fate("m1", "u", "dropped", 3, 0, "prune", "worth least"),
        Fate("m2", "u", "changed", 3, 2, "prune", "worth least"),
    ]
    rows = compare(side("u: one and the same", "u: one and the same"), side("u: one and the same"), known).rows
    assert [row.fate for row in rows] == known
    assert [row.after for row in rows] == ["", "one and the same"]


def test_a_result_that_only_has_its_call_in_common_is_the_same_message():
    call = Message("m1", "assistant", (ToolCall("c1", "read", "{}"),))
    old = Side([call, Message("m2", "tool", (ToolResult("c1", "a long file of many words"),))], [1, 9])
    new = Side([call, Message("m2", "tool", (ToolResult("c1", "[taken out]"),))], [1, 2])
    assert told(old, new) == [("m1", "kept", "m1"), ("m2", "changed", "m2")]


@given(st.lists(st.sampled_from(["u: a b", "u: b c", "a: a b c d", "a: ", "u: x"])), st.randoms(use_true_random=False))
def test_every_message_of_both_has_one_row_in_order(said, draw):
    old, new = side(*said), side(*(s[: draw.choice([3, 5, 99])] for s in said if draw.random() < 0.6), "u: new")
    rows = compare(old, new).rows
    assert [row.fate.id for row in rows if row.fate.id] == [m.id for m in old.messages]
    assert [row.id for row in rows if row.id] == [m.id for m in new.messages]
    assert all((row.fate.fate in ("kept", "changed", "added")) == bool(row.id) for row in rows)


def test_thousands_of_messages_are_told_apart_in_little_time():
    words = [f"w{n}" for n in range(3000)]
    draw = random.Random(0)
    texts = [" ".join(draw.choices(words, k=30)) for _ in range(2000)]
    kept = [n for n in range(2000) if draw.random() < 0.3]
    rows = compare(
        side(*(f"u: {text}" for text in texts)), side(*(f"u: {' '.join(texts[n].split()[::3])}" for n in kept))
    ).rows
    assert [n for n, row in enumerate(rows) if row.fate.fate == "changed"] == kept


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a b", "a b", [("same", "a b")]),
        ("", "new", [("new", "new")]),
        ("the old port", "the port", [("same", "the "), ("gone", "old "), ("same", "port")]),
        ("on Monday.", "on Tuesday.", [("same", "on "), ("gone", "Monday"), ("new", "Tuesday"), ("same", ".")]),
    ],
)
def test_changes_are_told_word_by_word(before, after, expected):
    assert changes(before, after) == expected


@given(st.text("ab \n.", max_size=40), st.text("ab \n.", max_size=40))
def test_the_changes_hold_both_texts_whole(before, after):
    merged = changes(before, after)
    assert "".join(text for kind, text in merged if kind != "new") == before
    assert "".join(text for kind, text in merged if kind != "gone") == after


def test_long_texts_are_told_line_by_line():
    before = "".join(f"line {n} of a long file\n" for n in range(2000))
    after = before.replace("line 7 of", "line seven of")
    assert ("gone", "line 7 of a long file\n") in changes(before, after)


def test_a_message_is_readable_whatever_it_holds():
    blocks = (
        Text("said"),
        Thinking("why"),
        ToolCall("c1", "read", '{"path": "a"}'),
        ToolResult("c1", "found", (Opaque("image", media_type="image/png"),), is_error=True),
        Opaque("refusal", text="no"),
    )
    assert readable(Message("m1", "user", blocks)).splitlines() == [
        "said",
        "[thinking] why",
        '[call] read {"path": "a"}',
        "[error] found",
        "[image image/png]",
        "[refusal] no",
    ]
