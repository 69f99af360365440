"""What a terminal shows of a text: no escapes, no overwritten progress, a line that repeats once with its count."""

from __future__ import annotations

import re
from itertools import groupby

MANY = 5
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|\][^\x07\x1b\n]*+(?:\x07|\x1b\\)|[@-Z\\^_])")


def plain(text: str) -> str:
    """`text` without ANSI escapes and without what a carriage return overwrites."""
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    if "\r" in text.replace("\r\n", ""):
        return "\n".join(_shown(line) for line in text.split("\n"))
    return text


def _shown(line: str) -> str:
    end = "\r" if line.endswith("\r") else ""
    return line.rstrip("\r").rpartition("\r")[2] + end


def folded(text: str, least: int = 2) -> str:
    """Runs of at least `least` equal lines as one line and its count; runs of as many blank lines as one."""
    found: list[str] = []
    for line, run in groupby(text.split("\n")):
        lines = list(run)
        if len(lines) < least:
            found += lines
        else:
            found.append(times(line, len(lines)) if line.strip() else line)
    return "\n".join(found)


def times(line: str, count: int) -> str:
    """`line` with the count of how often it stood there."""
    return f"{line} [x {count}]"


def trimmed(text: str) -> str:
    """`text` without blanks at the ends of its lines, and with equal lines folded."""
    return folded("\n".join(line.rstrip() for line in text.split("\n")))
