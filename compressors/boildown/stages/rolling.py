"""One running summary, brought up to date as the window slides on."""

from __future__ import annotations

from dataclasses import dataclass, field

from boildown.pipeline import Context
from boildown.summaries.anchored import Anchored
from boildown.summaries.standing import asked, check, summed_up
from boildown.summarizers.calls import MODEL
from boildown.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Rolling:
    """A model keeps one running summary of what has left the window of the newest turns, updated in small steps.

    The steps are the same when more messages follow, so that their answers are there already.
    """

    REASON = "a running summary stands for it"

    model: str = field(default=MODEL, metadata={"help": "the model that is asked"})
    ratio: float = field(
        default=5.0, metadata={"help": "tokens of what is summed up / tokens of the summary, at least"}
    )
    window: int = field(default=4_000, metadata={"help": "tokens of the newest turns that stay as they are, at most"})
    threshold: int = field(default=2_000, metadata={"help": "tokens that have left the window when it is updated"})

    def __post_init__(self) -> None:
        check(self.model, self.ratio, threshold=self.threshold)
        if self.window < 0:
            raise ValueError(f"window={self.window} is below 0.")

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        writer = asked(context, self.model, "rolling")
        return summed_up(transcript, context, writer, self.window, self.ratio, Anchored(self.threshold))
