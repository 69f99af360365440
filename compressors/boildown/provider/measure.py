"""What counts whole conversations: a counter, one with a calibration's factor, or the provider itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Protocol, TypeVar

from boildown.errors import CountError, ModelError, UsageError
from boildown.provider import model
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Note, Opaque, ToolResult, Transcript

K = TypeVar("K")
T = TypeVar("T")


class Measure(Protocol):
    """Counts a conversation. What it is for stages is `counter`: in tokens of its own, which go by the same order.

    name   what the report calls it
    spare  the share of a target that is left free, where what a counter makes of it is known only afterwards
    notes  what people should know of how it counts
    """

    @property
    def counter(self) -> Counter: ...
    @property
    def name(self) -> str: ...
    @property
    def spare(self) -> float: ...
    @property
    def notes(self) -> tuple[Note, ...]: ...

    def total(self, transcript: Transcript) -> int:
        """The tokens of a conversation, framing included; 0 where there are no messages."""


@dataclass(frozen=True, slots=True)
class Local:
    """Tokens of a counter, each taken for `factor` of a provider's."""

    counter: Counter
    name: str
    factor: float = 1.0
    notes: tuple[Note, ...] = ()
    spare: float = 0.0

    def total(self, transcript: Transcript) -> int:
        # Less than the last bits of a float, so that what a target allows is never found to be above it.
        return ceil(self.factor * self.counter.total(transcript.messages) - 1e-6)


class Provided:
    """A provider's own count. Secrets are sent as placeholders, images are not sent, and counted as here."""

    spare = 0.015
    notes = ()

    def __init__(self, model: str, framing: Framing) -> None:
        from boildown.summarizers.answers import Answers, folder
        from boildown.summarizers.claude import endpoint
        from boildown.summarizers.counts import Counts

        self.counter = Counter(tokenizer(), replace(framing, source=f"counted by {model} together with the texts"))
        self.name = f"anthropic (count_tokens, {model})"
        try:
            self._counts = Counts(Answers(folder(), endpoint()), model)
        except UsageError as error:
            raise CountError(str(error)) from None

    def total(self, transcript: Transcript) -> int:
        """Raises CountError where the provider does not count."""
        from boildown.provider.asking import requests
        from boildown.stages.redact import Redact

        [hidden] = Redact().together([transcript])
        try:
            return sum(self._counts.ask(list(requests(hidden.messages)))) + _unsent(transcript.messages)
        except (ModelError, UsageError) as error:
            raise CountError(str(error)) from None


def _unsent(messages: Iterable[Message]) -> int:
    """The tokens of images and documents."""
    blocks = [block for message in messages for block in message.blocks]
    shown = [part for block in blocks if isinstance(block, ToolResult) for part in block.media]
    return sum(block.tokens for block in (*blocks, *shown) if isinstance(block, Opaque))


def measured(
    name: str, conversations: Callable[[], Iterable[Transcript]], framing: Framing, work: Callable[[Measure], T]
) -> T:
    """What `work` comes to with the tokenizer `name`.

    Where that is a provider's and this one does not count, it is done with a calibration from `conversations`.
    """
    asked = model(name)
    if asked is None:
        counter = Counter(tokenizer(name), framing)
        return work(Local(counter, counter.tokenizer.name))
    try:
        return work(Provided(asked, framing))
    except CountError as error:
        return work(_calibrated(conversations(), framing, str(error)))


def _calibrated(conversations: Iterable[Transcript], framing: Framing, why: str) -> Local:
    from boildown.provider.calibration import calibrated
    from boildown.provider.usage import spans

    told = (span for transcript in conversations for span in spans(transcript))
    found = calibrated(told, Counter(tokenizer(), framing))
    counter = Counter(tokenizer(), replace(found.framed(framing), source=f"{framing.source}; calibrated"))
    note = Note("not counted by the provider", "--tokenizer", f"{why} These counts are calibrated instead.")
    return Local(counter, f"o200k_base {found}", found.factor, (note,))


def by_kind(measure: Measure, transcript: Transcript) -> dict[tuple[str, str], int]:
    """Tokens by role and kind as `Counter.by_kind` has them, in the measure's tokens: their sum is its total."""
    return shared(measure.total(transcript), measure.counter.by_kind(transcript.messages))


def shared(total: int, parts: Mapping[K, int]) -> dict[K, int]:
    """Whole numbers in the proportion of `parts`, which add up to `total`."""
    whole, found, before = sum(parts.values()), dict[K, int](), 0
    if whole == total or not whole:
        return dict(parts)
    for key, part in parts.items():
        found[key] = (before + part) * total // whole - before * total // whole
        before += part
    return found
