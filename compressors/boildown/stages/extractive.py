"""Whole sentences, list items, code blocks, table rows: those worth least per token go first."""

from __future__ import annotations

from dataclasses import dataclass, field

from boildown.pipeline import Context
from boildown.scoring.choice import HELP, LEARNED, chosen
from boildown.selection import shrink
from boildown.text.pieces import bare
from boildown.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Extractive:
    """Keep the sentences and messages that say most per token, what was said before counting less."""

    REASON = "sentences worth least per token"

    share: float = field(default=2.0, metadata={"help": "where more stages follow, stop at this many times the budget"})

    scorer: str = field(default=LEARNED, metadata={"help": HELP})

    def __post_init__(self) -> None:
        chosen(self.scorer)
        if self.share < 1:
            raise ValueError(f"share={self.share} is below 1: it would leave less than the budget.")

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        room = context.target if context.last else int(context.target * self.share)
        return shrink(transcript, context, bare, room, scorer=self.scorer)
