"""Lines kept, and a short line in brackets for each run of lines that are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter

ENOUGH = 100


def lines(text: str) -> list[str]:
    """The lines of `text` without their ends and the blanks before those."""
    return [line.rstrip() for line in text.split("\n")]


def looked_at(text: str) -> list[str]:
    """The lines by which the kind of a text is told: all that are not blank, or some 200 from the whole length."""
    rows = [row for row in text.split("\n") if row.strip()]
    return rows[:: max(1, len(rows) // ENOUGH)]


def under(path: str, name: str, said: Sequence[str], alone: bool) -> list[str]:
    """What is said of a file, under its path. Unless the file is `alone`, each line has its name and stands by itself.

    A later stage may drop the line with the path, and what follows it must not be taken for another file's.
    """
    if not path or not said:
        return list(said)
    if len(said) == 1:
        return [_joined(path, said[0])]
    return [path, *(row if alone or row == "--" else _joined(name, row) for row in said)]


def _joined(path: str, said: str) -> str:
    """`path` before what was said of it, with the sign that stood between: "a:3:x", "a-4-around", "a(5,6): error"."""
    after = said.lstrip("0123456789")[:1]
    return path + {"(": "", "-": "-"}.get(after, ":") + said


def omitted(count: int, what: str) -> str:
    """What stands for `count` things that are left out, `what` being their name after the number."""
    return f"[... {count} {what}]"


def excerpt(
    rows: Sequence[str], kept: Iterable[bool], say: Callable[[Sequence[str]], str], least: int = 2
) -> list[str]:
    """The rows that are kept, and `say(run)` for each run of at least `least` that are not.

    Where `say` gives an empty text, nothing stands for the run.
    """
    found: list[str] = []
    for keep, run in groupby(zip(rows, kept, strict=True), key=itemgetter(1)):
        part = [row for row, _ in run]
        if keep or len(part) < least:
            found += part
        elif said := say(part):
            found.append(said)
    return found


def spread(count: int, first: int, last: int, also: Iterable[int] = ()) -> set[int]:
    """Places to keep of `count`: the first and the last few, and those in `also`."""
    return {*range(min(first, count)), *range(max(0, count - last), count), *also}
