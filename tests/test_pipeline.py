"""The pipeline: pins, targets, and stages that run only until the budget is met."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from boildown.errors import BudgetError
from boildown.pipeline import Context, Named, Pins, compress, target
from boildown.stages.window import window
from boildown.transcript import Message, Text, ToolCall, ToolResult, Transcript
from strategies import chat, context

TALK = chat(
    ("system", "Be brief."),
    ("user", "The code is 7731."),
    ("assistant", "Noted."),
    ("system", "Be kind."),
    ("user", "What is the code?"),
    ("assistant", "It is 7731."),
)
TOOLS = Transcript(
    (
        *chat(("user", "Look it up.")).messages,
        Message("m2", "assistant", (ToolCall("c1", "look", "{}"), ToolCall("c2", "look", "{}"))),
        Message("m3", "tool", (ToolResult("c1", "nothing"),)),
        Message("m4", "tool", (ToolResult("c2", "It is 7731."),)),
        replace(chat(("assistant", "Done.")).messages[0], id="m5"),
    )
)


def pinned(pins: Pins, transcript: Transcript = TALK) -> str:
    return " ".join(m.id for m in pins(transcript).messages if m.pinned)


def test_a_stage_that_puts_a_message_in_place_of_others_is_applied_once() -> None:
    applied = []

    def summed_up(transcript: Transcript, context: Context, /) -> Transcript:
        applied.append(context.target)
        summary = Message("summary", "user", (Text("It is 7731."),), covers=("m2", "m3", "m5", "m6"), pinned=True)
        return transcript.with_messages([m for m in transcript.messages if m.pinned] + [summary])

    result, _ = compress(Pins()(TALK), [Named("summed up", summed_up, "it is told")], context(50))
    assert "summary" in {m.id for m in result.messages}
    assert applied == [50]


@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        (Pins(), "m1 m4"),
        (Pins(system=False), ""),
        (Pins(first=1), "m1 m2 m4"),
        (Pins(recent=2), "m1 m4 m5 m6"),
        (Pins(system=False, recent=3), "m3 m5 m6"),
        (Pins(system=False, first=9, recent=9), "m2 m3 m5 m6"),
        (Pins(system=False, pattern=re.compile("77[0-9]+")), "m2 m6"),
        (Pins(pattern=re.compile("code", re.IGNORECASE), recent=1), "m1 m2 m4 m5 m6"),
    ],
)
def test_the_systems_the_first_the_last_and_what_matches_are_pinned(pins: Pins, expected: str) -> None:
    assert pinned(pins) == expected


@pytest.mark.parametrize(
    ("pins", "expected"),
    [(Pins(recent=1), "m5"), (Pins(recent=2), "m2 m3 m4 m5"), (Pins(pattern=re.compile("7731")), "m2 m3 m4")],
)
def test_a_pin_pulls_in_the_calls_and_results_that_it_needs(pins: Pins, expected: str) -> None:
    assert pinned(pins, TOOLS) == expected


def test_a_pin_that_is_there_stays() -> None:
    assert pinned(Pins(system=False), Pins(first=1, system=False)(TALK)) == "m2"


def test_pins_on_nothing_are_nothing() -> None:
    assert Pins(first=3, recent=3)(Transcript(())) == Transcript(())


@pytest.mark.parametrize(
    ("demands", "expected"),
    [
        ({}, 1000),
        ({"budget": 300}, 300),
        ({"budget": 3000}, 1000),
        ({"ratio": 3}, 333),
        ({"window": 1000}, 700),
        ({"budget": 300, "ratio": 2, "window": 200}, 140),
        ({"budget": 0}, 0),
    ],
)
def test_the_tightest_demand_holds(demands: dict[str, int], expected: int) -> None:
    assert target(1000, **demands) == expected


def counting(calls: list[str], name: str, keep: slice) -> Named:
    def stage(transcript: Transcript, context: Context, /) -> Transcript:
        calls.append(f"{name}{' last' if context.last else ''}")
        return transcript.with_messages(transcript.messages[keep])

    return Named(name, stage, "for a test")


def test_stages_run_in_order_until_the_budget_is_met() -> None:
    calls: list[str] = []
    stages = [
        counting(calls, "a", slice(1, None)),
        counting(calls, "b", slice(2, None)),
        counting(calls, "c", slice(9)),
    ]
    where = context(0)
    whole = where.count(TALK)
    compress(TALK, stages, replace(where, target=whole - 1))
    assert calls == ["a"]
    compress(TALK, stages, replace(where, target=12))
    assert calls == ["a", "a", "b", "c last"]


def test_a_step_says_what_became_of_the_messages() -> None:
    def stage(transcript: Transcript, context: Context, /) -> Transcript:
        first, _, third, *rest = transcript.messages
        return transcript.with_messages([first, replace(third, covers=("m2",)), rest[0].with_blocks([])])

    where = context(18)
    _, (step, *_) = compress(TALK, [Named("odd", stage, "for a test")], where)
    assert (step.name, step.kept, step.changed, step.stood_for) == ("odd", 2, ("m4",), ("m2",))
    assert (step.dropped, step.restored, step.reason) == (("m5", "m6"), (), "for a test")
    assert step.removed == step.before - step.after > 0


def test_progress_is_told_before_each_stage() -> None:
    told: list[tuple[str, int]] = []
    where = context(12)
    compress(TALK, [Named("window", window, "oldest")], where, lambda name, size: told.append((name, size)))
    assert told == [("window", where.count(TALK))]


def test_pins_that_are_larger_than_the_budget_are_an_error_with_the_next_step() -> None:
    transcript = Pins()(TALK)
    with pytest.raises(BudgetError, match=r"5 tokens is 9 short.*2 of 6 messages.*Ask for at least 14"):
        compress(transcript, [], context(5))
