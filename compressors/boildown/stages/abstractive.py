"""Older turns become a summary that a model writes; the newest stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from boildown.pipeline import Context
from boildown.summaries.anchored import Anchored
from boildown.summaries.standing import asked, check, summed_up
from boildown.summarizers.calls import MODEL
from boildown.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Abstractive:
    """A model sums up the older turns in fixed sections, checked by what they say; the newest turns stay as they are.

    A summary from an earlier run is kept, and only what came after it is merged in.
    """

    REASON = "a summary stands for it"

    model: str = field(default=MODEL, metadata={"help": "the model that is asked"})
    ratio: float = field(
        default=5.0, metadata={"help": "tokens of what is summed up / tokens of the summary, at least"}
    )
    recent: float = field(default=0.5, metadata={"help": "share of the budget for the newest turns, at most"})
    chunk: int = field(default=16_000, metadata={"help": "tokens of the conversation that a call is sent, at most"})

    def __post_init__(self) -> None:
        check(self.model, self.ratio, chunk=self.chunk)
        if not 0 <= self.recent < 1:
            raise ValueError(f"recent={self.recent} is not from 0 to below 1.")

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        recent = int(self.recent * context.target)
        writer = asked(context, self.model, "abstractive")
        return summed_up(transcript, context, writer, recent, self.ratio, Anchored(self.chunk))
