"""A plan: pipelines measured on a conversation, what a model proposes beside them, and which of them it is to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from boildown.errors import BoildownError, CostError, ModelError
from boildown.pipeline import Pins
from boildown.planning import alternatives as side
from boildown.planning import proposal as proposed
from boildown.planning.alternatives import Alternative, Models, Subject, measured, reckoned
from boildown.planning.excerpts import excerpts
from boildown.planning.figures import Figures, figures
from boildown.planning.proposal import Proposal
from boildown.summarizers.calls import Model, Outcome, Request
from boildown.transcript import Transcript

CLOSE = 0.9
"""A model's pipeline is taken where it keeps at least this part of what the best measured one keeps"""
MOST_PINNED = 0.25
"""The share of the target that what a model pins may take"""

Watch = Callable[[str], None]
"""Called before each measurement, and before a model is asked, with what is done"""


@dataclass(frozen=True, slots=True)
class Adviser:
    """A model that is asked as well.

    shown   the conversation as it may leave the machine
    models  its name and price: stages that ask a model are to ask this one, too
    """

    model: Model
    models: Models
    shown: Transcript

    @property
    def name(self) -> str:
        return self.models.name


@dataclass(frozen=True, slots=True)
class Plan:
    """Which pipeline it is to be, and what it was chosen from.

    choice     one of `found`, and `best` that which keeps most of those measured
    pins       phrases of the proposal that the choice pins
    pin        the regular expression for them and what was pinned before
    system     whether system messages are pinned
    notes      what is to be known: why no model was asked, or what of its answer is not used
    """

    figures: Figures
    found: tuple[Alternative, ...]
    best: Alternative
    choice: Alternative
    proposal: Proposal | None = None
    pins: tuple[str, ...] = ()
    pin: str | None = None
    system: bool = True
    notes: tuple[str, ...] = ()


def plan(of: Subject, presets: Mapping[str, str], adviser: Adviser | None = None, watch: Watch | None = None) -> Plan:
    """Measure pipelines on a conversation, ask `adviser` if there is one, and choose.

    `presets` are pipelines by name. Where the system's messages alone are larger than the target, they may be cut.
    Raises BudgetError where what is pinned is larger even so, UsageError where a model cannot be asked at all.
    """
    tell = watch or (lambda _: None)
    of, notes = _roomy(of)
    which = side.named(presets)
    tell("looking at the conversation")
    known = figures(of.case, of.target)
    found = list[Alternative]()
    for spec, what in side.candidates(which, of).items():
        tell(f"measuring {spec}")
        found.append(measured(spec, what, of))
    best = side.best(found)
    plain = Plan(known, tuple(found), best, best, pin=_source(of.job.pins), system=of.job.pins.system, notes=notes)
    if known.target >= known.tokens:
        return replace(plain, notes=(*notes, "it fits as it is: no pipeline takes anything out"))
    if adviser is None:
        return plain
    priced = replace(plain, found=(*found, *side.model_made(which, of, adviser.models)))
    tell(f"asking {adviser.name}")
    said = _asked(priced, of, adviser)
    if isinstance(said, str):
        return replace(priced, notes=(*notes, said))
    tell(f"measuring {said.pipeline}")
    return _with(priced, said, of, adviser)


def _roomy(of: Subject) -> tuple[Subject, tuple[str, ...]]:
    """`of` without the pins of system messages where these leave no room, and a note on that."""
    pins = of.job.pins
    if not pins.system or _pinned(of, pins) <= of.target:
        return of, ()
    loose = replace(pins, system=False)
    if _pinned(of, loose) > of.target:
        return of, ()
    note = "what the system says is larger than the budget: it may be cut as well (pin-system = false)"
    return replace(of, job=replace(of.job, pins=loose)), (note,)


def _pinned(of: Subject, pins: Pins) -> int:
    return of.case.counter.total([m for m in pins(of.case.transcript).messages if m.pinned])


def _source(pins: Pins) -> str | None:
    return pins.pattern.pattern if pins.pattern else None


def _asked(so_far: Plan, of: Subject, adviser: Adviser) -> Proposal | str:
    """What a model proposes, asked once more where that is of no use; or why there is nothing."""
    said = excerpts(adviser.shown.messages, of.case.counter)
    request = proposed.asking(adviser.name, so_far.figures, so_far.found, said)
    found: Proposal | str = ""
    for _ in range(2):
        try:
            outcome = _outcome(adviser.model, request)
        except CostError as error:
            outcome = ModelError(str(error))
        if isinstance(outcome, ModelError):
            return f"no model decided this: {outcome}"
        found = proposed.read(outcome.text)
        if isinstance(found, Proposal):
            return found
        request = proposed.again(request, found)
    return f"what {adviser.name} proposes is not used: {found}"


def _outcome(model: Model, request: Request) -> Outcome:
    return model.ask([request])[0]


def _with(so_far: Plan, said: Proposal, of: Subject, adviser: Adviser) -> Plan:
    """The plan with what was proposed beside what was measured: chosen unless it keeps clearly less."""
    what = f"{adviser.name} proposes it"
    phrases = _fitting(said.pins, of)
    with_proposal = replace(so_far, proposal=said)
    if side.asks_a_model(said.pipeline):
        one = reckoned(side.with_model(said.pipeline, adviser.name), what, of, adviser.models)
        return _chosen(with_proposal, one, phrases, of)
    for pins in dict.fromkeys((phrases, ())):
        try:
            one = measured(said.pipeline, what, of, _pins(of, pins))
        except BoildownError:
            continue
        one = replace(one, what=f"{what}, with pins") if pins else one
        with_proposal = replace(with_proposal, found=(*with_proposal.found, one))
        if (one.kept or 0.0) >= CLOSE * (so_far.best.kept or 0.0):
            return _chosen(with_proposal, one, pins, of)
    note = f"what {adviser.name} proposes keeps clearly less of the facts, so it is not taken"
    return replace(with_proposal, notes=(*so_far.notes, note))


def _chosen(so_far: Plan, one: Alternative, phrases: tuple[str, ...], of: Subject) -> Plan:
    found = so_far.found if one in so_far.found else (*so_far.found, one)
    wanted = so_far.proposal.pins if so_far.proposal else ()
    left = [phrase for phrase in wanted if phrase not in phrases]
    note = f"not pinned, for want of room or because it does not stand there: {'; '.join(left)}"
    notes = (*so_far.notes, note) if left else so_far.notes
    return replace(so_far, found=found, choice=one, pins=phrases, pin=_source(_pins(of, phrases)), notes=notes)


def _pins(of: Subject, phrases: Sequence[str]) -> Pins:
    pins = of.job.pins
    found = proposed.pattern(phrases, _source(pins))
    return replace(pins, pattern=re.compile(found)) if phrases else pins


def _fitting(phrases: Sequence[str], of: Subject) -> tuple[str, ...]:
    """Those of `phrases` that are in a message, in order, as long as all that they pin is small enough."""
    kept = list[str]()
    before = _pinned(of, of.job.pins)
    for phrase in list(dict.fromkeys(phrases))[: proposed.MOST_PINS]:
        size = _pinned(of, _pins(of, [*kept, phrase]))
        there = any(phrase in message.text for message in of.case.transcript.messages)
        if there and size - before <= MOST_PINNED * of.target and size <= of.target:
            kept.append(phrase)
    return tuple(kept)
