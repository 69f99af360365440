"""A scorer: weights of features, from a file that is read as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boildown.errors import UsageError
from boildown.scoring.features import HELP, SPEAKERS, levels
from boildown.transcript import Message, Text

if TYPE_CHECKING:
    from boildown.arrays import Bools, Floats
    from boildown.table import Table, Words

FORMAT = "boildown-scorer"
VERSION = 1
LARGEST_FILE = 8_000_000
LARGEST_WEIGHT = 10.0
LARGEST_RARITY = 30.0
LONGEST_WORD = 64
MOST_WORDS = 200_000
LARGEST_CORRECTION = 3.0
"""ln of the most that a word can be raised or lowered by"""


@dataclass(frozen=True, slots=True)
class Scorer:
    """A correction of what words are worth: exp(the weighted sum of their features), 1 on average.

    weights   of the features in `boildown.scoring.features.HELP`; one that is not named counts nothing
    general   how rare a word is in general, as the feature of that name says
    tools     whether it is for transcripts with tools, too: it learned from such
    about     where the weights come from, for people
    """

    weights: Mapping[str, float]
    general: Mapping[str, float] = field(default_factory=dict)
    tools: bool = True
    about: str = ""

    def correction(self, found: Table, spoken: Words, messages: Sequence[Message]) -> Floats:
        """(W,) what the worth of each word is to be multiplied by: 1 for what is not in a sentence somebody says."""
        import numpy as np

        here = said(found, messages)[spoken.piece]
        if not self.weights or not here.any():
            return np.ones(len(spoken.word))
        total = np.asarray(sum(level.total(self.weights) for level in levels(found, spoken, messages, self.general)))
        total = np.clip(total - total[here].mean(), -LARGEST_CORRECTION, LARGEST_CORRECTION)
        return np.where(here, np.exp(total), 1.0)


def said(found: Table, messages: Sequence[Message]) -> Bools:
    """(P,) which pieces are in a sentence that the user or the assistant says."""
    import numpy as np

    spoken = [
        messages[p.message].role in SPEAKERS and isinstance(messages[p.message].blocks[p.block], Text)
        for p in found.places
    ]
    return np.asarray(found.wordy & np.array(spoken, bool)[found.place])


def dump(scorer: Scorer) -> bytes:
    """The file of a scorer: JSON with sorted keys, the same bytes for the same scorer."""
    import orjson

    value = {
        "format": FORMAT,
        "version": VERSION,
        "about": scorer.about,
        "tools": scorer.tools,
        "weights": {name: float(scorer.weights[name]) for name in sorted(scorer.weights)},
        "general": {word: float(scorer.general[word]) for word in sorted(scorer.general)},
    }
    return orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n"


@cache
def shipped() -> Scorer:
    """The scorer that comes with boildown."""
    return load((files("boildown.scoring") / "scorer.json").read_bytes(), "the packed scorer")


def read(path: str) -> Scorer:
    """The scorer in a file. Raises UsageError for one that cannot be read, and for what is none."""
    try:
        size = Path(path).stat().st_size
        if size > LARGEST_FILE:
            raise UsageError(f"scorer {path}: {size:,} bytes are too many; a scorer has {LARGEST_FILE:,} at most.")
        return load(Path(path).read_bytes(), path)
    except OSError as error:
        raise UsageError(f"scorer {path}: {error.strerror}. Make one with 'boildown train'.") from None


def load(data: bytes, where: str) -> Scorer:
    """A scorer from the bytes of its file, every value checked. Raises UsageError with `where` it is wrong."""
    import orjson

    try:
        value = orjson.loads(data)
    except ValueError as error:
        raise UsageError(f"scorer {where} is no JSON: {error}. Make one with 'boildown train'.") from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise UsageError(f'scorer {where}: "format" is not "{FORMAT}". Make one with \'boildown train\'.')
    if value.get("version") != VERSION:
        raise UsageError(f"scorer {where}: its version is {value.get('version')!r}; this boildown reads {VERSION}.")
    weights = _numbers(value, "weights", where, -LARGEST_WEIGHT, LARGEST_WEIGHT)
    for name in weights:
        if name not in HELP:
            raise UsageError(f"scorer {where}: there is no feature {name!r}. There are: {', '.join(HELP)}.")
    general = _numbers(value, "general", where, -LARGEST_RARITY, LARGEST_RARITY)
    if len(general) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in general):
        raise UsageError(
            f"scorer {where}: general has over {MOST_WORDS:,} words, or one of over {LONGEST_WORD} letters."
        )
    tools = value.get("tools", True)
    if not isinstance(tools, bool):
        raise UsageError(f"scorer {where}: tools is neither true nor false.")
    return Scorer(weights, general, tools, str(value.get("about", ""))[:2000])


def _numbers(value: Mapping[str, Any], key: str, where: str, least: float, most: float) -> dict[str, float]:
    """A table of numbers between two bounds. Raises UsageError for anything else."""
    table = value.get(key, {})
    if not isinstance(table, dict):
        raise UsageError(f"scorer {where}: {key} is no object.")
    for name, number in table.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
            raise UsageError(f"scorer {where}: {key}[{name[:40]!r}] is no number from {least:g} to {most:g}.")
    return {name: float(number) for name, number in table.items()}
