"""When a compression pays for the cache that it broke: the formula, calculated by hand and turn by turn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.caching import Prefix, reckon, turns
from boildown.prices import Price, Rates

SONNET = Price(Rates(input=3, output=15, cache_read=0.3, cache_write_5m=3.75, cache_write_1h=6), minimum=1024)
HAIKU = Price(Rates(0.1, 0.5, 0.01, 0.125, 0.2), 512, 100_000, Rates(0.5, 2.5, 0.05, 0.625, 1))


@pytest.mark.parametrize(
    ("prefix", "price", "ttl", "cost", "saves", "after"),
    [
        # 15,000 tokens at 3.75 - 0.30, 80,000 at 0.30, dollars a million
        pytest.param(Prefix(100_000, 20_000, 5_000), SONNET, "5m", 0.05175, 0.024, 3, id="five minutes"),
        pytest.param(Prefix(100_000, 20_000, 5_000), SONNET, "1h", 0.0855, 0.024, 4, id="an hour"),
        pytest.param(Prefix(100_000, 99_000, 0), SONNET, "5m", 0.34155, 0.0003, 1139, id="little taken out"),
        pytest.param(Prefix(100_000, 20_000, 20_000), SONNET, "5m", 0, 0.024, 0, id="only the end taken out"),
        pytest.param(Prefix(9_000, 9_000, 9_000), SONNET, "5m", 0, 0, 0, id="nothing taken out"),
        pytest.param(Prefix(3_000, 400, 100), SONNET, "5m", 0, -0.0003, None, id="too short to be cached"),
        pytest.param(Prefix(1_000, 400, 100), SONNET, "5m", 0, 0.0018, 0, id="never cached"),
        # 19,000 tokens at 3.75 - 0.30: the 1,000 that stay are too few to be cached by themselves
        pytest.param(Prefix(100_000, 19_000, 1_000), SONNET, "5m", 0.06555, 0.0243, 3, id="short prefix"),
        pytest.param(Prefix(100_000, 19_000, 1_000, 500), SONNET, "5m", 0.0621, 0.0243, 3, id="tools ahead"),
        # 40,000 at 0.125 - 0.01; 150,000 at the 0.05 of long prompts less 50,000 at 0.01
        pytest.param(Prefix(150_000, 50_000, 10_000), HAIKU, "5m", 0.0046, 0.007, 1, id="out of the long prompts"),
    ],
)
def test_the_account_is_what_it_comes_to_by_hand(
    prefix: Prefix, price: Price, ttl: str, cost: float, saves: float, after: int | None
) -> None:
    found = reckon(prefix, price, ttl)
    assert (found.cost, found.saves) == (pytest.approx(cost), pytest.approx(saves))
    assert found.turns == after


@given(st.integers(2_000, 10**6), st.floats(0.01, 0.99), st.floats(0, 1), st.sampled_from(["5m", "1h"]), st.booleans())
def test_the_turns_are_those_after_which_the_bills_cross(
    before: int, left: float, same: float, ttl: str, haiku: bool
) -> None:
    price = HAIKU if haiku else SONNET
    after = max(price.minimum, int(before * left))
    found = reckon(Prefix(before, after, int(after * same)), price, ttl)
    old, new = price.rates(before), price.rates(after)
    if found.turns is None or found.turns > 1_000:
        return
    write = new.cache_write_1h if ttl == "1h" else new.cache_write_5m
    without, first, later = before * old.cache_read, found.stays * new.cache_read + found.written * write, 0.0
    later = after * new.cache_read
    bills = [(n * without, first + (n - 1) * later) for n in range(1, found.turns + 1)]
    assert all(a < b * (1 + 1e-9) for a, b in bills[:-1])
    assert all(a >= b * (1 - 1e-9) for a, b in bills[-1:])


@pytest.mark.parametrize(
    ("cost", "saves", "after"),
    [(0.3, 0.1, 3), (0.1 * 3, 0.1, 3), (0.31, 0.1, 4), (0, 0.1, 0), (0, 0, 0), (0.1, 0, None), (0, -0.1, None)],
)
def test_a_turn_begun_is_a_turn(cost: float, saves: float, after: int | None) -> None:
    assert turns(cost, saves) == after
