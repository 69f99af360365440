"""`--judge`: asking a model what it can still answer, what that costs, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.files import STDOUT, write
from boildown_cli.models import Asking
from boildown_cli.render import json_bytes
from boildown_cli.summed import at_most, spent
from boildown_cli.terminal import add_row, one_line, progress, say, show, table, tell

if TYPE_CHECKING:
    from boildown.measure.judge import Judgement, Mean, Verdict
    from boildown.measure.questions import Question
    from boildown.transcript import Transcript

WINDOW = 200_000
HEADS = ("questions", "asked", "unscored", "original", "compressed", "share")

Wanted = Annotated[
    bool,
    typer.Option("--judge", help="Ask a model, too: it is sent both conversations, and answers and scores questions."),
]
ModelName = Annotated[str, typer.Option("--judge-model", metavar="NAME", help="The model that --judge asks.")]
WindowSize = Annotated[
    int, typer.Option("--judge-window", min=1, metavar="TOKENS", help="How many tokens that model takes.")
]


@dataclass(frozen=True, slots=True)
class Judge:
    """What was asked for of a judge."""

    model: str
    window: int
    asking: Asking


def judge_of(wanted: bool, compressed: str | None, model: str, window: int, asking: Asking) -> Judge | None:
    """What was asked for, or None. Raises UsageError for options that do not go together."""
    from boildown.errors import UsageError

    if not wanted:
        if compressed is not None and (asking.dry_run or asking.max_cost is not None or asking.batch):
            raise UsageError(
                "--dry-run, --max-cost and --batch are for --judge, which is not given. Give it, or leave them out."
            )
        return None
    if compressed is None:
        raise UsageError("--judge is asked about one output. Name it as COMPRESSED, or leave --judge out for curves.")
    return Judge(model, window, asking)


def judged(
    old: Sequence[Transcript], new: Sequence[Transcript], asked: Judge, questions: Sequence[Question]
) -> Judgement:
    """The judgement on all pairs of conversations; in a dry run one of stand-ins, of which only the cost counts."""
    from boildown.measure.judge import Judgement, Judging, judge
    from boildown.stages.redact import Redact
    from boildown.tokens import Counter, tokenizer
    from boildown.transcript import Framing, Transcript

    counter = Counter(tokenizer(), Framing())
    model, how = asked.asking.model([asked.model]), Judging(counter, asked.model, window=asked.window)
    assert model is not None
    if asked.asking.redact is not False:
        hidden = Redact().together([*old, *new])
        old, new = hidden[: len(old)], hidden[len(old) :]
    with progress(False) as watch:
        if watch:
            watch(f"asking {asked.model}", sum(counter.total(transcript.messages) for transcript in (*old, *new)))
        pairs = zip_longest(old, new, fillvalue=Transcript(()))
        each = [judge(before, after, model, how, questions) for before, after in pairs if before.messages]
    return Judgement(asked.model, tuple(v for one in each for v in one.verdicts), model.spending)


def print_judgement(found: Judgement) -> None:
    """The mean scores of each kind of question as a table, and on stderr what they took."""
    tell("")
    rows = table(HEADS)
    for mean in found.by_kind:
        add_row(rows, *_cells(mean))
    add_row(rows, *_cells(found.all), strong=True)
    show(rows, sys.stdout)
    say(f"judge: scores from 0 to 5 by {one_line(found.model)}; {spent(found.spending)}")


def _cells(mean: Mean) -> tuple[str, ...]:
    figures = (mean.original, mean.compressed, mean.share)
    return (
        mean.kind,
        f"{mean.questions:,}",
        f"{mean.unscored:,}",
        *("-" if f is None else f"{f:.2f}" for f in figures),
    )


def print_cost(found: Judgement, as_json: bool) -> None:
    """What a judgement would take."""
    if as_json:
        write([(STDOUT, json_bytes({"schema": 1, "judge": {"model": found.model, "spending": found.spending}}))])
        return
    tell(at_most(found.spending, [found.model]))


def account(found: Judgement) -> dict[str, object]:
    """A judgement, for JSON."""
    return {
        "model": found.model,
        "all": _mean(found.all),
        "kinds": [_mean(mean) for mean in found.by_kind],
        "questions": [_verdict(verdict) for verdict in found.verdicts],
        "spending": found.spending,
    }


def _mean(mean: Mean) -> dict[str, object]:
    return {**{name: getattr(mean, name) for name in mean.__slots__}, "share": mean.share}


def _verdict(verdict: Verdict) -> dict[str, object]:
    sides = zip(("original", "compressed"), verdict.answers, verdict.scores, strict=True)
    return {
        "kind": verdict.probe.kind,
        "question": verdict.probe.question,
        "answer": verdict.probe.answer,
        **{side: {"answer": answer, "score": score} for side, answer, score in sides},
    }
