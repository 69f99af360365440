"""What a compression does to the provider's prompt cache, and at how many turns it pays for that."""

from __future__ import annotations

import math
from dataclasses import dataclass

from boildown.prices import Price


@dataclass(frozen=True, slots=True)
class Caching:
    """A compression's account with the provider's cache, in tokens and US dollars.

    breakpoints  where new ones stand: ids of messages, "start" for tools and system text, "end" for the last message
    stays        tokens ahead of the first change: they are still read from the cache
    written      tokens behind it, which the next turn writes into the cache
    cost         what the next turn pays more for that than if it could read them
    saves        what each turn pays less than without the compression
    turns        after how many turns the savings cover the cost; None for never
    """

    model: str
    ttl: str
    breakpoints: tuple[str, ...]
    stays: int
    written: int
    cost: float
    saves: float
    turns: int | None


@dataclass(frozen=True, slots=True)
class Prefix:
    """Tokens of a conversation before it is compressed, after it, and of what both begin with; and of what is ahead.

    `ahead`, the tools, counts for what can be cached, and is no part of the others.
    """

    before: int
    after: int
    same: int
    ahead: int = 0


def reckon(prefix: Prefix, price: Price, ttl: str, model: str = "", breakpoints: tuple[str, ...] = ()) -> Caching:
    """The account of one compression, new messages left out, which cost the same with and without it.

    Before N tokens are read from the cache each turn, at r0 a token. After, the first turn reads the S that are
    unchanged at r and writes the other M - S at w; each later turn reads M at r:

        cost  = (M - S) * (w - r)      saves = N * r0 - M * r      turns = ceil(cost / saves)

    What is too short for the model's cache is neither read nor written but paid as input, so that a compression can
    lose. Rates are those of a prompt's own length, where the model has a higher price for long ones.
    """
    old, new = price.rates(prefix.before + prefix.ahead), price.rates(prefix.after + prefix.ahead)
    was, is_ = (n + prefix.ahead >= price.minimum for n in (prefix.before, prefix.after))
    read = new.cache_read if is_ else new.input
    write = (new.cache_write_1h if ttl == "1h" else new.cache_write_5m) if is_ else new.input
    stays = prefix.same if prefix.same + prefix.ahead >= price.minimum else 0
    written = prefix.after - stays if is_ else 0
    cost = written * (write - read) / 1e6
    saves = (prefix.before * (old.cache_read if was else old.input) - prefix.after * read) / 1e6
    return Caching(model, ttl, breakpoints, stays, written, cost, saves, turns(cost, saves))


def turns(cost: float, saves: float) -> int | None:
    """How many turns of `saves` dollars cover `cost`; None where they never do."""
    if cost > 0 and saves > 0:
        # A quotient that is whole but for the last bits of a float is whole.
        return max(1, math.ceil(cost / saves - 1e-9))
    return 0 if cost <= 0 <= saves else None
