"""Compressing by a measure: a counter's tokens for the stages, until the measure finds the output within its target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import NoReturn

from boildown.caching import Caching
from boildown.errors import BudgetError
from boildown.pipeline import Step, Watch, target
from boildown.provider.measure import Local, Measure
from boildown.report import ConversationReport
from boildown.run import Job, boil
from boildown.transcript import FormatInfo, Transcript

MOST_ROUNDS = 6
FULL = 0.97
"""The least that an output fills of its target, where there is anything left to fill it with"""


@dataclass(frozen=True, slots=True)
class Round:
    """One compression, and the tokens of its output by the measure."""

    result: Transcript
    account: ConversationReport
    size: int


def boiled(
    transcript: Transcript, info: FormatInfo, measure: Measure, job: Job, watch: Watch | None = None
) -> tuple[Transcript, ConversationReport]:
    """Compress one conversation as `boil` does, the demands of `job` and its account being in the measure's tokens.

    Raises BudgetError where the target is not met in MOST_ROUNDS compressions, as where what is pinned is larger.
    """
    if isinstance(measure, Local) and measure.factor == 1:
        return boil(transcript, info, measure.counter, job, watch)
    size = measure.total(transcript)
    aim = target(size, job.budget, job.ratio, job.window)
    search = _Search(transcript, info, measure, replace(job, budget=None, ratio=None, window=None), watch)
    if aim < size:
        found = search.best(size, aim)
        return found.result, _told(found, size, aim)
    # Nothing is asked for but what makes no room, such as placeholders, which may be longer.
    found = search.round()
    return found.result, _told(found, size, max(aim, found.size))


@dataclass(frozen=True, slots=True)
class _Search:
    """The budget in a counter's tokens that makes an output of the size that is aimed at."""

    transcript: Transcript
    info: FormatInfo
    measure: Measure
    job: Job
    watch: Watch | None

    def best(self, size: int, aim: int) -> Round:
        """The fullest of the rounds that are within `aim`, each after the first in the proportion of the one before."""
        local = self.measure.counter.total(self.transcript.messages)
        fits, past, goal = 0, local + 1, (1 - self.measure.spare) * aim
        budget, per = int(goal * local / size), size / local
        best: Round | None = None
        for _ in range(MOST_ROUNDS):
            if not fits < budget < past:
                budget = max(1, (fits + past) // 2)
            try:
                found = self.round(budget)
            except BudgetError as error:
                least = ceil(error.needed * per)
                if best or budget == error.needed or least > aim:
                    return best or _unmet(least, aim, error.what)
                fits, budget = error.needed - 1, error.needed
                continue
            if found.size <= aim:
                best, fits = max(best or found, found, key=_size), budget
                if found.size >= FULL * aim or found.account.tokens_out < FULL * budget:
                    return best
            else:
                past = budget
            if past - fits <= 1:
                break
            per = found.size / found.account.tokens_out
            budget = int(goal / per)
        return best or _unmet(size, aim, "what is left at the least")

    def round(self, budget: int | None = None) -> Round:
        job = replace(self.job, budget=budget)
        result, account = boil(self.transcript, self.info, self.measure.counter, job, self.watch)
        return Round(result, account, self.measure.total(result))


def _size(found: Round) -> int:
    return found.size


def _unmet(needed: int, aim: int, what: str) -> NoReturn:
    raise BudgetError(max(needed, aim + 1), aim, what) from None


def _told(found: Round, size: int, aim: int) -> ConversationReport:
    """The round's account in measured tokens. In between of what was measured it goes by proportion."""
    account = found.account
    was, now = account.tokens_in, account.tokens_out
    slope = (size - found.size) / (was - now) if was != now else size / was if was else 1.0

    def told(tokens: int) -> int:
        return size if tokens == was else found.size if tokens == now else round(found.size + (tokens - now) * slope)

    steps = tuple(replace(step, before=told(step.before), after=told(step.after)) for step in account.steps)
    return replace(
        account,
        budget=aim,
        tokens_in=size,
        tokens_out=found.size,
        steps=_ended(steps, found.size),
        messages=tuple(
            replace(
                fate,
                tokens_in=round(fate.tokens_in * size / max(was, 1)),
                tokens_out=round(fate.tokens_out * found.size / max(now, 1)),
            )
            for fate in account.messages
        ),
        cache=_cached(account.cache, found.size, now) if account.cache else None,
    )


def _ended(steps: tuple[Step, ...], size: int) -> tuple[Step, ...]:
    """`steps` of which the last ends with `size`, so that they add up where the output has as many tokens as before."""
    return (*steps[:-1], replace(steps[-1], after=size)) if steps else ()


def _cached(cache: Caching, size: int, now: int) -> Caching:
    times = size / max(now, 1)
    stays = round(cache.stays * times)
    written = size - stays if cache.written else 0
    return replace(cache, stays=stays, written=written, cost=cache.cost * times, saves=cache.saves * times)
