"""Two conversations side by side: markers that need no colour, changes word by word, long stretches shortened."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from boildown_cli.terminal import console, number, one_line, plain, print_lines

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from boildown.comparison import Row

MARKS = {"kept": "=", "changed": "~", "stood for": "&", "dropped": "-", "added": "+"}
LEGEND = "= kept  ~ changed, [-what went-] {+what came+}  & stood for by another  - dropped  + added"
_STYLES = {"gone": "red", "new": "green", "same": ""}
_BRACKETS = {"gone": ("[-", "-]"), "new": ("{+", "+}"), "same": ("", "")}
_EXCERPT = 240
_ENDS = 40
_NAMES = 24
_ROWS = 200

Cells = tuple[str, "Text", "Text"]


def print_rows(rows: Sequence[Row]) -> None:
    """Print a conversation's rows on stdout, as wide as the terminal; messages that stayed in a row as one line."""
    width = max(60, shutil.get_terminal_size((120, 24)).columns)
    screen = console(sys.stdout, width)
    cells = list(_all_cells(rows))
    # In parts: a table of ten thousand rows would take its time before the first is seen.
    for start in range(0, len(cells), _ROWS):
        print_lines(screen, _table(cells[start : start + _ROWS], width, start == 0), sys.stdout)


def _table(cells: Sequence[Cells], width: int, headed: bool) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    side = (width - _NAMES - 4) // 2
    made = Table(box=box.SIMPLE_HEAD, show_header=headed, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0))
    for head, wide in (("message", _NAMES), ("original", side), ("compressed", side)):
        made.add_column(Text(head), width=wide - 2, overflow="fold")
    for name, before, after in cells:
        made.add_row(Text(name), before, after)
    return made


def _all_cells(rows: Sequence[Row]) -> Iterator[Cells]:
    for kept, run in groupby(rows, lambda row: row.fate.fate == "kept"):
        found = list(run)
        if kept and len(found) > 1:
            yield _kept(found)
        else:
            yield from map(_cells, found)


def _kept(rows: Sequence[Row]) -> Cells:
    from rich.text import Text

    tokens = sum(row.fate.tokens_in for row in rows)
    said = f"({number(len(rows), 'message')}, {number(tokens, 'token')})"
    return f"= {rows[0].fate.id} to {rows[-1].fate.id}", Text(said), Text("(as they were)")


def _cells(row: Row) -> Cells:
    from rich.text import Text

    fate = row.fate
    name = f"{MARKS[fate.fate]} {one_line(' '.join(filter(None, (fate.id, fate.role))), 30)}\n  {_size(row)}"
    if fate.fate == "kept":
        return name, _short(row.before), _short(row.after)
    if fate.fate == "added":
        return name, Text(""), _marked([("new", row.after)])
    if not row.id:
        by = f" by {fate.by}" if fate.by else ""
        return name, _short(row.before), Text(one_line(f"({fate.fate}{by})"), style="dim")
    return (name + (f"\n  by {one_line(fate.by)}" if fate.by else ""), *_changed(row))


def _size(row: Row) -> str:
    fate = row.fate
    if fate.fate == "changed":
        return f"{fate.tokens_in:,} -> {number(fate.tokens_out, 'token')}"
    return number(fate.tokens_out if fate.fate == "added" else fate.tokens_in, "token")


def reasons(rows: Iterable[Row]) -> list[str]:
    """Each stage that took something out or changed it, and why it does."""
    found = {(r.fate.by, r.fate.reason): None for r in rows if r.fate.by and r.fate.fate in ("changed", "dropped")}
    return [one_line(f"{by}: {reason}") for by, reason in found]


def _short(text: str) -> Text:
    from rich.text import Text

    return Text(one_line(text, _EXCERPT))


def _changed(row: Row) -> tuple[Text, Text]:
    """The two texts with what went and what came marked."""
    from boildown.comparison import changes

    merged = changes(row.before, row.after)
    return (
        _marked((kind, text) for kind, text in merged if kind != "new"),
        _marked((kind, text) for kind, text in merged if kind != "gone"),
    )


def _marked(parts: Iterable[tuple[str, str]]) -> Text:
    from rich.text import Text

    made = Text()
    for kind, run in groupby(parts, lambda part: part[0]):
        text = plain("".join(text for _, text in run))
        line = " ".join(text.split())
        opened, closed = _BRACKETS[kind] if line else ("", "")
        before, after = (" " if text[:1].isspace() else ""), (" " if line and text[-1:].isspace() else "")
        made.append(f"{before}{opened}{_middle_out(line)}{closed}{after}", style=_STYLES[kind])
    return made


def _middle_out(line: str) -> str:
    """`line` without its middle where it is long."""
    if len(line) <= 3 * _ENDS:
        return line
    return f"{line[:_ENDS]} …{len(line) - 2 * _ENDS:,} characters… {line[-_ENDS:]}"
