"""Lines of a summary that say what its source does not: found, shown to the model, and in the end left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from boildown.summaries.checks import Evidence
from boildown.summaries.nearest import Passages
from boildown.summaries.prompts import Fault
from boildown.summaries.summary import Summary
from boildown.text.units import units
from boildown.transcript import Message


@dataclass(frozen=True, slots=True)
class Mended:
    """A summary that says nothing which its source lacks, and how many of its lines did: mended or dropped."""

    summary: Summary
    found: int = 0
    mended: int = 0
    dropped: int = 0


class Review:
    """A summary beside its source: `messages`, and the summaries that it was made from, of what `speakers` said."""

    def __init__(
        self, summary: Summary, messages: Sequence[Message], before: Sequence[Summary], speakers: Iterable[str] = ()
    ) -> None:
        self.summary = summary
        self._messages = messages
        self._before = before
        self._evidence = Evidence.of(messages, before, speakers)
        reasons = {line: self._wrong(line) for _, line in summary.lines()}
        self.wrong = {line: why for line, why in reasons.items() if why}

    def faults(self) -> list[Fault]:
        """The lines that are wrong, as a model is shown them."""
        passages = Passages(self._messages, self._before)
        return [Fault(line, why, passages.near(line)) for line, why in self.wrong.items()]

    def settled(self, answers: Sequence[str] | None) -> Mended:
        """The summary with the answers for its first wrong lines that are right; of others, what is right."""
        pairs = zip(self.wrong, answers or (), strict=False)
        good = {line: answer for line, answer in pairs if answer and not self._wrong(answer)}

        def edit(line: str) -> tuple[str, ...]:
            if line not in self.wrong:
                return (line,)
            left = good.get(line) or self._sound(line)
            return (left,) if left else ()

        return Mended(self.summary.edited(edit), len(self.wrong), len(good), len(self.wrong) - len(good))

    def _wrong(self, line: str) -> tuple[str, ...]:
        other = self._evidence.misattributed(line)
        return (*self._evidence.unfounded(line), *((other,) if other else ()))

    def _sound(self, line: str) -> str:
        """The sentences of a line that are right by themselves."""
        said = [line[unit.start : unit.end].strip() for unit in units(line)]
        left = " ".join(sentence for sentence in said if not self._wrong(sentence)) if len(said) > 1 else ""
        return "" if left and self._wrong(left) else left
