"""Tuning: the pipeline, its options and the ratio that make files smallest and keep the retention asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from boildown.measure.bench import Bench, Case, Trial, Watch
from boildown.measure.candidates import candidates, variants, varied
from boildown.pipeline import Pins

STEP = 1.02
"""What one ratio that is tried is to the next: the ratio found is the largest that holds, to 2 %"""
LAST = 234
"""The index of the largest ratio that is tried, 1.02 ** 234, about 100"""
START = 35
"""The index of the ratio that is tried first, about 2"""
BEYOND = (2, 5, 9)
"""How many steps behind the first ratio that does not hold it is tried whether one does: 4, 10 and 20 %"""
CURVE = (1.5, 2.0, 3.0, 5.0, 10.0, 20.0)
"""The ratios at which the best pipeline and the next are measured besides, for the front"""
FINALISTS = 3
"""How many pipelines go from the sample to all conversations"""
EVERY = 4
"""Which file is left out: the fourth, the eighth and so on"""
EASE = 1e-9


@dataclass(frozen=True, slots=True)
class Split:
    """Which conversations a preset is chosen on, and which are left out; `on` and `left_out` name them for people."""

    chosen: tuple[Case, ...]
    held: tuple[Case, ...]
    on: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a search found.

    winner    the smallest that keeps what was asked for; None where nothing that is smaller than the input does
    trials    all that were measured on all that the winner was chosen on
    held_out  the winner on what was left out; None where nothing was, or where it cannot be measured there
    """

    least: float
    winner: Trial | None
    trials: tuple[Trial, ...]
    split: Split
    held_out: Trial | None = None


def split(cases: Sequence[Case]) -> Split:
    """Every fourth file is left out, or, of fewer than four files, every fourth conversation: none of fewer than four.

    It tells how much of the retention was the luck of the choice.
    """
    files = [one.file for one in cases]
    units = files if len(set(files)) >= EVERY else [one.name for one in cases]
    names = dict.fromkeys(units)
    out = dict.fromkeys(list(names)[EVERY - 1 :: EVERY])
    return Split(
        chosen=tuple(one for one, unit in zip(cases, units, strict=True) if unit not in out),
        held=tuple(one for one, unit in zip(cases, units, strict=True) if unit in out),
        on=tuple(unit for unit in names if unit not in out) if out else tuple(dict.fromkeys(files)),
        left_out=tuple(out),
    )


def best(trials: Iterable[Trial], least: float) -> Trial | None:
    """The trial with the fewest tokens of those that keep `least`; of equal ones that which keeps more, or came first.

    One at ratio 1 is no answer: there nothing was compressed.
    """
    holding = [t for t in trials if _holds(t, least) and t.ratio > 1]
    return min(holding, key=lambda t: (t.kept, -t.mean), default=None)


def front(trials: Iterable[Trial]) -> list[Trial]:
    """The trials that none beats, with fewer tokens and as much retention, or as few and more; the largest first."""
    found: list[Trial] = []
    for trial in sorted(trials, key=lambda t: (t.kept, -t.mean)):
        if not found or trial.mean > found[-1].mean + EASE:
            found.append(trial)
    return found[::-1]


def tune(
    cases: Sequence[Case],
    least: float,
    presets: Iterable[str] = (),
    pins: Pins | None = None,
    watch: Watch | None = None,
    given: Mapping[str, Mapping[str, str]] | None = None,
) -> Tuned:
    """Search the candidates for the smallest output whose mean retention over the files is `least` or more.

    `presets` are specs of pipelines to try besides, `given` options by stage that hold where a pipeline does not say
    otherwise. Raises UsageError for one that is wrong.
    """
    parts = split(cases)
    bench = Bench(parts.chosen, pins or Pins(), watch, given=given or {})
    winner = _search(bench, least, presets)
    held = Bench(parts.held, bench.pins, given=bench.given)
    beside = held.trial(winner.pipeline, winner.ratio) if winner and parts.held else None
    return Tuned(least, winner, tuple(bench.trials), parts, beside)


def _search(bench: Bench, least: float, presets: Iterable[str]) -> Trial | None:
    """Successive halving: on a sample all candidates, the better half and the best one's options; the best on all."""
    sample = bench.sample()
    finalists, reached = _raced(sample, candidates(presets, bench.idle), least)
    above = 0
    for spec in finalists:
        above = _climb(bench, spec, least, above, above + 1 if above else max(1, reached))
    top = best(bench.trials, least)
    for spec in list(dict.fromkeys([*([top.pipeline] if top else []), *finalists]))[:2]:
        for at in CURVE:
            bench.trial(spec, at)
    return best(bench.trials, least)


def _raced(bench: Bench, specs: Sequence[str], least: float) -> tuple[list[str], int]:
    """The FINALISTS among `specs` and their variants, the best first, and the index of the ratio that it reaches.

    All are measured at the largest ratio at which the first keeps `least`. Of the better half each then has to hold
    one step beyond the best so far, and goes on from there; so do the variants of the best of these.
    """
    ranked, at = _ranked(bench, specs, least)
    top, reached = ranked[0], 0
    for spec in ranked:
        found = _climb(bench, spec, least, reached, reached + 1 if reached else at)
        top, reached = (spec, found) if found > reached else (top, reached)
    others = [top, *ranked]
    for stage, option in variants(top, bench.idle) if reached else ():
        spec = varied(top, stage, option)
        found = _climb(bench, spec, least, reached, reached + 1)
        top, reached = (spec, found) if found > reached else (top, reached)
    return list(dict.fromkeys([top, *others]))[:FINALISTS], reached


def _ranked(bench: Bench, specs: Sequence[str], least: float) -> tuple[list[str], int]:
    """The better half of `specs` by what each keeps at the largest ratio at which the first keeps `least`, and that."""
    at = max(1, _climb(bench, specs[0], least, 0, START, START))
    kept = {spec: trial.mean for spec in specs if (trial := bench.trial(spec, _ratio(at)))}
    order = sorted(kept, key=lambda spec: -kept[spec]) or list(specs)
    return order[: max(FINALISTS, (len(order) + 1) // 2)], at


def _climb(bench: Bench, spec: str, least: float, above: int, first: int, step: int = 1) -> int:
    """The largest index above `above` at whose ratio `spec` keeps `least`; `above` where there is none.

    From `first` up while it holds, or else down until it does, in steps that double; then by bisection. That supposes
    that what is kept falls as the ratio grows; since it does so only by and large, a few ratios behind the first one
    that does not hold are tried as well.
    """

    def holds(index: int) -> bool:
        trial = bench.trial(spec, _ratio(index))
        return trial is not None and _holds(trial, least)

    low, high = _bracket(holds, above, first, step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    if low == above:
        return above
    again = next((high + n for n in BEYOND if high + n <= LAST and holds(high + n)), None)
    return low if again is None else _climb(bench, spec, least, again, again + 1)


def _bracket(holds: Callable[[int], bool], above: int, first: int, step: int) -> tuple[int, int]:
    """Two indexes: the lower one is `above` or holds, the higher one does not, or is past LAST."""
    low, high = above, first
    while high <= LAST and holds(high):
        low, high, step = high, high + step, step * 2
    if low > above or high > LAST:
        return low, min(high, LAST + 1)
    while high - step > above and not holds(high - step):
        high, step = high - step, step * 2
    return max(above, high - step), high


def _holds(trial: Trial, least: float) -> bool:
    return trial.mean >= least - EASE


def _ratio(index: int) -> float:
    return round(STEP**index, 2)
