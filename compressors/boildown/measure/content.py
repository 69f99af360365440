"""What a transcript says, as it is measured: texts, words in order, and how rare each word is."""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import log

from boildown.identifiers import shown
from boildown.marks import is_mark
from boildown.text.words import WORD, little
from boildown.transcript import Message, Text

_NOT = re.compile(r"n['’]t\b", re.IGNORECASE)

Weigh = Callable[[str], float]
"""How much a word counts: 0 for one that only holds a sentence together, more the rarer it is"""


def text(message: Message) -> str:
    """All that a model would read of a message: the speaker's name, text, what calls say, results, reasoning."""
    return "\n".join(filter(None, (message.name, *map(shown, message.blocks))))


def said(message: Message) -> str:
    """What a person or a model said itself: no calls, no results, no marks."""
    spoken = (b.text for b in message.blocks if isinstance(b, Text) and not is_mark(b.text))
    return "" if message.role == "tool" else "\n".join(spoken)


def words(text: str) -> list[str]:
    """The words of a text in lower case, `don't` as `do not`."""
    return WORD.findall(_NOT.sub(" not", text).lower())


def rarity(messages: Sequence[Iterable[str]]) -> Weigh:
    """ln(1 + N / (1 + df)) of a word, df of N messages holding it (Spärck Jones 1972); 0 for function words."""
    held = Tally(w for said in messages for w in set(said))
    empty = little(held)

    @cache
    def weigh(word: str) -> float:
        return 0.0 if word in empty else log(1 + len(messages) / (1 + held[word]))

    return weigh
