"""Logs: entries of one template as the first of them, with their count and last time; errors and warnings whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from boildown.output import terminal
from boildown.output.excerpt import looked_at
from boildown.output.templates import templates

LEAST = 5
SHARE = 0.6
FEW = 3
SHOWN = {"error": 4, "warning": 3, "": 1}
"""Entries of one template that are shown, by how grave they are; the last of them is the template's last"""

_TIME = r"\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_STAMP = re.compile(
    rf"""[\[(]?(?:
    \d{{4}}[-/]\d\d[-/]\d\d(?:[T\ ]{_TIME}(?:\ ?(?:Z|[+-]\d\d:?\d\d))?)? | {_TIME}
    | (?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\ )?{_MONTH}\ {{1,2}}\d{{1,2}}\ {_TIME} | \d\d/{_MONTH}/\d{{4}}:{_TIME}
    )(?:\ UTC)?[\])]?[\ ,|:-]*""",
    re.VERBOSE,
)
_ACCESS = re.compile(rf"[\w.:]+ \S+ \S+ \[(\d\d/\w{{3}}/\d{{4}}:{_TIME})[^\]]*\] ")
_COMMIT = re.compile(r"[0-9a-f]{7,40}\b")
_LEVEL = re.compile(
    r"(?:\S+ ){0,3}?[\[<(]?(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|FATAL|CRITICAL)\b", re.IGNORECASE
)
_GRAVE = (
    (
        "error",
        re.compile(
            r"\b(?:ERROR|ERR|FATAL|CRITICAL|PANIC|SEVERE|EMERG|ALERT)\b|[Ee]rror\b|Exception|Traceback|[Ff]ailed|\bFAIL|panic"
        ),
    ),
    ("warning", re.compile(r"\bWARN(?:ING)?\b|[Ww]arning\b")),
)
_CLOCK = re.compile(_TIME)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that begins an entry, with the lines that belong to it; its time as written, and what follows it."""

    lines: tuple[str, ...]
    time: str
    said: str

    @property
    def grave(self) -> str:
        """ "error", "warning" or ""."""
        return next((name for name, sign in _GRAVE if sign.search(self.said)), "")


def sniff(text: str) -> bool:
    """Most lines that are not indented begin with a time or a level, five at least, and not with a commit after it."""
    rows = [row for row in looked_at(text) if row[:1].strip()]
    places = [_stamp(row) for row in rows]
    stamped = sum(at > 0 for at in places)
    if sum(at > 0 and _COMMIT.match(row, at) is not None for row, at in zip(rows, places, strict=True)) > stamped / 2:
        return False
    if stamped < LEAST:
        return len(rows) >= LEAST and sum(_LEVEL.match(row) is not None for row in rows) > SHARE * 1.3 * len(rows)
    return stamped >= SHARE * len(rows)


def _stamp(row: str) -> int:
    match = _STAMP.match(row) or _ACCESS.match(row)
    return match.end() if match else 0


def lossless(text: str) -> str:
    return terminal.trimmed(text)


def lossy(text: str) -> str:
    """The text with entries of one template folded, and runs of entries that differ only in their time before that."""
    entries = _entries(text)
    shown: dict[int, str] = {}
    for template in templates(entry.said for entry in entries):
        found = [entries[n] for n in template.lines]
        keep = SHOWN[max((entry.grave for entry in found), key=lambda g: SHOWN[g])]
        if len(found) < max(FEW, keep + 1):
            shown.update((n, "\n".join(entries[n].lines)) for n in template.lines)
            continue
        first, last = template.lines[: max(1, keep - 1)], template.lines[len(template.lines) - (keep > 1) :]
        shown.update((n, "\n".join(entries[n].lines)) for n in (*first, *last))
        between = found[len(first) : len(found) - len(last)]
        shown[first[-1]] += f" [and {len(between)} like this{_span(between)}]"
    return "\n".join(shown[n] for n in sorted(shown))


def _span(entries: Sequence[Entry]) -> str:
    """The first and the last time of `entries`, as far as they have one."""
    times = [clock[0] for entry in entries if (clock := _CLOCK.search(entry.time))]
    if not times:
        return ""
    return f", {times[0]}" if times[0] == times[-1] else f", {times[0]} to {times[-1]}"


def _entries(text: str) -> list[Entry]:
    """The entries of a log, equal ones in a row as one with their count. Lines without a stamp go with those before."""
    groups: list[list[str]] = []
    stamps = any(map(_stamp, text.split("\n")))
    for row in text.rstrip("\n").split("\n"):
        begins = _stamp(row) > 0 if stamps else row[:1].strip() != ""
        if begins or not groups:
            groups.append([])
        groups[-1].append(row.rstrip())
    return [_entry(list(run)) for _, run in groupby(groups, key=_untimed)]


def _untimed(rows: list[str]) -> tuple[str, ...]:
    return (rows[0][_stamp(rows[0]) :], *rows[1:])


def _entry(run: list[list[str]]) -> Entry:
    rows = run[0]
    at = _stamp(rows[0])
    if len(run) > 1:
        last = _CLOCK.search(run[-1][0][: _stamp(run[-1][0])])
        rows = [*rows[:-1], f"{rows[-1]} [x {len(run)}{', to ' + last[0] if last else ''}]"]
    return Entry(tuple(rows), rows[0][:at], rows[0][at:])
