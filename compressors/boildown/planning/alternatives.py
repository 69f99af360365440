"""Pipelines side by side: what each leaves of a conversation at the tokens asked for, measured or reckoned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import ceil

from boildown import registry
from boildown.measure.bench import Bench, Case, case
from boildown.measure.candidates import distinct
from boildown.pipeline import Finishing, Opening, Pins, target
from boildown.prices import Price
from boildown.run import Job, boil
from boildown.summarizers.account import MORE
from boildown.tokens import Counter
from boildown.transcript import FormatInfo, Transcript

BESIDE = {
    "condense,delta,dedup,prune,ledger": "diffs for versions",
    "window": "the newest turns only",
}
"""What is measured besides the default and the presets, and what it is"""
STEPS = ("chunk", "threshold")
"""The options of stages that ask a model that say how many tokens of the source a call is sent"""
SUMMED_UP = 0.2
"""What a summary takes of its source: a stage's default ratio is 1/5"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A conversation, and what is asked of every pipeline for it.

    job    bounds and pins; its stages do not count
    given  options by stage that hold where a pipeline does not say otherwise
    """

    case: Case
    job: Job
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def target(self) -> int:
        return target(self.case.tokens, self.job.budget, self.job.ratio, self.job.window)


def subject(
    transcript: Transcript,
    info: FormatInfo,
    counter: Counter,
    job: Job,
    given: Mapping[str, Mapping[str, str]] | None = None,
) -> Subject:
    """`transcript`, read once for all pipelines."""
    return Subject(case("", "", transcript, info, counter), job, given or {})


@dataclass(frozen=True, slots=True)
class Models:
    """The model that stages are to ask, and what it charges; None where nobody knows."""

    name: str
    price: Price | None


@dataclass(frozen=True, slots=True)
class Alternative:
    """A pipeline for a conversation.

    what     where it is from
    tokens   tokens out; of one that was not run, the most that they can be
    kept     the share of the facts and statements that survives; None where it was not run
    calls    calls of a model, and `dollars` that they cost at most, about; None where its prices are not known
    """

    pipeline: str
    what: str
    tokens: int
    kept: float | None = None
    calls: int = 0
    dollars: float | None = 0.0


def asks(name: str) -> bool:
    """Whether the stage called `name` asks a model: none that does without, nor `cache`, whose model is for prices."""
    if finishes(name) or name in registry.MAY_ASK:
        return False
    return any(option.name == "model" for option in registry.options(name))


def finishes(name: str) -> bool:
    """Whether a stage runs first or last and takes nothing out."""
    found = registry.attribute(name)
    return isinstance(found, type) and issubclass(found, Opening | Finishing)


def asks_a_model(spec: str) -> bool:
    return any(asks(name) for name, _ in registry.split(spec))


def with_model(spec: str, model: str) -> str:
    """`spec` with `model` for the stages that ask one and do not say which."""
    stages = [(name, {"model": model, **said} if asks(name) else said) for name, said in registry.split(spec)]
    return registry.spec([registry.make(name, said) for name, said in stages])


def named(presets: Mapping[str, str]) -> dict[str, str]:
    """The pipelines to compare, and what each is; `presets` are pipelines by name. The first is the default."""
    found: dict[str, list[str]] = {registry.DEFAULT: ["default"]}
    for name, spec in presets.items():
        found.setdefault(spec, []).append(name)
    for spec, what in BESIDE.items():
        found.setdefault(spec, []).append(what)
    return {spec: ", ".join(held) for spec, held in found.items()}


def candidates(which: Mapping[str, str], of: Subject) -> dict[str, str]:
    """Those of `which` that run without a model. Of those that do the same to the conversation one is left."""
    bench = Bench([of.case], of.job.pins)
    offline = [spec for spec in which if not asks_a_model(spec)]
    return {
        spec: ", ".join(dict.fromkeys(which[one] for one in same))
        for spec, same in distinct(offline, bench.idle).items()
    }


def measured(spec: str, what: str, of: Subject, pins: Pins | None = None) -> Alternative:
    """What `spec` makes of the conversation. Raises BudgetError where what is pinned is larger than the target."""
    job = replace(of.job, stages=registry.parse(spec, of.given), pipeline=spec, pins=pins or of.job.pins)
    result, account = boil(of.case.transcript, of.case.info, of.case.counter, job)
    return Alternative(spec, what, account.tokens_out, of.case.survives(result).share)


def reckoned(spec: str, what: str, of: Subject, models: Models) -> Alternative:
    """What `spec` may cost, where each summary is as long as it may be, and instructions are left out.

    A model counts more tokens than are counted here; as many more as has been seen.
    """
    asked = [named.stage for named in registry.parse(spec) if asks(named.name)]
    traffic = [_traffic(stage, of.case.tokens, of.target) for stage in asked]
    calls, read, written = (sum(each) for each in zip(*traffic, strict=True))
    most = ceil(read * MORE / calls)
    rates = models.price.rates(most) if models.price and _all(asked, models.name) else None
    dollars = MORE * (read * rates.input + written * rates.output) / 1e6 if rates else None
    return Alternative(spec, what, of.target, None, int(calls), dollars)


def _traffic(stage: object, source: int, target: int) -> tuple[float, float, float]:
    """The calls that a stage takes, and the tokens that a model reads and writes in them.

    A tree of summaries reads each again on the level above. A summary that grows is read and written anew in each call.
    """
    step, share = _step(stage), 1 / float(getattr(stage, "ratio", 1 / SUMMED_UP))
    calls = ceil(source / step)
    if hasattr(stage, "group"):
        return calls, source / (1 - share), source * share / (1 - share)
    grown = [min(target, share * min(source, n * step)) for n in range(1, calls + 1)]
    return calls, source + sum(grown[:-1]), sum(grown)


def _step(stage: object) -> int:
    return next((int(getattr(stage, name)) for name in STEPS if hasattr(stage, name)), 1)


def _all(stages: Iterable[object], model: str) -> bool:
    return all(getattr(stage, "model", "") == model for stage in stages)


def model_made(which: Mapping[str, str], of: Subject, models: Models) -> Iterable[Alternative]:
    """What the pipelines that ask a model may cost: those of `which`, and each stage that does by itself."""
    alone = {f"dedup,{name}": "a summary by a model" for name in sorted(registry.names()) if asks(name)}
    for spec, what in {**alone, **{spec: what for spec, what in which.items() if asks_a_model(spec)}}.items():
        yield reckoned(with_model(spec, models.name), what, of, models)


def best(found: Iterable[Alternative]) -> Alternative:
    """That which keeps most of those that were run; of those that keep the same, to a thousandth, the first."""
    return max((one for one in found if one.kept is not None), key=lambda one: round(one.kept or 0.0, 3))
