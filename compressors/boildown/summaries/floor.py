"""How a target is divided so that a summary keeps at least what the offline pipeline would, whatever it says."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from boildown import registry
from boildown.measure.content import text
from boildown.measure.retention import Original, indexed, read, weighed
from boildown.pipeline import Context, compress
from boildown.placing import placed
from boildown.summaries import carrier, lost, passages
from boildown.summaries.summary import Summary
from boildown.tokens import Counter
from boildown.transcript import Message, Transcript, groups

RECENT = (0.5, 0.33, 0.2, 0.1, 0.0)
"""The shares of what is free that recent messages may take, the best first"""
WELL, LEAST = 0.2, 0.1
"""The share of the target that a summary should have at least, and the one below which it is not worth a call"""
_A_LINE = 25
"""Tokens of a short line under its title: a summary that may not have as many says nothing"""
_SPARE = 1.03
_TRIES = 4
_HEADINGS = 40
"""Tokens for the frame of a summary and the titles of its sections"""


@dataclass(frozen=True, slots=True)
class Floor:
    """What the offline pipeline keeps of a transcript at a target, and what is needed to hold a summary against it.

    offline      what that pipeline makes of it
    share, many  `Retention.share` of that, and the number of facts and statements kept
    """

    transcript: Transcript
    target: int
    counter: Counter
    offline: Transcript
    original: Original
    share: float
    many: int
    read: passages.Passages = field(repr=False)

    def holds(self, texts: Sequence[str]) -> bool:
        """Whether `texts` keep no less, by share and by number."""
        kept = self.original.kept(self.original.left(texts, indexed(texts)))
        return weighed(kept) >= self.share and sum(k.kept for k in kept) >= self.many

    def split(self, recent: int, ratio: float) -> Split | None:
        """The first division of RECENT that leaves a summary WELL of the target, else the one that leaves most.

        At most `recent` tokens of messages stay besides the pinned ones, and a summary takes the tokens of what it
        covers by `ratio`, at most. None where none leaves it LEAST and a line: then no summary is worth what it costs.
        """
        best: Split | None = None
        for share in RECENT:
            found = self._divided(share, recent, ratio)
            if found and (best is None or found.summary > best.summary):
                best = found
            if best and best.summary >= min(WELL * self.target, best.covered / ratio):
                break
        least = max(_A_LINE, min(LEAST * self.target, best.covered / ratio)) if best else 0.0
        return best if best and best.summary >= least else None

    def _divided(self, share: float, recent: int, ratio: float) -> Split | None:
        messages, sizes = self.transcript.messages, self.counter.messages(self.transcript.messages)
        pinned = sum(size for m, size in zip(messages, sizes, strict=True) if m.pinned)
        free = self.target - pinned - _HEADINGS - self.counter.framing.reply - self.counter.framing.message
        stay = frozenset(_recent(messages, sizes, min(share * free, recent)))
        covered = sum(size for n, size in enumerate(sizes) if n not in stay)
        free -= sum(sizes[n] for n in stay if not messages[n].pinned)
        have = [text(messages[n]) for n in sorted(stay)]
        known = self.original.left(have, indexed(have))
        choice = lost.Choice(self.original, self.read, known, stay, self.counter, exactly=True)
        enough = choice.share >= self.share and choice.many >= self.many
        steps = choice.steps(free)
        reach = (s.cost for s in steps if s.share >= self.share and s.many >= self.many)
        needed = 0.0 if enough else next(reach, None)
        for _ in range(_TRIES):
            if needed is None or free - needed * _SPARE <= 0:
                return None
            needed = needed * _SPARE + 1
            summary = min(int(covered / ratio), int(free - needed))
            lines = tuple(choice.within(steps, free - summary))
            if self.holds([*have, *lines]):
                return Split(self, tuple(sorted(stay)), summary, free - summary, covered, lines)
        return None


@dataclass(frozen=True, slots=True)
class Split:
    """How a target is divided.

    stay      the indexes of the messages that stay as they are: the recent and the pinned ones
    summary   tokens that the summary's sections may take       verbatim  those for facts, word for word
    covered   tokens of the messages that the summary stands for
    lines     the facts that keep the floor by themselves, with what stays, should the summary say nothing
    """

    floor: Floor
    stay: tuple[int, ...]
    summary: int
    verbatim: int
    covered: int
    lines: tuple[str, ...]

    @property
    def older(self) -> tuple[Message, ...]:
        """The messages that the summary stands for."""
        stay = frozenset(self.stay)
        return tuple(m for n, m in enumerate(self.floor.transcript.messages) if n not in stay)

    def placed(self, message: Message) -> Transcript:
        """The transcript with `message` in place of the older ones: before the first message after all of them."""
        messages, stay = self.floor.transcript.messages, frozenset(self.stay)
        last = max((n for n in range(len(messages)) if n not in stay), default=-1)
        kept = [messages[n] for n in self.stay]
        return self.floor.transcript.with_messages(placed(message, kept, sum(n < last for n in self.stay)))


def measured(transcript: Transcript, context: Context) -> Floor:
    """The offline pipeline run on `transcript`, and what it keeps. Raises BudgetError where pins exceed the target."""
    offline, _ = compress(transcript, registry.parse(registry.DEFAULT), context)
    original = read(transcript, context.counter)
    texts = [text(m) for m in offline.messages]
    kept = original.kept(original.left(texts, indexed(texts)))
    found = passages.read(transcript.messages, original)
    many = sum(k.kept for k in kept)
    return Floor(transcript, context.target, context.counter, offline, original, weighed(kept), many, found)


def complete(split: Split, summary: Summary, how: str = "") -> Summary:
    """`summary` with facts, word for word, up to the target: those that its lines and what stays do not say.

    `how` is what `Summary.text` is given. It keeps at least what the offline pipeline keeps: where the facts chosen
    anew do not, they are those of the plan, and where the lines leave no room for those, the last lines go.
    """
    for made in _candidates(split, summary, how):
        texts = [text(m) for m in split.placed(carrier.message(made, how)).messages]
        if _size(split, made, how) <= split.floor.target and split.floor.holds(texts):
            return made
    return Summary(verbatim=split.lines)


def _candidates(split: Split, summary: Summary, how: str) -> Iterator[Summary]:
    bare = replace(summary, verbatim=())
    have = [text(split.floor.transcript.messages[n]) for n in split.stay] + [line for _, line in bare.lines()]
    have += bare.cut
    for exactly in (False, True):
        yield from _filled(split, bare, how, have, exactly)
    yield _cut(split, bare, how)


def _filled(split: Split, bare: Summary, how: str, have: Sequence[str], exactly: bool) -> Iterator[Summary]:
    """`bare` with facts up to the target; should they cost more in place than alone, with fewer."""
    floor = split.floor
    room = floor.target - _size(split, replace(bare, verbatim=("",)), how)
    for _ in range(_TRIES):
        if room <= 0:
            return
        lines = lost.facts(floor.original, floor.read, have, room, floor.counter, frozenset(split.stay), exactly)
        yield (made := replace(bare, verbatim=lines))
        over = _size(split, made, how) - floor.target
        if over <= 0:
            return
        room -= over


def _cut(split: Split, bare: Summary, how: str) -> Summary:
    """The facts of the plan, with as many lines of `bare`, from the first, as there is room for."""
    lines = bare.lines()

    def made(many: int) -> Summary:
        held = {name: tuple(line for own, line in lines[:many] if own == name) for name, _ in lines[:many]}
        return Summary(held, split.lines)

    fits = bisect(range(len(lines) + 1), split.floor.target, key=lambda many: _size(split, made(many), how))
    return made(max(0, fits - 1))


def _size(split: Split, summary: Summary, how: str) -> int:
    """Tokens of the whole output with `summary` in it."""
    return split.floor.counter.total(split.placed(carrier.message(summary, how)).messages)


def _recent(messages: Sequence[Message], sizes: Sequence[int], room: float) -> Iterator[int]:
    """The messages that stay: the pinned ones, and the newest that fit into `room`, calls never without results."""
    full = False
    for members in reversed(groups(messages)):
        held = any(messages[n].pinned for n in members)
        size = sum(sizes[n] for n in members if not messages[n].pinned)
        if not held and (full or size > room):
            full = True
            continue
        room -= size
        yield from members
