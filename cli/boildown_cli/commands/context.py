"""`boildown context`: what to send with the next request, from a file or an archived session."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from boildown.errors import UsageError
from boildown_cli import models, options
from boildown_cli.commands.compress import check_targets
from boildown_cli.commands.recall import check_scope, embedder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boildown.context.account import Account
    from boildown.formats import Format
    from boildown.formats.source import Encoding
    from boildown.memory.messages import Memory, Scope
    from boildown.pipeline import Named
    from boildown.report import Report
    from boildown.summarizers.calls import Model
    from boildown.tokens import Counter
    from boildown.transcript import Transcript


def context(
    query: Annotated[str, typer.Option("--query", metavar="TEXT", help="What is asked next.")],
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", min=1, metavar="TOKENS", help="Tokens that the context may take.")
    ],
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="The conversation, or - for stdin.")] = None,
    session: options.SessionName = None,
    user: options.UserName = "",
    archive: options.ArchiveFolder = None,
    shares: Annotated[
        str | None,
        typer.Option("--allocation", metavar="SHARES", help="summary=0.2,recent=0.5,retrieved=0.3, or others."),
    ] = None,
    conversation: options.Conversation = None,
    read_as: options.ReadAs = None,
    write_as: options.WriteAs = None,
    output: options.Output = "-",
    report: options.ReportFile = None,
    embed: options.EmbedderName = None,
    model: models.Name = None,
    max_cost: models.MaxCost = None,
    redact: models.Redact = None,
    tokenizer: options.TokenizerName = options.TOKENIZER,
    quiet: options.Quiet = False,
) -> None:
    """Make the best context for the next request, to be sent as it is.

    It has a summary of the older messages, the newest ones as they are, older ones that fit the question, marked with
    their ids and scores, and the question, in no more than --max-tokens. What a part does not use, others get. With
    --archive, archived messages that fit are among them: --user's only, and --session's, if that is given. Without a
    file, --session of the archive is the conversation. --model has that model write the summary, and --embed goes by
    meaning, too; what was archived has to be archived with it.

    \b
    boildown context chat.jsonl --query "what did we decide?" --max-tokens 4000 --to anthropic > request.json
    boildown context - --query "and the port?" --max-tokens 8000 --archive memory --user ada < session.jsonl
    boildown context --session s1 --archive memory --query "go on" --max-tokens 4000 --to openai
    """
    from contextlib import ExitStack

    from boildown.context.allocation import USUAL, allocation
    from boildown.context.assembly import assembled
    from boildown.memory.keys import writable
    from boildown.memory.messages import Scope
    from boildown.memory.places import opened
    from boildown.run import cleaned
    from boildown.tokens import Counter
    from boildown.tokens import tokenizer as counting
    from boildown_cli.files import title, write
    from boildown_cli.render import context_bytes

    start = perf_counter()
    allocated = USUAL if shares is None else allocation(shares)
    stages = _stages(model, redact)
    asked = models.Asking(model, max_cost=max_cost, redact=redact).model([model] if model else [])
    check_targets(file or "", output, report, None)
    with ExitStack() as stack:
        store = stack.enter_context(opened(archive)) if archive is not None else None
        scope = Scope(user, session)
        if file is None:
            source = _archived(store, scope, write_as)
        else:
            _check_scope(store, scope)
            source = _read(file, conversation, read_as, write_as)
        counter = Counter(counting(tokenizer), source.sink.INFO.framing)
        result, account = assembled(
            source.transcript,
            writable(query),
            max_tokens,
            counter,
            source.sink.INFO,
            store if file else None,
            scope,
            allocated,
            stages,
            asked,
            embedder(embed, store, scope),
        )
    plain, _ = cleaned(b"".join(source.sink.write([result])), source.sink.INFO, stages, result.redactions)
    outputs = [(output, source.code.bom + source.code.encode(plain))]
    if report is not None:
        told = _report(account, source, stages, counter, asked)
        name = title(file) if file else session or ""
        told = replace(told, input=name, output=output, tokenizer=tokenizer, seconds=perf_counter() - start)
        outputs.append((report, context_bytes(told, account, report)))
    write(outputs)
    if not quiet:
        _tell(account)


@dataclass(frozen=True, slots=True)
class Source:
    """A conversation, the format that its context is written in, and how that stands in bytes."""

    transcript: Transcript
    format: str
    sink: Format
    code: Encoding


def _report(account: Account, source: Source, stages: Sequence[Named], counter: Counter, asked: Model | None) -> Report:
    """The account as `compress` reports it, but for what the command alone knows."""
    from boildown import registry
    from boildown.report import ConversationReport, Report

    one = ConversationReport(
        source.transcript.title,
        account.budget,
        account.read,
        account.tokens,
        account.steps,
        account.messages,
        account.notes,
    )
    return Report(
        input="",
        output="",
        format_in=source.format,
        format_out=source.sink.INFO.name,
        tokenizer="",
        framing=counter.framing.source,
        pipeline=registry.spec(stages),
        conversations=(one,),
        estimated=counter.estimated,
        spending=asked.spending if asked else None,
    )


def _stages(model: str | None, redact: bool | None) -> Sequence[Named]:
    """What makes the summary: offline, or the model called so."""
    from boildown import registry

    if model is None:
        return registry.parse(registry.DEFAULT)
    return models.guarded([registry.make("abstractive", {"model": model, "recent": "0"})], redact)


def _read(file: str, number: int | None, read_as: str | None, write_as: str | None) -> Source:
    from boildown import formats
    from boildown.run import conversations, reader
    from boildown_cli.files import read, title

    where = title(file)
    format, plain, code = reader(read(file), where, read_as)
    found = list(conversations(format, plain, where))
    if (number is None and len(found) != 1) or (number is not None and number > len(found)):
        raise UsageError(f"{where}: it has {len(found)} conversations. Say which with --conversation.")
    transcript = found[(number or 1) - 1]
    if len(found) > 1:
        transcript = replace(transcript, source=None)  # it is written by itself, out of the frame of its file
    return Source(transcript, format.INFO.name, formats.load(write_as) if write_as else format, code)


def _archived(store: Memory | None, scope: Scope, write_as: str | None) -> Source:
    from boildown import formats
    from boildown.context.session import conversation
    from boildown.formats.source import Encoding

    if store is None or scope.session is None:
        raise UsageError("the context of what? Name a file, or - for stdin, or give --session and --archive.")
    check_scope(store, scope)
    sink = formats.load(write_as or "openai")
    return Source(conversation(store, scope), sink.INFO.name, sink, Encoding())


def _check_scope(store: Memory | None, scope: Scope) -> None:
    """Raise UsageError where it is said whose messages are meant, and there is no archive, or none of theirs in it."""
    given = [name for name, value in (("--session", scope.session), ("--user", scope.user)) if value]
    if given and store is None:
        raise UsageError(f"{given[0]}: only archived messages have one. Give --archive DIR, or leave it out.")
    if store is not None:
        check_scope(store, scope)


def _tell(account: Account) -> None:
    """A line on the shares, and one on each thing that the format cannot say."""
    from boildown_cli.terminal import number, one_line, say

    shares = account.shares
    parts = [f"{f.name} {getattr(shares, f.name):,}" for f in fields(shares) if getattr(shares, f.name)]
    say(f"{account.tokens:,} of {account.budget:,} tokens: {', '.join(parts)}")
    if account.found:
        quoted = len({found.place for found in account.found})
        say(f"retrieved: {number(quoted, 'message')}, with scores from {min(f.score for f in account.found):.2f}")
    for note in account.notes[:3]:
        say(one_line(f"{note.where}: {note.what}: {note.why}"))
