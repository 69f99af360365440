"""What is shown of a conversation."""

from __future__ import annotations

import pytest

from boildown.planning.excerpts import LONGEST, excerpts
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text, ToolCall

COUNTER = Counter(tokenizer(), Framing())


def many(count: int, words: int = 10) -> list[Message]:
    return [Message(f"m{n}", "user", (Text(f"number {n} " + "word " * words),)) for n in range(count)]


@pytest.mark.parametrize(("count", "words"), [(1, 1), (40, 10), (3000, 3), (3, 5000), (300, 500)])
def test_they_are_within_their_size(count, words):
    assert sum(COUNTER.texts([excerpts(many(count, words), COUNTER, 1000)])) <= 1000


def test_a_short_conversation_is_shown_whole_and_in_order():
    said = excerpts(many(20), COUNTER)
    assert [said.index(f"number {n} ") for n in range(20)] == sorted(said.index(f"number {n} ") for n in range(20))


def test_of_a_long_one_the_beginning_the_end_and_some_between_are_shown():
    said = excerpts(many(2000), COUNTER, 1000)
    shown = [n for n in range(2000) if f"number {n} " in said]
    assert shown[:3] == [0, 1, 2]
    assert shown[-3:] == [1997, 1998, 1999]
    assert len([n for n in shown if 300 < n < 1700]) >= 5


def test_a_long_message_loses_its_middle():
    said = excerpts([Message("m1", "user", (Text("first " + "x" * 9000 + " last"),))], COUNTER)
    assert "first" in said
    assert "last" in said
    assert len(said) < LONGEST + 10


def test_calls_are_shown_with_their_arguments():
    call = Message("m1", "assistant", (ToolCall("c", "read", '{"path": "a.py"}'),))
    assert excerpts([call], COUNTER) == "--- assistant\n[call of read] a.py"
