"""Stage, Context and compress(): apply stages until the budget is met, measure each, then fill it exactly."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeVar, cast, runtime_checkable

from boildown.errors import BudgetError
from boildown.transcript import Message, Note, Redaction, Rules, Transcript, groups

if TYPE_CHECKING:
    from boildown.caching import Caching
    from boildown.summarizers.calls import Model
    from boildown.tokens import Counter


T = TypeVar("T")


class Again:
    """What stages made of some messages, for when they are applied to them anew with other targets."""

    def __init__(self) -> None:
        self._made: dict[object, tuple[Sequence[Message], object]] = {}

    def __call__(self, what: object, messages: Sequence[Message], make: Callable[[], T]) -> T:
        """What `make` makes of `messages`. Of `what`, only the last thing made is kept."""
        held = self._made.get(what)
        if held is None or held[0] != messages:
            held = self._made[what] = messages, make()
        return cast(T, held[1])

    def last(self, what: object) -> object:
        """What was last made of `what`; None where nothing was."""
        return self._made[what][1] if what in self._made else None


@dataclass(frozen=True, slots=True)
class Context:
    """What a stage may know besides the transcript.

    target  tokens that the output may take, framing included
    rules   what the output's consumer demands
    last    whether no stage follows, so that this one should reach the target by itself
    seed    for stages that draw at random
    source  the transcript before any stage, for one that tells what was taken out
    again   what stages keep for when they are applied anew
    model   what answers the stages that ask one
    """

    counter: Counter
    target: int
    rules: Rules = Rules()
    last: bool = True
    seed: int = 0
    source: Transcript | None = None
    again: Again = field(default_factory=Again)
    model: Model | None = None

    def count(self, transcript: Transcript) -> int:
        return self.counter.total(transcript.messages)

    def sizes(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of each message, framing included."""
        return self.counter.messages(messages)


class Stage(Protocol):
    """A function, or a frozen dataclass with `__call__` when it has options.

    It takes out what is worth least until `context.target` is met, or as much as it can, never touches a pinned
    message, never parts a tool call from its results, and names in `covers` what a kept message stands for.
    What it writes in words of its own is a mark (`boildown.marks`) or a message that it adds.
    """

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript: ...


@runtime_checkable
class Telling(Protocol):
    """A stage that adds a message on what was taken out: the stages before it leave `room` tokens of the target."""

    def room(self, transcript: Transcript, context: Context, /) -> int: ...


@runtime_checkable
class Finishing(Protocol):
    """A stage that takes nothing out, such as one that puts breakpoints in: it runs last, and also where all fits.

    `account` is what the report says of what became of `before`.
    """

    def account(self, before: Transcript, after: Transcript, counter: Counter, /) -> Caching: ...


@runtime_checkable
class Opening(Protocol):
    """A stage that runs first, wherever it stands, and also where all fits: `redact`, which spares no pinned message.

    `cleaned` does the same to the file as it is written, where that has more than the messages say; and how many
    places that were.
    """

    def cleaned(self, written: bytes, plain: bool, redactions: Iterable[Redaction], /) -> tuple[bytes, int]: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """Stages that were chosen: what they are applied to, with what is to stay pinned, the target, and why."""

    stages: tuple[Named, ...]
    transcript: Transcript
    target: int
    note: Note


@runtime_checkable
class Choosing(Protocol):
    """A stage that gives way to others, by how much of a model's window is used. Applied, it is those with a target.

    `choose` gives the others for a window of so many tokens; None where none is named.
    """

    def choose(self, transcript: Transcript, context: Context, window: int | None, /) -> Choice | None: ...


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage did. Token counts are of the whole transcript; the tuples hold message ids.

    stood_for   messages that went and that a kept one names in `covers`
    restored    messages that an earlier step had changed or dropped and this one put back
    added       messages that are not the source's
    """

    name: str
    before: int
    after: int
    seconds: float
    reason: str = ""
    kept: int = 0
    changed: tuple[str, ...] = ()
    stood_for: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    restored: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    @property
    def removed(self) -> int:
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Named:
    """A stage with its name and the reason it gives for what it takes out."""

    name: str
    stage: Stage
    reason: str


MOST_PASSES = 4
SPARE = 0.01
"""The share of the target that a telling stage may leave before the stages are applied anew with what it needs"""

Watch = Callable[[str, int], None]
"""Called with a stage's name and the transcript's tokens before each stage, for progress."""


def compress(
    transcript: Transcript, stages: Sequence[Named], context: Context, watch: Watch | None = None
) -> tuple[Transcript, list[Step]]:
    """Open, apply `stages` in order until `transcript` fits `context.target`, fill the target exactly, and finish.

    The output is never larger than the target. Raises BudgetError where the pinned messages alone are.
    """
    transcript, first = opened(transcript, stages, context, watch)
    takers = [named for named in stages if not isinstance(named.stage, Opening | Finishing)]
    result, steps = _filled(transcript, takers, context, watch)
    for named in stages:
        if isinstance(named.stage, Finishing):
            result = named.stage(result, replace(context, source=transcript))
    return result, first + steps


def opened(
    transcript: Transcript, stages: Sequence[Named], context: Context, watch: Watch | None = None
) -> tuple[Transcript, list[Step]]:
    """`transcript` after those of `stages` that open, with a step for each that changed something."""
    steps = list[Step]()
    for named in stages:
        if isinstance(named.stage, Opening):
            size = context.count(transcript)
            if watch:
                watch(named.name, size)
            transcript, step = _run(named, transcript, context, size)
            steps += [step] if step.changed else []
    return transcript, steps


def _filled(
    transcript: Transcript, stages: Sequence[Named], context: Context, watch: Watch | None
) -> tuple[Transcript, list[Step]]:
    from boildown.registry import SCORED
    from boildown.scoring.choice import LEARNED
    from boildown.stages.fit import Fit

    whole, size = transcript, context.count(transcript)
    if size <= context.target:
        return transcript, []
    _check_pins(transcript, context)
    context = replace(context, source=whole)
    rooms = [n.stage.room(whole, context) if isinstance(n.stage, Telling) else 0 for n in stages]
    telling = {named.name for named, room in zip(stages, rooms, strict=True) if room}
    for _ in range(MOST_PASSES):
        transcript, steps = _applied(whole, stages, context, rooms, watch)
        told = {s.name: s.after - s.before for s in steps if s.added and s.name in telling}
        if sum(rooms) - sum(told.values()) <= SPARE * context.target:
            break
        # The stages before left more room than was needed: they know better than the last step what to keep in it.
        rooms = [told.get(named.name, 0) if room else 0 for named, room in zip(stages, rooms, strict=True)]
    size = steps[-1].after if steps else size
    scorer = next((str(getattr(named.stage, "scorer", LEARNED)) for named in stages if named.name in SCORED), LEARNED)
    fitted, step = _run(Named("fit", Fit(whole, scorer), Fit.REASON), transcript, context, size)
    if step.changed or step.dropped or step.restored or step.removed:
        return fitted, [*steps, step]
    return transcript, steps


def _applied(
    transcript: Transcript, stages: Sequence[Named], context: Context, rooms: Sequence[int], watch: Watch | None
) -> tuple[Transcript, list[Step]]:
    """`stages` in order, each with the target less the `rooms` of those after it; what is not needed is left out."""
    size, steps = context.count(transcript), list[Step]()
    for n, named in enumerate(stages):
        room = context.target - sum(rooms[n + 1 :])
        if not rooms[n] and (size <= room or isinstance(named.stage, Telling)):
            continue
        if watch:
            watch(named.name, size)
        last = not _takes(stages[n + 1 :])
        transcript, step = _run(named, transcript, replace(context, target=room, last=last), size)
        steps.append(step)
        size = step.after
    return transcript, steps


def _takes(stages: Sequence[Named]) -> bool:
    """Whether one of `stages` takes something out."""
    return any(not isinstance(named.stage, Telling) for named in stages)


def _run(named: Named, transcript: Transcript, context: Context, size: int) -> tuple[Transcript, Step]:
    start = time.perf_counter()
    after = named.stage(transcript, context)
    source = (context.source or transcript).messages
    return after, _step(named, transcript, after, size, context.count(after), time.perf_counter() - start, source)


def _step(
    named: Named,
    old: Transcript,
    new: Transcript,
    before: int,
    after: int,
    seconds: float,
    source: Sequence[Message],
) -> Step:
    was = {m.id: m for m in old.messages}
    known = {m.id for m in source}
    now = {m.id: m for m in new.messages}
    stood = {i for m in new.messages for i in m.covers if i not in now}
    earlier = {i for m in old.messages for i in m.covers}
    gone = [i for i in was if i not in now]
    return Step(
        name=named.name,
        before=before,
        after=after,
        seconds=seconds,
        reason=named.reason,
        kept=sum(i in was and was[i].blocks == m.blocks for i, m in now.items()),
        changed=tuple(i for i, m in now.items() if i in was and was[i].blocks != m.blocks),
        stood_for=tuple(i for i in gone if i in stood),
        dropped=tuple(i for i in [*gone, *sorted(earlier - stood - now.keys())] if i not in stood),
        restored=tuple(i for i in now if i not in was and i in known),
        added=tuple(i for i in now if i not in was and i not in known),
    )


def convert_step(old: Transcript, new: Transcript, before: int, after: int) -> Step:
    """The step that made a transcript sayable in another format."""
    named = Named("convert", lambda t, _: t, "the target format cannot say it")
    return _step(named, old, new, before, after, 0.0, old.messages)


def _check_pins(transcript: Transcript, context: Context) -> None:
    pinned = [m for m in transcript.messages if m.pinned]
    needed = context.counter.total(pinned)
    if needed > context.target:
        what = f"what is pinned ({len(pinned)} of {len(transcript.messages)} messages)"
        raise BudgetError(needed, context.target, what)


@dataclass(frozen=True, slots=True)
class Pins:
    """Which messages must come out as they went in: the system's, the first and last, those that match `pattern`."""

    system: bool = True
    first: int = 0
    recent: int = 0
    pattern: re.Pattern[str] | None = None

    def __call__(self, transcript: Transcript) -> Transcript:
        messages = transcript.messages
        spoken = [i for i, m in enumerate(messages) if m.role != "system"]
        chosen = set(spoken[: self.first]) | set(spoken[len(spoken) - self.recent :] if self.recent else [])
        for i, message in enumerate(messages):
            if (self.system and message.role == "system") or (self.pattern and self.pattern.search(message.text)):
                chosen.add(i)
        return transcript.with_messages(_pinned(messages, chosen))


def _pinned(messages: Sequence[Message], chosen: set[int]) -> Iterable[Message]:
    """`messages` with `chosen` pinned, and with them the calls and results that they cannot do without."""
    for members in groups(messages):
        if not chosen.isdisjoint(members):
            chosen.update(members)
    return (replace(m, pinned=True) if i in chosen else m for i, m in enumerate(messages))


def target(size: int, budget: int | None = None, ratio: float | None = None, window: int | None = None) -> int:
    """Tokens that the output may take: a budget, the input's size by `ratio`, or 70 % of a model's `window`."""
    demands = (budget, int(size / ratio) if ratio else None, window * 7 // 10 if window else None)
    return min([size, *(d for d in demands if d is not None)])
