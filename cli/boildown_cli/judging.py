"""`--judge`: asking a model what it can still answer, what that costs, and what came of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.files import STDOUT, write
from boildown_cli.render import dollars, json_bytes
from boildown_cli.terminal import add_row, number, one_line, progress, say, show, table, tell

if TYPE_CHECKING:
    from boildown.measure.judge import Judgement, Mean, Verdict
    from boildown.measure.questions import Question
    from boildown.prices import Price
    from boildown.summarizers.calls import Model, Spending
    from boildown.tokens import Counter
    from boildown.transcript import Transcript

MODEL = "claude-haiku-5-5"
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
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say how many calls --judge would make, and what they cost at most.")
]
MaxCost = Annotated[
    float | None, typer.Option("--max-cost", min=0, metavar="DOLLARS", help="Stop --judge before it has cost more.")
]
Batched = Annotated[
    bool, typer.Option("--batch", help="Ask --judge in Message Batches: half the price, and up to a day for a round.")
]

Redacted = Annotated[
    bool, typer.Option("--redact/--no-redact", help="Send --judge placeholders for keys, tokens and passwords.")
]


@dataclass(frozen=True, slots=True)
class Judge:
    """What was asked for of a judge."""

    model: str
    window: int
    dry_run: bool
    max_cost: float | None
    batch: bool
    prices: str
    redact: bool


def judge_of(
    wanted: bool,
    compressed: str | None,
    model: str,
    window: int,
    dry_run: bool,
    max_cost: float | None,
    batch: bool,
    prices: str,
    redact: bool,
) -> Judge | None:
    """What was asked for, or None. Raises UsageError for options that do not go together."""
    from boildown.errors import UsageError

    if not wanted:
        if dry_run or max_cost is not None or batch:
            raise UsageError(
                "--dry-run, --max-cost and --batch are for --judge, which is not given. Give it, or leave them out."
            )
        return None
    if compressed is None:
        raise UsageError("--judge is asked about one output. Name it as COMPRESSED, or leave --judge out for curves.")
    return Judge(model, window, dry_run, max_cost, batch, prices, redact)


def judged(
    old: Sequence[Transcript], new: Sequence[Transcript], asked: Judge, questions: Sequence[Question]
) -> Judgement:
    """The judgement on all pairs of conversations; in a dry run one of stand-ins, of which only the cost counts."""
    from boildown.measure.judge import Judgement, Judging, judge
    from boildown.stages.redact import Redact
    from boildown.tokens import Counter, tokenizer
    from boildown.transcript import Framing, Transcript

    counter = Counter(tokenizer(), Framing())
    model, how = _model(asked, counter), Judging(counter, asked.model, window=asked.window)
    if asked.redact:
        hidden = Redact().together([*old, *new])
        old, new = hidden[: len(old)], hidden[len(old) :]
    with progress(False) as watch:
        if watch:
            watch(f"asking {asked.model}", sum(counter.total(transcript.messages) for transcript in (*old, *new)))
        pairs = zip_longest(old, new, fillvalue=Transcript(()))
        each = [judge(before, after, model, how, questions) for before, after in pairs if before.messages]
    return Judgement(asked.model, tuple(v for one in each for v in one.verdicts), model.spending)


def _model(asked: Judge, counter: Counter) -> Model:
    from boildown.summarizers.models import model

    return model(counter, _prices(asked), asked.max_cost, asked.dry_run, asked.batch, lambda text: say(one_line(text)))


def _prices(asked: Judge) -> Mapping[str, Price]:
    """The model's prices; without any, as for a model of one's own, its calls cost nobody knows what."""
    from boildown.errors import UsageError
    from boildown.prices import price

    try:
        return {asked.model: price(asked.model, asked.prices)}
    except UsageError:
        if asked.prices or asked.max_cost is not None:
            raise
        return {}


def print_judgement(found: Judgement) -> None:
    """The mean scores of each kind of question as a table, and on stderr what they took."""
    tell("")
    rows = table(HEADS)
    for mean in found.by_kind:
        add_row(rows, *_cells(mean))
    add_row(rows, *_cells(found.all), strong=True)
    show(rows, sys.stdout)
    say(f"judge: scores from 0 to 5 by {one_line(found.model)}; {_spent(found.spending)}")


def _cells(mean: Mean) -> tuple[str, ...]:
    figures = (mean.original, mean.compressed, mean.share)
    return (
        mean.kind,
        f"{mean.questions:,}",
        f"{mean.unscored:,}",
        *("-" if f is None else f"{f:.2f}" for f in figures),
    )


def _spent(spending: Spending) -> str:
    cost = "which cost nobody knows what" if spending.dollars is None else dollars(spending.dollars)
    used = f"{spending.usage.prompt:,} tokens in, {spending.usage.output:,} out"
    return f"{number(spending.calls, 'call')}, {number(spending.cached, 'answer')} from before; {used}; {cost}"


def print_cost(found: Judgement, as_json: bool) -> None:
    """What a judgement would take."""
    spending = found.spending
    if as_json:
        write([(STDOUT, json_bytes({"schema": 1, "judge": {"model": found.model, "spending": spending}}))])
        return
    cost = "at prices that nobody knows" if spending.dollars is None else f"at most {dollars(spending.dollars)}"
    if spending.dollars and spending.shared is not None:
        cost += f", {dollars(spending.shared)} where the endpoint caches the conversations"
    used = f"at most {spending.usage.prompt:,} tokens in and {spending.usage.output:,} out"
    known = number(spending.cached, "answer")
    tell(f"{number(spending.calls, 'call')} of {one_line(found.model)}, {known} from before; {used}; {cost}")


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
