"""Prices: the choice among fewer pieces is the choice among all."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from boildown.offer import Offer

PIECES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=12)


def offer(pieces: list[tuple[int, int, int]]) -> Offer:
    group, worth, cost = (np.array(column) for column in zip(*pieces, strict=True))
    return Offer(group, worth.astype(float), cost.astype(float), np.array([2.0, 0, 4, 1]), np.zeros(4))


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
