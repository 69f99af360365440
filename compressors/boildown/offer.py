"""Choosing pieces under a budget: by marginal worth per token, what a message costs to open included.

The choice maximizes worth - price x tokens over all sets of pieces, where a group of messages that holds any piece pays
for its framing as well: a Lagrangian relaxation of the knapsack problem (Everett 1963). For a price the best set is
found group by group; the price is found by bisection.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boildown.arrays import Bools, Floats, Ints

TIES = 0.01
_PRICES = [1e-9 * 8.0**n for n in range(25)]


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen: P pieces in G groups.

    group      (P,) the group of each piece            worth, cost   (P,) its worth, its tokens
    fixed      (G,) tokens that a group costs once      value         (G,) worth that comes with those
    """

    group: Ints
    worth: Floats
    cost: Floats
    fixed: Floats
    value: Floats

    def choose(self, price: float) -> tuple[Bools, Bools]:
        """(P,) the pieces worth their tokens at `price` a token, and (G,) the groups that are worth opening."""
        import numpy as np

        gain = self.worth - price * self.cost
        total = np.bincount(self.group, np.maximum(gain, 0.0), len(self.fixed)) + self.value - price * self.fixed
        opened = total > 0
        return (gain > 0) & opened[self.group], opened

    def up_to(self, largest: float) -> Offer:
        """The offer without what costs more than `largest` tokens; of pieces that are worth the same, the first first.

        Without that order a price takes all of them or none, and words of one short text are often worth the same.
        """
        import numpy as np

        order = np.linspace(1.0, 1.0 - TIES, len(self.worth))
        return replace(self, worth=np.where(self.cost > largest, 0.0, self.worth * order))

    def tokens(self, price: float) -> float:
        """What the choice at `price` costs."""
        chosen, opened = self.choose(price)
        return float((self.cost * chosen).sum() + (self.fixed * opened).sum())

    def narrowed(self, low: float, high: float) -> Offer:
        """What is left to decide at prices from `low` to `high`: the same choices, of fewer pieces."""
        import numpy as np

        sure = self.worth > high * self.cost
        fixed, value = (np.bincount(self.group[sure], held[sure], len(self.fixed)) for held in (self.cost, self.worth))
        open_one = ~sure & (self.worth > low * self.cost)
        return Offer(
            self.group[open_one], self.worth[open_one], self.cost[open_one], self.fixed + fixed, self.value + value
        )

    def price(self, room: float, known: dict[float, float] | None = None) -> float:
        """The lowest price, within a thousandth, at which the choice costs at most `room` tokens.

        `known` holds what the choice costs at the prices that were tried before.
        """
        known = {} if known is None else known
        offer = self

        def cheap(price: float) -> bool:
            if price not in known:
                known[price] = offer.tokens(price)
            return known[price] <= room

        step = bisect_left(_PRICES, True, key=cheap)
        low, high = _PRICES[step - 1] if step else 0.0, _PRICES[min(step, len(_PRICES) - 1)]
        offer = self.narrowed(low, high) if low else self
        while low and high - low > 1e-3 * high:
            middle = (low + high) / 2
            low, high = (low, middle) if cheap(middle) else (middle, high)
        return high
