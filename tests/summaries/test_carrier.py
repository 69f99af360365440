"""The message that carries a summary is found only where a run of boildown would have put it."""

from __future__ import annotations

import pytest

from boildown.summaries.carrier import before
from boildown.summaries.summary import Summary
from boildown.transcript import Message, Text, ToolResult

SUMMARY = Summary({"facts": ("a",)})
TEXT = SUMMARY.text("2 of them")
SYSTEM = Message("m1", "system", (Text("Be brief."),))


def user(id: str, text: str) -> Message:
    return Message(id, "user", (Text(text),))


def test_the_first_message_of_the_user_may_be_a_summary() -> None:
    found = before([SYSTEM, user("m2", TEXT), user("m3", "go on")])
    assert found.summary == SUMMARY
    assert [m.id for m in found.messages] == ["m1", "m3"]
    assert found.covers == ("m2",)


def test_what_the_user_says_behind_it_stays() -> None:
    found = before([user("m1", f"{TEXT}\n\ngo on")])
    assert found.summary == SUMMARY
    assert [m.text for m in found.messages] == ["go on"]
    assert found.covers == ()


@pytest.mark.parametrize(
    "messages",
    [
        [user("m1", "hello"), user("m2", TEXT)],
        [user("m1", f"Look: {TEXT}")],
        [Message("m1", "assistant", (Text(TEXT),))],
        [Message("m1", "tool", (ToolResult("c", TEXT),))],
        [Message("m1", "user", (Text(TEXT),), pinned=True)],
    ],
)
def test_what_looks_like_one_elsewhere_is_only_text(messages: list[Message]) -> None:
    assert before(messages).summary is None
    assert before(messages).messages == tuple(messages)
