"""From a file's bytes to a compressed file's bytes and a report: the whole offline job, without a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from json import JSONDecodeError

from boildown import formats
from boildown.errors import BudgetError, InputError, NotMetError
from boildown.formats.convert import convert
from boildown.formats.source import Encoding, broken, encoding
from boildown.pipeline import Context, Finishing, Named, Pins, Watch, compress, convert_step, target
from boildown.report import ConversationReport, Report, fates
from boildown.tokens import Counter, tokenizer
from boildown.transcript import FormatInfo, Note, Transcript


@dataclass(frozen=True, slots=True)
class Job:
    """What to do to a file. `budget`, `ratio` and `window` bound each conversation; the tightest one holds."""

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

    Raises InputError, UsageError or BudgetError; nothing is written anywhere.
    """
    start = time.perf_counter()
    source, plain, code = reader(data, where, job.read_as)
    sink = formats.load(job.write_as) if job.write_as else source
    counter = Counter(tokenizer(job.tokenizer), sink.INFO.framing)
    accounts: list[ConversationReport] = []

    def boiled() -> Iterator[Transcript]:
        for transcript in conversations(source, plain, where):
            if job.strict:
                _refuse(transcript, where)
            try:
                result, account = boil(transcript, sink.INFO, counter, job, watch)
            except BudgetError as error:
                error.args = (f"{where}, conversation {len(accounts) + 1}: {error}",)
                raise
            accounts.append(account)
            yield result

    written = code.bom + code.encode(b"".join(sink.write(boiled())))
    if any(a.messages for a in accounts) and not any(a.tokens_out for a in accounts):
        budget = max(a.budget for a in accounts)
        raise NotMetError(f"{where}: no message fits into {budget} tokens; nothing was written. Give a larger budget.")
    report = Report(
        input=where,
        output=output,
        format_in=source.INFO.name,
        format_out=sink.INFO.name,
        tokenizer=counter.tokenizer.name,
        framing=sink.INFO.framing.source,
        pipeline=job.pipeline,
        conversations=tuple(accounts),
        seconds=time.perf_counter() - start,
        estimated=counter.estimated,
    )
    return written, report


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
    context = Context(counter, target(tokens_in, job.budget, job.ratio, job.window), info.rules)
    stages, unsaid = _sayable(job.stages, info)
    result, done = compress(sayable, stages, context, watch)
    steps += done
    account = ConversationReport(
        title=transcript.title,
        budget=context.target,
        tokens_in=tokens_in,
        tokens_out=counter.total(result.messages),
        steps=tuple(steps),
        messages=fates(source, sizes_in, result, counter.messages(result.messages), steps),
        notes=(*(transcript.source.notes if transcript.source else ()), *lost, *unsaid),
        cache=next(
            (n.stage.account(sayable, result, counter) for n in job.stages if isinstance(n.stage, Finishing)), None
        ),
    )
    return result, account


def _sayable(stages: Sequence[Named], info: FormatInfo) -> tuple[Sequence[Named], list[Note]]:
    """`stages` without those that finish with breakpoints, where the format has no place for them, and a note on it."""
    takers = [named for named in stages if not isinstance(named.stage, Finishing)]
    if "breakpoint" in info.says or len(takers) == len(stages):
        return stages, []
    return takers, [Note("no breakpoints", f"{info.name} output", "it has no place for them; --to anthropic has")]
