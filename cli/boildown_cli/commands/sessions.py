"""`boildown sessions`: what an archive holds of each session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import MemoryFolder, name_of_text

if TYPE_CHECKING:
    from boildown.memory.sessions import Listed

HEADS = ("user", "session", "title", "level", "first", "last", "messages", "size", "tokens", "saving")
_TITLE = 40
"""Characters of a title that are shown; JSON has all of it"""


def sessions(
    folder: MemoryFolder,
    user: Annotated[
        str | None,
        typer.Option(
            "--user", metavar="USER", callback=name_of_text, help="Only this user's sessions; everybody's otherwise."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the sessions of an archive.

    Each with its user, how many messages it has and how large they are, when the first and the last were said, how
    far it is compressed, and what that saves: 'boildown archive --idle' and 'boildown compress --archive' leave that
    in the archive. Times are UTC.

    \b
    boildown sessions --archive memory
    boildown sessions --archive memory --user ada --json
    """
    from boildown.memory.sessions import sessions as listed
    from boildown_cli.files import STDOUT, write
    from boildown_cli.render import json_bytes
    from boildown_cli.terminal import say

    found = listed(folder, user)
    if as_json:
        rows = [{**asdict(one), "saving": one.saving} for one in found]
        write([(STDOUT, json_bytes({"schema": 1, "sessions": rows}))])
    elif found:
        _show(found)
    else:
        say(f"no session of {user!r} is there." if user is not None else "no session is there.")


def _show(found: Sequence[Listed]) -> None:
    import sys

    from boildown_cli.terminal import add_row, one_line, show, table

    rows = table(HEADS, left=6)
    for one in found:
        tokens = f"{one.tokens_in:,} -> {one.tokens_out:,}" if one.tokens_in else ""
        saving = f"{one.saving:.0%}" if one.saving is not None else ""
        when = map(_day, (one.first, one.last))
        sizes = f"{one.messages:,}", _size(one.size), tokens, saving
        add_row(rows, one.user, one.session, one_line(one.title, _TITLE), one.level, *when, *sizes)
    show(rows, sys.stdout)


def _day(moment: float | None) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M") if moment is not None else ""


def _size(count: int) -> str:
    return f"{count:,} B" if count < 10_000 else f"{count / 1000:,.0f} kB"
