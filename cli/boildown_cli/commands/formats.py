"""`boildown formats`: which there are, and which one a file is in."""

from __future__ import annotations

from typing import Annotated

import typer


def formats(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE]", help="Say which format these files are in.")
    ] = None,
) -> None:
    """List the file formats, or say which one a file is in.

    \b
    boildown formats
    boildown formats session.jsonl
    """
    from boildown.errors import InputError
    from boildown.formats import FORMATS
    from boildown_cli.terminal import say, tell

    unread = False
    for path in files or ():
        try:
            tell(_detect(path))
        except InputError as error:
            unread = True
            say(f"Error: {error}")
    for name in FORMATS if not files else ():
        tell(_describe(name))
    if unread:
        raise typer.Exit(InputError.exit_code)


def _detect(path: str) -> str:
    from boildown.run import reader
    from boildown_cli.files import read, title
    from boildown_cli.terminal import one_line

    found, _, _ = reader(read(path), title(path))
    return f"{one_line(title(path))}: {found.INFO.name}"


def _describe(name: str) -> str:
    """A format's title, what it can say, and an example."""
    from boildown.formats import load

    info = load(name).INFO
    return f"{name}: {info.title}\n    says: {', '.join(sorted(info.says))}\n    {info.example}\n"
