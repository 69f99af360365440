"""`boildown archive`: conversations put into a store, to be found again by `recall`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import EmbedderName, Files, MemoryFolder, Quiet, ReadAs, SessionName, UserName

if TYPE_CHECKING:
    from boildown.memory.archiving import Put

_RATIO = 5.0


def archive(
    files: Files,
    folder: MemoryFolder,
    session: SessionName = None,
    user: UserName = "",
    older_than: Annotated[
        int, typer.Option("--older-than", min=0, metavar="N", help="Leave out the newest N messages of each.")
    ] = 0,
    idle: Annotated[
        str | None,
        typer.Option(
            "--idle", metavar="TIME", help="Compress and archive only files without a message for 30m, 1h, 2d."
        ),
    ] = None,
    ratio: Annotated[
        float | None, typer.Option("--ratio", "-r", min=1, metavar="N", help="With --idle: how many times smaller; 5.")
    ] = None,
    embed: EmbedderName = None,
    read_as: ReadAs = None,
    quiet: Quiet = False,
) -> None:
    """Put conversations into an archive, where their messages can be found again.

    'boildown recall' finds them. What is in the archive already is not put in again: of a session that grew, only the
    new messages are. A session is called by its id, where its format has one, or else by its file's name and its
    title. --user says whose it is, and only that user's 'recall' finds it. With --idle, a file that something was
    added to of late is left out, and of the others the archive keeps the source and a compressed copy, besides their
    messages; the files themselves stay as they are. What counts is the newest message's time, or else the file's.

    \b
    boildown archive session.jsonl --archive memory
    boildown archive exports --archive memory --user ada
    boildown archive session.jsonl --archive memory --older-than 20
    boildown archive ~/.claude/projects --archive memory --idle 1h
    """
    from boildown.errors import InputError
    from boildown.memory.archiving import apart, embed_new
    from boildown.memory.archiving import archive as put
    from boildown.memory.embedders import load
    from boildown.memory.messages import Scope
    from boildown.memory.places import check, opened
    from boildown_cli.files import expand, read, title
    from boildown_cli.terminal import say, status

    model = load(embed) if embed is not None else None
    resting = _resting(idle, ratio, folder, read_as)
    paths = list(dict.fromkeys(expand(files)))
    called = apart(paths)
    check(folder, write=True)
    failed = False
    with opened(folder, write=True) as store:
        for path in paths:
            try:
                data = read(path)
                if resting is not None and (since := resting.active(path, data)) is not None:
                    say(f"{title(path)}: left as it is: active {since}")
                    continue
                done = put(store, data, title(path), user, session, read_as, older_than, called[path])
                copy = resting.copied(path, data) if resting is not None else ""
            except InputError as error:
                say(f"Error: {error}")
                failed = True
                continue
            _tell(title(path), done, copy, quiet)
        if model is not None:
            with status("embedding", quiet) as show:
                new = embed_new(store, model, Scope(user), show)
            if not quiet:
                say(f"{new:,} of them were embedded with {model.name}")
    if failed:
        raise typer.Exit(InputError.exit_code)


def _tell(where: str, done: list[Put], copy: str, quiet: bool) -> None:
    from boildown_cli.terminal import number, one_line, tell

    for put in [] if quiet else done:
        tell(f"{where}: {number(put.messages, 'message')}, {put.new:,} new, in session {one_line(put.session)}{copy}")


def _resting(idle: str | None, ratio: float | None, folder: str, read_as: str | None) -> Resting | None:
    """What tells idle files from others, where that is asked for. Raises UsageError."""
    import time

    from boildown.archive.places import local
    from boildown.errors import UsageError
    from boildown.memory.idle import seconds

    if idle is None:
        if ratio is not None:
            raise UsageError("--ratio: only --idle compresses. Give both, or use 'boildown compress --archive'.")
        return None
    if ratio == float("inf"):
        raise UsageError("--ratio inf would leave nothing. Give a finite number.")
    return Resting(local(folder, "with --idle, sources are kept"), time.time(), seconds(idle), ratio or _RATIO, read_as)


@dataclass(frozen=True, slots=True)
class Resting:
    """Which files are idle at `now`, for `idle` seconds, and the archive that keeps their copies."""

    folder: str
    now: float
    idle: float
    ratio: float
    read_as: str | None

    def active(self, path: str, data: bytes) -> str | None:
        """How long ago something was added to the file, where it is not idle. Stdin without times is just written."""
        from boildown.memory.idle import last_activity
        from boildown_cli.files import STDIN, title

        modified = self.now if path == STDIN else os.stat(path).st_mtime
        last = last_activity(data, title(path), modified, self.read_as)
        since = self.now - last if last is not None else 0.0
        return _ago(since) if since < self.idle else None

    def copied(self, path: str, data: bytes) -> str:
        """Have the file and a compressed copy kept: what to tell of it."""
        from boildown import registry
        from boildown.archive.store import opened
        from boildown.memory.idle import compressed
        from boildown.run import Job
        from boildown_cli.files import title

        stages = registry.parse(registry.DEFAULT)
        job = Job(stages, registry.spec(stages), ratio=self.ratio, read_as=self.read_as)
        with opened(self.folder, write=True) as archive:
            copy = compressed(archive, data, title(path), job)
        return f", {copy.tokens_in:,} -> {copy.tokens_out:,} tokens"


def _ago(seconds: float) -> str:
    """`12 minutes ago`; what is in the future is just now."""
    for name, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now"
