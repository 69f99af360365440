"""Which sentences are negations, decisions, questions and action items, and when one still stands."""

from __future__ import annotations

import pytest

from boildown.measure.content import rarity, words
from boildown.measure.statements import Kind, statements
from boildown.measure.windows import Index

NEGATION, DECISION, QUESTION, ACTION = Kind


def weigh(word: str) -> float:
    return rarity([["the", "gate"], ["and", "all"], ["of", "them"]])(word)


@pytest.mark.parametrize(
    ("sentence", "kinds"),
    [
        ("The kitchen does not serve nuts.", {NEGATION}),
        ("The kitchen doesn’t serve nuts.", {NEGATION}),
        ("Wir fahren nicht nach Leeds.", {NEGATION}),
        ("Je ne mange jamais de noix.", {NEGATION}),
        ("Agreed, it is Fell Lodge.", {DECISION}),
        ("Let's go with the coach.", {DECISION}),
        ("Wir haben uns für Leeds entschieden.", {DECISION}),
        ("Who leads the workshop?", {QUESTION}),
        ("誰がリーダーですか？", {QUESTION}),
        ("Have they decided?", {QUESTION}),
        ("I will book the train.", {ACTION}),
        ("TODO: close the gate", {ACTION}),
        ("- [ ] close the gate", {ACTION}),
        ("Please never touch motor.py.", {ACTION, NEGATION}),
        ("The sun shines.", set()),
        ("No, not that.", set()),
    ],
)
def test_a_sentence_is_of_its_kinds(sentence: str, kinds: set[Kind]) -> None:
    assert {kind for found in statements([sentence], weigh) for kind in found.kinds} == kinds


def test_a_sentence_said_twice_is_one_statement() -> None:
    assert len(statements(["Never open the gate.", "Never open the GATE!"], weigh)) == 1


def test_code_states_nothing() -> None:
    assert statements(["```\nif not gate: raise ValueError  # never\n```"], weigh) == []


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("They do not refund the deposit after the first week.", True),
        ("Not refund deposit after first week.", True),
        ("They don't refund any deposit after the first week", True),
        ("They refund the deposit after the first week.", False),
        ("They do not refund the deposit.", False),
        ("Not refund deposit. " + "So we talked on about other things at length. " * 3 + "After first week.", False),
        ("", False),
    ],
)
def test_a_negation_stands_with_its_words_and_its_negation_near(text: str, stands: bool) -> None:
    (found,) = statements(["They do not refund the deposit after the first week."], weigh)
    assert found.stands(Index(words(text))) is stands
