"""Prioritize: the messages that matter most stay, whole and in order, by the weights and scorers asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from boildown.errors import UsageError
from boildown.pipeline import Context
from boildown.registry import parse
from boildown.stages import prioritize
from boildown.transcript import Message, Text, ToolCall, ToolResult, Transcript
from strategies import chat, context

FIRE = "The Rotterdam warehouse burned down on 14 May 2023."
SMALL = "Well, that is how it is then, so there we are now."
ONLY = dict.fromkeys(("length", "question", "entities", "recency", "role"), 0.0)
WEIGHTS = {
    "length": (chat(("user", "Yes, yes, yes, yes, yes."), ("user", "Copper lantern, velvet saddle.")), "Copper"),
    "question": (
        chat(("user", "Which harbour was it?"), ("assistant", "The one over there."), ("user", "I saw the lantern.")),
        "The one",
    ),
    "entities": (chat(("user", "We met some people."), ("user", "We met Ada at 7:45.")), "We met Ada"),
    "recency": (chat(("user", "Copper lantern."), ("user", "Velvet saddle.")), "Velvet"),
    "role": (chat(("assistant", "Copper lantern."), ("user", "Velvet saddle."), ("tool", "Amber.")), "Velvet"),
}


def left(transcript: Transcript, target: int, stage: prioritize.Prioritize | None = None) -> list[str]:
    return [m.text for m in (stage or prioritize.Prioritize())(transcript, context(target)).messages]


@pytest.mark.parametrize(
    ("target", "expected"),
    [(100, [SMALL, FIRE, SMALL]), (40, [FIRE, SMALL]), (22, [FIRE]), (5, [])],
)
def test_what_matters_least_goes_first_and_the_rest_keeps_its_order(target: int, expected: list[str]) -> None:
    assert left(chat(("user", SMALL), ("user", FIRE), ("user", SMALL)), target) == expected


@pytest.mark.parametrize("weight", WEIGHTS)
def test_each_weight_alone_decides(weight: str) -> None:
    transcript, begins = WEIGHTS[weight]
    scores = prioritize.Prioritize(**{**ONLY, weight: 1.0}).scores(transcript, context(0))
    best = max(range(len(scores)), key=scores.__getitem__)
    assert transcript.messages[best].text.startswith(begins)
    assert sorted(scores)[-1] > sorted(scores)[-2]


def test_a_rare_name_counts_for_more_than_one_that_is_everywhere() -> None:
    transcript = chat(*[("user", "We saw Ada again.")] * 8, ("user", "We saw Grace again."))
    assert left(transcript, 9, prioritize.Prioritize(**{**ONLY, "entities": 1.0})) == ["We saw Grace again."]


def test_a_call_stays_or_goes_with_its_results() -> None:
    asked = Message("m1", "assistant", (ToolCall("c", "read", '{"path": "/etc/hosts"}'),))
    result = Message("m2", "tool", (ToolResult("c", "ok"),))
    transcript = Transcript((asked, result, Message("m3", "user", (Text(FIRE),))))
    assert [m.id for m in prioritize.Prioritize()(transcript, context(25)).messages] == ["m3"]
    kept = prioritize.Prioritize(recency=-5.0)(transcript, context(35))
    assert [m.id for m in kept.messages] == ["m1", "m2"]


def test_importance_per_token_keeps_what_is_short_and_importance_alone_what_is_long() -> None:
    short, long = (
        "Copper lantern, harbour.",
        "So it was velvet and then it was as amber as it is in winter and by the orchard.",
    )
    transcript = chat(("user", short), ("user", long))
    weights = {**ONLY, "length": 1.0}
    assert left(transcript, 25, prioritize.Prioritize(**weights, per_token=True)) == [short]
    assert left(transcript, 25, prioritize.Prioritize(**weights, per_token=False)) == [long]


def test_a_pinned_message_stays_whatever_it_says() -> None:
    assert left(chat(("user!", SMALL), ("user", FIRE)), 20) == [SMALL]


def test_where_more_stages_follow_it_leaves_them_twice_the_budget() -> None:
    transcript = chat(("user", SMALL), ("user", FIRE), ("user", SMALL))
    early = prioritize.Prioritize()(transcript, context(20, last=False))
    assert [m.text for m in early.messages] == left(transcript, 40)


def by_number(transcript: Transcript, context: Context, /) -> Sequence[float]:
    """A scorer: messages with a digit first."""
    return [float(any(map(str.isdigit, m.text))) for m in transcript.messages]


def too_few(transcript: Transcript, context: Context, /) -> Sequence[float]:
    return [1.0]


def not_finite(transcript: Transcript, context: Context, /) -> Sequence[float]:
    return [math.nan for _ in transcript.messages]


def broken(transcript: Transcript, context: Context, /) -> Sequence[float]:
    raise RuntimeError("out of order")


NO_FUNCTION = 42


class Found:
    """Stands for an installed package's entry point."""

    name, value = "numbers", "sample_scorers:by_number"


@pytest.fixture(autouse=True)
def scorers(monkeypatch: pytest.MonkeyPatch) -> None:
    """This module's scorers as a package of their own, and one of them as a plug-in."""
    import sys
    import types

    module = types.ModuleType("sample_scorers")
    for found in (by_number, too_few, not_finite, broken):
        setattr(module, found.__name__, found)
    module.NO_FUNCTION = NO_FUNCTION
    monkeypatch.setitem(sys.modules, "sample_scorers", module)
    monkeypatch.setattr(prioritize, "entry_points", lambda group: [Found()] if group == "boildown.scorers" else [])
    prioritize.load.cache_clear()


@pytest.mark.parametrize("name", ["sample_scorers:by_number", "numbers"])
def test_a_scorer_decides_instead_of_the_weights(name: str) -> None:
    (named,) = parse(f"prioritize:scorer={name},length=5")
    transcript = chat(("user", "Copper lanterns light the velvet orchard."), ("user", "It is 7."))
    assert [m.text for m in named.stage(transcript, context(10)).messages] == ["It is 7."]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nobody", "is no module:attribute and no plug-in's name. Installed are: numbers."),
        ("no_such_module:scorer", "cannot be loaded: No module named 'no_such_module'"),
        ("sample_scorers:lost", "cannot be loaded"),
        ("sample_scorers:NO_FUNCTION", "is int, not a function"),
        (":", "cannot be loaded"),
    ],
)
def test_a_scorer_that_is_not_there_is_an_error_before_any_work(name: str, message: str) -> None:
    with pytest.raises(UsageError, match="scorer") as caught:
        parse(f"prioritize:scorer={name}")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("too_few", "gave 1 scores; it has to give 2 finite numbers"),
        ("not_finite", "finite numbers"),
        ("broken", "failed: RuntimeError: out of order"),
    ],
)
def test_a_scorer_that_does_not_do_its_part_is_an_error_that_names_it(name: str, message: str) -> None:
    stage = prioritize.Prioritize(scorer=f"sample_scorers:{name}")
    with pytest.raises(UsageError, match=name) as caught:
        left(chat(("user", SMALL), ("user", FIRE)), 20, stage)
    assert message in str(caught.value)


def test_a_share_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match=r"share=0\.5 is below 1"):
        parse("prioritize:share=0.5")
