"""A summary's output keeps at least what the offline pipeline keeps, whatever the summary says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from boildown import formats
from boildown.errors import BudgetError
from boildown.pipeline import Context, Pins
from boildown.summaries import floor
from boildown.summaries.summary import Summary
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text, Transcript, groups
from roundtrip import SAMPLES

COUNTER = Counter(tokenizer("o200k_base"), Framing())
EMPTY = Summary()
TALKATIVE = Summary({"facts": tuple(f"They went on to speak of something else, {n} times." for n in range(2000))})


def sample(name: str) -> Transcript:
    path = SAMPLES / name
    (transcript,) = formats.detect(path.read_bytes(), name).read(path.read_bytes())
    return Pins()(transcript)


def measured(transcript: Transcript, ratio: float) -> floor.Floor:
    return floor.measured(transcript, Context(COUNTER, int(COUNTER.total(transcript.messages) / ratio)))


def output(split: floor.Split, summary: Summary) -> Transcript:
    return split.placed(Message("summary", "user", (Text(summary.text()),), pinned=True))


def assert_held(found: floor.Floor, split: floor.Split, summary: Summary) -> None:
    made = output(split, floor.complete(split, summary))
    kept = found.original.retention(made, COUNTER)
    below = found.original.retention(found.offline, COUNTER)
    assert kept.share >= below.share
    assert sum(k.kept for k in kept.facts) >= sum(k.kept for k in below.facts)
    assert kept.tokens_after <= found.target


def talk(shared: Path) -> Transcript:
    """The first sessions of a real chat."""
    said = json.loads((shared / "data/locomo/locomo_open_5.json").read_text())[0]["conversation"]
    turns = [turn for n in range(1, 9) for turn in said[f"session_{n}"]]
    return Transcript(
        tuple(Message(f"m{n}", "user", (Text(t["text"]),), name=t["speaker"]) for n, t in enumerate(turns, 1))
    )


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("ratio", [4, 8])
def test_a_long_session_keeps_at_least_what_the_offline_pipeline_keeps(seed: int, ratio: float) -> None:
    found = measured(strategies.long_transcript(seed), ratio)
    split = found.split(1_000_000, 5)
    assert split is not None
    for summary in (EMPTY, TALKATIVE):
        assert_held(found, split, summary)


@pytest.mark.parametrize("ratio", [3, 10])
@pytest.mark.parametrize("summary", [EMPTY, TALKATIVE], ids=["says nothing", "says too much"])
def test_a_real_chat_keeps_at_least_what_the_offline_pipeline_keeps(
    shared: Path, ratio: float, summary: Summary
) -> None:
    found = measured(talk(shared), ratio)
    split = found.split(1_000_000, 5)
    assert split is not None
    assert split.summary >= floor.LEAST * found.target
    assert_held(found, split, summary)


def test_the_target_is_filled(shared: Path) -> None:
    found = measured(talk(shared), 5)
    split = found.split(1_000_000, 5)
    assert split is not None
    for summary in (EMPTY, Summary({"facts": ("Melanie and Caroline talk.",)})):
        assert COUNTER.total(output(split, floor.complete(split, summary)).messages) >= 0.97 * found.target


@pytest.mark.parametrize("name", ["claude-code.jsonl", "openai-agent.jsonl", "openai.jsonl"])
def test_calls_keep_their_results_and_pins_their_place(name: str) -> None:
    transcript = sample(name)
    found = measured(transcript, 2)
    split = found.split(1_000_000, 5)
    if split is None:
        return
    kept, stay = output(split, EMPTY).messages, set(split.stay)
    assert all(set(members) <= stay or stay.isdisjoint(members) for members in groups(transcript.messages))
    assert [m.id for m in transcript.messages if m.pinned] == [m.id for m in kept if m.pinned and m.id != "summary"]
    assert [m.id for m in kept if m.id != "summary"] == [transcript.messages[n].id for n in split.stay]
    assert [*split.older, *(m for m in kept if m.id != "summary")] != []


def test_the_summary_stands_before_the_first_recent_message(shared: Path) -> None:
    split = measured(talk(shared), 3).split(1_000_000, 5)
    assert split is not None
    first, *rest = output(split, EMPTY).messages
    assert first.id == "summary"
    assert [m.id for m in rest] == [m.id for m in split.floor.transcript.messages[-len(rest) :]]
    assert 0.3 * split.floor.target <= COUNTER.total(rest) <= 0.5 * split.floor.target


def test_no_room_for_a_summary_is_said() -> None:
    assert measured(sample("openai.jsonl"), 40).split(1_000_000, 5) is None


@settings(max_examples=15)
@given(strategies.transcripts(), st.sampled_from([1.5, 3]))
def test_any_transcript_is_divided_so_that_the_floor_holds_or_not_at_all(transcript: Transcript, ratio: float) -> None:
    try:
        found = measured(transcript, ratio)
    except BudgetError:
        return
    split = found.split(1_000_000, 5)
    for summary in (EMPTY, TALKATIVE) if split else ():
        assert split is not None
        assert_held(found, split, summary)
