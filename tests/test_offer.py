"""Prices: no choice is better at its price, and the choice among fewer pieces is the choice among all."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.offer import Offer

PIECE = st.tuples(st.integers(0, 5), st.integers(0, 9), st.integers(1, 5))
PIECES = st.lists(PIECE, min_size=1, max_size=12)


def offer(pieces: list[tuple[int, int, int]]) -> Offer:
    sentence, worth, cost = (np.array(column) for column in zip(*pieces, strict=True))
    group, ending = np.array([0, 0, 1, 2, 2, 3]), np.array([1.0, 0, 2, 1, 1, 0])
    return Offer(
        sentence, group, worth.astype(float), cost.astype(float), ending, np.array([2.0, 0, 4, 1]), np.zeros(4)
    )


@given(PIECES, st.integers(0, 8), st.integers(0, 8))
def test_what_is_sure_at_all_prices_between_two_is_left_out_of_the_search(
    pieces: list[tuple[int, int, int]], low: int, more: int
) -> None:
    whole = offer(pieces)
    narrowed = whole.narrowed(low, low + more)
    for price in (low, low + more / 2, low + more):
        assert narrowed.tokens(price) == whole.tokens(price)


@given(PIECES, st.integers(0, 40))
def test_the_price_is_the_lowest_whose_choice_fits(pieces: list[tuple[int, int, int]], room: int) -> None:
    whole = offer(pieces)
    price = whole.price(room)
    assert whole.tokens(price) <= room
    assert price < 1e-8 or whole.tokens(price * 0.998) > room


@given(st.lists(PIECE, min_size=1, max_size=6), st.integers(0, 6))
def test_no_other_choice_gains_more_at_its_price(pieces: list[tuple[int, int, int]], price: int) -> None:
    whole = offer(pieces)

    def gain(taken: np.ndarray) -> float:
        begun = np.bincount(whole.sentence[taken], minlength=len(whole.group)) > 0
        opened = np.bincount(whole.group[begun], minlength=len(whole.fixed)) > 0
        tokens = whole.cost[taken].sum() + whole.ending[begun].sum() + whole.fixed[opened].sum()
        return float(whole.worth[taken].sum() - price * tokens)

    best = max(gain(np.array(taken, bool)) for taken in product([False, True], repeat=len(pieces)))
    assert gain(whole.choose(price)[0]) == best


@pytest.mark.parametrize(("price", "expected"), [(1.2, "one two three"), (1.4, "one"), (1.6, "")])
def test_words_are_kept_where_they_are_worth_their_sentences_mark_too(price: float, expected: str) -> None:
    sentence, worth = np.array([0, 1, 1]), np.array([3.0, 2, 2])
    held = Offer(sentence, np.zeros(2, int), worth, np.ones(3), np.ones(2), np.zeros(1), np.zeros(1))
    chosen, _ = held.choose(price)
    assert " ".join(np.array(["one", "two", "three"])[chosen]) == expected
