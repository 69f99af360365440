"""What a transcript retains: all of itself, less the more is taken out, and what it says in other words too."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given

from boildown import formats, registry
from boildown.measure.retention import Kept, Retention, combined, read, retention
from boildown.pipeline import Context, compress
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text, ToolCall, ToolResult, Transcript
from roundtrip import SAMPLES
from strategies import chat, transcripts

COUNTER = Counter(tokenizer("o200k_base"), Framing())


def shares(found: Retention) -> dict[str, float]:
    return {kept.name: kept.share for kept in found.facts if kept.total}


def boiled(transcript: Transcript, ratio: float) -> Transcript:
    context = Context(COUNTER, int(COUNTER.total(transcript.messages) / ratio))
    return compress(transcript, registry.parse(registry.DEFAULT), context)[0]


@given(transcripts())
def test_a_transcript_retains_all_of_itself(transcript: Transcript) -> None:
    found = retention(transcript, transcript, COUNTER)
    assert (found.share, found.relevance, found.tokens_before) == (1.0, 1.0, found.tokens_after)
    assert all(kept.share == 1.0 for kept in found.facts)
    assert found.redundancy == found.redundancy_before


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_every_sample_retains_all_of_itself_and_little_of_nothing(path: Path) -> None:
    data = path.read_bytes()
    for transcript in formats.detect(data, path.name).read(data):
        original = read(transcript, COUNTER)
        assert original.retention(transcript, COUNTER).share == 1.0
        nothing = original.retention(Transcript(()), COUNTER)
        assert (nothing.share, nothing.tokens_after) == (0.0, COUNTER.total(()))


@given(transcripts())
def test_fewer_messages_hold_no_more_concrete_facts(transcript: Transcript) -> None:
    original = read(transcript, COUNTER)
    half = transcript.with_messages(transcript.messages[::2])
    whole, less = original.retention(transcript, COUNTER), original.retention(half, COUNTER)
    assert all(a.kept >= b.kept for a, b in list(zip(whole.facts, less.facts, strict=True))[:6])


def test_retention_falls_as_the_ratio_grows() -> None:
    data = (SAMPLES / "openai.jsonl").read_bytes()
    (transcript,) = formats.load("openai").read(data)
    original = read(transcript, COUNTER)
    found = [original.retention(boiled(transcript, ratio), COUNTER).share for ratio in (1, 1.5, 2, 3, 5, 10, 20)]
    assert all(later <= earlier + 0.02 for earlier, later in pairwise(found))
    assert found[0] == 1.0 > 0.2 > found[-1]


def locomo(shared: Path) -> Transcript:
    """A real chat of some 300 turns."""
    talk = json.loads((shared / "data/locomo/locomo_open_5.json").read_text())[0]["conversation"]
    turns = [turn for n in range(1, 15) for turn in talk.get(f"session_{n}", [])]
    return Transcript(
        tuple(
            Message(f"m{n}", "user" if t["speaker"] == talk["speaker_a"] else "assistant", (Text(t["text"]),))
            for n, t in enumerate(turns, 1)
        )
    )


def dropped(transcript: Transcript, ratio: float) -> Transcript:
    """Messages at random, for as long as they fit."""
    messages, left = list(transcript.messages), COUNTER.total(transcript.messages) / ratio
    random.Random(7).shuffle(messages)
    chosen = set()
    for message in messages:
        (size,) = COUNTER.messages([message])
        if size <= left:
            chosen.add(message.id)
            left -= size
    return transcript.with_messages(m for m in transcript.messages if m.id in chosen)


def test_the_pipeline_retains_more_of_a_real_chat_than_random_deletion(shared: Path) -> None:
    transcript = locomo(shared)
    original = read(transcript, COUNTER)
    for ratio in (2, 5):
        ours = original.retention(boiled(transcript, ratio), COUNTER)
        random_ones = original.retention(dropped(transcript, ratio), COUNTER)
        assert ours.tokens_after <= random_ones.tokens_after * 1.05
        assert ours.share > random_ones.share


LOOKED = Transcript(
    (
        Message("m1", "user", (Text("Please look into the gates."),)),
        Message("m2", "assistant", (ToolCall("c1", "Read", '{"path": "src/gate.py"}'),)),
        Message("m3", "tool", (ToolResult("c1", "OPEN_SECONDS = 120"),)),
    )
)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("[masked Read(src/gate.py): 1 line]", {"paths": 1.0, "identifiers": 0.0, "numbers": 0.0}),
        ("- src/gate.py: read m2 | OPEN_SECONDS 120", {"paths": 1.0, "identifiers": 1.0, "numbers": 1.0}),
        ("something was read", {"paths": 0.0, "identifiers": 0.0, "numbers": 0.0}),
    ],
)
def test_a_mark_and_a_ledger_keep_what_they_say_themselves(said: str, expected: dict[str, float]) -> None:
    found = shares(retention(LOOKED, chat(("user", said)), COUNTER))
    assert {name: found[name] for name in expected} == expected


def test_a_fact_is_kept_in_other_words_and_forms() -> None:
    before = chat(("user", "The lodge in Keswick takes £5,340 on 14 May 2027."))
    after = chat(("assistant", "May 14, 2027: 5340 for Keswick"))
    assert shares(retention(before, after, COUNTER)) == {"numbers": 1.0, "dates": 1.0, "names": 1.0}


def test_kinds_count_by_the_root_of_how_many_there_are() -> None:
    found = Retention((Kept("numbers", 100, 50), Kept("dates", 4, 4), Kept("names", 0, 0)), None, None, 1, 0, 0, 9, 9)
    assert found.share == pytest.approx((0.5 * 10 + 1 * 2) / 12)


def test_what_is_left_is_closer_to_the_last_turns_where_the_rest_went() -> None:
    said = [f"Harbour plan {n} is about tides and boats." for n in range(20)]
    told = [("user", s) for s in [*said, *(f"Violin lesson {n} needs strings." for n in range(20, 24))]]
    whole, end, begin = chat(*told), chat(*told[-6:]), chat(*told[:6])
    assert retention(whole, end, COUNTER).relevance > 1 > retention(whole, begin, COUNTER).relevance


def test_what_is_said_twice_is_redundant() -> None:
    once = chat(("user", "Please use the side entrance, the door code is 4411."))
    twice = once.with_messages(once.messages * 2)
    found = retention(twice, once, COUNTER)
    assert (found.redundancy, found.share) == (0.0, 1.0)
    assert found.redundancy_before == pytest.approx(6 / 16, abs=0.15)


def test_several_conversations_add_up() -> None:
    one = Retention((Kept("dates", 4, 2),), Kept("future", 2, 1), None, 1.0, 0.2, 0.4, 100, 50)
    two = Retention((Kept("dates", 1, 1),), None, None, 2.0, 0.0, 0.0, 300, 150)
    found = combined([one, two])
    assert (found.facts, found.future) == ((Kept("dates", 5, 3),), Kept("future", 2, 1))
    assert (found.relevance, found.redundancy, found.tokens_before) == (1.75, 0.05, 400)
    assert combined([one]) is one
