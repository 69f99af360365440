"""A scorer's file is data, checked value by value, and what it does to the worth of words."""

from __future__ import annotations

import json

import numpy as np
import pytest

from boildown.errors import UsageError
from boildown.scoring.features import HELP
from boildown.scoring.scorer import LARGEST_WEIGHT, Scorer, dump, load, read, shipped
from boildown.table import table, words
from boildown.text.pieces import words as cut
from boildown.transcript import Message, Text, ToolResult


def file(**changes: object) -> bytes:
    value = {"format": "boildown-scorer", "version": 1, "weights": {"length": 0.5}, "general": {"the": -4.0}} | changes
    return json.dumps(value).encode()


def test_a_scorer_comes_back_from_its_file() -> None:
    scorer = load(file(about="mine"), "x")
    assert load(dump(scorer), "x") == scorer
    assert dump(load(dump(scorer), "x")) == dump(scorer)


def test_the_packed_scorer_weighs_every_feature_and_knows_words() -> None:
    assert shipped().weights.keys() == HELP.keys()
    assert shipped().general["the"] < shipped().general["kitchen"]
    assert len(shipped().general) > 1000


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x80\x04pickle", "is no JSON"),
        (b"[]", '"format" is not'),
        (file(format="other"), '"format" is not'),
        (file(version=2), "its version is 2"),
        (file(weights=[1]), "weights is no object"),
        (file(weights={"length": "1"}), "weights['length'] is no number"),
        (file(weights={"length": True}), "weights['length'] is no number"),
        (file(weights={"length": LARGEST_WEIGHT + 1}), "is no number from -10 to 10"),
        (b'{"format": "boildown-scorer", "version": 1, "weights": {"length": NaN}}', "is no JSON"),
        (file(weights={"import os": 1}), "no feature 'import os'"),
        (file(general={"x": 1e99}), "general['x'] is no number"),
        (file(general={"x" * 99: 1}), "one of over 64 letters"),
    ],
)
def test_what_is_no_scorer_is_refused_with_what_is_wrong(data: bytes, said: str) -> None:
    with pytest.raises(UsageError, match="scorer there") as refused:
        load(data, "there")
    assert said in str(refused.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as large:
        large.truncate(9_000_000)
    with pytest.raises(UsageError, match="are too many"):
        read(str(path))


def test_a_missing_file_says_how_to_make_one() -> None:
    with pytest.raises(UsageError, match="boildown train"):
        read("nowhere.json")


def spoken(*messages: Message):
    found = table(messages, cut)
    return found, words(found), messages


def test_the_correction_is_about_one_and_larger_for_what_weighs_more() -> None:
    found, said, messages = spoken(Message("1", "user", (Text("We met Ada in the old lighthouse"),)))
    factors = Scorer({"length": 1.0}).correction(found, said, messages)
    by_word = dict(zip([said.vocabulary[w] for w in said.word], factors, strict=True))
    assert by_word["lighthouse"] > by_word["ada"] > by_word["we"]
    assert np.log(factors).mean() == pytest.approx(0.0)


def test_results_of_tools_and_code_are_left_as_they_are() -> None:
    result = Message("1", "tool", (ToolResult("c", "A sentence that a tool returned."),))
    code = Message("2", "user", (Text("```\nfor boat in boats: print(boat)\n```"),))
    said = Message("3", "user", (Text("Look at the boats"),))
    found, spoken_words, messages = spoken(result, code, said)
    factors = Scorer({"length": 1.0}).correction(found, spoken_words, messages)
    own = found.messages[spoken_words.piece] == 2
    assert (factors[~own] == 1).all()
    assert (factors[own] != 1).any()


def test_without_weights_nothing_is_corrected() -> None:
    found, said, messages = spoken(Message("1", "user", (Text("Nothing to see here"),)))
    assert (Scorer({}).correction(found, said, messages) == 1).all()
