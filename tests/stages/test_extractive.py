"""Extractive: sentences, list items and code blocks stay or go whole, and what says most per token stays."""

from __future__ import annotations

import pytest

from boildown.errors import UsageError
from boildown.registry import parse
from boildown.stages.extractive import Extractive
from boildown.transcript import Transcript
from strategies import chat, context

FIRE = "The Rotterdam warehouse burned down on 14 May 2023."
TALK = chat(
    ("user", f"Well, so anyway, it is what it is. {FIRE} It was very much like that, you know."),
    ("user", "I see. And so on."),
)
CODE = "```python\ndef total(xs):\n    return sum(xs)\n```"
TEXTS = {
    "all of it fits": ("Hello there. How are you?", 30, "Hello there. How are you?"),
    "sentences": (f"It is what it is. {FIRE} So there it was.", 18, FIRE),
    "list items": ("- it is so\n- Rotterdam warehouse burned\n- and so on", 9, "- Rotterdam warehouse burned"),
    "code is one unit": (f"It is here.\n\n{CODE}\n\nSo it was.", 18, CODE),
    "Chinese": ("鹿特丹仓库在五月烧毁了。就是这样的。", 17, "鹿特丹仓库在五月烧毁了。"),
}


def left(transcript: Transcript, target: int, last: bool = True) -> list[str]:
    return [m.text for m in Extractive()(transcript, context(target, last=last)).messages]


@pytest.mark.parametrize(("text", "target", "expected"), TEXTS.values(), ids=TEXTS)
def test_whole_units_that_say_most_stay(text: str, target: int, expected: str) -> None:
    assert left(chat(("user", text)), target) == [expected]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (49, [m.text for m in TALK.messages]),
        (20, [FIRE]),
        (6, []),
    ],
)
def test_messages_of_which_nothing_is_left_go(target: int, expected: list[str]) -> None:
    assert left(TALK, target) == expected


def test_the_second_mention_of_a_fact_is_worth_less() -> None:
    again = "In May 2023 the Rotterdam warehouse burned down."
    other = "Amsterdam ordered seventeen harbour cranes."
    assert left(chat(("user", FIRE), ("user", other), ("user", again)), 31) == [FIRE, other]


def test_where_more_stages_follow_it_leaves_them_twice_the_budget() -> None:
    assert left(TALK, 20, last=False) == left(TALK, 40)


def test_a_share_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match=r"share=0\.5 is below 1"):
        parse("extractive:share=0.5")
