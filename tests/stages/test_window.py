"""Window: the oldest turns go whole, tool calls with their results, and pinned messages stay."""

from __future__ import annotations

import pytest

from boildown.stages.window import turns, window
from boildown.transcript import Message, Text, ToolCall, ToolResult, Transcript
from strategies import chat, context

FOUR = "one two three four"  # a message of it costs 8 tokens
TALK = chat(*((role, FOUR) for role in ("system!", "user", "assistant", "user", "assistant", "assistant", "user")))
CALL = Message("m2", "assistant", (ToolCall("c1", "look", "{}"),))
RESULT = Message("m3", "tool", (ToolResult("c1", FOUR),))


def ids(transcript: Transcript, target: int) -> str:
    return " ".join(m.id for m in window(transcript, context(target)).messages)


@pytest.mark.parametrize(
    ("target", "left"),
    [
        (56, "m1 m2 m3 m4 m5 m6 m7"),
        (55, "m1 m4 m5 m6 m7"),
        (40, "m1 m4 m5 m6 m7"),
        (39, "m1 m7"),
        (16, "m1 m7"),
        (15, "m1"),
        (0, "m1"),
    ],
)
def test_the_oldest_turns_go_whole(target: int, left: str) -> None:
    assert ids(TALK, target) == left


def test_a_pinned_message_stays_when_its_turn_goes() -> None:
    talk = chat(("user", FOUR), ("assistant!", FOUR), ("user", FOUR))
    assert ids(talk, 16) == "m2 m3"


@pytest.mark.parametrize(("target", "left"), [(30, "m1 m2 m3 m4"), (8, "m4"), (7, "")])
def test_a_call_goes_with_its_result(target: int, left: str) -> None:
    first, last = (Message(name, "user", (Text(FOUR),)) for name in ("m1", "m4"))
    assert ids(Transcript((first, CALL, RESULT, last)), max(target, 0) + (40 if left.startswith("m1") else 0)) == left


@pytest.mark.parametrize(
    ("transcript", "expected"),
    [
        (Transcript(()), []),
        (TALK, [(0,), (1, 2), (3, 4, 5), (6,)]),
        (chat(("assistant", FOUR), ("assistant", FOUR)), [(0, 1)]),
        (Transcript((CALL, RESULT)), [(0, 1)]),
    ],
    ids=["nothing", "a system message is a turn", "no user", "a tool exchange"],
)
def test_turns_begin_with_the_user(transcript: Transcript, expected: list[tuple[int, ...]]) -> None:
    assert turns(transcript.messages) == expected
