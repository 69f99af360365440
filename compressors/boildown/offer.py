"""Choosing pieces under a budget: by marginal worth per token, what a message costs to open included.

The choice maximizes worth - price x tokens over all sets of pieces, where a sentence that holds any piece pays for its
end, and a group of messages for its framing: a Lagrangian relaxation of the knapsack problem (Everett 1963). For a
price the best set is found sentence by sentence and group by group; the price is found by bisection.
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
    """What can be chosen: P pieces in S sentences in G groups.

    sentence   (P,) the sentence of each piece            worth, cost   (P,) its worth, its tokens
    group      (S,) the group of each sentence            ending        (S,) tokens that a sentence costs once
    fixed      (G,) tokens that a group costs once        value         (G,) worth that comes with those
    """

    sentence: Ints
    group: Ints
    worth: Floats
    cost: Floats
    ending: Floats
    fixed: Floats
    value: Floats

    def choose(self, price: float) -> tuple[Bools, Bools]:
        """(P,) the pieces worth their tokens at `price` a token, and (G,) the groups that are worth opening."""
        chosen, _, opened = self._chosen(price)
        return chosen, opened

    def _chosen(self, price: float) -> tuple[Bools, Bools, Bools]:
        """The pieces, the sentences and the groups."""
        import numpy as np

        gain = self.worth - price * self.cost
        said = self._said(gain, price)
        total = np.bincount(self.group, np.maximum(said, 0.0), len(self.fixed)) + self.value - price * self.fixed
        opened = total > 0
        begun = (said > 0) & opened[self.group]
        return (gain > 0) & begun[self.sentence], begun, opened

    def _said(self, gain: Floats, price: float) -> Floats:
        """(S,) what the best choice of each sentence's pieces gains."""
        import numpy as np

        pieces = np.bincount(self.sentence, np.maximum(gain, 0.0), len(self.group))
        return np.asarray(pieces - price * self.ending)

    def up_to(self, largest: float) -> Offer:
        """The offer without what costs more than `largest` tokens; of pieces that are worth the same, the first first.

        Without that order a price takes all of them or none, and words of one short text are often worth the same.
        """
        import numpy as np

        order = np.linspace(1.0, 1.0 - TIES, len(self.worth))
        return replace(self, worth=np.where(self.cost > largest, 0.0, self.worth * order))

    def tokens(self, price: float) -> float:
        """What the choice at `price` costs."""
        chosen, begun, opened = self._chosen(price)
        return float((self.cost * chosen).sum() + (self.ending * begun).sum() + (self.fixed * opened).sum())

    def narrowed(self, low: float, high: float) -> Offer:
        """What is left to decide at prices from `low` to `high`: the same choices, of fewer pieces.

        A sentence that is worth its end at `high` is so at every price below, and then its end is its group's.
        """
        import numpy as np

        gain = self.worth - high * self.cost
        firm = self._said(gain, high) > 0
        sure = firm[self.sentence] & (gain > 0)
        holder, many = self.group[self.sentence[sure]], len(self.fixed)
        fixed, value = (np.bincount(holder, held[sure], many) for held in (self.cost, self.worth))
        fixed += np.bincount(self.group[firm], self.ending[firm], many)
        left = ~sure & (self.worth > low * self.cost)
        return Offer(
            self.sentence[left],
            self.group,
            self.worth[left],
            self.cost[left],
            np.where(firm, 0.0, self.ending),
            self.fixed + fixed,
            self.value + value,
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
