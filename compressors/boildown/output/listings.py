"""Listings: paths grouped by folder, trees without their branches, `ls -l` without owners; large folders sampled."""

from __future__ import annotations

import re
from collections import Counter as Tally
from itertools import groupby

from boildown.output import terminal
from boildown.output.excerpt import lines, looked_at, omitted, spread

LEAST = 4
SHARE = 0.8
FIRST, LAST = 8, 2
FOLDERS = 60
SHORT = 20
A_LINE = 12
NOTE = "[... modes and owners left out]"
_PATH = re.compile(r"(?!\S*://)(?=[^\s/]*/)[^\s:;,(){}<>\"'|*=]++$")
_BRANCH = re.compile(r"((?:[│|](?:\xa0| ){3}|(?:\xa0| ){4})*)[├└|`](?:──|--)(?:\xa0| )")
_LONG = re.compile(
    r"([-dlbcps][-rwxsStT]{9}[.+@]?)\s+\d+\s+\S+\s+\S+\s+(\d+(?:,\s*\d+)?[KMGT]?)\s+(\S+\s+\S+\s+\S+)\s(.+)"
)
_FOREIGN = re.compile(r"(?:^|/)(?:node_modules|\.git|site-packages|__pycache__|\.venv|dist-info)(?=/|$)")


def sniff(text: str) -> bool:
    rows = list(map(str.rstrip, looked_at(text)))
    if len(rows) < LEAST:
        return False
    return any(sum(f.match(row) is not None for row in rows) >= SHARE * len(rows) for f in (_PATH, _BRANCH, _LONG))


def lossless(text: str) -> str:
    rows = lines(terminal.trimmed(text))
    if _is_tree(rows):
        return "\n".join(map(_indented, rows))
    if _is_long(rows):
        return "\n".join(rows)
    return "\n".join(row for folder, paths in _folders(rows) for row in _braced(folder, paths))


def lossy(text: str) -> str:
    rows = lines(terminal.trimmed(text))
    if _is_tree(rows):
        return _sampled_tree([_indented(row) for row in rows])
    if _is_long(rows):
        return "\n".join([NOTE, *_sampled([_short(row) for row in rows], "entries", 40, 5)])
    return "\n".join(_sampled_folders(rows))


def _is_tree(rows: list[str]) -> bool:
    return any(map(_BRANCH.match, rows))


def _is_long(rows: list[str]) -> bool:
    return any(map(_LONG.match, rows))


def _indented(row: str) -> str:
    """A line of a tree with a blank a level instead of its branches."""
    match = _BRANCH.match(row)
    return " " * (len(match[1]) // 4 + 1) + row[match.end() :] if match else row


def _sampled_tree(rows: list[str]) -> str:
    """Of neighbours at one depth the first and the last few; of foreign folders only a count."""
    found: list[str] = []
    for depth, run in groupby(_without_foreign(rows), key=_depth):
        found += [" " * depth + row.lstrip() for row in _sampled(list(run), "more", FIRST, LAST)]
    return "\n".join(found)


def _depth(row: str) -> int:
    return len(row) - len(row.lstrip())


def _without_foreign(rows: list[str]) -> list[str]:
    found: list[str] = []
    under, count = -1, 0
    for row in [*rows, ""]:
        if under >= 0 and _depth(row) > under:
            count += 1
            continue
        if count:
            found[-1] += " " + omitted(count, "inside")
        under, count = (_depth(row) if _FOREIGN.search(row.strip().rstrip("/")) else -1), 0
        found.append(row)
    return found[:-1]


def _short(row: str) -> str:
    """A line of `ls -l` as its kind, size, time and name."""
    match = _LONG.match(row)
    return f"{match[1][0]} {match[2]} {match[3]} {match[4]}" if match else row


def _sampled(rows: list[str], what: str, first: int, last: int) -> list[str]:
    if len(rows) <= first + last + 2:
        return rows
    return [*rows[:first], omitted(len(rows) - first - last, what), *rows[-last:]]


def _folders(rows: list[str]) -> list[tuple[str, list[str]]]:
    """Each folder with its slash, and the rows of neighbours in it; "" for rows that are no path."""
    return [(folder, list(run)) for folder, run in groupby(rows, key=_folder)]


def _folder(row: str) -> str:
    return row[: row.rstrip("/").rfind("/") + 1] if _PATH.match(row) else ""


def _braced(folder: str, rows: list[str]) -> list[str]:
    """Paths of one folder as the shell's `folder/{a,b}`, which stays whole; of a short one as they are."""
    if len(folder) < SHORT or len(rows) < 2:
        return rows
    names = [row[len(folder) :] for row in rows]
    return [f"{folder}{{{','.join(part)}}}" for part in _batches(names)]


def _batches(names: list[str]) -> list[list[str]]:
    return [names[n : n + A_LINE] for n in range(0, len(names), A_LINE)]


def _sampled_folders(rows: list[str]) -> list[str]:
    """Own folders with some of their files, foreign ones as a count."""
    own = [row for row in rows if not _FOREIGN.search(row)]
    foreign = Tally(row[: match.end()] for row in rows if (match := _FOREIGN.search(row)))
    found = [_line(folder, names) for folder, names in _folders(own)]
    if len(found) > FOLDERS:
        kept = spread(len(found), FOLDERS - LAST, LAST)
        found = [found[n] for n in sorted(kept)] + [omitted(len(found) - len(kept), "more folders and files")]
    return [*found, *(f"{folder}/ [... {count} inside]" for folder, count in foreign.items())]


def _line(folder: str, rows: list[str]) -> str:
    """The first and the last few paths of a folder, and how many are between."""
    if not folder or len(rows) <= FIRST + LAST + 2:
        return "\n".join(_braced(folder, rows))
    kept = _braced(folder, [*rows[:FIRST], *rows[-LAST:]])
    return "\n".join(kept) + " " + omitted(len(rows) - FIRST - LAST, "more")
