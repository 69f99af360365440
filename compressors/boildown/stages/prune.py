"""Words within sentences: those worth least per token go first."""

from __future__ import annotations

from dataclasses import dataclass

from boildown.pipeline import Context
from boildown.selection import shrink
from boildown.text.pieces import words
from boildown.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Prune:
    """Take out the words that are worth least per token; code, numbers, names and negations stay whole or go whole."""

    REASON = "words worth least per token"

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        return shrink(transcript, context, words, context.target)
