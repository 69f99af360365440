"""The report: every message's fate, and sums that add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from boildown.pipeline import Step
from boildown.report import ConversationReport, Fate, Report, fates
from boildown.transcript import Text, Transcript
from strategies import chat

TALK = chat(("user", "one"), ("assistant", "two"), ("user", "three"), ("assistant", "four"))
SIZES = [10, 20, 30, 40]


def step(name: str, **ids: tuple[str, ...]) -> Step:
    return Step(name, 100, 60, 0.0, f"{name}'s reason", **ids)


def report(*sizes: tuple[int, int]) -> Report:
    told = tuple(ConversationReport("", 50, size, left, (), ()) for size, left in sizes)
    return Report("in.json", "", "openai", "openai", "o200k_base", "", "prune", told)


def test_each_message_is_kept_or_changed_or_stood_for_or_dropped() -> None:
    one, two, _, _ = TALK.messages
    result = Transcript((replace(one, covers=("m3",)), two.with_blocks([Text("2")])))
    steps = [step("dedup", stood_for=("m3",)), step("prune", changed=("m2",), dropped=("m4",))]
    assert fates(TALK.messages, SIZES, result, [10, 5], steps) == (
        Fate("m1", "user", "kept", 10, 10),
        Fate("m2", "assistant", "changed", 20, 5, "prune", "prune's reason"),
        Fate("m3", "user", "stood for", 30, 0, "m1", "a kept message says it"),
        Fate("m4", "assistant", "dropped", 40, 0, "prune", "prune's reason"),
    )


def test_a_message_that_was_cut_says_only_what_is_left_of_those_that_it_stands_for() -> None:
    one, two, *_ = TALK.messages
    result = Transcript((replace(one, blocks=(Text("1\n3"),), covers=("m3",)), two))
    steps = [step("prune", changed=("m1",), stood_for=("m3",), dropped=("m4",))]
    found = fates(TALK.messages, SIZES, result, [10, 20], steps)
    assert found[2] == Fate("m3", "user", "stood for", 30, 0, "m1", "a kept message says what is left of it")


def test_the_last_stage_that_touched_a_message_answers_for_it() -> None:
    steps = [step("dedup", dropped=("m4",)), step("fit", restored=("m4",)), step("window", dropped=("m4",))]
    found = fates(TALK.messages, SIZES, TALK.with_messages(TALK.messages[:3]), SIZES[:3], steps)
    assert (found[3].fate, found[3].by) == ("dropped", "window")
    changed = TALK.with_messages([*TALK.messages[:3], TALK.messages[3].with_blocks([Text("4")])])
    assert fates(TALK.messages, SIZES, changed, SIZES, steps[:2])[3].by == "fit"


def test_a_message_that_was_put_back_whole_is_kept() -> None:
    found = fates(TALK.messages, SIZES, TALK, SIZES, [step("prune", dropped=("m1",)), step("fit", restored=("m1",))])
    assert [f.fate for f in found] == ["kept"] * 4


def test_a_message_that_vanished_without_a_trace_is_our_bug() -> None:
    with pytest.raises(AssertionError, match="message m4 vanished without a trace"):
        fates(TALK.messages, SIZES, TALK.with_messages(TALK.messages[:3]), SIZES[:3], [])


def test_the_tally_names_every_fate() -> None:
    found = (Fate("m1", "user", "kept", 1, 1), Fate("m2", "user", "dropped", 1, 0), Fate("m3", "user", "kept", 1, 1))
    account = ConversationReport("", 2, 3, 2, (), found)
    assert account.tally() == {"kept": 2, "changed": 0, "stood for": 0, "dropped": 1}


@pytest.mark.parametrize(
    ("sizes", "ratio", "saving"), [([(300, 100), (100, 100)], 2.0, 0.5), ([], 1.0, 0.0), ([(0, 0)], 1.0, 0.0)]
)
def test_ratio_and_saving_are_of_the_whole_file(sizes: list[tuple[int, int]], ratio: float, saving: float) -> None:
    found = report(*sizes)
    assert (found.ratio, found.saving) == (ratio, saving)
    assert (found.tokens_in, found.tokens_out) == tuple(map(sum, zip(*sizes, strict=True))) or not sizes
