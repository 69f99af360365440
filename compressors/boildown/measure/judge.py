"""What a model can still answer: probe questions about the original, answered from both transcripts, and scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from boildown.errors import AnswerError, ModelError, UsageError
from boildown.measure import probing
from boildown.measure.probing import GIVEN, ProbeQuestion, Score
from boildown.measure.questions import Question
from boildown.summarizers.calls import MODEL, Model, Outcome, Request, Spending
from boildown.summarizers.reading import readable
from boildown.tokens import Counter
from boildown.transcript import Transcript

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Judging:
    """How it is judged.

    model   asked for questions, answers and scores alike
    each    questions of each kind, where they are made
    window  tokens that the model takes
    """

    counter: Counter
    model: str = MODEL
    each: int = 3
    window: int = 200_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """One question: the answers from both transcripts and their scores, None where there is none that can be read."""

    probe: ProbeQuestion
    answers: tuple[str | None, str | None]
    scores: tuple[Score | None, Score | None]

    @property
    def both(self) -> tuple[float, float] | None:
        """The scores from the original and from the compressed transcript, where there are both."""
        before, after = self.scores
        return None if before is None or after is None else (before.score, after.score)


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean scores of some questions, from 0 to 5. What lacks a score is in `unscored`, and in nothing else."""

    kind: str
    questions: int
    unscored: int
    original: float | None
    compressed: float | None

    @property
    def share(self) -> float | None:
        """What the compressed transcript scores of what the original does; None where that is nothing."""
        return self.compressed / self.original if self.original and self.compressed is not None else None


@dataclass(frozen=True, slots=True)
class Judgement:
    """All verdicts, and what the calls took."""

    model: str
    verdicts: tuple[Verdict, ...]
    spending: Spending

    @property
    def all(self) -> Mean:
        return _mean("all", self.verdicts)

    @property
    def by_kind(self) -> list[Mean]:
        """The means of each kind of question that occurs."""
        found = probing.kinds([v.probe for v in self.verdicts])
        return [_mean(kind, [v for v in self.verdicts if v.probe.kind == kind]) for kind in found]


def _mean(kind: str, verdicts: Sequence[Verdict]) -> Mean:
    both = [v.both for v in verdicts if v.both is not None]
    if not both:
        return Mean(kind, len(verdicts), len(verdicts), None, None)
    before, after = (sum(scores) / len(both) for scores in zip(*both, strict=True))
    return Mean(kind, len(verdicts), len(verdicts) - len(both), before, after)


def judge(
    original: Transcript, compressed: Transcript, model: Model, how: Judging, questions: Sequence[Question] = ()
) -> Judgement:
    """Judge `compressed` by what it still answers of `original`: of `questions`, or of what a model asks.

    Each question is asked of each transcript in a call of its own, and each answer is scored by itself, by what the
    questions were made with. A reply that cannot be read is asked for once more. Raises UsageError where a transcript
    is larger than the window, ModelError and CostError where a call fails; what was answered by then is cached.
    """
    texts = [readable(transcript.messages, probing.TAGS) for transcript in (original, compressed)]
    _check(texts, how)
    probes = [ProbeQuestion(GIVEN, q.text, q.answer) for q in questions] or _made(texts[0], model, how)
    pairs = [(text, probe) for probe in probes for text in texts]
    answering = [probing.answering(how.model, text, probe, n) for n, (text, probe) in enumerate(pairs)]
    answers = _replies(model, answering, probing.answered)
    scoring = {
        n: probing.scoring(how.model, probe, answer)
        for n, ((_, probe), answer) in enumerate(zip(pairs, answers, strict=True))
        if answer is not None
    }
    scores = dict(zip(scoring, _replies(model, list(scoring.values()), probing.scored), strict=True))
    verdicts = tuple(
        Verdict(probe, (answers[n], answers[n + 1]), (scores.get(n), scores.get(n + 1)))
        for n, probe in zip(range(0, len(pairs), 2), probes, strict=True)
    )
    return Judgement(how.model, verdicts, model.spending)


def _check(texts: Sequence[str], how: Judging) -> None:
    """Raise UsageError where a transcript and what is asked of it are more than the model takes."""
    for name, text in zip(("original", "compressed"), texts, strict=True):
        request = probing.making(how.model, text, how.each)
        needed = sum(how.counter.texts((request.system, text, request.prompt))) + request.max_tokens
        if needed > how.window:
            raise UsageError(
                f"the {name} conversation takes {needed:,} tokens with the question and the answer, and the window of "
                f"{how.model} is {how.window:,}. Choose a model with a larger one and say so with --judge-window."
            )


def _made(text: str, model: Model, how: Judging) -> list[ProbeQuestion]:
    request = probing.making(how.model, text, how.each)
    (probes,) = _replies(model, [request], lambda said: probing.made(said, how.each))
    if probes is None:
        raise AnswerError(f"{how.model} made no questions that can be read. Give --questions, or take another model.")
    return probes


def _replies(model: Model, requests: Sequence[Request], read: Callable[[str], T | None]) -> list[T | None]:
    """What `read` makes of each reply. What it cannot read is asked for once more, and is None after that."""
    found = [_read(outcome, read) for outcome in model.ask(requests)]
    missing = [n for n, value in enumerate(found) if value is None]
    outcomes = model.ask([probing.again(requests[n]) for n in missing])
    for n, outcome in zip(missing, outcomes, strict=True):
        found[n] = _read(outcome, read)
    return found


def _read(outcome: Outcome, read: Callable[[str], T | None]) -> T | None:
    if isinstance(outcome, ModelError):
        if not isinstance(outcome, AnswerError):
            raise outcome
        return None
    return read(outcome.text)
