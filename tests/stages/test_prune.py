"""Prune: the words worth least go, and protected spans stay or go whole."""

from __future__ import annotations

import pytest

from boildown.stages.prune import Prune
from boildown.transcript import Message, Text, Thinking, ToolCall, ToolResult, Transcript
from strategies import chat, context

TEXTS = {
    "all of it fits": ("Hello there. How are you?", 30, "Hello there. How are you?"),
    "function words": (
        "The Rotterdam warehouse was burned down by the lightning in the night.",
        11,
        "Rotterdam warehouse burned lightning night.",
    ),
    "a date is whole": (
        "So the warehouse of it was burned down on 14 May 2023 then.",
        13,
        "warehouse burned 14 May 2023.",
    ),
    "a negation stays with its verb": (
        "As it was, the mayor of Rotterdam did not resign after all of that.",
        11,
        "mayor Rotterdam did not resign.",
    ),
    "code is whole": (
        "So the fix for it is that you call `total(xs, 0)` there.",
        14,
        "fix call `total(xs, 0)`.",
    ),
    "lines stay apart": (
        "It is about the Rotterdam warehouse\nand it was the Amsterdam harbour",
        12,
        "about Rotterdam warehouse\nand was Amsterdam harbour",
    ),
    "nothing stands behind a block of code": (
        "Call it:\n\n```\nwarehouse.rotterdam(burned)\n```\n\nSo it was and is.",
        16,
        "Call\n```\nwarehouse.rotterdam(burned)\n```",
    ),
}


def left(transcript: Transcript, target: int) -> list[str]:
    return [m.text for m in Prune()(transcript, context(target)).messages]


@pytest.mark.parametrize(("text", "target", "expected"), TEXTS.values(), ids=TEXTS)
def test_words_worth_least_go(text: str, target: int, expected: str) -> None:
    assert left(chat(("user", text)), target) == [expected]


def test_a_message_that_is_worth_less_than_its_framing_goes() -> None:
    talk = chat(("user", "The Rotterdam warehouse burned."), ("assistant", "So it is."), ("user", "Amsterdam helped."))
    assert left(talk, 20) == ["Rotterdam warehouse burned.", "Amsterdam helped."]


def test_pinned_messages_and_tool_calls_stay_and_results_are_cut_to_a_sign() -> None:
    exchange = (
        Message("m2", "assistant", (ToolCall("c1", "look", '{"at": "warehouse"}'),)),
        Message("m3", "tool", (ToolResult("c1", "so it is as it was and it is there " * 20 + "Rotterdam"),)),
    )
    pinned = Message("m1", "system", (Text("So it is what it is, and it is that."),), pinned=True)
    result = Prune()(Transcript((pinned, *exchange)), context(50)).messages
    assert result[:2] == (pinned, exchange[0])
    assert "Rotterdam" in result[2].text
    assert len(result[2].text) < 60


@pytest.mark.parametrize("target", range(5, 50, 5))
def test_signed_thinking_is_whole_or_gone(target: int) -> None:
    thinking = Thinking("Rotterdam burned and Amsterdam helped.", "signed")
    message = Message("m1", "assistant", (thinking, Text("So it is what it is, and it was what it was " * 3)))
    for cut in Prune()(Transcript((message,)), context(target)).messages:
        assert [b for b in cut.blocks if isinstance(b, Thinking)] in ([], [thinking])
