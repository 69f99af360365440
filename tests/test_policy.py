"""What is done when a window fills: which level holds, what it leaves, and what a user's levels may say."""

from __future__ import annotations

import json
import re

import pytest

from boildown import registry
from boildown.errors import UsageError
from boildown.pipeline import Context, Pins
from boildown.policy import Level, Policy, levels, shipped
from boildown.run import Job, run
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text, ToolCall, ToolResult, Transcript
from killing import messages

COUNTER = Counter(tokenizer(), Framing())
LOG = "\n".join(f"row {n} of the table was read and is as it was" for n in range(40))


def chat(count: int) -> bytes:
    return b"".join(messages(count))


def compressed(data: bytes, used: float):
    """The report of a chat that takes this share of the window."""
    job = Job(registry.parse("auto"), "auto", ratio=1.0)
    size = run(data, "chat.jsonl", job)[1].tokens_in
    window = int(size / used)
    _, report = run(data, "chat.jsonl", Job(registry.parse("auto"), "auto", window=window))
    return report, report.tokens_out / window


@pytest.mark.parametrize(
    ("used", "level", "least", "most"),
    [
        (0.3, "verbatim", 0.29, 0.31),
        (0.69, "verbatim", 0.68, 0.70),
        (0.84, "redundancy", 0.83, 0.85),
        (0.9, "summary", 0.58, 0.6),
        (0.97, "hierarchy", 0.48, 0.5),
        (1.5, "drop", 0.38, 0.4),
    ],
)
def test_the_windows_use_decides_the_level_and_what_is_left(used, level, least, most):
    report, left = compressed(chat(150), used)
    (note,) = report.conversations[0].notes
    assert note.what == f"auto: {level}"
    assert f"{used:.0%}"[:1] in note.where
    assert least <= left <= most


def test_the_report_says_that_no_model_was_named():
    report, _ = compressed(chat(60), 0.9)
    assert "offline, for no model is named" in report.conversations[0].notes[0].why


def test_with_a_model_the_stages_are_those_that_ask_it():
    policy = Policy(1000, shipped(), "m")
    assert registry.models(policy.stages(policy.levels[2])) == ["m"]
    assert registry.models(Policy(1000, shipped()).stages(policy.levels[2])) == []
    assert registry.models(registry.parse("auto:model=m")) == ["m"]


def test_redundancy_alone_drops_nothing_to_reach_its_aim():
    report, left = compressed(chat(150), 0.8)
    assert left > 0.7
    assert not report.conversations[0].tally()["dropped"]


def test_redundancy_goes_as_far_as_its_aim():
    twice = chat(60) + b"".join(messages(30))
    report, left = compressed(twice, 0.8)
    assert left < 0.7
    assert not report.conversations[0].tally()["dropped"]


def test_the_newest_messages_stay_as_they_are():
    report, _ = compressed(chat(150), 0.9)
    assert {fate.fate for fate in report.conversations[0].messages[-12:]} == {"kept"}


def test_fewer_stay_where_they_would_take_more_than_half_of_the_aim():
    long = b"".join(json.dumps({"role": "user", "content": f"{n} {LOG}"}).encode() + b"\n" for n in range(10))
    report, left = compressed(long, 0.9)
    kept = [fate.fate == "kept" for fate in report.conversations[0].messages]
    assert kept[-1]
    assert not all(kept)
    assert left <= 0.6


def test_the_messages_go_out_without_pins_that_they_did_not_come_with():
    transcript = Transcript(tuple(Message(f"m{n}", "user", (Text(f"{n} {LOG}"),)) for n in range(1, 9)))
    size = COUNTER.total(transcript.messages)
    (named,) = registry.parse("auto")
    result = named.stage(transcript, Context(COUNTER, size * 3 // 4))
    assert not any(m.pinned for m in result.messages if m.id in {t.id for t in transcript.messages})


def test_a_budget_besides_the_window_holds_too():
    data = chat(100)
    _, report = run(data, "chat.jsonl", Job(registry.parse("auto"), "auto", window=1_500, budget=300))
    assert 290 <= report.tokens_out <= 300


def test_what_is_pinned_may_take_more_than_the_aim_but_not_more_than_the_window():
    call = Message("m1", "assistant", (ToolCall("c", "f", "{}"),))
    pinned = Transcript((call, Message("m2", "tool", (ToolResult("c", LOG),)), Message("m3", "user", (Text(LOG),))))
    pinned = Pins(pattern=re.compile("row 1 "))(pinned)
    size = COUNTER.total(pinned.messages)
    choice = Policy(int(size / 0.98), shipped()).choice(pinned, Context(COUNTER, size))
    assert size * 0.9 < choice.target <= size


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("x", "write each level as a table of its own"),
        ([], "write each level as a table of its own"),
        ([{"name": "a", "from": 0.5}, {"name": "b", "from": 0.5}], "'from' has to rise"),
        ([{"from": 0.5}], "number 1: name: it has none"),
        ([{"name": "a", "form": 0.5}], "form: there is no such key. Did you mean 'from'?"),
        ([{"name": "a", "from": "half"}], "from: 'half' is no share of the window"),
        ([{"name": "a", "from": True}], "from: True is no share of the window"),
        ([{"name": "a", "from": 0.8, "pipeline": "dedupe"}], "pipeline: no stage is called 'dedupe'"),
        ([{"name": "a", "from": 0.8, "pipeline": "auto"}], "'auto' cannot be a stage of its own level"),
        ([{"name": "a", "from": 0.5, "pipeline": "dedup"}], "aim: 0.6 is not below 0.5"),
        ([{"name": "a", "from": 0.8, "keep-recent": -1}], "keep-recent: -1 is no whole number"),
        ([{"name": "a", "from": 0.8, "soft": 1}], "soft: 1 is neither true nor false"),
    ],
)
def test_levels_that_make_no_sense_are_refused_with_the_key(rows, complaint):
    with pytest.raises(UsageError) as caught:
        levels({"levels": rows}, "boildown.toml: ")
    assert str(caught.value).startswith("boildown.toml: auto")
    assert complaint in str(caught.value)


def test_below_the_first_level_nothing_is_done():
    found = levels({"levels": [{"name": "half", "from": 0.5, "pipeline": "dedup", "aim": 0.4}]}, "")
    assert found[0] == Level("verbatim", 0.0)
    assert [Policy(100, found).at(tokens) for tokens in (0, 49, 50, 100)] == [0, 0, 1, 1]
