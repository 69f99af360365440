"""Matches of grep and ripgrep: grouped under their path; at most a few of each file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from boildown.output.excerpt import looked_at, omitted, spread, under

LEAST = 3
SHARE = 0.8
FIRST, LAST = 4, 1
MOST_FILES = 30
NOTE = "[... lines around matches left out]"
_MATCH = re.compile(r"((?:[A-Za-z]:)?[^\s:][^:\n]*):(\d{1,7})(:.*)", re.DOTALL)
_CONTEXT = re.compile(r"([^\s:][^:\n]*?\.[A-Za-z]\w{0,7})-(\d{1,7})(-.*)", re.DOTALL)
_BREAK = "--"


@dataclass(frozen=True, slots=True)
class Hit:
    """A line of grep's: a path, a line number, and what follows the path, "12:text"; or a line of no file.

    A line around a match is "13-text".
    """

    path: str
    number: int
    said: str

    @property
    def is_context(self) -> bool:
        return bool(self.path) and self.said.lstrip("0123456789")[0] == "-"


def sniff(text: str) -> bool:
    rows = [row for row in looked_at(text) if row != _BREAK]
    found = [hit for hit in map(_hit, rows) if hit.path]
    if len(found) < LEAST or len(found) < SHARE * len(rows):
        return False
    return sum("/" in hit.path or "." in hit.path for hit in found) >= SHARE * len(found)


def _hit(row: str) -> Hit:
    context, match = _CONTEXT.match(row), _MATCH.match(row)
    found = context if match is None or (context and context.end(1) < match.end(1)) else match
    return Hit(found[1], int(found[2]), found[2] + found[3]) if found else Hit("", 0, row)


def lossless(text: str) -> str:
    files = _files(text)
    return "\n".join(row for f in files for row in f.under([hit.said for hit in f.hits], len(files) == 1))


def lossy(text: str) -> str:
    """At most five matches of a file, without the lines around them; of many files the first have more than one."""
    files = _files(text)
    rows = [NOTE] if any(hit.is_context for f in files for hit in f.hits) else []
    for n, file in enumerate(files):
        found = [hit.said.rstrip() for hit in file.hits if not hit.is_context and hit.said != _BREAK]
        first, last = (FIRST, LAST) if n < MOST_FILES else (1, 0)
        kept = sorted(spread(len(found), first, last) if file.names else range(len(found)))
        said = file.under([found[i] for i in kept], len(files) == 1)
        if gone := len(found) - len(kept):
            said.insert(len(said) - last, omitted(gone, "more"))
        rows += said
    return "\n".join(rows)


@dataclass(frozen=True, slots=True)
class File:
    """The hits of one file, which may go by two names; of none where the lines are no hits."""

    names: tuple[str, ...]
    hits: tuple[Hit, ...]

    def under(self, said: list[str], alone: bool) -> list[str]:
        path = f"{self.names[0]} (also as {self.names[1]})" if len(self.names) > 1 else "".join(self.names)
        return under(path, posixpath.basename("".join(self.names[:1])), said, alone)


def _files(text: str) -> list[File]:
    hits = [_hit(row) for row in text.rstrip("\n").split("\n")]
    runs = ([hit for _, hit in run] for _, run in groupby(_joined(hits), key=lambda pair: pair[0]))
    return [File(tuple(dict.fromkeys(hit.path for hit in run if hit.path)), tuple(run)) for run in runs]


def _joined(hits: list[Hit]) -> Iterator[tuple[int, Hit]]:
    """Each hit with the number of its file.

    Claude Code names a file by its absolute path in some lines and by its relative one in others. They are one file
    where the one path ends in the other and the line with the second name follows directly on one with the first.
    """
    number, names, last = 0, [""], 0
    for hit in hits:
        if hit.path and not (hit.path in names and hit.number > last):
            follows = len(names) == 1 and hit.number == last + 1 and _same(hit.path, names[0])
            number, names = (number, [*names, hit.path]) if follows else (number + 1, [hit.path])
        elif not hit.path and hit.said != _BREAK:
            number, names = number + 1, [""]
        last = hit.number or last
        yield number, hit


def _same(a: str, b: str) -> bool:
    return bool(a and b) and (a.endswith("/" + b) or b.endswith("/" + a))
