"""Excerpts of a conversation, of a bounded size: how it begins and ends, and some of what is between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from boildown.summarizers.reading import spoken
from boildown.tokens import Counter
from boildown.transcript import Message

SIZE = 4000
"""Tokens of all excerpts together"""
SHARES = (0.25, 0.3)
"""What the beginning and the end take of them"""
LONGEST = 600
"""Characters that are shown of one message: its first and its last"""


def excerpts(messages: Sequence[Message], counter: Counter, size: int = SIZE) -> str:
    """`messages` as they begin and end, and some from between, in at most `size` tokens."""
    texts = [_shown(message) for message in messages]
    tokens = [n + 1 for n in counter.texts(texts)]
    first, last = (_fitting(some, size * share) for some, share in zip((tokens, tokens[::-1]), SHARES, strict=True))
    end = max(first, len(texts) - last)
    chosen = [*range(first), *range(end, len(texts))]
    chosen += _between(range(first, end), tokens, size - sum(tokens[n] for n in chosen))
    return "\n".join(texts[n] for n in sorted(chosen))


def _shown(message: Message) -> str:
    said = spoken(message)
    return said if len(said) <= LONGEST else f"{said[: LONGEST * 2 // 3]} ... {said[-LONGEST // 3 :]}"


def _fitting(tokens: Sequence[int], room: float) -> int:
    """How many of the first fit into `room`."""
    return sum(total <= room for total in accumulate(tokens))


def _between(places: range, tokens: Sequence[int], room: int) -> list[int]:
    """As many of `places` as fit into `room`, at even distances."""
    for step in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987):
        some = places[step // 2 :: step]
        if sum(tokens[n] for n in some) <= room:
            return list(some)
    return []
