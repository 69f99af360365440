"""`boildown archive`: conversations put into a store, to be found again by `recall`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import EmbedderName, Files, MemoryFolder, Quiet, ReadAs, SessionName, UserName

if TYPE_CHECKING:
    from boildown.memory.archiving import Put
    from boildown.memory.store import Store


def archive(
    files: Files,
    folder: MemoryFolder,
    session: SessionName = None,
    user: UserName = "",
    older_than: Annotated[
        int, typer.Option("--older-than", min=0, metavar="N", help="Leave out the newest N messages of each.")
    ] = 0,
    embed: EmbedderName = None,
    read_as: ReadAs = None,
    quiet: Quiet = False,
) -> None:
    """Put conversations into an archive, where their messages can be found again.

    'boildown recall' finds them. What is in the archive already is not put in again: of a session that grew, only the
    new messages are. A session is called by its id, where its format has one, or else by its file's name and its
    title. --user says whose it is, and only that user's 'recall' finds it.

    \b
    boildown archive session.jsonl --archive memory
    boildown archive exports --archive memory --user ada
    boildown archive session.jsonl --archive memory --older-than 20
    """
    from boildown.errors import InputError
    from boildown.memory.archiving import embed_new
    from boildown.memory.embedders import load
    from boildown.memory.messages import Scope
    from boildown.memory.store import check, opened
    from boildown_cli.files import expand, title
    from boildown_cli.terminal import say, status

    model = load(embed) if embed is not None else None
    paths = list(expand(files))
    check(folder, write=True)
    failed = False
    with opened(folder, write=True) as store:
        for path in paths:
            try:
                done = _put(store, path, user, session, read_as, older_than)
            except InputError as error:
                say(f"Error: {error}")
                failed = True
                continue
            _tell(title(path), done, quiet)
        if model is not None:
            with status("embedding", quiet) as show:
                new = embed_new(store, model, Scope(user), show)
            if not quiet:
                say(f"{new:,} of them were embedded with {model.name}")
    if failed:
        raise typer.Exit(InputError.exit_code)


def _put(store: Store, path: str, user: str, session: str | None, read_as: str | None, newest: int) -> list[Put]:
    from boildown.memory.archiving import archive as put
    from boildown_cli.files import read, title

    return put(store, read(path), title(path), user, session, read_as, newest)


def _tell(where: str, done: list[Put], quiet: bool) -> None:
    from boildown_cli.terminal import number, one_line, tell

    for put in [] if quiet else done:
        tell(f"{where}: {number(put.messages, 'message')}, {put.new:,} new, in session {one_line(put.session)}")
