"""Stale: which reads are out of date."""

from __future__ import annotations

import pytest

from boildown.pipeline import Pins
from boildown.stages.stale import Stale
from boildown.transcript import Transcript
from stages.agent import Turn, results, session
from strategies import context

LONG = "the mill turns while the water runs " * 20
READ, EDIT = ("Read", {"file_path": "a.py"}, LONG), ("Edit", {"file_path": "a.py"}, "The file a.py has been updated.")
PART, WITHIN = (("Read", {"file_path": "a.py", "offset": first, "limit": 20}, LONG) for first in (1, 5))
OTHER = ("Read", {"file_path": "b.py"}, LONG)
FAILED = ("Edit", {"file_path": "a.py"}, "!it was rejected")


def left(*turns: Turn, target: int = 0) -> list[str]:
    found = results(Stale()(session(*turns), context(target)))
    return [text.partition(": ")[2].rstrip("]") if text.startswith("[stale ") else "whole" for text in found]


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([READ], ["whole"]),
        ([READ, READ], ["read again in m3", "whole"]),
        ([READ, EDIT], ["edited in m3", "whole"]),
        ([READ, READ, EDIT], ["read again in m3", "edited in m5", "whole"]),
        ([READ, OTHER], ["whole", "whole"]),
        ([READ, FAILED], ["whole", "whole"]),
        ([READ, PART], ["whole", "whole"]),
        ([PART, READ], ["read again in m3", "whole"]),
        ([PART, WITHIN], ["whole", "whole"]),
        ([PART, PART], ["read again in m3", "whole"]),
        ([EDIT, READ], ["whole", "whole"]),
        ([READ, ("Bash", {"command": "rm a.py"}, "")], ["deleted in m3", "whole"]),
    ],
    ids=str,
)
def test_a_read_is_out_of_date_once_its_file_changed_or_its_lines_were_read_again(
    turns: list[Turn], expected: list[str]
) -> None:
    assert left(*turns) == expected


def test_the_word_on_it_names_the_file_the_size_and_the_later_message() -> None:
    found = results(Stale()(session(PART, EDIT), context(0)))
    assert found[0] == "[stale read of a.py lines 1-20, 141 tokens: edited in m3]"


def test_no_more_goes_than_the_budget_asks_for() -> None:
    whole = context(0).count(session(READ, READ, READ))
    assert left(READ, READ, READ, target=whole - 50) == ["read again in m3", "whole", "whole"]


def test_a_pinned_read_stays() -> None:
    pinned = Pins(first=2)(session(READ, READ))
    assert results(Stale()(pinned, context(0))) == [LONG, LONG]


def test_a_result_that_is_shorter_than_the_word_on_it_stays() -> None:
    short = ("Read", {"file_path": "a.py"}, "x = 1")
    assert results(Stale()(session(short, short), context(0))) == ["x = 1", "x = 1"]


def test_users_words_are_never_rewritten() -> None:
    talk: Transcript = session(LONG, READ, LONG, READ)
    assert [m for m in Stale()(talk, context(0)).messages if m.role == "user"] == [talk.messages[0], talk.messages[3]]
