"""`boildown compress`: a file's conversations, each within a token budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boildown.registry import DEFAULT
from boildown_cli import options

if TYPE_CHECKING:
    from boildown.report import Report
    from boildown.run import Job

CLAUDE = ("anthropic", "claude-code")


def compress(
    file: options.File,
    budget: options.Budget = None,
    ratio: options.Ratio = None,
    window: options.Window = None,
    pipeline: options.Pipeline = DEFAULT,
    keep_recent: options.KeepRecent = 0,
    keep_first: options.KeepFirst = 0,
    pin: options.Pin = None,
    pin_system: options.PinSystem = True,
    read_as: options.ReadAs = None,
    write_as: options.WriteAs = None,
    output: options.Output = "-",
    report: options.ReportFile = None,
    archive: options.ArchiveFolder = None,
    quiet: options.Quiet = False,
    strict: options.Strict = False,
    tokenizer: options.TokenizerName = options.TOKENIZER,
) -> None:
    """Compress a file's conversations to a token budget.

    --budget, --ratio or --window says how far; with several, the tightest holds. Each bounds every conversation in
    the file. The result goes to stdout or --output, a table of what was done to stderr. With --archive, the source is
    kept first, so that 'boildown expand' can give it back.

    \b
    boildown compress session.jsonl --budget 8000 -o small.jsonl
    boildown compress chat.json --ratio 5 > small.json
    cat chat.jsonl | boildown compress - --pipeline 'dedup,prune' --ratio 3 --report report.json
    """
    from boildown import registry
    from boildown.errors import UsageError
    from boildown.pipeline import Pins
    from boildown.run import Job

    if budget is None and ratio is None and window is None:
        raise UsageError("how far? Give --budget TOKENS, --ratio N or --window TOKENS.")
    if ratio == float("inf"):
        raise UsageError("--ratio inf would leave nothing. Give a finite number.")
    _check_targets(file, output, report, archive)
    stages = registry.parse(pipeline)
    job = Job(
        stages=stages,
        pipeline=registry.spec(stages),
        budget=budget,
        ratio=ratio,
        window=window,
        pins=Pins(pin_system, keep_first, keep_recent, options.pattern(pin)),
        read_as=read_as,
        write_as=write_as,
        tokenizer=tokenizer,
        strict=strict,
    )
    _compress(file, job, output, report, archive, quiet)


def _check_targets(file: str, output: str, report: str | None, archive: str | None) -> None:
    """Raise UsageError for what could not be written after the work, or would destroy something."""
    import os

    from boildown.errors import UsageError
    from boildown_cli.files import check_target
    from boildown_cli.render import ending

    check_target(output, "--output")
    if report is not None:
        ending(report)
        check_target(report, "--report")
        for other, name in ((file, "the input"), (output, "the output")):
            if os.path.realpath(report) == os.path.realpath(other):
                raise UsageError(f"--report {report}: this is {name}, too. Give the report a name of its own.")
    if archive is not None:
        from boildown.archive.store import check

        check(archive, write=True)


def _compress(file: str, job: Job, output: str, report_path: str | None, archive: str | None, quiet: bool) -> None:
    from boildown.run import run
    from boildown_cli import files, render
    from boildown_cli.terminal import progress, say

    data = files.read(file)
    with progress(quiet) as watch:
        result, report = run(data, files.title(file), job, "<stdout>" if output == files.STDOUT else output, watch)
    if archive is not None:
        report = _kept(archive, data, result, report)
    outputs = [(output, result)]
    if report_path is not None:
        outputs.append((report_path, render.report_bytes(report, report_path)))
    files.write(outputs)
    if not quiet:
        render.print_report(report)
        if job.window and report.format_out in CLAUDE:
            say("Claude counts 1.1 to 1.7 times as many tokens as these: leave room in --window.")


def _kept(folder: str, data: bytes, result: bytes, report: Report) -> Report:
    """The report, with where the source is kept. Nothing is written before it is, so no output lacks its source."""
    from dataclasses import replace

    from boildown.archive.originals import keep
    from boildown.archive.store import opened

    with opened(folder, write=True) as archive:
        return replace(report, archive=keep(archive, data, result, report))
