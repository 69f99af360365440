"""What of one transcript survives in another, and the one number that gates compare."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from math import sqrt

from boildown.measure.content import Weigh, rarity, said, text, words
from boildown.measure.facts import Fact, Kind, all_concrete, names
from boildown.measure.focus import LAST_TURNS, closeness, redundancy
from boildown.measure.questions import Answers, Probe, Question, answers, probes
from boildown.measure.statements import Kind as Said
from boildown.measure.statements import Statement, statements
from boildown.measure.windows import Index
from boildown.tokens import Counter
from boildown.transcript import Transcript


@dataclass(frozen=True, slots=True)
class Kept:
    """Things of one kind that a conversation stated, each counted once, and how many are still there."""

    name: str
    total: int
    kept: int

    @property
    def share(self) -> float:
        """1 where there were none."""
        return self.kept / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True)
class Retention:
    """What of one transcript survives in another.

    facts       a `Kept` for each kind of fact and statement, also for those that do not occur
    future      where a cut was measured, what the rest used and the front had stated
    answers     where questions were given
    relevance   how much of what is left, by rarity, the last turns speak of, as a multiple of the original's
    redundancy  the share of what is left that is said a second time; `redundancy_before` is the original's
    """

    facts: tuple[Kept, ...]
    future: Kept | None
    answers: Answers | None
    relevance: float
    redundancy: float
    redundancy_before: float
    tokens_before: int
    tokens_after: int

    @property
    def share(self) -> float:
        """The one number, from 0 to 1, and 1 for a transcript against itself.

        With questions it is the mean share of their answers that survives: who names the questions has said what
        matters. Without, it is the mean share of the facts kept over the kinds that occur, each kind weighted by the
        square root of how many there are, so that a session's thousands of numbers do not hide its few decisions, and
        one lone date does not decide. `future` is no part of it, since a pair of files has no cut.
        """
        if self.answers is not None and self.answers.total:
            return self.answers.share
        return weighed(self.facts)


def weighed(facts: Iterable[Kept]) -> float:
    """The mean share of the facts kept, each kind weighted by the square root of how many there are."""
    weights = [(kept.share, sqrt(kept.total)) for kept in facts]
    total = sum(weight for _, weight in weights)
    return sum(share * weight for share, weight in weights) / total if total else 1.0


@dataclass(frozen=True, slots=True)
class Left:
    """What of an original is in other texts: the facts, names included, and the places of its statements."""

    facts: Set[Fact]
    statements: Set[int]


@dataclass(frozen=True, slots=True)
class Original:
    """A transcript as others are measured against it: read once, however many there are."""

    facts: frozenset[Fact]
    names: frozenset[str]
    statements: tuple[Statement, ...]
    probes: tuple[Probe, ...]
    weigh: Weigh
    last: frozenset[str]
    closeness: float
    redundancy: float
    tokens: int

    def retention(self, compressed: Transcript, counter: Counter) -> Retention:
        """What of it survives in `compressed`."""
        texts = [text(m) for m in compressed.messages]
        index = indexed(texts)
        near = closeness(index.words, self.last, self.weigh)
        return Retention(
            facts=self.kept(self.left(texts, index)),
            future=None,
            answers=answers(self.probes, self.weigh, index) if self.probes else None,
            relevance=near / self.closeness if self.closeness else 1.0,
            redundancy=redundancy(index.words),
            redundancy_before=self.redundancy,
            tokens_before=self.tokens,
            tokens_after=counter.total(compressed.messages),
        )

    def stated(self) -> frozenset[Fact]:
        """All facts, names included."""
        return self.facts.union((Kind.NAME, name) for name in self.names)

    def left(self, texts: Iterable[str], index: Index) -> Left:
        """What of it is in `texts`, of which `index` has the words."""
        names = {(Kind.NAME, name) for name in self.names if name in index}
        stand = [n for n, statement in enumerate(self.statements) if statement.stands(index)]
        return Left(self.facts.intersection(all_concrete(texts)) | names, frozenset(stand))

    def kept(self, left: Left) -> tuple[Kept, ...]:
        """A `Kept` for each kind of fact and statement."""
        stated, left_facts = (Tally(kind for kind, _ in some) for some in (self.stated(), left.facts))
        said = Tally(kind for s in self.statements for kind in s.kinds)
        left_said = Tally(kind for n in left.statements for kind in self.statements[n].kinds)
        return (
            *(Kept(kind.value, stated[kind], left_facts[kind]) for kind in Kind),
            *(Kept(kind.value, said[kind], left_said[kind]) for kind in Said),
        )


def indexed(texts: Iterable[str]) -> Index:
    """The words of some texts, in order."""
    return Index([w for t in texts for w in words(t)])


def read(original: Transcript, counter: Counter, questions: Sequence[Question] = ()) -> Original:
    """`original`, to measure others against. Raises InputError for evidence that it does not have."""
    messages = original.messages
    texts = [text(m) for m in messages]
    spoken = [words(t) for t in texts]
    weigh = rarity(spoken)
    index = Index([w for said in spoken for w in said])
    own = [t for m in messages if (t := said(m))]
    last = frozenset(w for t in own[-LAST_TURNS:] for w in words(t) if weigh(w))
    speakers = {w for m in messages for w in words(m.name or "") if len(w) > 1 and w.isalpha()}
    return Original(
        facts=frozenset(all_concrete(texts)),
        names=frozenset(names(own) | speakers) & index.places.keys(),
        statements=tuple(statements(own, weigh)),
        probes=tuple(probes(questions, messages, spoken, weigh, index)),
        weigh=weigh,
        last=last,
        closeness=closeness(index.words, last, weigh),
        redundancy=redundancy(index.words),
        tokens=counter.total(messages),
    )


def retention(
    original: Transcript, compressed: Transcript, counter: Counter, questions: Sequence[Question] = ()
) -> Retention:
    """What of `original` survives in `compressed`. Raises InputError for evidence that the original does not have."""
    return read(original, counter, questions).retention(compressed, counter)


def combined(found: Sequence[Retention]) -> Retention:
    """Several conversations' retention as one: counts added up, relevance and redundancy weighted by tokens.

    Answers are kept only where there is one conversation, which is all that questions can be asked of.
    """
    if len(found) == 1:
        return found[0]
    futures = [r.future for r in found if r.future]
    before, after = [r.tokens_before for r in found], [r.tokens_after for r in found]
    return Retention(
        facts=tuple(map(_added, zip(*(r.facts for r in found), strict=True))),
        future=_added(futures) if futures else None,
        answers=None,
        relevance=_mean([r.relevance for r in found], after, 1.0),
        redundancy=_mean([r.redundancy for r in found], after, 0.0),
        redundancy_before=_mean([r.redundancy_before for r in found], before, 0.0),
        tokens_before=sum(before),
        tokens_after=sum(after),
    )


def _added(same: Sequence[Kept]) -> Kept:
    return Kept(same[0].name, sum(k.total for k in same), sum(k.kept for k in same))


def _mean(values: Sequence[float], weights: Sequence[int], default: float) -> float:
    total = sum(weights)
    return sum(v * w for v, w in zip(values, weights, strict=True)) / total if total else default
