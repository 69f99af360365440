"""What calls cost: in dollars, at most before they are made, and held below a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from boildown.errors import CostError, UsageError
from boildown.prices import Price
from boildown.summarizers.calls import Outcome, Request, Spending, Usage
from boildown.tokens import Counter

MORE = 1.7
"""The most tokens that a model has been seen to count for one of o200k_base."""

BATCHED = 0.5
"""https://platform.claude.com/docs/en/build-with-claude/batch-processing#pricing"""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a call takes at most. `prices` by model; one that is missing leaves the dollars unknown.

    With `batched`, calls go in Message Batches, where all is charged at BATCHED of its price.
    """

    counter: Counter
    prices: Mapping[str, Price]
    batched: bool = False

    def usage(self, request: Request, read: bool = False) -> Usage:
        """The tokens of a call at most: all of the prompt written into the cache, and the longest answer.

        With `read`, its context is read from there.
        """
        context, *rest = (int(n * MORE) for n in self.counter.texts((request.context, request.system, request.prompt)))
        written = sum(rest) + (0 if read else context)
        return Usage(output=request.max_tokens, cache_read=context if read else 0, cache_write=written)

    def dollars(self, model: str, usage: Usage) -> float | None:
        """What `usage` costs, which is one call's, since a long prompt may cost more; None without prices."""
        if model not in self.prices:
            return None
        rates = self.prices[model].rates(usage.prompt)
        paid = (
            usage.input * rates.input
            + usage.output * rates.output
            + usage.cache_read * rates.cache_read
            + usage.cache_write * rates.cache_write_5m
        )
        return paid / 1e6 * (BATCHED if self.batched else 1.0)


class Account:
    """What is spent, held below `limit` dollars where there is one. `open`: what each call under way may yet cost."""

    def __init__(self, bounds: Bounds, limit: float | None = None) -> None:
        self.spending = Spending()
        self.open: list[float] = []
        self._bounds = bounds
        self._limit = limit

    def bound(self, request: Request) -> float:
        """Dollars that a call takes at most, 0.0 where there is no limit to hold it to.

        Raises UsageError where there is a limit and no price.
        """
        if self._limit is None:
            return 0.0
        dollars = self._bounds.dollars(request.model, self._bounds.usage(request))
        if dollars is None:
            raise UsageError(
                f"--max-cost needs the prices of {request.model!r}. Give them with --prices, or leave it out."
            )
        return dollars

    def priced(self, model: str) -> bool:
        """Whether it is known what a call of `model` costs."""
        return model in self._bounds.prices

    def room(self, bound: float, what: str = "the next one") -> bool:
        """Whether `what` may be sent now; False where that hangs on what those under way will cost.

        Raises CostError where it may not whatever they cost.
        """
        spent = self.spending.dollars or 0.0
        if self._limit is None or spent + sum(self.open) + bound <= self._limit:
            return True
        if self.open and spent + bound <= self._limit:
            return False
        raise CostError(
            f"stopped after {self.spending.calls:,} calls and ${spent:.4f}: {what} could cost ${bound:.4f}, and "
            f"pass --max-cost {self._limit:g}. What was answered is kept: run again with a higher --max-cost."
        )

    def add(self, request: Request, usage: Usage) -> None:
        """Note a call that was answered."""
        was = self.spending
        paid = _sum(was.dollars, self._bounds.dollars(request.model, usage))
        self.spending = replace(was, calls=was.calls + 1, usage=was.usage + usage, dollars=paid)

    def add_at_most(self, request: Request, read: bool) -> None:
        """Note a call that is not made, with all that it could take; `read`: its context could be cached by then.

        Not in a batch, whose calls are made in any order, and find there what others wrote only by chance.
        """
        self.add(request, self._bounds.usage(request))
        if self._bounds.batched:
            return
        shared = self._bounds.dollars(request.model, self._bounds.usage(request, read))
        self.spending = replace(self.spending, shared=_sum(self.spending.shared or 0.0, shared))

    def add_cached(self, outcome: Outcome) -> Outcome:
        """Note an answer that was there, which is given back."""
        self.spending = replace(self.spending, cached=self.spending.cached + 1)
        return outcome


def _sum(a: float | None, b: float | None) -> float | None:
    """None where one is not known."""
    return None if a is None or b is None else a + b
