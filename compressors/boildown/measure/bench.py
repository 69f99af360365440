"""Pipelines measured on conversations, each at each ratio once: how many tokens they leave, and what survives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from statistics import fmean

from boildown import registry
from boildown.errors import BudgetError, InputError
from boildown.measure.questions import Question
from boildown.measure.retention import Retention, combined, read
from boildown.pipeline import Context, Named, Pins, Telling
from boildown.run import Job, boil
from boildown.tokens import Counter
from boildown.transcript import FormatInfo, Transcript, groups

SAMPLE, FEW = 40_000, 8
"""About how many tokens a sample has, and how many conversations it has at least, where there are so many"""


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation to measure on: the file that it is from, and what its format asks for and charges.

    survives  what of it survives in another
    part      gives its front, of about so many tokens; None where it can only be measured whole
    """

    name: str
    file: str
    transcript: Transcript
    info: FormatInfo
    counter: Counter
    survives: Callable[[Transcript], Retention]
    part: Callable[[int], Case] | None = None

    @property
    def tokens(self) -> int:
        return self.counter.total(self.transcript.messages)


def case(
    name: str,
    file: str,
    transcript: Transcript,
    info: FormatInfo,
    counter: Counter,
    questions: Sequence[Question] = (),
) -> Case:
    """`transcript`, measured as `boildown evaluate` does.

    With questions it has no part, which might not hold the answers. Raises InputError where it answers none of them,
    and for evidence that is not in it.
    """
    original = read(transcript, counter, questions)
    if questions and not original.probes:
        raise InputError(f"{name}: it states the answer to none of the questions. Give them in the order of the files.")

    def part(tokens: int) -> Case:
        return case(name, file, _front(transcript, counter, tokens), info, counter)

    def survives(compressed: Transcript) -> Retention:
        return original.retention(compressed, counter)

    return Case(name, file, transcript, info, counter, survives, None if questions else part)


def _front(transcript: Transcript, counter: Counter, tokens: int) -> Transcript:
    """The first messages up to `tokens`, one at least. A result of a tool whose call is in it is in it as well."""
    messages = transcript.messages
    place = max(1, sum(n <= tokens for n in accumulate(counter.messages(messages))))
    for members in groups(messages):
        if members[0] < place <= members[-1]:
            place = members[-1] + 1
    return transcript.with_messages(messages[:place])


@dataclass(frozen=True, slots=True)
class Trial:
    """What one pipeline at one ratio makes of some files.

    kept   tokens out / tokens in, all files together
    mean   the mean of the files' `Retention.share`, a file's conversations being taken as one
    worst  the least of the files', and `at`, which file that is
    """

    pipeline: str
    ratio: float
    kept: float
    mean: float
    worst: float
    at: str


Watch = Callable[[str, Trial | None], None]
"""Called before each measurement with what is tried, and after it with the trial, where that was on all of them."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Measures pipelines on `cases`. `known` has the trials so far; None where a budget could not be met.

    given  options by stage that hold where a pipeline does not say otherwise
    """

    cases: Sequence[Case]
    pins: Pins
    watch: Watch | None = None
    known: dict[tuple[str, float], Trial | None] = field(default_factory=dict)
    idlers: dict[str, bool] = field(default_factory=dict)
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def trials(self) -> list[Trial]:
        return [trial for trial in self.known.values() if trial]

    def trial(self, pipeline: str, ratio: float) -> Trial | None:
        """What `pipeline` makes of the cases at `ratio`; None where what is pinned in one of them is too large."""
        key, what = (pipeline, ratio), f"{pipeline} at {ratio:g}x"
        if key not in self.known:
            if self.watch:
                self.watch(what, None)
            try:
                self.known[key] = self._measured(pipeline, ratio)
            except BudgetError:
                self.known[key] = None
            if self.watch:
                self.watch(what, self.known[key])
        return self.known[key]

    def _measured(self, pipeline: str, ratio: float) -> Trial:
        job = Job(registry.parse(pipeline, self.given), pipeline, ratio=ratio, pins=self.pins)
        files: dict[str, list[Retention]] = {}
        for one in self.cases:
            result, _ = boil(one.transcript, one.info, one.counter, job)
            files.setdefault(one.file, []).append(one.survives(result))
        found = {file: combined(each) for file, each in files.items()}
        before, after = (sum(tokens) for tokens in zip(*map(_tokens, found.values()), strict=True))
        worst = min(found, key=lambda file: found[file].share)
        mean = fmean(each.share for each in found.values())
        return Trial(pipeline, ratio, after / before if before else 1.0, mean, found[worst].share, worst)

    def idle(self, named: Named) -> bool:
        """Whether a stage leaves every conversation as it is, however small it is to be."""
        key = registry.spec([named])
        if key not in self.idlers:
            self.idlers[key] = not any(_works(named, self.pins(one.transcript), one) for one in self.cases)
        return self.idlers[key]

    def sample(self) -> Bench:
        """The same on conversations from all over, or their fronts, of SAMPLE tokens in all; itself where it is small.

        What is tried on it is watched, and what comes of that is not.
        """
        total = sum(one.tokens for one in self.cases)
        if total <= 2 * SAMPLE:
            return self
        chosen = self.cases[:: max(1, min(total // SAMPLE, len(self.cases) // FEW))]
        watch = self.watch
        untold: Watch | None = (lambda what, _: watch(what, None)) if watch else None
        return Bench(
            list(_parts(chosen, SAMPLE // len(chosen))), self.pins, untold, idlers=self.idlers, given=self.given
        )


def _tokens(found: Retention) -> tuple[int, int]:
    return found.tokens_before, found.tokens_after


def _parts(cases: Iterable[Case], tokens: int) -> Iterable[Case]:
    return (one.part(tokens) if one.part and one.tokens > tokens else one for one in cases)


def _works(named: Named, transcript: Transcript, one: Case) -> bool:
    context = Context(one.counter, 1, one.info.rules, source=transcript)
    if isinstance(named.stage, Telling):
        return named.stage.room(transcript, replace(context, target=context.count(transcript))) > 0
    return named.stage(transcript, context).messages != transcript.messages
