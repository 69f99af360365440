"""Mask: which results give way, and what their placeholders say."""

from __future__ import annotations

import pytest

from boildown.errors import UsageError
from boildown.registry import parse
from boildown.stages.mask import Mask
from boildown.transcript import Message, Text, ToolResult, Transcript
from stages.agent import Turn, results, session
from strategies import IMAGE, context

LONG = "the mill turns while the water runs\n" * 20
RUN, SEARCH = ("Bash", {"command": "make"}, LONG), ("Grep", {"pattern": "mill"}, LONG)
READ, FAILED = ("Read", {"file_path": "a.py"}, LONG), ("Bash", {"command": "make"}, "!" + LONG)


def masked(*turns: Turn, keep: int = 1, target: int = 0) -> list[bool]:
    found = results(Mask(keep=keep)(session(*turns), context(target)))
    return [text.startswith("[masked ") for text in found]


@pytest.mark.parametrize(
    ("turns", "keep", "expected"),
    [
        ([RUN, SEARCH, RUN], 1, [True, True, False]),
        ([RUN, SEARCH, RUN], 2, [True, False, False]),
        ([RUN, SEARCH, RUN], 0, [True, True, True]),
        ([FAILED, RUN], 1, [False, False]),
        ([READ, READ, RUN], 1, [True, False, False]),
        ([RUN], 1, [False]),
    ],
    ids=["the newest stays", "the two newest", "none", "an error stays", "the last of a file stays", "one"],
)
def test_old_results_give_way(turns: list[Turn], keep: int, expected: list[bool]) -> None:
    assert masked(*turns, keep=keep) == expected


def test_no_more_goes_than_the_budget_asks_for() -> None:
    whole = context(0).count(session(RUN, SEARCH, RUN))
    assert masked(RUN, SEARCH, RUN, target=whole - 50) == [True, False, False]


def test_a_placeholder_names_the_tool_its_argument_the_outcome_the_size_and_what_only_it_stated() -> None:
    turns = (
        ("Bash", {"command": "make all"}, f"{LONG}wrote build/mill.bin and parseHeader"),
        "Where is parseHeader?",
        RUN,
    )
    found = results(Mask(keep=1)(session(*turns), context(0)))
    assert found[0] == "[masked Bash make all: ok, 21 lines, 169 tokens; boildown show m2 | build/mill.bin]"


def test_an_image_goes_with_its_result() -> None:
    talk = session(RUN, RUN)
    block = talk.messages[1].blocks[0]
    assert isinstance(block, ToolResult)
    shown = Message("m2", "tool", (ToolResult(block.call_id, block.text, (IMAGE,)),))
    after = Mask(keep=1)(talk.with_messages([talk.messages[0], shown, *talk.messages[2:]]), context(0))
    assert [b.media for b in after.messages[1].blocks if isinstance(b, ToolResult)] == [()]


def test_a_placeholder_is_left_alone_the_next_time() -> None:
    once = Mask(keep=1)(session(RUN, SEARCH, RUN), context(0))
    assert Mask(keep=1)(once, context(0)) == once


def test_a_chat_without_tools_is_left_alone() -> None:
    talk = Transcript((Message("m1", "user", (Text(LONG),)),))
    assert Mask()(talk, context(0)) == talk


def test_fewer_than_none_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="0 or more"):
        parse("mask:keep=-1")
