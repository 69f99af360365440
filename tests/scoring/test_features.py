"""Each feature, on a line that has it and one that has not."""

from __future__ import annotations

import pytest

from boildown.scoring.features import HELP, answers, levels
from boildown.table import table, words
from boildown.text.pieces import words as cut
from boildown.transcript import Message, Text


def feature(name: str, word: str, *texts: str) -> float:
    """A feature of the word's first occurrence in messages of the user and the assistant in turns."""
    messages = [Message(str(n), ("user", "assistant")[n % 2], (Text(text),)) for n, text in enumerate(texts)]
    found = table(messages, cut)
    spoken = words(found)
    columns = {
        n: c[level.owner]
        for level in levels(found, spoken, messages, {"the": -4.0, "boat": 2.0})
        for n, c in level.columns.items()
    }
    assert columns.keys() == HELP.keys()
    at = [spoken.vocabulary[w] for w in spoken.word].index(word)
    return float(columns[name][at])


@pytest.mark.parametrize(
    ("name", "word", "texts", "more"),
    [
        ("general", "boat", ("the boat",), ("the boat", "the")),
        ("length", "lighthouse", ("a lighthouse",), ("a lighthouse", "a")),
        ("name", "ada", ("We met Ada.",), ("We met Ada.", "met")),
        ("opening", "ada", ("Ada came.",), ("Ada came.", "came")),
        ("exclaims", "boat", ("What a boat!",), ("What a boat.", "boat")),
        ("number", "paid", ("We paid 40 for it.",), ("We paid for it.", "paid")),
        ("answers", "keswick", ("Where?", "Keswick"), ("There.", "Keswick", "keswick")),
        ("turn", "boat", ("The boat is at the pier now",), ("The boat", "boat")),
    ],
)
def test_a_feature_tells_what_it_says(name: str, word: str, texts: tuple[str, ...], more: tuple[str, ...]) -> None:
    *other, without = more
    assert feature(name, word, *texts) > feature(name, without, *other)


def test_who_goes_on_after_a_question_of_its_own_does_not_answer_it() -> None:
    asked = [
        Message("1", "user", (Text("Where to?"),)),
        Message("2", "user", (Text("Hm"),)),
        Message("3", "assistant", (Text("Home"),)),
    ]
    assert answers(asked).tolist() == [0, 0, 0]
    assert answers([asked[0], asked[2]]).tolist() == [0, 1]
    assert answers([]).tolist() == []
