"""Training finds what was needed, gives the same file each time, and knows when there is nothing to learn from."""

from __future__ import annotations

import sys

import pytest

from boildown.measure.questions import Question
from boildown.scoring.labels import Example, by_later, by_questions, by_values
from boildown.scoring.scorer import Scorer, dump
from boildown.scoring.training import Source, caught, fit, general_rarity
from boildown.transcript import Message, Text, ToolCall
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import train_scorer


def talk(*texts: str) -> list[Message]:
    return [Message(f"m{n}", ("user", "assistant")[n % 2], (Text(text),)) for n, text in enumerate(texts, 1)]


def test_a_question_needs_the_words_of_its_answer_and_its_own_where_the_evidence_says_them() -> None:
    held = talk("The lighthouse opened in May.", "The harbour is closed.", "The lighthouse again.")
    needs = by_questions(held, [Question("When did the lighthouse open?", "in May", ("m1",))]).needs
    assert needs[0].keys() == {"lighthouse", "may"}
    assert needs[1:] == [{}, {}]


def test_a_value_needs_the_words_of_the_turns_before_it_was_used() -> None:
    held = talk("Two tickets to Keswick", "Sure", "And Keswick again")
    assert by_values(held, [(2, "KESWICK")]).needs == [{"keswick": 1.0}, {}, {}]


def test_what_later_turns_come_back_to_was_needed_and_what_is_repeated_at_once_was_not() -> None:
    held = talk("The key is under the lantern, says Ada.", "Ada knows.", *["Well."] * 6, "Look under the lantern")
    assert by_later(held).needs[0].keys() == {"lantern"}


def test_what_a_later_call_uses_was_needed() -> None:
    held = [
        *talk("Ship it to harbour street", *["Well."] * 6),
        Message("m9", "assistant", (ToolCall("c", "ship", '{"to": "harbour"}'),)),
    ]
    assert by_later(held).needs[0].keys() == {"harbour"}


def numbers_needed(many: int) -> list[Example]:
    """Conversations of which the capitalized words inside of sentences were needed."""
    names = ("Ada", "Bert", "Cleo", "Dora", "Emil", "Fritz")
    found = []
    for n in range(many):
        said = talk(*(f"we went along the river and saw {names[(n + k) % 6]} there" for k in range(12)))
        found.append(Example(said, [{names[(n + k) % 6].lower(): 1.0} for k in range(12)]))
    return found


def test_training_learns_what_was_needed() -> None:
    scorer = fit([Source("names", numbers_needed(6))], {}, {})
    assert scorer.weights["name"] > 0.5
    result = caught(numbers_needed(2), Scorer({}), scorer)
    assert result is not None
    assert result.after >= result.statistical


def test_little_to_learn_from_changes_little() -> None:
    start = {"length": 0.5}
    little, much = (fit([Source("names", numbers_needed(n))], {}, start) for n in (1, 60))
    assert abs(little.weights["name"]) < abs(much.weights["name"])


def test_where_nothing_was_needed_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="nothing in these conversations"):
        fit([Source("empty", [Example(talk("Hm", "Well"), [{}, {}])])], {}, {})


def test_rarity_in_general_is_higher_for_what_is_said_less_and_numbers_have_none() -> None:
    found = general_rarity([["the the the boat 12"], ["the pier"]])
    assert found["the"] < found["boat"]
    assert "12" not in found


def test_training_on_the_packed_chats_gives_the_same_file_again() -> None:
    chats = {"friends": list(train_scorer.friends(ROOT))[:3], "assistant": list(train_scorer.assistant(ROOT))[:3]}
    assert all(chats.values())
    assert dump(train_scorer.train(chats)) == dump(train_scorer.train(chats))
