"""Older turns become summaries of summaries, finer for what is newer; the newest turns stay as they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from boildown.pipeline import Context
from boildown.summaries.standing import asked, check, summed_up
from boildown.summaries.tree import Tree
from boildown.summarizers.calls import MODEL
from boildown.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Hierarchical:
    """A model sums up chunks, groups of those summaries, and so on; the finest level that fits stands for older turns.

    Chunks end where the topic shifts. Where more messages follow, only the last chunk and what is above it is asked.
    """

    REASON = "a summary stands for it"

    model: str = field(default=MODEL, metadata={"help": "the model that is asked"})
    ratio: float = field(
        default=5.0, metadata={"help": "tokens of what is summed up / tokens of its summary, at least, on each level"}
    )
    recent: float = field(default=0.5, metadata={"help": "share of the budget for the newest turns, at most"})
    chunk: int = field(default=8_000, metadata={"help": "tokens of the conversation that a call is sent, at most"})
    group: int = field(default=5, metadata={"help": "summaries that are summed up in one, about"})

    def __post_init__(self) -> None:
        check(self.model, self.ratio, chunk=self.chunk)
        if not 0 <= self.recent < 1:
            raise ValueError(f"recent={self.recent} is not from 0 to below 1.")
        if self.group < 2:
            raise ValueError(f"group={self.group} is below 2.")

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        recent = int(self.recent * context.target)
        writer = asked(context, self.model, "hierarchical")
        tree = Tree(self.chunk, self.ratio, self.group)
        return summed_up(transcript, context, writer, recent, self.ratio, tree)
