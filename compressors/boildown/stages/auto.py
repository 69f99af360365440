"""The stage that chooses: how full the model's window is decides which stages are applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from boildown import policy
from boildown.pipeline import Choice, Context, compress
from boildown.policy import Level, Policy
from boildown.transcript import Message, Transcript

_USED = 0.7
"""The share of a window that a budget is taken for where no window is named, as with --window"""


@dataclass(frozen=True, slots=True)
class Auto:
    """Does what the window's use asks for: nothing, redundancy out, older turns summed up, the least important dropped.

    The levels are configuration: see policy.toml. A level that has to reach less than it finds drops nothing for it.
    """

    REASON = "the window's use asks for it"

    window: int = field(default=0, metadata={"help": "tokens of the model's window; otherwise what --window says"})
    levels: str = field(default="", metadata={"help": "a TOML file whose [[auto.levels]] hold, not those of boildown"})
    model: str = field(default="", metadata={"help": "the model that sums up; without one, cutting does it"})

    def __post_init__(self) -> None:
        if self.window < 0:
            raise ValueError(f"window={self.window} is below 0.")
        self._levels()

    def choose(self, transcript: Transcript, context: Context, window: int | None, /) -> Choice | None:
        """What the level that holds does in a window; None where none is named."""
        named = self.window or window
        return Policy(named, self._levels(), self.model).choice(transcript, context) if named else None

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        window = self.window or max(1, int(context.target / _USED))
        held = tuple(level for level in self._levels() if level.stages(self.model))
        choice = Policy(window, held, self.model).choice(transcript, context) if held else None
        if choice is None:
            return transcript
        result, _ = compress(choice.transcript, choice.stages, context)
        return replace(result, messages=tuple(_unpinned(result.messages, transcript)))

    def _levels(self) -> tuple[Level, ...]:
        from boildown.presets import read

        return (read(self.levels).levels if self.levels else ()) or policy.shipped()


def _unpinned(messages: tuple[Message, ...], source: Transcript) -> Iterator[Message]:
    """`messages` with no pins but the source's and those of what was added."""
    known = {m.id: m.pinned for m in source.messages}
    for message in messages:
        pinned = known.get(message.id, True) or any(known.get(i, False) for i in message.covers)
        yield message if message.pinned == pinned or not message.pinned else replace(message, pinned=pinned)
