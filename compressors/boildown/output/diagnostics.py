"""Compilers' and linters' messages: grouped under their path; warnings of one code counted, errors whole."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from itertools import groupby

from boildown.output import terminal
from boildown.output.excerpt import looked_at, omitted, under
from boildown.output.templates import templates

LEAST = 3
SHARE = 0.6
SHOWN = 2
_AT = re.compile(r"((?:[A-Za-z]:)?[^\s:()][^:()\n]*)(:\d+(?::\d+)?:|\(\d+(?:,\d+)?\):)( \S.*)")
_ERROR = re.compile(r"\b(?:fatal|[Ee]rror|E\d{3,4}|TS\d{4}|F\d{3})\b")


def sniff(text: str) -> bool:
    """Most lines are `path:line:column: message` or `path(line,column): message`."""
    rows = [row for row in looked_at(text) if row[:1].strip()]
    found = sum((m := _AT.match(row)) is not None and "." in m[1] for row in rows)
    return found >= LEAST and found >= SHARE * len(rows)


def lossless(text: str) -> str:
    runs = [(path, list(run)) for path, run in groupby(terminal.trimmed(text).split("\n"), key=_path)]
    alone = sum(bool(path) for path, _ in runs) == 1
    return "\n".join(
        row
        for path, run in runs
        for row in under(path, posixpath.basename(path), [r[len(path) :].removeprefix(":") for r in run], alone)
    )


def _path(row: str) -> str:
    match = _AT.match(row)
    return match[1] if match else ""


def lossy(text: str) -> str:
    """Errors and lines of no file whole; of messages of one template the first two, and how many there are."""
    rows = terminal.trimmed(text).split("\n")
    said = {n: match[3] for n, row in enumerate(rows) if (match := _AT.match(row)) and not _ERROR.search(match[3])}
    places = list(said)
    gone: dict[int, int] = {}
    after: dict[int, list[str]] = defaultdict(list)
    for template in templates(said.values()):
        found = [places[i] for i in template.lines]
        if len(found) > SHOWN + 1:
            gone.update(dict.fromkeys(found[SHOWN:], 1))
            after[found[SHOWN - 1]].append(omitted(len(found) - SHOWN, "more of this"))
    kept = [line for n, row in enumerate(rows) if n not in gone for line in (row, *after[n])]
    return lossless("\n".join(kept))
