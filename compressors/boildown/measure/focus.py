"""What the kept words are about: the last turns, or what was said before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from boildown.measure.content import Weigh

LAST_TURNS = 4
"""Messages at the end, of those that say something themselves"""
RUN = 5
"""Words in a row that are a repetition when they come again"""


def closeness(words: Iterable[str], last: frozenset[str], weigh: Weigh) -> float:
    """The share of a text's words, by rarity, that the last turns use too."""
    total = near = 0.0
    for word in words:
        weight = weigh(word)
        total += weight
        near += weight if word in last else 0.0
    return near / total if total else 0.0


def redundancy(words: Sequence[str]) -> float:
    """The share of a text's runs of five words that it has had before."""
    runs = max(len(words) - RUN + 1, 0)
    distinct = len(set(zip(*(words[n:] for n in range(RUN)), strict=False)))
    return 1 - distinct / runs if runs else 0.0
