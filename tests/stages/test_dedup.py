"""Dedup: which copies go, and who stands for them."""

from __future__ import annotations

import pytest

from boildown.errors import UsageError
from boildown.registry import parse
from boildown.stages.dedup import Dedup
from boildown.transcript import Message, Text, ToolCall, ToolResult, Transcript
from strategies import chat, context

LONG = (
    "The committee met on Tuesday morning in the small hall and decided to move the annual budget vote to the next "
    "quarter because several members were away"
)
TRAIN = "The train leaves from platform nine."
LEFT = {
    "the newest of equals stays": ([TRAIN, "Something else was said here.", TRAIN], ["m2", "m3 for m1"]),
    "one stands for all": ([TRAIN, TRAIN, TRAIN], ["m3 for m1 m2"]),
    "the more complete copy stays": ([f"{LONG} on holiday.", f"{LONG}."], ["m1 for m2"]),
    "even where it came later": ([f"{LONG}.", f"{LONG} on holiday."], ["m2 for m1"]),
    "near copies of one, not of each other's copies": (
        [f"{LONG}.", f"{LONG} again.", f"{LONG} once again."],
        ["m3 for m1 m2"],
    ),
    "case and punctuation do not count": ([LONG.upper() + "!", LONG + "."], ["m2 for m1"]),
    "another number": ([f"{LONG} 12 times.", f"{LONG} 13 times."], ["m1", "m2"]),
    "a number more": ([f"{LONG}.", f"{LONG} 13 times."], ["m2 for m1"]),
    "a negation more in the newer": ([f"{LONG} today.", f"{LONG} not today."], ["m1", "m2"]),
    "a negation more in the older": ([f"{LONG} not today.", f"{LONG} today."], ["m1", "m2"]),
    "short answers are no copies": (["Yes, please do it.", "Yes, please do it."], ["m1", "m2"]),
    "fewer words in common than the threshold": (
        ["The slow train leaves from platform nine.", "The quick tram leaves from platform ten."],
        ["m1", "m2"],
    ),
    "nothing": ([], []),
    "empty messages": (["", "", " "], ["m1", "m2", "m3"]),
}


def left(transcript: Transcript, target: int = 0, stage: Dedup | None = None) -> list[str]:
    found = (stage or Dedup())(transcript, context(target)).messages
    return [f"{m.id} for {' '.join(m.covers)}" if m.covers else m.id for m in found]


@pytest.mark.parametrize(("texts", "expected"), LEFT.values(), ids=LEFT)
def test_copies_go_and_are_stood_for(texts: list[str], expected: list[str]) -> None:
    assert left(chat(*(("user", text) for text in texts))) == expected


def test_what_two_roles_say_is_no_copy() -> None:
    assert left(chat(("user", LONG), ("assistant", LONG))) == ["m1", "m2"]


@pytest.mark.parametrize(
    ("roles", "expected"),
    [(("user!", "user"), ["m1 for m2"]), (("user", "user!"), ["m2 for m1"]), (("user!", "user!"), ["m1", "m2"])],
)
def test_a_pinned_copy_stays(roles: tuple[str, str], expected: list[str]) -> None:
    assert left(chat(*((role, LONG) for role in roles))) == expected


def test_it_stops_when_the_budget_is_met_and_takes_the_oldest_first() -> None:
    transcript = chat(("user", LONG), ("user", LONG), ("user", LONG))
    assert left(transcript, target=70) == ["m2", "m3 for m1"]


def test_a_lower_threshold_finds_more() -> None:
    transcript = chat(
        ("user", "The slow train leaves from platform nine."), ("user", "The train leaves platform nine.")
    )
    assert left(transcript) == ["m1", "m2"]
    assert left(transcript, stage=Dedup(threshold=0.7)) == ["m1 for m2"]


def test_tool_exchanges_are_never_copies() -> None:
    messages = []
    for n in (1, 2):
        messages += [
            Message(f"a{n}", "assistant", (Text(LONG), ToolCall(f"c{n}", "look", "{}"))),
            Message(f"b{n}", "tool", (ToolResult(f"c{n}", LONG),)),
        ]
    assert left(Transcript(tuple(messages))) == ["a1", "b1", "a2", "b2"]


@pytest.mark.parametrize("threshold", ["0", "-1", "1.01", "nan", "much"])
def test_a_threshold_that_is_no_share_is_refused(threshold: str) -> None:
    with pytest.raises(UsageError, match="threshold="):
        parse(f"dedup:threshold={threshold}")
