"""What survives of a conversation through several pipelines at several ratios."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from boildown.errors import BudgetError
from boildown.measure.future import Cut, cut
from boildown.measure.questions import Question
from boildown.measure.retention import Kept, Retention, combined, read
from boildown.pipeline import Watch
from boildown.run import Job, boil
from boildown.tokens import Counter
from boildown.transcript import FormatInfo, Transcript


@dataclass(frozen=True, slots=True)
class Point:
    """A pipeline at a ratio: what survives, or why it could not be compressed so far.

    ratio  the one asked for; `retention` has the tokens that came out
    """

    pipeline: str
    ratio: float
    retention: Retention | None
    failure: str = ""


def curves(
    transcript: Transcript,
    info: FormatInfo,
    counter: Counter,
    jobs: Sequence[tuple[str, Job]],
    ratios: Sequence[float],
    questions: Sequence[Question] = (),
    watch: Watch | None = None,
) -> Iterator[Point]:
    """A point for each of the named jobs, whose own bounds do not count, at each ratio, in that order.

    `Retention.future` is measured on a second compression, that of the conversation's front alone.
    """
    original, split = read(transcript, counter, questions), cut(transcript, counter)
    for name, job in jobs:
        for ratio in ratios:
            if watch:
                watch(f"{name} at {ratio:g}x", original.tokens)
            at = replace(job, budget=None, window=None, ratio=ratio)
            try:
                result, _ = boil(transcript, info, counter, at)
            except BudgetError as error:
                yield Point(name, ratio, None, str(error))
                continue
            found = original.retention(result, counter)
            yield Point(name, ratio, replace(found, future=_future(split, info, counter, at)))


def _future(split: Cut | None, info: FormatInfo, counter: Counter, job: Job) -> Kept | None:
    """What the front, compressed, keeps of what the rest used; None where that cannot be measured."""
    if split is None:
        return None
    try:
        return split.kept(boil(split.front, info, counter, job)[0])
    except BudgetError:
        return None


def merged(points: Sequence[Point]) -> Point:
    """One pipeline at one ratio over several conversations; a failure where one of them failed."""
    found = [p.retention for p in points if p.retention]
    failure = next((p.failure for p in points if p.failure), "")
    return replace(points[0], retention=None if failure else combined(found), failure=failure)
