"""Training: from conversations with what of them was needed to the weights of a scorer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from boildown.scoring.features import NAMES, levels
from boildown.scoring.labels import Example
from boildown.scoring.scorer import LARGEST_CORRECTION, LARGEST_WEIGHT, Scorer, said
from boildown.table import Table, Words, table, words
from boildown.text.pieces import words as cut
from boildown.text.words import WORD
from boildown.tokens import tokenizer
from boildown.transcript import works
from boildown.worth import alone, worth

if TYPE_CHECKING:
    from boildown.arrays import Floats

LEAST_SHARE = 1e-5
"""Words that are rarer than this in general are all taken for equally rare."""
LONGEST_WORD = 40
MIDDLE = 7.0
PENALTY = 1e-3
FEW = 1000
"""Needed words of which fewer change the weights little"""
LARGEST = 0.98
DIGITS = 4
FRAMING = 5.0
"""Tokens that a message costs besides its text, here"""
FIFTH = 5


@dataclass(frozen=True, slots=True)
class Source:
    """Conversations of one kind, which count as much as `weight` says, however many they are."""

    name: str
    examples: Sequence[Example]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Rows:
    """The W words that are said in a conversation, what is needed of it at all.

    features  (W, F), in the order of NAMES     needed  (W,) how much      worth  (W,) the statistical one
    """

    features: Floats
    needed: Floats
    worth: Floats

    def corrected(self, weights: Mapping[str, float]) -> Floats:
        """(W,) the worth with a scorer's weights."""
        import numpy as np

        total = (self.features - self.features.mean(axis=0)) @ np.array([weights.get(name, 0.0) for name in NAMES])
        return np.asarray(self.worth * np.exp(np.clip(total, -LARGEST_CORRECTION, LARGEST_CORRECTION)))


def general_rarity(sources: Iterable[Sequence[str]]) -> dict[str, float]:
    """How rare words are in general: -ln of their share, less 7. Sources, each some texts, count the same."""
    shares: defaultdict[str, float] = defaultdict(float)
    many = 0
    for texts in sources:
        often: defaultdict[str, int] = defaultdict(int)
        for text in texts:
            for word in WORD.findall(text.lower()):
                often[word] += 1
        many, total = many + 1, sum(often.values())
        for word, count in often.items():
            shares[word] += count / total if word.isalpha() else 0.0
    kept = {w: s / many for w, s in shares.items() if s / many >= LEAST_SHARE and len(w) <= LONGEST_WORD}
    return {word: round(-log(share) - MIDDLE, 2) for word, share in sorted(kept.items())}


def fit(sources: Sequence[Source], general: Mapping[str, float], start: Mapping[str, float], about: str = "") -> Scorer:
    """The weights with which exp(weighted features) x the statistical worth comes nearest to what was needed.

    A Poisson regression with the worth so far as exposure (McCullagh and Nelder 1989), scikit-learn's. `start` are the
    weights so far, from which it moves the less, the fewer words were needed. Raises ValueError where none was.
    """
    import numpy as np
    from sklearn.linear_model import PoissonRegressor

    read = [(source, _read(source.examples, general)) for source in sources]
    read = [(source, rows) for source, rows in read if rows]
    if not read:
        raise ValueError("nothing in these conversations was needed later")
    x = np.concatenate([part.features for _, rows in read for part in rows])
    needed = np.concatenate([_level(np.concatenate([part.needed for part in rows])) for _, rows in read])
    worths = np.concatenate([_level(np.concatenate([p.corrected(start) for p in rows]), 1.0) for _, rows in read])
    many = [sum(len(part.needed) for part in rows) for _, rows in read]
    weight = np.repeat([source.weight / n for (source, _), n in zip(read, many, strict=True)], many)
    spread = x.std(axis=0) + 1e-9
    model = PoissonRegressor(alpha=PENALTY * (1 + FEW / int((needed > 0).sum())), max_iter=1000, tol=1e-8)
    model.fit((x - x.mean(axis=0)) / spread, needed / worths, sample_weight=weight / weight.mean() * worths)
    found = np.array([start.get(name, 0.0) for name in NAMES]) + model.coef_ / spread
    rounded = np.clip(found, -LARGEST_WEIGHT, LARGEST_WEIGHT).round(DIGITS).tolist()
    tools = any(works(example.messages) for source in sources for example in source.examples)
    return Scorer(dict(zip(NAMES, rounded, strict=True)), general, tools, about)


def _level(values: Floats, quantile: float = LARGEST) -> Floats:
    """`values` with a mean of 1, the largest of them cut off."""
    import numpy as np

    cut_off = np.minimum(values, np.quantile(values[values > 0], quantile))
    return np.asarray(cut_off / cut_off.mean())


def _read(examples: Iterable[Example], general: Mapping[str, float]) -> list[Rows]:
    return [found for example in examples if (found := rows(example, general)) is not None]


def rows(example: Example, general: Mapping[str, float]) -> Rows | None:
    """What a conversation teaches; None where nothing of what is said in it was needed."""
    import numpy as np

    found = table(example.messages, cut)
    spoken = words(found)
    here = said(found, example.messages)[spoken.piece]
    message = found.messages[spoken.piece]
    pairs = zip(spoken.word.tolist(), message.tolist(), strict=True)
    needed = np.array([example.needs[m].get(spoken.vocabulary[w], 0.0) for w, m in pairs])[here]
    if not needed.any():
        return None
    told = levels(found, spoken, example.messages, general)
    columns = {name: column[level.owner] for level in told for name, column in level.columns.items()}
    features = np.stack([columns[name] for name in NAMES], 1)[here]
    return Rows(features, needed, _statistical(found, spoken, example)[here])


def _statistical(found: Table, spoken: Words, example: Example) -> Floats:
    """(W,) the worth of each word without a scorer: its part of its piece's."""
    import numpy as np

    each = alone(spoken, found.messages)
    costs = np.array(tokenizer().count([" " + text for text in found.types]), float)[found.kind]
    piece = worth(found, example.messages, costs, np.full(len(example.messages), FRAMING))
    share = piece / np.maximum(np.bincount(spoken.piece, each, len(piece)), 1e-9)
    return np.asarray(np.maximum(each * share[spoken.piece], 1e-9))


@dataclass(frozen=True, slots=True)
class Caught:
    """The share of what was needed that a fifth of the words holds, those that are worth most.

    statistical  without a scorer        before, after  with two scorers
    """

    statistical: float
    before: float
    after: float


def caught(examples: Iterable[Example], before: Scorer, after: Scorer) -> Caught | None:
    """What two scorers that know the same words in general catch, as means over conversations; None without any."""
    import numpy as np

    shares = []
    for found in _read(examples, after.general):
        best = max(len(found.needed) // FIFTH, 1)
        values = (found.worth, found.corrected(before.weights), found.corrected(after.weights))
        orders = [np.argsort(-value, kind="stable")[:best] for value in values]
        shares.append([float(found.needed[order].sum() / found.needed.sum()) for order in orders])
    return Caught(*np.mean(shares, axis=0).tolist()) if shares else None
