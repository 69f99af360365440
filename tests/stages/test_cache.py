"""Breakpoints: where they are put and where not, and that they take nothing out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from boildown import registry
from boildown.errors import UsageError
from boildown.pipeline import compress
from boildown.stages.cache import Cache
from boildown.transcript import Breakpoint, Message, Source, Text, Thinking, ToolCall, ToolResult, Transcript
from strategies import chat, context

PRICES = "input = 1\noutput = 2\ncache_read = 0.1\ncache_write_5m = 1.25\ncache_write_1h = 2\n"
TALK = chat(
    ("system", "Be brief."),
    *((role, f"What was said in turn {n} of this talk.") for n in range(1, 6) for role in ("user", "assistant")),
)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """The stage, for a model that caches prompts of any length."""
    prices = tmp_path / "prices.toml"
    prices.write_text(f"[any]\n{PRICES}minimum = 0\n[long]\n{PRICES}minimum = 60\n")
    return Cache("any", prices=str(prices))


def held(*points: Breakpoint, ahead: str = "") -> Transcript:
    source = Source("anthropic", (), TALK.messages, ahead=ahead, breakpoints=points)
    return replace(TALK, source=source)


def edited(transcript: Transcript, *changed: int, dropped: Iterable[int] = ()) -> Transcript:
    """The transcript with messages changed and dropped, by their numbers."""
    kept = [m for n, m in enumerate(transcript.messages, 1) if n not in dropped]
    return transcript.with_messages(
        replace(m, blocks=(Text("..."),)) if m.id in {f"m{n}" for n in changed} else m for m in kept
    )


def marked(stage: Cache, before: Transcript, after: Transcript) -> list[str]:
    result = stage(after, replace(context(0), source=before))
    assert replace(result, breakpoints=()) == after
    return [b.after for b in result.breakpoints]


@pytest.mark.parametrize(
    ("changed", "dropped", "places"),
    [
        pytest.param((), (), ["start", "end"], id="nothing changed"),
        pytest.param((5,), (), ["start", "m4", "m5", "end"], id="one message changed"),
        pytest.param((5, 7), (6,), ["start", "m4", "m7", "end"], id="a region changed"),
        pytest.param((), (5, 6), ["start", "m4", "end"], id="two messages dropped"),
        pytest.param((2,), (), ["start", "m2", "end"], id="changed from the beginning"),
        pytest.param((1,), (), ["start", "end"], id="the system text changed"),
        pytest.param((4, 11), (), ["start", "m3", "end"], id="changed to the end"),
        pytest.param((), (10, 11), ["start", "end"], id="the end dropped"),
    ],
)
def test_breakpoints_stand_around_what_was_compressed(
    cache: Cache, changed: tuple[int, ...], dropped: tuple[int, ...], places: list[str]
) -> None:
    assert marked(cache, TALK, edited(TALK, *changed, dropped=dropped)) == places


@pytest.mark.parametrize(
    ("points", "places"),
    [
        ([Breakpoint("start")], ["m4", "m5", "end"]),
        ([Breakpoint("m3"), Breakpoint("m9")], ["m5", "end"]),
        ([Breakpoint("m3"), Breakpoint("m8"), Breakpoint("m9")], ["end"]),
        ([Breakpoint("m3"), Breakpoint("m6"), Breakpoint("m9")], ["m5", "end"]),  # m6 was dropped
        ([Breakpoint("start"), Breakpoint("start"), Breakpoint("end")], ["m5"]),
        ([Breakpoint(f"m{n}") for n in (2, 3, 8, 9)], []),
    ],
)
def test_there_are_four_at_most_and_the_longest_prefixes_go_first(
    cache: Cache, points: list[Breakpoint], places: list[str]
) -> None:
    before = held(*points)
    assert marked(cache, before, edited(before, 5, dropped=(6,))) == places


@pytest.mark.parametrize(
    ("points", "ttl", "lasting"),
    [
        ([], "1h", ["1h", "1h", "1h", "1h"]),
        ([Breakpoint("m8", "1h")], "5m", ["1h", "1h", "5m"]),
        ([Breakpoint("m3", "5m")], "1h", ["5m", "5m"]),
    ],
)
def test_a_longer_one_never_stands_behind_a_shorter_one(
    cache: Cache, points: list[Breakpoint], ttl: str, lasting: list[str]
) -> None:
    before = held(*points)
    stage = replace(cache, ttl=ttl)
    found = stage(edited(before, 5), replace(context(0), source=before)).breakpoints
    assert [b.ttl for b in found][-len(lasting) :] == lasting


def test_no_breakpoint_stands_on_what_is_too_short_to_be_cached(cache: Cache) -> None:
    stage = replace(cache, model="long")
    assert sum(context(0).sizes(TALK.messages[:4])) < 60 < sum(context(0).sizes(TALK.messages[:6]))
    assert marked(stage, TALK, edited(TALK, 5, 6)) == ["m6", "end"]


def test_tools_ahead_count_for_what_can_be_cached(cache: Cache) -> None:
    stage, before = replace(cache, model="long"), held(ahead='[{"name": "read"}, ' * 20)
    assert marked(stage, before, edited(before, 5)) == ["start", "m4", "m5", "end"]


def test_a_message_that_ends_in_a_thought_bears_it_on_an_earlier_block_or_not_at_all(cache: Cache) -> None:
    thoughtful = Message("m12", "assistant", (Thinking("Hm.", "signed"),))
    before = TALK.with_messages([*TALK.messages, thoughtful])
    assert marked(cache, before, before) == ["start", "m11"]


def test_where_the_provider_would_not_look_back_so_far_the_last_request_is_marked(cache: Cache) -> None:
    long = Message("m4", "assistant", tuple(Text(f"Point {n}.") for n in range(20)))
    calls = Message("m4", "assistant", tuple(ToolCall(f"c{n}", "read", "{}") for n in range(20)))
    tail = (Message("m5", "user", (Text("Go on."),)), *TALK.messages[6:])
    for message, place in ((long, "m2"), (calls, "m4")):
        before = TALK.with_messages([*TALK.messages[:3], message, *tail])
        after = before.with_messages([*before.messages[:4], replace(tail[0], blocks=(Text("On."),)), *tail[1:]])
        assert marked(cache, before, after)[1] == place


def test_the_account_adds_up(cache: Cache) -> None:
    before, after = TALK, edited(TALK, 5, dropped=(6, 7))
    counter = context(0).counter
    found = cache.account(before, after, counter)
    assert found.stays == sum(counter.messages(TALK.messages[:4]))
    assert found.stays + found.written == counter.total(after.messages)
    assert found.saves == pytest.approx((counter.total(before.messages) - counter.total(after.messages)) * 0.1 / 1e6)


def test_it_runs_last_wherever_it_stands_and_also_where_the_budget_is_met(cache: Cache) -> None:
    stages = registry.parse(f"cache:model=any,prices={cache.prices},window")
    whole = context(0).count(TALK)
    kept, steps = compress(TALK, stages, context(whole))
    assert ([b.after for b in kept.breakpoints], kept.messages, steps) == (["start", "end"], TALK.messages, [])
    small, steps = compress(TALK, stages, context(whole // 2))
    assert steps[0].name == "window"
    assert "cache" not in [s.name for s in steps]
    assert {b.after for b in small.breakpoints} <= {"start", "end", *(m.id for m in small.messages)}


def test_a_result_can_bear_one(cache: Cache) -> None:
    result = Message("m12", "tool", (ToolResult("c", "done"),))
    before = TALK.with_messages([*TALK.messages, result])
    assert marked(cache, before, before)[-1] == "end"


@pytest.mark.parametrize(
    ("spec", "said"), [("cache:ttl=2h", "neither 5m nor 1h"), ("cache:model=gpt-9", "claude-haiku-5-5")]
)
def test_wrong_options_are_errors_that_say_what_there_is(spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        registry.parse(spec)
