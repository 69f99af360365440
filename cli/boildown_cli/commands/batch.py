"""`boildown batch`: any number of files, in parallel, of which only what has changed is done again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from boildown_cli import models, options

if TYPE_CHECKING:
    from boildown.batch.inputs import Input
    from boildown.batch.items import Result
    from boildown.batch.output import Output
    from boildown.batch.run import Batch, Engine
    from boildown.batch.work import Work
    from boildown.run import Job
    from boildown_cli.batched import Totals

THREADS, BATCH_THREADS = 8, 64
"""Files at a time where a model is waited for: call by call, and in Message Batches, which should be large"""

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="IN",
        help="Files, directories (their *.json, *.jsonl, *.traj, also with .gz or .zst), patterns or URLs.",
    ),
]
Folder = Annotated[
    str, typer.Option("--output", "-o", metavar="OUT", help="The directory or URL for the outputs.", show_default=False)
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, metavar="N", help="Files at a time; one for each core by default.")
]
EngineName = Annotated[
    Literal["local", "dask"],
    typer.Option(
        "--engine", help="Where the work is done: on this machine, or by Dask, here or on a cluster. See --scheduler."
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        metavar="URL",
        help="The cluster's scheduler, such as tcp://10.0.0.1:8786; without, Dask has a cluster of its own here.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Do all anew, whatever was done before.")]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what is to be done, and what calls of models cost at most; send nothing."),
]
Rows = Annotated[
    str | None, typer.Option("--report", metavar="FILE", help="Write a row for each file: .jsonl, .csv or .parquet.")
]


@dataclass(frozen=True, slots=True)
class Show:
    """What people are to see, and where the rows go."""

    quiet: bool
    report: str | None


def batch(
    inputs: Inputs,
    output: Folder,
    budget: options.Budget = None,
    ratio: options.Ratio = None,
    window: options.Window = None,
    preset: options.PresetName = None,
    pipeline: options.Pipeline = None,
    keep_recent: options.KeepRecent = None,
    keep_first: options.KeepFirst = None,
    pin: options.Pin = None,
    pin_system: options.PinSystem = None,
    read_as: options.ReadAs = None,
    write_as: options.WriteAs = None,
    jobs: Jobs = None,
    engine: EngineName = "local",
    scheduler: Scheduler = None,
    force: Force = False,
    dry_run: DryRun = False,
    report: Rows = None,
    archive: options.ArchiveFolder = None,
    prices: options.Prices = None,
    scorer: options.Scorer = None,
    model: models.Name = None,
    max_cost: models.MaxCost = None,
    message_batches: models.Batch = False,
    at_once: models.AtOnce = None,
    redact: models.Redact = None,
    quiet: options.Quiet = False,
    strict: options.Strict = False,
    tokenizer: options.MeasureOrDefault = None,
    config: options.ConfigFile = None,
    no_config: options.NoConfig = False,
) -> None:
    """Compress any number of files, in parallel; a second run does only what has changed.

    Each file becomes what 'boildown compress' makes of it, under the same name in OUT. A file that cannot be read, or
    whose worker dies, is reported, and the rest goes on. OUT/.boildown holds a journal of what is done, so that a run
    that was interrupted, or killed, is taken up by the next one. Large files with a conversation a line are done in
    slices, and never held as a whole.

    With --engine dask and --scheduler, other machines do the work: IN and OUT have to be where all of them see them, in
    a shared directory or behind URLs.

    \b
    boildown batch chats -o small --ratio 5
    boildown batch 'logs/**/*.jsonl.gz' -o small --preset code --report rows.csv
    boildown batch s3://bucket/chats -o s3://bucket/small --budget 8000 --jobs 8
    boildown batch s3://bucket/chats -o s3://bucket/small --ratio 5 --engine dask --scheduler tcp://10.0.0.1:8786
    """
    from boildown import registry
    from boildown.batch import rows
    from boildown.batch.inputs import find
    from boildown.batch.output import output as out_of
    from boildown.batch.run import dask
    from boildown.batch.work import Work
    from boildown.errors import UsageError
    from boildown.settings import Settings
    from boildown.summarizers.together import Together
    from boildown_cli.commands.compress import make_job, pipeline_of

    flags = Settings(
        pipeline, budget, ratio, window, keep_first, keep_recent, pin, pin_system, tokenizer, scorer, model
    )
    known = options.config(config, no_config)
    settled = known.settle(pipeline_of(flags), preset)
    job = make_job(settled, read_as, write_as, strict, prices, redact, known)
    asked = registry.models(job.stages)
    asking = models.Asking(model, dry_run and bool(asked), max_cost, message_batches, at_once, redact, prices or "")
    answering = asking.answering(job.stages)
    job = replace(job, model=Together(answering) if answering else None)
    _check(job, report, archive)
    if report is not None:
        rows.ending(report)
    out = out_of(output)
    found = find(inputs, out.folder, write_as)
    work = Work(job, out.staging, archive or "")
    if engine == "dask":
        _check_dask(work, jobs, scheduler, _in_memory(found, out))
        chosen = dask(jobs or _cores(), scheduler or "")
    elif scheduler is not None:
        raise UsageError(f"--scheduler {scheduler}: only Dask has a scheduler. Give --engine dask, too.")
    else:
        chosen = _engine(job, jobs, _in_memory(found, out), message_batches)
    _run(found, out, work, chosen, force, dry_run, Show(quiet, report))


def _check(job: Job, report: str | None, archive: str | None) -> None:
    """Raise UsageError for what would be found wrong in each file."""
    from boildown import formats
    from boildown.run import check_keeping
    from boildown_cli.files import check_target

    check_keeping(job.stages, archive is not None)
    for name in filter(None, (job.read_as, job.write_as)):
        formats.load(name)
    if report is not None:
        check_target(report, "--report")
    if archive is not None:
        from boildown.archive.store import check

        check(archive, write=True)


def _in_memory(found: Sequence[Input], out: Output) -> bool:
    """Whether any file is in this process's memory."""
    from boildown.batch.places import in_memory

    return in_memory(out.folder) or any(in_memory(one.source) for one in found)


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _engine(job: Job, jobs: int | None, memory: bool, message_batches: bool) -> Engine:
    """Threads share one model and its limits, and this process's memory; else there are processes."""
    from boildown.batch.run import local
    from boildown.provider import model

    if job.model is not None or model(job.tokenizer) is not None:
        return local(jobs or (BATCH_THREADS if message_batches else THREADS), in_threads=True)
    return local(jobs or _cores(), in_threads=memory)


def _check_dask(work: Work, jobs: int | None, scheduler: str | None, memory: bool) -> None:
    """Raise UsageError for what other processes, or other machines, cannot share."""
    from boildown.errors import UsageError
    from boildown.provider import model

    if work.job.model is not None or model(work.job.tokenizer) is not None:
        raise UsageError(
            "--engine dask: what asks a model is done in one process, for --max-cost and --at-once hold in one only. "
            "Leave --engine out: to wait for answers takes no second machine."
        )
    if memory:
        raise UsageError(
            "--engine dask: other processes do not see memory://. Leave --engine out, or name another URL."
        )
    if scheduler is not None and jobs is not None:
        raise UsageError("--jobs is how many workers Dask starts here. A cluster has its own: leave one of both out.")
    if scheduler is not None and work.archive:
        raise UsageError(
            "--archive is one SQLite file, which several machines cannot write. Leave --scheduler out, or archive the "
            "files with 'boildown archive'."
        )


def _run(
    found: Sequence[Input], out: Output, work: Work, engine: Engine, force: bool, dry_run: bool, show: Show
) -> None:
    from boildown.batch import rows
    from boildown.batch.output import opened
    from boildown.batch.run import Batch
    from boildown_cli.batched import Totals, finish
    from boildown_cli.terminal import number

    totals = Totals()
    try:
        with ExitStack() as stack:
            journal = stack.enter_context(opened(out, dry_run))
            batch = Batch(found, out, journal, work, force)
            if dry_run:
                _tell(batch, work)
                return
            add = stack.enter_context(rows.written(show.report))
            for result in _results(batch, engine, totals, show):
                totals.add(result)
                add(result)
    except KeyboardInterrupt:
        done = number(totals.count("done"), "file")
        raise KeyboardInterrupt(f"interrupted; {done} done, which are kept. Run again to do the rest.") from None
    finish(totals, work.job, out.folder, show.quiet)


def _results(batch: Batch, engine: Engine, totals: Totals, show: Show) -> Iterator[Result]:
    from boildown_cli.batched import progress

    yield from batch.unchanged()
    with progress(batch.todo, totals, show.quiet) as watch:
        yield from batch.results(engine, watch)


def _tell(batch: Batch, work: Work) -> None:
    """Say what a run would do, and what the calls of its models would take at most."""
    from boildown import registry
    from boildown.batch import places
    from boildown.errors import BoildownError
    from boildown.run import run
    from boildown_cli import summed
    from boildown_cli.batched import size
    from boildown_cli.terminal import number, tell

    same = sum(1 for _ in batch.unchanged())
    weight = sum(todo.stamp[0] for todo in batch.todo)
    tell(f"{number(len(batch.todo), 'file')} to do ({size(weight)}), {same:,} as they were")
    if work.job.model is None:
        return
    failed, job = 0, replace(work.job, archive=lambda leaving: None)
    for todo in batch.todo:
        try:
            run(places.read(todo.input.source), todo.input.source, job)
        except BoildownError:
            failed += 1
    tell(summed.at_most(work.job.model.spending, registry.models(work.job.stages)))
    if failed:
        tell(f"{number(failed, 'file')} of them cannot be read, or not be made so small")
