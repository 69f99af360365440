"""What reaches the terminal: text with nothing in it that a terminal would obey, tables, and progress."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from boildown.pipeline import Watch

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erase
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS and other strings
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # what is left of C0 and C1
    r"|[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # changes of writing direction
)
_SURROGATES = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """`text` without control characters (but line breaks and tabs), terminal escapes and direction overrides."""
    return _SURROGATES.sub("\ufffd", _ESCAPES.sub("", text))


def one_line(text: str, limit: int = 500) -> str:
    """`text` made plain, in one line of at most `limit` characters."""
    flat = " ".join(plain(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def number(count: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def dollars(amount: float) -> str:
    """Dollars with two digits that say something, and at least the cents."""
    from math import floor, log10

    return f"${amount:,.{max(2, 1 - floor(log10(amount))) if amount else 2}f}"


def say(text: str) -> None:
    """Tell people something, on stderr."""
    _write(plain(text), sys.stderr)


def tell(text: str) -> None:
    """Print a result, on stdout."""
    _write(plain(text), sys.stdout)


def _write(text: str, stream: TextIO | None) -> None:
    """Write `text` as far as `stream` can say it. That nobody reads it any more is no reason to stop."""
    if stream is None:
        return
    code = stream.encoding or "utf-8"
    try:
        stream.write(text.encode(code, "backslashreplace").decode(code) + "\n")
        stream.flush()
    except BrokenPipeError:
        silence(stream)


def silence(stream: TextIO) -> None:
    """Let nothing more go to a pipe whose reader has left, Python's own flush at exit included."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def decorates(stream: TextIO) -> bool:
    """Whether escape sequences may go to `stream`: a terminal that knows them, of somebody who has not said no.

    NO_COLOR (no-color.org) is taken to mean bold type and what moves, too.
    """
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console(stream: TextIO, width: int | None = None) -> Console:
    """A console that interprets nothing, in colour on a terminal, and as wide as its content elsewhere."""
    from rich.console import Console

    return Console(
        file=stream,
        width=width if width or stream.isatty() else 500,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        markup=False,
        emoji=False,
        highlight=False,
    )


def table(heads: Sequence[str], left: int = 1) -> Table:
    """An empty table: `left` columns of words, then columns of numbers."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for n, head in enumerate(heads):
        made.add_column(Text(head), justify="left" if n < left else "right", no_wrap=n >= left, overflow="fold")
    return made


def add_row(rows: Table, *cells: str, strong: bool = False, end: bool = False) -> None:
    """A row of `cells`, each made plain."""
    from rich.text import Text

    rows.add_row(*(Text(one_line(cell)) for cell in cells), style="bold" if strong else None, end_section=end)


def show(rows: Table, stream: TextIO | None) -> None:
    """Print a table on `stream`, without the blanks that end its lines."""
    if stream is None:
        return
    print_lines(console(stream), rows, stream)


def print_lines(screen: Console, rows: RenderableType, stream: TextIO) -> None:
    """Print on `stream` what `screen` makes of `rows`, without the blanks that end its lines."""
    with screen.capture() as captured:
        screen.print(rows)
    _write("\n".join(line.rstrip() for line in captured.get().splitlines()), stream)


@contextmanager
def progress(quiet: bool) -> Iterator[Watch | None]:
    """Names on stderr the stage that runs, where stderr is a terminal."""
    with status("reading and counting", quiet) as show:
        yield (lambda stage, tokens: show(f"{stage}: {tokens:,} tokens")) if show else None


@contextmanager
def status(first: str, quiet: bool) -> Iterator[Callable[[str], None] | None]:
    """Shows on stderr what is being done, where stderr is a terminal: `first`, and then what it is called with."""
    if quiet or sys.stderr is None or not decorates(sys.stderr):
        yield None
        return
    from rich.text import Text

    with console(sys.stderr).status(Text(first)) as shown:
        yield lambda text: shown.update(Text(one_line(text, 100)))
