"""From a file's bytes to a compressed file's bytes and a report: the whole job, without a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from json import JSONDecodeError

from boildown import formats
from boildown.errors import BudgetError, InputError, NotMetError, UsageError
from boildown.formats.convert import convert
from boildown.formats.source import Encoding, broken, encoding
from boildown.pipeline import (
    Choosing,
    Context,
    Finishing,
    Named,
    Opening,
    Pins,
    Watch,
    compress,
    convert_step,
    opened,
    target,
)
from boildown.provider.measure import Measure, measured
from boildown.registry import KEEPING
from boildown.report import ConversationReport, Report, fates, redacted
from boildown.summarizers.calls import Model
from boildown.tokens import Counter
from boildown.transcript import FormatInfo, Note, Redaction, Transcript, media


@dataclass(frozen=True, slots=True)
class Job:
    """What to do to a file. `budget`, `ratio` and `window` bound each conversation; the tightest one holds.

    model    answers the stages that ask one
    archive  is given the conversations of a file as they come out, before anybody writes them: it is to keep what
             stands in `Transcript.archived`. Where it is given them again, the last ones hold
    """

    stages: Sequence[Named]
    pipeline: str
    budget: int | None = None
    ratio: float | None = None
    window: int | None = None
    pins: Pins = field(default_factory=Pins)
    read_as: str | None = None
    write_as: str | None = None
    tokenizer: str = "o200k_base"
    strict: bool = False
    model: Model | None = None
    archive: Callable[[Sequence[Transcript]], None] | None = None


def reader(data: bytes, where: str, read_as: str | None = None) -> tuple[formats.Format, bytes, Encoding]:
    """The format of a file, its bytes as UTF-8, and how to turn them back."""
    code = encoding(data)
    plain = code.decode(data)
    return (formats.load(read_as) if read_as else formats.detect(plain, where)), plain, code


def conversations(format: formats.Format, data: bytes, where: str) -> Iterator[Transcript]:
    """The conversations of a file. Raises InputError with file, line and column where it stops being JSON."""
    try:
        yield from format.read(data)
    except RecursionError:
        raise InputError(f"{where}: the JSON is nested too deeply to read. Nothing was written.") from None
    except JSONDecodeError as error:
        raise broken(where, data, error) from None
    except ValueError as error:
        raise InputError(f"{where}: not a {format.INFO.name} file: {error}. Name its format with --from.") from None


def run(data: bytes, where: str, job: Job, output: str = "", watch: Watch | None = None) -> tuple[bytes, Report]:
    """Compress the file `data` (its name is `where`): the bytes to write, and the report.

    Raises InputError, UsageError or BudgetError; nothing is written anywhere, but for what `job.archive` does.
    """
    start = time.perf_counter()
    check_keeping(job.stages, job.archive is not None)
    source, plain, code = reader(data, where, job.read_as)
    sink = formats.load(job.write_as) if job.write_as else source

    def found() -> Iterator[Transcript]:
        return conversations(source, plain, where)

    def work(measure: Measure) -> tuple[bytes, Report]:
        written, accounts = _written(found(), sink, where, measure, job, watch)
        report = Report(
            input=where,
            output=output,
            format_in=source.INFO.name,
            format_out=sink.INFO.name,
            tokenizer=measure.name,
            framing=measure.counter.framing.source,
            pipeline=job.pipeline,
            conversations=accounts,
            seconds=time.perf_counter() - start,
            estimated=measure.counter.estimated,
            spending=job.model.spending if job.model else None,
        )
        return code.bom + code.encode(written), report

    return measured(job.tokenizer, found, sink.INFO.framing, work)


def check_keeping(stages: Sequence[Named], kept: bool) -> None:
    """Raise UsageError where a stage takes messages out for an archive, and none has them `kept`."""
    keeping = [named.name for named in stages if named.name in KEEPING]
    if keeping and not kept:
        raise UsageError(
            f"the stage {keeping[0]!r} takes messages out for an archive to keep, and there is none. "
            "Give --archive DIR, or leave the stage out."
        )


def _written(
    found: Iterable[Transcript], sink: formats.Format, where: str, measure: Measure, job: Job, watch: Watch | None
) -> tuple[bytes, tuple[ConversationReport, ...]]:
    """The file that the compressed conversations make, and the account of each."""
    from boildown.provider.boiling import boiled

    accounts, redactions, leaving = list[ConversationReport](), list[Redaction](), list[Transcript]()

    def results() -> Iterator[Transcript]:
        for transcript in found:
            if job.strict:
                _refuse(transcript, where)
            try:
                result, account = boiled(transcript, sink.INFO, measure, job, watch)
            except BudgetError as error:
                error.args = (f"{where}, conversation {len(accounts) + 1}: {error}",)
                raise
            accounts.append(account)
            redactions.extend(result.redactions)
            if job.archive:
                leaving.append(result)
            yield result

    plain, beside = cleaned(b"".join(sink.write(results())), sink.INFO, job.stages, redactions)
    notes = (*measure.notes, *([beside] if beside else []))
    if notes and accounts:
        accounts[-1] = replace(accounts[-1], notes=(*accounts[-1].notes, *notes))
    if any(a.messages for a in accounts) and not any(a.tokens_out for a in accounts):
        budget = max(a.budget for a in accounts)
        raise NotMetError(f"{where}: no message fits into {budget} tokens; nothing was written. Give a larger budget.")
    if job.archive:
        job.archive(leaving)
    return plain, tuple(accounts)


def cleaned(
    written: bytes, info: FormatInfo, stages: Sequence[Named], redactions: Sequence[Redaction]
) -> tuple[bytes, Note | None]:
    """A file's bytes as the stages that open want them written, and a note where that changed something."""
    places = 0
    for named in stages:
        if isinstance(named.stage, Opening):
            written, more = named.stage.cleaned(written, info.plain, redactions)
            places += more
    why = f"{places} places had secrets that are no messages or repeat them; they have placeholders, too"
    return written, Note("secrets beside the messages", "the file", why) if places else None


def _refuse(transcript: Transcript, where: str) -> None:
    notes = transcript.source.notes if transcript.source else ()
    if notes:
        first = notes[0]
        raise InputError(
            f"{where}: {first.where}: {first.what}: {first.why} ({len(notes)} such in all). "
            "Mend them, or leave out --strict to carry them through."
        )


def boil(
    transcript: Transcript, info: FormatInfo, counter: Counter, job: Job, watch: Watch | None = None
) -> tuple[Transcript, ConversationReport]:
    """Compress one conversation for the format `info`: what to write, and its account."""
    source, sizes_in = transcript.messages, counter.messages(transcript.messages)
    tokens_in = counter.total(source)
    pinned = job.pins(transcript)
    sayable, lost = convert(pinned, info)
    said = counter.total(sayable.messages)
    steps = [] if sayable is pinned else [convert_step(pinned, sayable, tokens_in, said)]
    open_one, opening = opened(sayable, job.stages, Context(counter, said), watch)
    # Placeholders may be longer than what they stand for: where nothing else is asked, they make nothing else go.
    size = max(tokens_in, counter.total(open_one.messages)) if opening else tokens_in
    choosing = any(isinstance(n.stage, Choosing) for n in job.stages)
    aim = target(size, job.budget, job.ratio, None if choosing else job.window)
    context = Context(counter, aim, info.rules, model=job.model)
    stages, unsaid = _sayable([n for n in job.stages if not isinstance(n.stage, Opening)], info)
    stages, open_one, context, chosen = _chosen(stages, open_one, context, job.window)
    result, done = compress(open_one, stages, context, watch)
    steps += opening + done
    read = transcript.source.notes if transcript.source else ()
    account = ConversationReport(
        title=result.title,
        budget=context.target,
        tokens_in=tokens_in,
        tokens_out=counter.total(result.messages),
        steps=tuple(steps),
        messages=fates(source, sizes_in, result, counter.messages(result.messages), steps),
        notes=(*read, *chosen, *lost, *unsaid, *_unseen(job.stages, result)),
        cache=next(
            (n.stage.account(sayable, result, counter) for n in job.stages if isinstance(n.stage, Finishing)), None
        ),
        redacted=redacted(result.redactions),
        summaries=result.summaries,
    )
    return result, account


def _chosen(
    stages: Sequence[Named], transcript: Transcript, context: Context, window: int | None
) -> tuple[Sequence[Named], Transcript, Context, list[Note]]:
    """`stages` with those in place of one that chooses, what they are applied to, how far, and a note on why."""
    for n, named in enumerate(stages):
        choice = named.stage.choose(transcript, context, window) if isinstance(named.stage, Choosing) else None
        if choice is not None:
            there = [*stages[:n], *choice.stages, *stages[n + 1 :]]
            return there, choice.transcript, replace(context, target=choice.target), [choice.note]
    return stages, transcript, context, []


def _unseen(stages: Sequence[Named], transcript: Transcript) -> Iterator[Note]:
    """A note on each image and the like, where a stage was to take secrets out."""
    if any(isinstance(named.stage, Opening) for named in stages):
        for message in transcript.messages:
            for block in message.blocks:
                if any(one.data or one.tokens for one in media(block)):
                    yield Note("not looked into", message.id, "an image or a document may show secrets")


def _sayable(stages: Sequence[Named], info: FormatInfo) -> tuple[Sequence[Named], list[Note]]:
    """`stages` without those that finish with breakpoints, where the format has no place for them, and a note on it."""
    takers = [named for named in stages if not isinstance(named.stage, Finishing)]
    if "breakpoint" in info.says or len(takers) == len(stages):
        return stages, []
    return takers, [Note("no breakpoints", f"{info.name} output", "it has no place for them; --to anthropic has")]
