"""Facts that a summary does not say, word for word."""

from __future__ import annotations

import pytest

from boildown.measure import retention
from boildown.summaries import lost, passages
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text, ToolCall, ToolResult, Transcript

COUNTER = Counter(tokenizer("o200k_base"), Framing())
TALK = Transcript(
    (
        Message("m1", "user", (Text("Hi! We met Luna on 7 May 2023, and she has 3 dogs and 12 cats."),), name="Ada"),
        Message("m2", "assistant", (Text("I decided to never deploy on Fridays. Anything new?"),), name="Bo"),
        Message("m3", "assistant", (ToolCall("c1", "Read", '{"path": "src/app/gate.py"}'),), name="Bo"),
        Message("m4", "tool", (ToolResult("c1", "     1→OPEN_SECONDS  =  120\n     2→limit = load_limit()"),)),
        Message("m5", "user", (Text("So we told Luna that the port is 8080, not 9090."),), name="Ada"),
    )
)
ORIGINAL = retention.read(TALK, COUNTER)
READ = passages.read(TALK.messages, ORIGINAL)


def told(room: int, have: tuple[str, ...] = (), outside: frozenset[int] = frozenset()) -> tuple[str, ...]:
    return lost.facts(ORIGINAL, READ, have, room, COUNTER, outside)


def test_with_room_for_all_of_it_every_sentence_is_told_as_it_stands() -> None:
    assert told(1000) == (
        "Ada: Hi!",
        "Ada: We met Luna on 7 May 2023, and she has 3 dogs and 12 cats.",
        "Bo: I decided to never deploy on Fridays.",
        "Bo: Anything new?",
        "Bo: src/app/gate.py",
        "tool: OPEN_SECONDS  =  120",
        "tool: limit = load_limit()",
        "Ada: So we told Luna that the port is 8080, not 9090.",
    )


def test_in_a_small_room_things_stand_alone_negations_with_them() -> None:
    assert told(32) == ("Bo: Fridays", "tool: OPEN_SECONDS  =  120; load_limit", "Ada: Luna 8080; not 9090")


def test_what_remains_is_not_told_again() -> None:
    lines = told(60, have=("Luna was met on 2023-05-07 and has 12 cats.", "See src/app/gate.py."))
    assert not any("7 May" in line or "12 cats" in line or "gate.py" in line for line in lines)
    assert any("8080" in line for line in lines)


def test_nothing_is_told_of_messages_that_remain() -> None:
    assert not any("OPEN_SECONDS" in line or "8080" in line for line in told(200, outside=frozenset({3, 4})))


@pytest.mark.parametrize("room", [10, 20, 40, 60, 80, 100])
def test_the_room_is_never_passed(room: int) -> None:
    assert sum(COUNTER.texts([f"- {line}\n" for line in told(room)])) <= room


def test_a_line_says_nothing_that_its_source_does_not_say() -> None:
    source = "\n".join(retention.text(m) for m in TALK.messages)
    for room in range(10, 120, 10):
        for line in told(room):
            speaker, _, said = line.partition(": ")
            assert speaker in ("Ada", "Bo", "tool")
            assert all(part in source for part in (said.split("; ") if said not in source else [said])) or all(
                part in source for part in said.replace(";", "").split()
            )


def test_more_room_keeps_more() -> None:
    shares = []
    for room in (20, 40, 80, 160):
        lines = told(room)
        kept = ORIGINAL.kept(ORIGINAL.left(lines, retention.indexed(lines)))
        shares.append(retention.weighed(kept))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_what_was_changed_later_is_told_with_what_was_said_then() -> None:
    said = (
        "The deadline for the brochure is Wednesday the 4th of March 2026.",
        "We print 500 copies.",
        "The deadline for the brochure is now Friday the 6th of March 2026.",
    )
    talk = Transcript(tuple(Message(f"m{n}", "user", (Text(text),), name="Ada") for n, text in enumerate(said)))
    original = retention.read(talk, COUNTER)
    lines = lost.facts(original, passages.read(talk.messages, original), (), 200, COUNTER)
    assert lines == (f"Ada: {said[0]} (later: {said[2]})", f"Ada: {said[1]}", f"Ada: {said[2]}")


def test_what_is_said_again_after_a_change_is_not_stale() -> None:
    said = "The deadline is now Friday the 6th of March 2026.", "The deadline is now Monday the 9th of March 2026."
    talk = Transcript(tuple(Message(f"m{n}", "user", (Text(said[n % 2]),), name="Ada") for n in range(3)))
    read = passages.read(talk.messages, retention.read(talk, COUNTER))
    assert [(p.text, p.later) for p in read.passages] == [(said[0], ""), (said[1], said[0])]
