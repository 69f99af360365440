"""`boildown evaluate`: what survives of a conversation, in one output or along a curve of ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from boildown.summarizers.calls import MODEL
from boildown_cli import completion, judging, models, options, summed

if TYPE_CHECKING:
    from boildown.formats import Format
    from boildown.measure.questions import Question
    from boildown.measure.retention import Retention
    from boildown.presets import Config
    from boildown.prices import Price
    from boildown.run import Job
    from boildown.tokens import Counter
    from boildown.transcript import Transcript

RATIOS = "2,3,5,10,20"


Original = Annotated[str, typer.Argument(metavar="ORIGINAL", help="The file as it was, or - for stdin.")]
Compressed = Annotated[
    str | None, typer.Argument(metavar="COMPRESSED", help="What was made of it. Without it, curves are measured.")
]
Pipelines = Annotated[
    list[str] | None,
    typer.Option(
        "--pipeline",
        "-p",
        metavar="STAGES",
        help="A pipeline to measure; may be given several times.",
        autocompletion=completion.stages,
    ),
]
Presets = Annotated[
    list[str] | None,
    typer.Option(
        "--preset", metavar="NAME", help="A preset to measure, at these ratios.", autocompletion=completion.presets
    ),
]
Ratios = Annotated[
    str | None, typer.Option("--ratios", metavar="N,N,...", help=f"The ratios of the curves; {RATIOS} by default.")
]
Questions = Annotated[
    str | None,
    typer.Option("--questions", metavar="FILE", help='JSONL: {"question": ..., "answer": ..., "evidence": [...]}.'),
]
MinRetention = Annotated[
    float | None,
    typer.Option("--min-retention", min=0, max=1, metavar="SHARE", help="Exit with 1 where less is retained."),
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Whose prices count.",
        autocompletion=completion.models,
    ),
]
Prices = Annotated[str | None, typer.Option("--prices", metavar="FILE", help="A TOML file with models' prices.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Plot = Annotated[bool, typer.Option("--plot", help="Draw the figures in the terminal, too.")]
Svg = Annotated[str | None, typer.Option("--svg", metavar="FILE", help="Draw them into this SVG file.")]
OutputsFormat = Annotated[
    str | None, typer.Option("--to", metavar="FORMAT", help="COMPRESSED's format, or that of the curves' outputs.")
]


def evaluate(
    original: Original,
    compressed: Compressed = None,
    pipeline: Pipelines = None,
    preset: Presets = None,
    ratios: Ratios = None,
    questions: Questions = None,
    min_retention: MinRetention = None,
    model: Model = MODEL,
    prices: Prices = None,
    judge: judging.Wanted = False,
    judge_model: judging.ModelName = MODEL,
    judge_window: judging.WindowSize = judging.WINDOW,
    dry_run: models.DryRun = False,
    max_cost: models.MaxCost = None,
    batch: models.Batch = False,
    redact: models.Redact = None,
    as_json: AsJson = False,
    plot: Plot = False,
    svg: Svg = None,
    read_as: options.ReadAs = None,
    write_as: OutputsFormat = None,
    tokenizer: options.TokenizerOrDefault = None,
    config: options.ConfigFile = None,
    no_config: options.NoConfig = False,
) -> None:
    """Measure what survives compression: facts, statements, answers, what later turns needed.

    With COMPRESSED, that file is measured against ORIGINAL. Without it, ORIGINAL is compressed by each --pipeline and
    --preset at each of --ratios. No model is asked but with --judge, which sends it both conversations, and by stages
    that ask one; that needs ANTHROPIC_API_KEY, and ANTHROPIC_BASE_URL for a server of your own. --min-retention is a
    gate for CI: exit code 1 below it.

    \b
    boildown evaluate session.jsonl small.jsonl --min-retention 0.8
    boildown evaluate session.jsonl small.jsonl --judge --dry-run
    boildown evaluate chat.json --pipeline dedup,prune --pipeline window --ratios 2,5,10 --svg curves.svg
    """
    asking = models.Asking(None, dry_run, max_cost, batch, None, redact, prices or "")
    asked_judge = judging.judge_of(judge, compressed, judge_model, judge_window, asking)
    show = Output(as_json, plot, svg)
    _check(show, compressed, [*(pipeline or []), *(preset or []), *([ratios] if ratios else [])])
    price, given = _price(model, prices), _questions(questions)
    asked = Asked(original, read_as, write_as, tokenizer or options.TOKENIZER, given, model, price)
    if compressed is not None:
        results = _pair(asked, compressed, show, asked_judge)
    else:
        jobs = _jobs(pipeline or [], preset or [], options.config(config, no_config), write_as, tokenizer, asking)
        results = _curves(asked, jobs, _numbers(ratios or RATIOS), show, dry_run)
    if min_retention is not None:
        _gate(results, min_retention)


@dataclass(frozen=True, slots=True)
class Output:
    """How the figures are to be shown."""

    as_json: bool
    plot: bool
    svg: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is measured, and with what."""

    file: str
    read_as: str | None
    write_as: str | None
    tokenizer: str
    questions: Sequence[Question]
    model: str
    price: Price


Result = tuple[str, float | None]
"""What was measured, and what is retained; None where it could not be compressed so far"""


def _check(show: Output, compressed: str | None, of_curves: Sequence[str]) -> None:
    """Raise UsageError for options that do not go together, or that could not be served after the work."""
    from boildown.errors import UsageError
    from boildown_cli.files import check_target
    from boildown_cli.plots import check

    if compressed is not None and of_curves:
        raise UsageError(
            "COMPRESSED is measured as it is; --pipeline, --preset and --ratios are for curves. Leave one out."
        )
    if show.as_json and show.plot:
        raise UsageError("--json and --plot both go to stdout. Leave one out, or draw with --svg FILE.")
    if show.svg is not None:
        check_target(show.svg, "--svg")
    if show.plot or show.svg is not None:
        check(show.svg)


def _price(model: str, path: str | None) -> Price:
    from boildown.prices import price

    return price(model, path or "")


def _questions(path: str | None) -> Sequence[Question]:
    from boildown.measure.questions import read

    return read(path) if path is not None else ()


def _numbers(ratios: str) -> list[float]:
    """The ratios of the curves, ascending."""
    from math import isfinite

    from boildown.errors import UsageError

    try:
        found = sorted({float(part) for part in ratios.split(",")})
    except ValueError:
        found = []
    if not found or not all(isfinite(ratio) and ratio >= 1 for ratio in found):
        raise UsageError(f"--ratios {ratios}: write numbers from 1 on, with commas between them, such as {RATIOS}.")
    return found


def _jobs(
    pipelines: Sequence[str],
    presets: Sequence[str],
    config: Config,
    write_as: str | None,
    tokenizer: str | None,
    asking: models.Asking,
) -> list[tuple[str, Job]]:
    """What to measure, by name: each pipeline and each preset, or what `boildown compress` does by default.

    All share one model, so that --max-cost holds for their calls together.
    """
    from dataclasses import replace

    from boildown import registry
    from boildown.settings import Settings
    from boildown_cli.commands.compress import make_job, pipeline_of

    named: list[tuple[str, Settings]] = [
        (text, config.settle(pipeline_of(Settings(pipeline=text, tokenizer=tokenizer)))) for text in pipelines
    ]
    named += [(name, config.settle(Settings(tokenizer=tokenizer), name)) for name in presets]
    if not named:
        named = [("", config.settle(Settings(tokenizer=tokenizer)))]
    jobs = []
    for name, settled in named:
        at_first = replace(settled, budget=None, window=None, ratio=1.0)
        job = make_job(at_first, None, write_as, redact=asking.redact, known=config)
        jobs.append((name or job.pipeline, job))
    model = asking.model(registry.models([named for _, job in jobs for named in job.stages]))
    return [(name, replace(job, model=model)) for name, job in jobs]


def _conversations(path: str, data: bytes, asked: Asked, read_as: str | None) -> tuple[Format, list[Transcript]]:
    """A file's format and its conversations. Raises InputError where there are questions for several of these."""
    from boildown.errors import InputError
    from boildown.run import conversations, reader
    from boildown_cli.files import title

    format, plain, _ = reader(data, title(path), read_as)
    found = list(conversations(format, plain, title(path)))
    if asked.questions and len(found) != 1:
        raise InputError(
            f"{title(path)}: questions are asked of one conversation, and there are {len(found)}. Split the file."
        )
    return format, found


def _counter(asked: Asked, format: Format) -> Counter:
    from boildown.tokens import Counter, tokenizer

    return Counter(tokenizer(asked.tokenizer), format.INFO.framing)


def _pair(asked: Asked, compressed: str, show: Output, judge: judging.Judge | None) -> list[Result]:
    from boildown.measure.retention import combined
    from boildown_cli import files, survival

    data = {path: files.read(path) for path in (asked.file, compressed)}
    before, old = _conversations(asked.file, data[asked.file], asked, asked.read_as)
    after, new = _conversations(compressed, data[compressed], asked, asked.write_as)
    found = _measured(asked, old, new, _counter(asked, before), _counter(asked, after), files.title(compressed))
    one, names = combined(found), (files.title(asked.file), files.title(compressed))
    judged = judging.judged(old, new, judge, asked.questions) if judge else None
    if judge and judged and judge.asking.dry_run:
        judging.print_cost(judged, show.as_json)
        return []
    if show.as_json:
        survival.print_pair_json(names, found, asked.tokenizer, asked.model, asked.price, judged)
    else:
        survival.print_pair(one, asked.model, asked.price, show.plot)
        if judged:
            judging.print_judgement(judged)
    if show.svg is not None:
        survival.write_pair_svg(show.svg, names[1], one)
    return [(names[1], one.share)]


def _measured(
    asked: Asked, old: Sequence[Transcript], new: Sequence[Transcript], before: Counter, after: Counter, where: str
) -> list[Retention]:
    """Conversations are paired by their place; one that is missing at the end retains nothing."""
    from itertools import zip_longest

    from boildown.errors import InputError
    from boildown.measure.retention import read
    from boildown.transcript import Transcript

    if len(new) > len(old):
        raise InputError(f"{where}: it has {len(new)} conversations, and the original {len(old)}. Name the files anew.")
    pairs = zip_longest(old, new, fillvalue=Transcript(()))
    return [read(a, before, asked.questions).retention(b, after) for a, b in pairs]


def _curves(
    asked: Asked, jobs: Sequence[tuple[str, Job]], ratios: Sequence[float], show: Output, dry_run: bool
) -> list[Result]:
    from boildown import formats
    from boildown.errors import NotMetError
    from boildown.measure.curves import curves, merged
    from boildown_cli import files, survival
    from boildown_cli.terminal import progress, say

    source, found = _conversations(asked.file, files.read(asked.file), asked, asked.read_as)
    info = formats.load(asked.write_as).INFO if asked.write_as else source.INFO
    counter = _counter(asked, formats.load(asked.write_as) if asked.write_as else source)
    with progress(False) as watch:
        each = [list(curves(t, info, counter, jobs, ratios, asked.questions, watch)) for t in found]
    if dry_run:
        _tell_cost([job for _, job in jobs])
        return []
    points, name = [merged(same) for same in zip(*each, strict=True)], files.title(asked.file)
    if show.as_json:
        survival.print_curves_json(name, points, asked.tokenizer, asked.model, asked.price)
    else:
        survival.print_curves(name, points, asked.model, asked.price, show.plot)
    if show.svg is not None:
        survival.write_curves_svg(show.svg, name, points)
    if jobs[0][1].model is not None:
        say(f"model: {summed.spent(jobs[0][1].model.spending)}")
    if not any(p.retention for p in points):
        raise NotMetError(f"{name}: it cannot be compressed so far. Ask for lower --ratios, or pin less in a preset.")
    return [(f"{name}: {p.pipeline} at {p.ratio:g}x", p.retention.share if p.retention else None) for p in points]


def _tell_cost(jobs: Sequence[Job]) -> None:
    """Say what the calls of `jobs` would take at most, whose model is a dry run's."""
    from boildown import registry
    from boildown_cli.terminal import tell

    assert jobs[0].model is not None
    names = registry.models([named for job in jobs for named in job.stages])
    tell(summed.at_most(jobs[0].model.spending, names))


def _gate(results: Sequence[Result], least: float) -> None:
    """Raise NotMetError where less than `least` is retained."""
    from boildown.errors import NotMetError

    below = [
        f"  {where}: {'could not be compressed so far' if share is None else f'{share:.3f}, {least - share:.3f} below'}"
        for where, share in results
        if share is None or share < least
    ]
    if below:
        said = f"{len(below)} of {len(results)} below --min-retention {least:g}. Compress less, or ask for less:"
        raise NotMetError("\n".join([said, *below]))
