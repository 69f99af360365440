"""Old tool results: a placeholder says what was called, how it ended, how much it was, and what only it stated."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from boildown.actions import FILE, Action, actions
from boildown.identifiers import Stated, stated
from boildown.pipeline import Context
from boildown.results import marked, result_at
from boildown.transcript import Message, Place, ToolCall, Transcript

LONGEST = 80


@dataclass(frozen=True, slots=True)
class Mask:
    """Old tool results give way to a placeholder; the newest, errors, and the last of each file stay whole.

    Observation masking halves what an agent costs and solves as much (Lindenbauer et al. 2025, arXiv 2508.21433).
    """

    REASON = "an old tool result"

    keep: int = field(default=10, metadata={"help": "how many of the newest tool results stay whole"})
    identifiers: int = field(
        default=8, metadata={"help": "how many names, paths and numbers that stand nowhere else a placeholder repeats"}
    )

    def __post_init__(self) -> None:
        if self.keep < 0 or self.identifiers < 0:
            raise ValueError("keep and identifiers are numbers of things, 0 or more.")

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        return marked(transcript, context, self._marks(transcript.messages, context))

    def _marks(self, messages: Sequence[Message], context: Context) -> Iterator[tuple[Place, str]]:
        done = {a.result: a for a in actions(messages) if a.result is not None}
        places = sorted(done)
        whole = set(places[len(places) - self.keep :]) if self.keep else set[Place]()
        whole |= {place for place, a in done.items() if a.failed}
        whole |= {place for place, a in {a.file: (p, a) for p, a in sorted(done.items()) if a.kind in FILE}.values()}
        said = stated(messages)
        for place in places:
            if place not in whole:
                yield place, self._mark(messages, done[place], place, context, said)

    def _mark(self, messages: Sequence[Message], action: Action, place: Place, context: Context, said: Stated) -> str:
        call = messages[action.call[0]].blocks[action.call[1]]
        name = call.name if isinstance(call, ToolCall) else str(action.kind)
        text = result_at(messages, place).text
        size, lines = context.counter.texts([text])[0], len(text.splitlines())
        often = Tally(said.at(place))
        only = sorted((i for i in often if said.messages(i) == 1), key=lambda i: (i.isdigit(), -often[i]))
        names = f" | {' '.join(only[: self.identifiers])}" if only[: self.identifiers] else ""
        target = " ".join(action.target.split())
        short = target if len(target) <= LONGEST else f"{target[: LONGEST - 1]}…"
        back = f"boildown show {messages[place[0]].id}"
        return f"[masked {name} {short}: ok, {lines:,} lines, {size:,} tokens; {back}{names}]"
