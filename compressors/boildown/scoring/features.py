"""What tells which words later questions need, as numbers: of a word, of its piece, its sentence and its message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import ne
from typing import TYPE_CHECKING

from boildown.speaking import speakers
from boildown.text.words import Joined
from boildown.transcript import Message

if TYPE_CHECKING:
    from boildown.arrays import Floats, Ints
    from boildown.table import Table, Words

HELP = {
    "general": "how rare the word is in general: -ln of its share of all words, less 7; 0 with digits in it",
    "length": "ln of its letters, less ln 5",
    "name": "it begins with a capital inside of a sentence",
    "opening": "it begins with a capital at the start of a sentence",
    "exclaims": "its sentence is an exclamation",
    "number": "the sentence holds a number",
    "answers": "the turn before asked; less for who talks at far greater length than the user",
    "turn": "ln of the message's words, less ln 30",
}
"""Every feature, by name. Those that are no number are 1 or 0."""
NAMES = tuple(HELP)
SPEAKERS = frozenset({"user", "assistant"})
QUESTION = re.compile(r"[?？؟](?!\w)")
EXCLAIMING = ("!", "！")
EXCLAMATION = re.compile("[!！]")
CLOSING = "\"'”’)]*_ \n"


@dataclass(frozen=True, slots=True)
class Level:
    """Features of L things of one kind: the columns by name, and which of the things each of the W words is of."""

    columns: Mapping[str, Floats]
    owner: Ints

    def total(self, weights: Mapping[str, float]) -> Floats:
        """(W,) the weighted sum of the columns, for each word."""
        import numpy as np

        found = [weights[name] * column for name, column in self.columns.items() if weights.get(name)]
        return np.asarray(sum(found))[self.owner] if found else np.zeros(len(self.owner))


def levels(found: Table, spoken: Words, messages: Sequence[Message], general: Mapping[str, float]) -> list[Level]:
    """The features of every word of a table. `general` is the rarity of words in general, the rarest being unknown."""
    return [
        Level(_word(spoken, general), spoken.word),
        Level(_piece(found), spoken.piece),
        Level(_sentence(found), found.unit[spoken.piece]),
        Level(_message(found, messages), found.messages[spoken.piece]),
    ]


def _word(spoken: Words, general: Mapping[str, float]) -> dict[str, Floats]:
    import numpy as np

    unknown = max(general.values(), default=0.0)
    told = np.array([general.get(word, unknown if word.isalpha() else 0.0) for word in spoken.vocabulary])
    letters = np.fromiter(map(len, spoken.vocabulary), float, len(spoken.vocabulary))
    return {"general": told, "length": np.log(np.maximum(letters, 1) / 5)}


def _piece(found: Table) -> dict[str, Floats]:
    import numpy as np

    heads = [text[:2] for text in found.types]
    capital = np.fromiter(map(ne, heads, map(str.lower, heads)), bool, len(heads))[found.kind]
    first = np.diff(found.unit, prepend=-1) != 0
    return {"name": (capital & ~first).astype(float), "opening": (capital & first).astype(float)}


def _sentence(found: Table) -> dict[str, Floats]:
    import numpy as np

    count = int(found.unit.max(initial=-1)) + 1
    starts = np.flatnonzero(np.diff(found.unit, prepend=-1))
    last = np.append(starts[1:], len(found.unit)) - 1 if len(starts) else starts
    types = Joined(found.types)
    exclaims = np.zeros(len(found.types))
    for n in types.holding(EXCLAMATION).tolist():
        exclaims[n] = found.types[n].rstrip(CLOSING).endswith(EXCLAIMING)
    number = np.bincount(found.unit, types.digits()[found.kind], count) > 0
    return {"exclaims": exclaims[found.kind[last]], "number": number.astype(float)}


def _message(found: Table, messages: Sequence[Message]) -> dict[str, Floats]:
    import numpy as np

    many = np.bincount(found.messages, minlength=len(messages))
    return {
        "answers": answers(messages) * speakers(found.messages, messages, np.ones(len(found.kind))),
        "turn": np.log(np.maximum(many, 1) / 30),
    }


def answers(messages: Sequence[Message]) -> Floats:
    """1 for a message that comes right after a question of somebody else, 0 for the others."""
    import numpy as np

    asks = [m.role in SPEAKERS and _asks(m.text) for m in messages]
    turns = [(a.role, a.name) != (b.role, b.name) for a, b in pairwise(messages)]
    told = [False, *(asked and turn for asked, turn in zip(asks, turns, strict=False))]
    return np.array(told[: len(messages)], float)


def _asks(text: str) -> bool:
    return ("?" in text or not text.isascii()) and QUESTION.search(text) is not None
