"""Words within sentences: those worth least per token go first."""

from __future__ import annotations

from dataclasses import dataclass, field

from boildown.pipeline import Context
from boildown.scoring.choice import HELP, LEARNED, chosen
from boildown.selection import shrink
from boildown.text.pieces import words
from boildown.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Prune:
    """Take out the words that are worth least per token; code, numbers, names and negations stay whole or go whole."""

    REASON = "words worth least per token"

    scorer: str = field(default=LEARNED, metadata={"help": HELP})

    def __post_init__(self) -> None:
        chosen(self.scorer)

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        return shrink(transcript, context, words, context.target, scorer=self.scorer)
