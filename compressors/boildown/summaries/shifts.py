"""How far a conversation turns to something else between one turn and the next."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Sequence
from math import sqrt

from boildown.measure.content import words
from boildown.summaries.times import moment, opens_session
from boildown.text.words import LITTLE
from boildown.transcript import Message

BLOCK = 100
"""Content words on each side that are compared: with the function words between them, Hearst's 200 words"""
_A_WORD = 30
"""Characters that a content word takes at most, with those around it"""


class Shifts:
    """The turns in topic between `units`, each of which is some messages.

    A shift is 1 less the cosine between the content words of the two blocks beside a place (Hearst, TextTiling, 1997),
    and 1 more where another session begins. It depends on nothing farther away than these blocks.
    """

    def __init__(self, units: Sequence[Sequence[Message]]) -> None:
        self._said = list[str]()
        self._starts = list[int]()
        self._opens = list[bool]()
        last = None
        for unit in units:
            self._starts.append(len(self._said))
            self._opens.append(any(opens_session(message, last) for message in unit[:1]))
            self._said += _ends([word for message in unit for word in _content(message)])
            last = next((now for message in reversed(unit) if (now := moment(message))), last)

    def before(self, unit: int) -> float:
        """The shift from the unit before `unit` to it: from 0 to 2."""
        at = self._starts[unit]
        left, right = Tally(self._said[max(0, at - BLOCK) : at]), Tally(self._said[at : at + BLOCK])
        return 1.0 - _cosine(left, right) + self._opens[unit]


def _content(message: Message) -> list[str]:
    text = message.text
    if len(text) > 2 * BLOCK * _A_WORD:
        text = f"{text[: BLOCK * _A_WORD]}\n{text[-BLOCK * _A_WORD :]}"
    return [word for word in words(text) if word not in LITTLE]


def _ends(said: list[str]) -> list[str]:
    """The words that a block can reach from either side."""
    return said if len(said) <= 2 * BLOCK else said[:BLOCK] + said[-BLOCK:]


def _cosine(left: Tally[str], right: Tally[str]) -> float:
    shared = sum(n * right[word] for word, n in left.items() if word in right)
    if not shared:
        return 0.0
    return shared / sqrt(sum(n * n for n in left.values()) * sum(n * n for n in right.values()))
