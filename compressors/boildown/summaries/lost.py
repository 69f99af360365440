"""What a summary does not say and should not lose, word for word and densest first, in the room that there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from enum import IntEnum
from heapq import heapify, heappop, heappush
from math import log2, sqrt
from statistics import fmean

from boildown.measure.facts import Fact
from boildown.measure.retention import Left, Original, indexed, weighed
from boildown.summaries.passages import Passages
from boildown.tokens import Counter

_A_LINE = 16
"""Things on one line"""
_HEAD = 1.5
"""Tokens that a speaker's name costs each passage of which only the things are told, most of which share a line"""
_BESIDE = 5
"""About how many tokens the words beside a thing take"""
_OFTEN, _MOST_OFTEN = 0.25, 16
_MOST_SAID = 2.0
_PLAIN = 1e-4
"""What each character of a sentence is worth by itself, as a share of what a fact is worth on average"""
_OVER, _FULL = 1.3, 0.99
_TRIED = 64


class Level(IntEnum):
    """How much of a passage is told."""

    NOTHING = 0
    THINGS = 1
    AROUND = 2
    WHOLE = 3


_FIRST = (Level.THINGS, Level.WHOLE)
_FURTHER = {Level.THINGS: (Level.AROUND, Level.WHOLE), Level.AROUND: (Level.WHOLE,), Level.WHOLE: ()}
_MORE = (0.0, 0.0, 0.2, 0.3)
"""What the words around a thing are worth by level, as a share of what it is worth itself"""


@dataclass(frozen=True, slots=True)
class Step:
    """A passage told, or told in more of its words.

    facts        those of the passage that are told by it
    cost         about how many tokens this step and those before it take
    share, many  `Retention.share` and the number of facts kept, of the conversation, after this step
    """

    passage: int
    level: Level
    facts: frozenset[Fact]
    cost: float
    share: float
    many: int


class Choice:
    """What to tell of the passages, step by step: first what adds most for its tokens to what is measured.

    What a step adds is computed anew only when it comes first (Minoux 1978). A fact weighs as `Retention` weighs its
    kind, and more where it is mentioned often; a statement more the rarer its words are. `exactly` as `Retention` has
    it, both weigh no more than that, which keeps most in the fewest tokens, and tells what matters less.
    """

    def __init__(
        self, original: Original, read: Passages, known: Left, outside: Set[int], counter: Counter, exactly: bool
    ) -> None:
        self.original, self.read, self.counter, self.exactly = original, read, counter, exactly
        self.facts, self.statements = set(known.facts), set(known.statements)
        kept = original.kept(known)
        roots = sum(sqrt(k.total) for k in kept)
        self.shares = {k.name: 1 / (sqrt(k.total) * roots) for k in kept if k.total}
        self.each = 1 / (sum(k.total for k in kept) or 1)
        self.share, self.many = weighed(kept), sum(k.kept for k in kept)
        # "Anything new?" is a question, too, but says little: a statement counts by its words' rarity.
        self.usual = fmean(sum(s.wanted.values()) for s in original.statements) if original.statements else 1.0
        self.levels: dict[int, Level] = {}
        self.told: dict[int, frozenset[Fact]] = {}
        self.passages = read.passages
        self.inside = [n for n, p in enumerate(self.passages) if p.message not in outside]
        self.costs = self._costs()
        self.spans: dict[tuple[int, Level, frozenset[Fact]], list[str]] = {}

    def steps(self, room: float) -> list[Step]:
        """The steps that take about `room` tokens together, or all that there is to tell."""
        made, cost = list[Step](), 0.0
        waiting = [entry for n in self.inside for level in _FIRST if (entry := self._entry(n, level))]
        heapify(waiting)
        while waiting and cost < room:
            worth, n, level = heappop(waiting)
            entry = self._entry(n, level)
            if entry is None or (waiting and entry > waiting[0] and entry[0] > worth):
                if entry:
                    heappush(waiting, entry)
                continue
            cost += self._cost(n, level) - self._cost(n, self.levels.get(n, Level.NOTHING))
            made.append(self._taken(n, level, cost))
            for more in _FURTHER[level]:
                if further := self._entry(n, more):
                    heappush(waiting, further)
        return made

    def _costs(self) -> dict[int, tuple[float, float, float, float]]:
        """About how many tokens each level of a passage takes."""
        passages = [self.passages[n] for n in self.inside]
        whole = self.counter.texts([f"- {p.speaker}: {p.whole}\n" for p in passages])
        things = iter(self.counter.texts([f" {p.text[a:b]}" for p in passages for _, (a, b) in p.facts]))
        costs = {}
        for n, passage, every in zip(self.inside, passages, whole, strict=True):
            some = _HEAD + sum(next(things) for _ in passage.facts)
            costs[n] = (0.0, some, some + _BESIDE * len(passage.facts), float(every))
        return costs

    def _cost(self, n: int, level: Level) -> float:
        return self.costs[n][level]

    def _entry(self, n: int, level: Level) -> tuple[float, int, Level] | None:
        """What a passage told in `level` adds for its tokens, as a number that is less the more that is."""
        now = self.levels.get(n, Level.NOTHING)
        if level <= now:
            return None
        passage = self.passages[n]
        new = [fact for fact, _ in passage.facts if fact not in self.facts]
        lost = passage.statement >= 0 and passage.statement not in self.statements
        gain = sum(map(self._weight, new)) * (1 + _MORE[level])
        gain += sum(map(self._weight, self.told.get(n, ()))) * (_MORE[level] - _MORE[now])
        if level is Level.WHOLE:
            gain += self._says(passage.statement) if lost else 0.0
            gain += self.each * _PLAIN * len(passage.text)
        cost = self._cost(n, level) - self._cost(n, now)
        return (-gain / max(cost, 1.0), n, level) if gain else None

    def _weight(self, fact: Fact) -> float:
        often = 1 if self.exactly else min(self.read.mentions.get(fact, 1), _MOST_OFTEN)
        return (self.shares[fact[0].value] + self.each) * (1 + _OFTEN * log2(often))

    def _says(self, statement: int) -> float:
        said = self.original.statements[statement]
        worth = sum(self.shares[kind.value] + self.each for kind in said.kinds)
        return worth if self.exactly else worth * min(_MOST_SAID, sum(said.wanted.values()) / self.usual)

    def _taken(self, n: int, level: Level, cost: float) -> Step:
        passage = self.passages[n]
        new = {fact for fact, _ in passage.facts} - self.facts
        self.facts |= new
        self.share += sum(self.shares[kind.value] for kind, _ in new)
        self.many += len(new)
        if level is Level.WHOLE and passage.statement >= 0 and passage.statement not in self.statements:
            self.statements.add(passage.statement)
            kinds = self.original.statements[passage.statement].kinds
            self.share += sum(self.shares[kind.value] for kind in kinds)
            self.many += len(kinds)
        self.levels[n] = level
        self.told[n] = self.told.get(n, frozenset()) | new
        return Step(n, level, self.told[n], cost, self.share, self.many)

    def lines(self, steps: Iterable[Step]) -> list[str]:
        """What `steps` tell, in the order of the conversation, things of one speaker on one line."""
        told = {step.passage: step for step in steps}
        lines, gathered = list[tuple[str, list[str]]](), dict[str, list[str]]()
        for n in sorted(told):
            passage, step = self.passages[n], told[n]
            if step.level is Level.WHOLE:
                lines.append((passage.speaker, [passage.whole]))
                continue
            things = gathered.get(passage.speaker, [])
            if not 0 < len(things) < _A_LINE:
                things = gathered[passage.speaker] = []
                lines.append((passage.speaker, things))
            things += self._spans(step)
        return [f"{speaker}: {_listed(things)}" for speaker, things in lines]

    def _spans(self, step: Step) -> list[str]:
        key = step.passage, step.level, step.facts
        if key not in self.spans:
            self.spans[key] = self.passages[step.passage].spans(step.facts, step.level is Level.AROUND)
        return self.spans[key]

    def within(self, steps: Sequence[Step], room: int) -> list[str]:
        """The lines of as many of `steps` as take at most `room` tokens, and of some later ones that still fit."""
        low, high = 0, len(steps)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.tokens(self.lines(steps[:middle])) <= room else (low, middle - 1)
        chosen = list(steps[:low])
        best = self.lines(chosen)
        for step in steps[low : low + _TRIED]:
            if self.tokens(best) >= _FULL * room:
                break
            if self.tokens(lines := self.lines([*chosen, step])) <= room:
                chosen, best = [*chosen, step], lines
        return best

    def tokens(self, lines: Iterable[str]) -> int:
        """What lines take in a summary."""
        return sum(self.counter.texts([f"- {line}\n" for line in lines]))


def _listed(things: Iterable[str]) -> str:
    """Things one after the other, apart by no more than a blank where they have none inside."""
    listed, blank = "", True
    for thing in things:
        plain = " " not in thing
        listed += (" " if plain and blank else "; ") + thing if listed else thing
        blank = plain
    return listed


def facts(
    original: Original,
    read: Passages,
    have: Sequence[str],
    room: int,
    counter: Counter,
    outside: Set[int] = frozenset(),
    exactly: bool = False,
) -> tuple[str, ...]:
    """The lines of a `Summary.verbatim` that take at most `room` tokens, each with its `- ` and line end.

    have     the texts that remain: what they say is not said again
    outside  the indexes of the messages that remain as they are, of which nothing is told
    exactly  weigh as `Retention` does: see `Choice`
    """
    choice = Choice(original, read, original.left(have, indexed(have)), outside, counter, exactly)
    return tuple(choice.within(choice.steps(_OVER * room), room))
