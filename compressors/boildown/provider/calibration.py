"""How many tokens a provider counts for those that are counted here, learned from what it charged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from boildown.provider.usage import Span
from boildown.summarizers.account import MORE
from boildown.tokens import Counter
from boildown.transcript import Framing

if TYPE_CHECKING:
    from boildown.arrays import Bools, Floats

FEWEST = 24
"""Spans below which nothing is learned"""
TEXT = (0.9, 2.0)
FRAMING = 10.0
"""What the factors of text and of framing may be at all; beyond, the records are of something else"""
ROUNDS = 60
NEAR = 5.0
"""Tokens below which an error is as good as none"""
FAR = 0.5
"""The share of a span's tokens beyond which it holds what the transcript does not, or lacks what that has"""
MOST_FAR = 1 / 8
"""The share of such spans beyond which the records are of another transcript: of sessions as their client wrote them up
to a tenth are, of compressed ones, whose records tell of what was taken out, a sixth or more"""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A provider's tokens are `text` times those of texts and `framing` times those of framing, counted here.

    spans  how many it was learned from, 0 where it is the most that was ever seen
    error  how far what two thirds of them foretell of the other one is too little, as a share; 0 or more
    """

    text: float
    framing: float
    spans: int = 0
    error: float = 0.0

    @property
    def factor(self) -> float:
        """The provider's tokens at most for one of a counter with the framing of `framed`."""
        return self.text * (1 + self.error)

    def framed(self, framing: Framing) -> Framing:
        """`framing` in the tokens of texts."""
        times = self.framing / self.text
        message, name, block, reply = (
            round(n * times) for n in (framing.message, framing.name, framing.block, framing.reply)
        )
        return replace(framing, message=message, name=name, block=block, reply=reply)

    def __str__(self) -> str:
        if not self.spans:
            return f"x {self.text:g}, the most that was seen, for there is nothing to calibrate it by"
        said = f"x {self.text:.2f}, framing x {self.framing:.1f}, calibrated by {self.spans:,} usage records"
        return f"{said}, {self.error:.1%} added for error"


MOST = Calibration(MORE, MORE)


def calibrated(spans: Iterable[Span], counter: Counter) -> Calibration:
    """What spans of like conversations teach, MOST where they are too few or make no sense."""
    import numpy as np

    rows = []
    for span in spans:
        kinds = counter.by_kind(span.messages)
        framing = sum(n for (_, kind), n in kinds.items() if kind == "framing")
        rows.append((span.tokens, sum(kinds.values()) - framing, framing))
    if len(rows) < FEWEST:
        return MOST
    table = np.array(rows, float)
    text, framing = _fitted(table)
    sound = TEXT[0] <= text <= TEXT[1] and 0 <= framing <= FRAMING
    if not sound or 1 - _near(table, np.array([text, framing])).mean() > MOST_FAR:
        return MOST
    return Calibration(float(text), float(framing), len(rows), _error(table))


def _fitted(table: Floats) -> Floats:
    """The factors of text and framing with the least absolute error, raised until the sum is right, too.

    By iteratively reweighted least squares. Spans hold more than was recorded rather than less, so that what is least
    absolute foretells too little; the far ones, of which the transcript does not tell, are left out of the sum.
    """
    import numpy as np

    told, counted = table[:, 0], table[:, 1:]
    weights = np.ones(len(told))
    for _ in range(ROUNDS):
        root = np.sqrt(weights)
        factors = np.asarray(np.linalg.lstsq(counted * root[:, None], told * root, rcond=None)[0], np.float64)
        weights = 1 / np.maximum(np.abs(told - counted @ factors), NEAR)
    return factors * _short(table, factors)


def _short(table: Floats, factors: Floats) -> float:
    """The sum of what was charged / the sum that `factors` foretell, far spans left out."""
    near = table[_near(table, factors)]
    return float(near[:, 0].sum() / (near[:, 1:] @ factors).sum()) if len(near) else 1.0


def _near(table: Floats, factors: Floats) -> Bools:
    """Which spans are about as large as `factors` foretell."""
    import numpy as np

    told, foretold = table[:, 0], table[:, 1:] @ factors
    return np.abs(told - foretold) <= FAR * np.maximum(told, foretold)


def _error(table: Floats) -> float:
    """By how much the factors of the rest foretell too little of a third of the spans in a row, the worst of the three.

    In a row, for a session changes its work as it goes on, and what is compressed is not all of it.
    """
    import numpy as np

    thirds = np.array_split(table, 3)
    rests = [np.concatenate([other for other in thirds if other is not third]) for third in thirds]
    return max(0.0, *(_short(third, _fitted(rest)) - 1 for third, rest in zip(thirds, rests, strict=True)))
