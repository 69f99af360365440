"""Chunks end where the topic shifts, between turns, and stay where they are when something far away changes."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.summaries.chunks import chunks, cuts
from boildown.summaries.shifts import BLOCK, Shifts
from boildown.summaries.times import days, opens_session
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text, ToolCall, ToolResult, groups
from strategies import WORDS, chat, long_transcript, transcripts

COUNTER = Counter(tokenizer(), Framing())
BREAD = "knead the dough, let the sourdough rise, flour the basket, bake the loaf in the oven".split(", ")
BOATS = "hoist the sail, check the rudder, coil the ropes, sail past the harbour light".split(", ")


def size(chunk: tuple[Message, ...]) -> int:
    return sum(COUNTER.messages(chunk))


def talk(seed: int, turns: int = 120) -> tuple[Message, ...]:
    """Turns of some words each, of which every ten or so are about the same."""
    draw, spoken, topic = random.Random(seed), list[tuple[str, str]](), WORDS[:6]
    for n in range(turns):
        topic = draw.sample(WORDS, 6) if draw.random() < 0.1 else topic
        spoken.append(("assistant" if n % 2 else "user", " ".join(draw.choices(topic, k=draw.randint(5, 25)))))
    return chat(*spoken).messages


def at(message: Message, time: str) -> Message:
    return replace(message, time=time)


def test_a_chunk_ends_where_the_words_change() -> None:
    draw = random.Random(1)
    messages = chat(*(("user", ", ".join(draw.sample(about, 3))) for about in [BREAD] * 10 + [BOATS] * 10)).messages
    first, *_ = chunks(messages, size(messages[:14]), COUNTER)
    assert first == messages[:10]


def test_a_chunk_ends_where_an_hour_passes() -> None:
    messages = [at(m, f"2027-03-01T10:{n:02}:00Z") for n, m in enumerate(talk(1, 20))]
    late = [replace(m, time=(m.time or "").replace("T10", "T13")) for m in messages[12:]]
    first, *_ = chunks([*messages[:12], *late], size(tuple(messages[:16])), COUNTER)
    assert first == tuple(messages[:12])


@pytest.mark.parametrize(
    ("text", "time", "last", "opens"),
    [
        ("[1:56 pm on 8 May, 2023] Hey Mel!", None, None, True),
        ("[x] done", None, None, False),
        ("Hello.", "2027-03-01T12:00:00Z", "2027-03-01T10:59:00+00:00", True),
        ("Hello.", "2027-03-01T12:00:00Z", "2027-03-01T11:30:00Z", False),
        ("Hello.", "noon", "2027-03-01T11:30:00Z", False),
    ],
)
def test_what_opens_a_session(text: str, time: str | None, last: str | None, opens: bool) -> None:
    from boildown.summaries.times import moment

    before = moment(Message("m1", "user", (), time=last)) if last else None
    assert opens_session(Message("m2", "user", (Text(text),), time=time), before) is opens


def test_days_are_the_first_and_the_last_that_messages_name() -> None:
    messages = chat(
        ("user", "[1:56 pm on 8 May, 2023] Hey!"), ("user", "Hey."), ("user", "[9 June 2023 10:00] Hi.")
    ).messages
    assert days(messages) == ("2023-05-08", "2023-06-09")
    assert days(messages[1:2]) == ()


@given(transcript=transcripts(most=12), tokens=st.integers(20, 400))
def test_chunks_hold_every_message_in_order_and_are_no_larger_than_they_may_be(transcript: object, tokens: int) -> None:
    messages = transcript.messages  # type: ignore[attr-defined]
    found = chunks(messages, tokens, COUNTER)
    flat = [m for chunk in found for m in chunk]
    assert list(dict.fromkeys(m.id for m in flat)) == [m.id for m in messages]
    whole = {m.id: m for m in messages}
    for message in flat:
        if size((whole[message.id],)) <= tokens:
            assert message == whole[message.id]
    parts = {m.id: "".join(p.text for p in flat if p.id == m.id) for m in messages}
    assert all(re.sub(r"\s", "", parts[m.id]) == re.sub(r"\s", "", m.text) for m in messages)
    assert all(size(chunk) <= tokens for chunk in found if len(chunk) > 1)


@given(transcript=transcripts(most=12), tokens=st.integers(100, 600))
def test_a_call_and_its_results_are_in_one_chunk_unless_they_are_larger(transcript: object, tokens: int) -> None:
    messages = transcript.messages  # type: ignore[attr-defined]
    there = {m.id: n for n, chunk in enumerate(chunks(messages, tokens, COUNTER)) for m in chunk}
    for members in groups(messages):
        held = messages[members[0] : members[-1] + 1]
        spans = [g for g in groups(messages) if g[0] < members[0] <= g[-1] or g[0] <= members[-1] < g[-1]]
        if size(held) <= tokens and not spans:
            assert len({there[m.id] for m in held}) == 1


@pytest.mark.parametrize("seed", range(3))
def test_all_chunks_but_the_last_are_at_least_half_as_large_as_they_may_be(seed: int) -> None:
    found = chunks(talk(seed), 300, COUNTER)
    assert len(found) > 5
    assert all(150 <= size(chunk) <= 300 for chunk in found[:-1])


@pytest.mark.parametrize("seed", range(3))
def test_messages_that_follow_touch_only_the_last_chunk(seed: int) -> None:
    messages = talk(seed)
    whole = chunks(messages, 300, COUNTER)
    for end in range(20, len(messages), 7):
        before = chunks(messages[:end], 300, COUNTER)
        # The last place for an end sees a block of words beyond it, which may not all be there yet.
        assert before[:-2] == whole[: len(before) - 2]


def test_an_edit_moves_only_ends_near_to_it() -> None:
    messages, changed = talk(4, 600), list[int]()
    was = chunks(messages, 300, COUNTER)
    for place in range(50, 550, 100):
        edited = (*messages[:place], Message("x", "user", (Text("Something else about " * 15),)), *messages[place:])
        changed.append(len(set(chunks(edited, 300, COUNTER)) - set(was)))
    assert len(was) > 40
    assert sorted(changed)[2] <= 3
    assert max(changed) <= 12


def test_a_huge_message_comes_in_parts_that_have_its_head() -> None:
    (message,) = chat(("user", "\n".join(f"line {n} of the file" for n in range(500)))).messages
    found = chunks([replace(message, name="Ada")], 200, COUNTER)
    assert len(found) > 10
    assert "".join(m.text for chunk in found for m in chunk) == message.text
    assert {(m.id, m.role, m.name) for chunk in found for m in chunk} == {("m1", "user", "Ada")}
    assert all(size(chunk) <= 200 for chunk in found)


def test_a_long_turn_is_parted_between_its_calls() -> None:
    steps = [
        m
        for n in range(40)
        for m in (
            Message(f"c{n}", "assistant", (ToolCall(f"t{n}", "read", '{"path": "a"}'),)),
            Message(f"r{n}", "tool", (ToolResult(f"t{n}", "some text of a file that was read"),)),
        )
    ]
    found = chunks([Message("m0", "user", (Text("Look at all of them."),)), *steps], 200, COUNTER)
    assert len(found) > 3
    assert all(chunk[-1].role == "tool" for chunk in found)


@pytest.mark.parametrize(
    ("sizes", "ends"),
    [
        ([], []),
        ([5], [1]),
        ([5, 5], [2]),
        ([5, 5, 5], [1, 3]),
        ([20, 5], [1, 2]),
        ([1, 20, 1], [1, 2, 3]),
        ([4, 4, 4, 4, 4], [2, 4, 5]),
    ],
)
def test_where_runs_end_that_sum_up_to_five_at_least_and_ten_at_most(sizes: list[int], ends: list[int]) -> None:
    assert cuts(sizes, 5, 10, lambda _: 0.0, [True] * len(sizes)) == ends


def test_a_shift_depends_on_nothing_farther_away_than_its_blocks() -> None:
    near = [("user", " ".join(random.Random(n).choices(WORDS[:-12], k=BLOCK))) for n in range(2)]
    far = Shifts([chat(turn).messages for turn in [("user", "boats and sails"), *near, ("user", "bread")]])
    bare = Shifts([chat(turn).messages for turn in near])
    assert far.before(2) == bare.before(1)


def test_long_transcripts_come_apart_the_same_each_time() -> None:
    messages = long_transcript(7).messages
    assert chunks(messages, 400, COUNTER) == chunks(list(messages), 400, Counter(tokenizer(), Framing()))
