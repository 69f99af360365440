"""`boildown follow`: a stream of messages, kept within a model's window for as long as it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli import models, options

if TYPE_CHECKING:
    from boildown.following.compression import Compressor
    from boildown.following.follower import Follower, Stream, Tell
    from boildown.memory.messages import Memory
    from boildown.presets import Config

STDIN = "-"
_HEAD = 1 << 20


def follow(
    window: Annotated[int, typer.Option("--window", min=100, metavar="TOKENS", help="The model's context window.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that grows, or - for stdin.")] = STDIN,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Keep the context in this file.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="Print the context after each message, as a line of JSON.")
    ] = False,
    archive: Annotated[
        str | None, typer.Option("--archive", metavar="DIR", help="Keep all messages, and checkpoints, in DIR.")
    ] = None,
    session: options.SessionName = None,
    user: options.UserName = "",
    checkpoint: Annotated[
        int, typer.Option("--checkpoint", min=1, metavar="N", help="Messages after which the state is saved.")
    ] = 100,
    model: models.Name = None,
    max_cost: models.MaxCost = None,
    redact: models.Redact = None,
    read_as: options.ReadAs = None,
    write_as: options.WriteAs = None,
    tokenizer: options.TokenizerName = options.TOKENIZER,
    config: options.ConfigFile = None,
    no_config: options.NoConfig = False,
    quiet: options.Quiet = False,
) -> None:
    """Keep a stream of messages within a model's window, for as long as it runs.

    Reads records as they come, a line each, from stdin or from a file that another process writes. When the window
    fills, they are compressed as the stage 'auto' does, while reading goes on. The context is what is left, valid for
    its format: kept in --output, which is replaced whole, at most once a second; printed after each message with
    --each; or printed when the stream ends. SIGUSR1 asks for it at once.

    With --archive, all messages can be recalled, and the state is saved, so that the same command goes on where it
    was, and 'boildown resume' prints the context. Ctrl-C leaves with 130, SIGTERM and the end of stdin with 0; all is
    saved before.

    \b
    agent --stream-json | boildown follow - --window 200000 -o context.jsonl
    boildown follow ~/.claude/projects/app/session.jsonl --window 200000 --archive memory
    """
    from boildown.formats import load
    from boildown_cli import streams
    from boildown_cli.exits import INTERRUPTED
    from boildown_cli.files import check_target

    if output is not None:
        check_target(output, "--output")
        _check_apart(file, output)
    if write_as is not None:
        load(write_as)
    stream = _stream(file, _directory(archive), session, user, checkpoint, read_as)
    compressor = _compressor(window, tokenizer, model, max_cost, redact, options.config(config, no_config))
    with _opened(stream, compressor, read_as, tokenizer, quiet) as follower:
        stopped = streams.followed(follower, file, streams.Outlet(follower, output, each, write_as))
    if not quiet:
        _tell(follower)
    if stopped:
        raise typer.Exit(INTERRUPTED)


def _check_apart(file: str, output: str) -> None:
    from boildown.errors import UsageError

    if file != STDIN and os.path.realpath(file) == os.path.realpath(output):
        raise UsageError(f"--output {output}: this is the file that is followed. Give the context a name of its own.")


def _directory(archive: str | None) -> str | None:
    """Where the checkpoints are to be. What `lance:DIR` names is made, so that DIR says as much from then on."""
    from boildown.archive.places import local
    from boildown.memory import places

    if archive is None:
        return None
    folder = local(archive, "checkpoints are kept")
    if folder != archive:
        with places.opened(archive, write=True):
            pass
    return folder


def _stream(file: str, archive: str | None, session: str | None, user: str, every: int, read_as: str | None) -> Stream:
    from boildown.errors import UsageError
    from boildown.following.follower import Stream

    if file == STDIN:
        if archive is not None and session is None:
            raise UsageError("--archive keeps the stream by its session's name, and stdin has none. Give --session.")
        return Stream(session or "stdin", user, file, archive or "", every)
    return Stream(session or _session(file, read_as), user, os.path.abspath(file), archive or "", every)


def _session(file: str, read_as: str | None) -> str:
    """The id that a client gave the session in a file, or else the file's name."""
    from boildown.errors import BoildownError
    from boildown.memory.archiving import named, stem
    from boildown.memory.keys import writable
    from boildown.run import conversations, reader
    from boildown_cli.files import read

    try:
        with open(file, "rb") as opened:
            head = opened.read(_HEAD)
    except OSError:
        head = read(file)  # says why it cannot be
    whole = head[: head.rfind(b"\n") + 1]
    try:
        format, plain, _ = reader(whole, file, read_as)
        name = named(list(conversations(format, plain, file))[:1], file)[0]
    except (BoildownError, IndexError):
        name = stem(file)
    return writable(name)  # as the store calls it, so that 'forget' finds its checkpoint


def _compressor(
    window: int, tokenizer: str, model: str | None, max_cost: float | None, redact: bool | None, known: Config
) -> Compressor:
    from boildown.following.compression import Compressor
    from boildown.policy import Policy, shipped
    from boildown.tokens import tokenizer as check

    check(tokenizer)
    given = models.levels(model or known.defaults.model, known)
    name = given.get("model", "")
    asking = models.Asking(model, max_cost=max_cost, redact=redact)
    policy = Policy(window, known.levels or shipped(), name)
    answers = asking.model([name] if name else [], without=True)
    return Compressor(policy, tokenizer, given.get("levels", ""), answers, redact is not False)


@contextmanager
def _opened(
    stream: Stream, compressor: Compressor, read_as: str | None, tokenizer: str, quiet: bool
) -> Iterator[Follower]:
    """A follower with its state of before, if there is any. Nobody else follows the session meanwhile."""
    from contextlib import ExitStack

    from boildown.following import checkpoint
    from boildown.following.follower import Follower
    from boildown.following.records import Reader
    from boildown.memory import places
    from boildown_cli.files import title
    from boildown_cli.terminal import one_line, say

    def tell(text: str) -> None:
        if not quiet:
            say(one_line(text))

    with ExitStack() as stack:
        reader = Reader(title(stream.input), tokenizer, read_as)
        kept = None
        if stream.folder:
            places.check(stream.folder, write=True)
            kept = stack.enter_context(places.opened(stream.folder, write=True))
            stack.enter_context(checkpoint.locked(stream.folder, stream.session, stream.user))
        follower = Follower(stream, reader, compressor.policy, compressor, tell, kept)
        stack.callback(follower.close)
        if kept is not None:
            _take_up(follower, kept, tell)
        yield follower


def _take_up(follower: Follower, kept: Memory, tell: Tell) -> None:
    """Go on from the last checkpoint, unless it is one of another file, or the archive has lost what came before."""
    from boildown.following.checkpoint import discard, load
    from boildown.following.tail import beginning

    stream = follower.stream
    found = load(stream.folder, stream.session, stream.user)
    if found.trouble:
        tell(f"{found.trouble}; {'the one before it is taken' if found.checkpoint else 'it begins anew'}")
        discard(stream.folder, stream.session, stream.user)
    last = found.checkpoint
    if last is None:
        return
    lost = last.place - _kept(kept, stream)
    if lost > 0:
        what = "cannot be read again" if stream.input == STDIN else "it begins anew"
        tell(f"{lost:,} of the messages of session {stream.session!r} are not in the archive any more: {what}")
    if stream.input != STDIN:
        if lost > 0:
            return
        read = beginning(stream.input, last.offset) if last.input != STDIN else None
        if read is None or read.hexdigest() != last.digest:
            tell(f"{stream.input} is not the file that session {stream.session!r} was read from: it begins anew")
            return
        follower.state.offset, follower.state.read = last.offset, read
    follower.restore(last)
    if found.trouble:
        follower.save()
    tell(f"session {stream.session!r} goes on after message {follower.state.tally.messages:,}")


def _kept(kept: Memory, stream: Stream) -> int:
    """How many messages of the session the archive has."""
    return sum(one.messages for one in kept.sessions(stream.user) if one.name == stream.session)


def _tell(follower: Follower) -> None:
    """Say what became of all messages."""
    from boildown_cli.terminal import number, one_line, say

    state, tally = follower.state, follower.state.tally
    times = number(tally.compressions, "compression")
    text = f"{follower.stream.session}: {number(tally.messages, 'message')}, {tally.tokens:,} tokens, {times}"
    text += f"; {state.tokens:,} tokens held, {state.tokens / state.policy.window:.1%} of the window"
    if tally.compressions:
        text += f"; messages dropped {tally.dropped:,}, stood for {tally.stood_for:,}"
    kept = f"; {tally.archived:,} archived in {follower.stream.folder}" if follower.stream.folder else ""
    bad = f"; passed over {number(tally.bad, 'line')} of no JSON" if tally.bad else ""
    say(one_line(text + kept + bad))
