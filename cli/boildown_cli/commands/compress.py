"""`boildown compress`: a file's conversations, each within a token budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from boildown_cli import models, options, summed

if TYPE_CHECKING:
    from boildown.pipeline import Named
    from boildown.presets import Config
    from boildown.report import Report
    from boildown.run import Job
    from boildown.settings import Settings
    from boildown.transcript import Transcript

CLAUDE = ("anthropic", "claude-code")


def compress(
    file: options.File,
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
    output: options.Output = "-",
    report: options.ReportFile = None,
    archive: options.ArchiveFolder = None,
    session: options.SessionName = None,
    user: options.UserName = "",
    prices: options.Prices = None,
    scorer: options.Scorer = None,
    model: models.Name = None,
    dry_run: models.DryRun = False,
    max_cost: models.MaxCost = None,
    batch: models.Batch = False,
    at_once: models.AtOnce = None,
    redact: models.Redact = None,
    quiet: options.Quiet = False,
    strict: options.Strict = False,
    tokenizer: options.MeasureOrDefault = None,
    config: options.ConfigFile = None,
    no_config: options.NoConfig = False,
) -> None:
    """Compress a file's conversations to a token budget.

    --budget, --ratio or --window says how far; with several, the tightest holds. Each bounds every conversation in
    the file. --preset names settings for a kind of conversation, with a ratio of their own. The result goes to stdout
    or --output, a table of what was done to stderr. With --archive, the source is kept first, so that 'boildown
    expand' can give it back; what the stage 'archive' takes out goes there as messages of --session and --user, which
    'boildown recall' finds. Stages that ask a model need ANTHROPIC_API_KEY, and ANTHROPIC_BASE_URL for a server of your
    own.

    \b
    boildown compress session.jsonl --budget 8000 -o small.jsonl
    boildown compress chat.json --ratio 5 > small.json
    boildown compress session.jsonl --preset code > small.jsonl
    cat chat.jsonl | boildown compress - --pipeline 'dedup,prune' --ratio 3 --report report.json
    boildown compress session.jsonl --pipeline abstractive --ratio 10 --dry-run
    """
    from boildown.settings import Settings

    flags = Settings(
        pipeline, budget, ratio, window, keep_first, keep_recent, pin, pin_system, tokenizer, scorer, model
    )
    known = options.config(config, no_config)
    settled = known.settle(pipeline_of(flags), preset)
    job = make_job(settled, read_as, write_as, strict, prices, redact, known)
    asking = models.Asking(model, dry_run, max_cost, batch, at_once, redact, prices or "")
    job = replace(job, model=asking.answering(job.stages))
    check_targets(file, output, report, archive)
    leaving = Leaving(session, user)
    job = replace(job, archive=leaving.taken(job.stages, archive))
    if dry_run:
        _tell_cost(file, job, quiet)
    else:
        _compress(file, job, output, report, archive, leaving, quiet)


def pipeline_of(flags: Settings) -> Settings:
    """The flags with `--pipeline @FILE.toml` read, whose other keys hold where no flag says otherwise."""
    from boildown.presets import pipeline

    if flags.pipeline is None or not flags.pipeline.startswith("@"):
        return flags
    return replace(flags, pipeline=None).over(pipeline(flags.pipeline[1:]))


def make_job(
    settled: Settings,
    read_as: str | None,
    write_as: str | None,
    strict: bool = False,
    prices: str | None = None,
    redact: bool | None = None,
    known: Config | None = None,
) -> Job:
    """What to do, by the settings and for what they leave open by default; without a model to ask.

    The levels of `known` hold for the stage `auto`.
    """
    from boildown import registry
    from boildown.errors import UsageError
    from boildown.pipeline import Pins
    from boildown.run import Job

    if settled.budget is None and settled.ratio is None and settled.window is None:
        raise UsageError(
            "how far? Give --budget TOKENS, --ratio N, --window TOKENS or --preset NAME, or set one in boildown.toml."
        )
    if settled.ratio == float("inf"):
        raise UsageError("--ratio inf would leave nothing. Give a finite number.")
    stages = models.guarded(_stages(settled, prices, known), redact)
    return Job(
        stages=stages,
        pipeline=registry.spec(stages),
        budget=settled.budget,
        ratio=settled.ratio,
        window=settled.window,
        pins=Pins(
            settled.pin_system is not False,
            settled.keep_first or 0,
            settled.keep_recent or 0,
            options.pattern(settled.pin),
        ),
        read_as=read_as,
        write_as=write_as,
        tokenizer=settled.tokenizer or options.TOKENIZER,
        strict=strict,
    )


def _stages(settled: Settings, prices: str | None, known: Config | None) -> Sequence[Named]:
    """The pipeline, with what other settings say of its stages."""
    from boildown import registry
    from boildown.errors import UsageError

    given = {"cache": {"prices": prices}} if prices else {}
    if settled.scorer is not None:
        given |= {name: {"scorer": settled.scorer} for name in registry.SCORED}
    if settled.model is not None:
        given |= {name: {"model": settled.model} for name in registry.ASKING}
    spec = registry.DEFAULT if settled.pipeline is None else settled.pipeline
    if any(name == "auto" for name, _ in registry.split(spec)):
        given["auto"] = models.levels(settled.model, known)
    stages = registry.parse(spec, given)
    if prices and not registry.models(stages) and not any(named.name == "cache" for named in stages):
        raise UsageError(
            f"--prices {prices}: only the stage 'cache' and stages that ask a model use prices. Add one to --pipeline."
        )
    return stages


def check_targets(file: str, output: str, report: str | None, archive: str | None) -> None:
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


def _tell_cost(file: str, job: Job, quiet: bool) -> None:
    """Say what the calls of `job` would take at most, whose model is a dry run's."""
    from boildown import registry
    from boildown.run import run
    from boildown_cli import files
    from boildown_cli.terminal import progress, say, tell

    data = files.read(file)
    with progress(quiet) as watch:
        _, report = run(data, files.title(file), job, watch=watch)
    assert report.spending is not None
    tell(summed.at_most(report.spending, registry.models(job.stages)))
    if not quiet:
        say("Answers that must be asked for again, shortened or mended take more calls; --max-cost bounds all of them.")


@dataclass(slots=True)
class Leaving:
    """What the stage `archive` took out of a file's conversations, and whose it is."""

    session: str | None
    user: str
    found: Sequence[Transcript] = ()

    def taken(self, stages: Sequence[Named], archive: str | None) -> Callable[[Sequence[Transcript]], None] | None:
        """What keeps the conversations here as they come out; None where there is no archive for their messages.

        Raises UsageError where it is said whose messages they are, and none are taken out.
        """
        from boildown.errors import UsageError
        from boildown.registry import KEEPING

        given = [name for name, value in (("--session", self.session), ("--user", self.user)) if value]
        if given and not any(named.name in KEEPING for named in stages):
            raise UsageError(
                f"{given[0]}: only the stage 'archive' uses this, and --pipeline has none. Add it, or leave this out."
            )
        return self._keep if archive is not None else None

    def _keep(self, found: Sequence[Transcript]) -> None:
        self.found = found

    def put(self, folder: str, data: bytes, where: str) -> None:
        """Put the messages into the archive in `folder`, where `data` is the file that they are from."""
        from boildown.archive.store import digest
        from boildown.memory.archiving import put_archived

        put_archived(folder, self.found, where, digest(data), self.user, self.session)


def _compress(
    file: str, job: Job, output: str, report_path: str | None, archive: str | None, leaving: Leaving, quiet: bool
) -> None:
    from boildown.provider import model
    from boildown.run import run
    from boildown_cli import files, render
    from boildown_cli.terminal import progress, say

    data = files.read(file)
    with progress(quiet) as watch:
        result, report = run(data, files.title(file), job, "<stdout>" if output == files.STDOUT else output, watch)
    if job.strict:
        summed.check_whole(report)
    if archive is not None:
        report = _kept(archive, data, result, report)
        leaving.put(archive, data, files.title(file))
    outputs = [(output, result)]
    if report_path is not None:
        outputs.append((report_path, render.report_bytes(report, report_path)))
    files.write(outputs)
    if not quiet:
        render.print_report(report)
        if job.window and report.format_out in CLAUDE and model(job.tokenizer) is None:
            room = "leave room in --window, or count with --tokenizer anthropic"
            say(f"Claude counts 1.1 to 1.7 times as many tokens as these: {room}.")


def _kept(folder: str, data: bytes, result: bytes, report: Report) -> Report:
    """The report, with where the source is kept. Nothing is written before it is, so no output lacks its source."""
    from dataclasses import replace

    from boildown.archive.originals import keep
    from boildown.archive.store import opened

    with opened(folder, write=True) as archive:
        return replace(report, archive=keep(archive, data, result, report))
