"""Whole messages by importance: those that matter least go first, a tool call together with its results."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from math import fsum, isfinite
from typing import TYPE_CHECKING, Protocol, cast

from boildown.errors import UsageError
from boildown.identifiers import IDENTIFIER
from boildown.pipeline import Context
from boildown.scoring.features import answers
from boildown.text.words import content, rarity
from boildown.transcript import Message, ToolCall, Transcript, groups

if TYPE_CHECKING:
    from boildown.arrays import Floats

SCORERS = "boildown.scorers"
LARGE = 0.95
ROLES = {"user": 1.0, "system": 1.0, "assistant": 0.5}
OTHER_ROLES = 0.25
NUMBER = re.compile(r"\d(?:[\d.,:/-]*\d)?")
# A capital inside a sentence. Latin, Greek and Cyrillic: `isupper` says which letters are.
INSIDE = re.compile(r"(?<=[^\s.!?…:*#>-] )[^\W\d_]\w+")


class Scorer(Protocol):
    """A plug-in: how much each message of a transcript matters, one number a message, more for what is to stay."""

    def __call__(self, transcript: Transcript, context: Context, /) -> Sequence[float]: ...


def _weight(default: float, help: str) -> float:
    found: float = field(default=default, metadata={"help": f"weight of {help}"})
    return found


@dataclass(frozen=True, slots=True)
class Prioritize:
    """Keep the messages that matter most for their tokens, in their order.

    Importance is a weighted sum of five features, each from 0 to 1. What a message says is measured against the
    95th percentile of its transcript, rare words and names counting for more (Spärck Jones 1972).
    """

    REASON = "matters least for its tokens"

    length: float = _weight(1.0, "how much it says: its distinct words, by rarity")
    question: float = _weight(0.2, "answering a question that somebody else asked just before")
    entities: float = _weight(1.0, "its names, numbers, paths and identifiers, by rarity")
    recency: float = _weight(0.1, "its place, 0 for the first message and 1 for the last")
    role: float = _weight(0.1, "who speaks: the user 1, the assistant 0.5, a tool 0.25")
    per_token: bool = field(default=True, metadata={"help": "by importance per token, which favours short messages"})
    scorer: str = field(default="", metadata={"help": "instead of all these: module:attribute, or a plug-in's name"})
    share: float = field(default=2.0, metadata={"help": "where more stages follow, stop at this many times the budget"})

    def __post_init__(self) -> None:
        if self.share < 1:
            raise ValueError(f"share={self.share} is below 1: it would leave less than the budget.")
        if self.scorer:
            load(self.scorer)

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        excess = context.count(transcript) - (context.target if context.last else int(context.target * self.share))
        if excess <= 0:
            return transcript
        messages, sizes = transcript.messages, context.sizes(transcript.messages)
        scores = self.scores(transcript, context)

        def matters(members: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
            tokens = sum(sizes[i] for i in members) if self.per_token else 1
            return max(scores[i] for i in members) / max(tokens, 1), members

        free = [g for g in groups(messages) if not any(messages[i].pinned for i in g)]
        left = sum(sizes[i] for g in free for i in g) - excess
        gone: set[int] = set()
        for members in sorted(free, key=matters, reverse=True):
            size = sum(sizes[i] for i in members)
            if size > left:
                gone.update(members)
            else:
                left -= size
        return transcript.with_messages(m for i, m in enumerate(messages) if i not in gone)

    def scores(self, transcript: Transcript, context: Context) -> Sequence[float]:
        """How much each message matters."""
        if self.scorer:
            return _checked(load(self.scorer), self.scorer, transcript, context)
        messages = transcript.messages
        found = self.length * _mass([content(m.text) for m in messages])
        found += self.entities * _mass([set(_entities(m)) for m in messages])
        found += self.question * answers(messages)
        found += self.recency * _places(len(messages))
        found += self.role * _ranks(messages)
        scores: list[float] = found.tolist()
        return scores


def _mass(said: Sequence[set[str]]) -> Floats:
    """For each message the sum of ln(1 + N / (1 + df)) over what is said in it, as a share of the 95th percentile."""
    import numpy as np

    rare = rarity(said)
    # fsum is exact in any order; that of a set is another one in each process.
    mass = np.array([fsum(rare[what] for what in held) for held in said])
    large = float(np.quantile(mass, LARGE)) or float(mass.max())
    return np.minimum(mass / large, 1.0) if large else mass


def _entities(message: Message) -> Iterator[str]:
    """Names, numbers, paths and identifiers in what a message says and asks of tools."""
    calls = (b.arguments for b in message.blocks if isinstance(b, ToolCall))
    text = "\n".join([message.text, *calls])
    yield from NUMBER.findall(text)
    yield from IDENTIFIER.findall(text)
    yield from (word for word in INSIDE.findall(text) if word[0].isupper())


def _places(count: int) -> Floats:
    import numpy as np

    return np.linspace(0.0, 1.0, count)


def _ranks(messages: Sequence[Message]) -> Floats:
    import numpy as np

    return np.array([ROLES.get(m.role, OTHER_ROLES) for m in messages])


@cache
def load(name: str) -> Scorer:
    """The scorer called `name`: a plug-in's entry point, or `module:attribute`. Raises UsageError where there is none.

    What it names is imported and called, so the name must come from the user, never from a transcript.
    """
    plugins = {e.name: e.value for e in entry_points(group=SCORERS)}
    module, colon, attribute = plugins.get(name, name).partition(":")
    if not colon:
        have = f"Installed are: {', '.join(sorted(plugins))}." if plugins else "None is installed."
        raise UsageError(f"scorer {name!r} is no module:attribute and no plug-in's name. {have}")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"scorer {name!r} cannot be loaded: {error}. Is its package installed?") from None
    if not callable(found):
        raise UsageError(f"scorer {name!r} is {type(found).__name__}, not a function of a transcript and a context.")
    return cast(Scorer, found)


def _checked(scorer: Scorer, name: str, transcript: Transcript, context: Context) -> Sequence[float]:
    """What `scorer` says, one finite number a message. Raises UsageError for anything else."""
    try:
        scores = [float(score) for score in scorer(transcript, context)]
    except Exception as error:  # Somebody else's code, which may raise anything.
        raise UsageError(
            f"scorer {name!r} failed: {type(error).__name__}: {error}. Mend it, or leave it out."
        ) from error
    if len(scores) != len(transcript.messages) or not all(map(isfinite, scores)):
        wanted = f"{len(transcript.messages)} finite numbers, one a message"
        raise UsageError(f"scorer {name!r} gave {len(scores)} scores; it has to give {wanted}.")
    return scores
