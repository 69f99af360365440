"""A decision is one that was made: what is still open, and advice on deciding, is none."""

from __future__ import annotations

import pytest

from boildown.facts.claims import values
from boildown.facts.kinds import Kind, decided, told


@pytest.mark.parametrize(
    "sentence",
    [
        "We decided to take the lodge near Keswick.",
        "I had to decide against OAuth for want of time.",
        "We agreed on monthly calls with the office.",
        "We'll go with the lodge near Keswick.",
        "I've chosen SQLite as the database.",
    ],
)
def test_what_somebody_decided_is_a_decision(sentence):
    assert Kind.DECISION in told(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "This will help you make a more informed decision about the move.",
        "Here are some steps to help you decide whether to accept the offer.",
        "I want to make sure I'm making the right decision about publishing.",
        "Consider discussing your decision with Carla and Greg.",
        "Use the chosen transition phrases to connect your points.",
        "Let's take a closer look at the query plan.",
        "Agreed, those little things make life better!",
        "I'll take care of the registration pages.",
    ],
)
def test_what_is_still_to_be_decided_is_none(sentence):
    assert Kind.DECISION not in told(sentence)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Decision: Fell Lodge.", True),
        ("You agreed to reduce the calls by half.", True),
        ("A rejected promise simulates a network error.", False),
        ("We'll use a triangle with sides of 7 and 24 cm.", False),
    ],
)
def test_a_models_words_have_to_say_that_somebody_decided(sentence, expected):
    assert decided(sentence) == expected


def test_a_number_is_shown_without_the_comma_behind_it():
    assert [value.shown for value in values("He is 61, and has 1,200 books")] == ["61", "1,200"]
