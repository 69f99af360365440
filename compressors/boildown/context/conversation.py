"""A conversation that contexts are made of: what does not hang on the question is made once, for many questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from boildown import registry
from boildown.context.allocation import USUAL, Allocation
from boildown.context.quotation import without
from boildown.context.retrieval import Index
from boildown.context.sendable import sendable
from boildown.formats.convert import convert
from boildown.pipeline import Context, Named, Opening, Step, compress, opened
from boildown.summaries.carrier import before
from boildown.summarizers.calls import Model
from boildown.tokens import Counter
from boildown.transcript import FormatInfo, Message, Transcript

if TYPE_CHECKING:
    from boildown.memory.embedders import Embedder


@dataclass(frozen=True, slots=True)
class Stable:
    """What does not hang on the question: summary and newest messages. `first` is the index of the first of these."""

    transcript: Transcript
    first: int
    steps: tuple[Step, ...] = ()


class Conversation:
    """A transcript as the consumer `info` can be told it, its index, and its summaries by their size.

    `stages` make the summary of the older messages: the offline pipeline, or one that asks `model`. Those that open, as
    `redact` does, are applied to the whole first. With an `embedder`, what fits a question goes by meaning, too.

    read        the messages of the transcript that was given
    transcript  as `sendable`, without what cannot be said and what was retrieved earlier
    gone        why a message of `read` is not in `transcript`
    """

    def __init__(
        self,
        transcript: Transcript,
        info: FormatInfo,
        counter: Counter,
        allocation: Allocation = USUAL,
        stages: Sequence[Named] | None = None,
        model: Model | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        stages = registry.parse(registry.DEFAULT) if stages is None else stages
        self.info, self.counter, self.allocation, self.model = info, counter, allocation, model
        self.read, self.embedder = transcript.messages, embedder
        said, self.notes = convert(transcript, info)
        clean, _ = opened(said, stages, Context(counter, counter.total(said.messages)))
        self.stages = [named for named in stages if not isinstance(named.stage, Opening)]
        fresh = without(clean.messages)
        self.gone = dict.fromkeys((m.id for m in self.read), "the target format cannot say it")
        self.gone |= dict.fromkeys((m.id for m in clean.messages), "it was retrieved for an earlier question")
        messages, broken = sendable(fresh, info)
        self.gone |= broken
        self.transcript = clean.with_messages(replace(m, pinned=m.role == "system") for m in messages)
        self._indexes: dict[int, Index] = {}
        self._made: dict[tuple[int, int, int], Stable] = {}

    def index(self, end: int) -> Index:
        """The pieces of the first `end` messages."""
        if end not in self._indexes:
            self._indexes[end] = Index(self.transcript.messages[:end], self.embedder)
        return self._indexes[end]

    def stable(self, end: int, target: int, first: int) -> Stable:
        """The first `end` messages within `target` tokens, those from `first` on as they are.

        Raises BudgetError where those, and how a conversation begins, are larger.
        """
        key = end, target, first
        if key not in self._made:
            messages = [replace(m, pinned=m.pinned or i >= first) for i, m in enumerate(self.transcript.messages[:end])]
            part = self.transcript.with_messages(self._with_summary(messages, target))
            result, steps = compress(
                part, self.stages, Context(self.counter, target, self.info.rules, model=self.model)
            )
            self._made[key] = Stable(result, first, tuple(steps))
        return self._made[key]

    def _with_summary(self, messages: Sequence[Message], target: int) -> Sequence[Message]:
        """`messages`, of which one that a model wrote as a summary stays, where `target` leaves room for it."""
        place = next((i for i, m in enumerate(messages) if m.role != "system"), 0)
        if registry.models(self.stages) or not messages or before(messages).summary is None:
            return messages
        held = [m for i, m in enumerate(messages) if m.pinned or i == place]
        if self.counter.total(held) > target:
            return messages
        return [*messages[:place], replace(messages[place], pinned=True), *messages[place + 1 :]]
