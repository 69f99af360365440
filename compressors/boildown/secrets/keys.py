"""Private keys: what stands between a BEGIN and its END, with line numbers, quotes or escapes in it or without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from boildown.secrets.rules import Rule, Span

_LINE = re.compile(r"-----(?P<which>BEGIN|END) (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_RUN = re.compile(r"[A-Za-z0-9+/=]{32}")
_BODY = re.compile(
    r"(?:(?:\\[nrt]|[^A-Za-z0-9+/=]|\d{1,6}(?=\W)|(?:Proc-Type|DEK-Info|Version|Comment):[^\n\\]*){0,24}"
    r"[A-Za-z0-9+/=]{16,})*"
)
"""What follows a BEGIN whose END was cut off: lines of base64"""
LONGEST = 32_768


def rules() -> Iterator[Rule]:
    yield Rule("private-key", ("PRIVATE KEY",), _spans)


def _spans(text: str) -> Iterator[Span]:
    lines = [*_LINE.finditer(text), None]
    for line, after in pairwise(lines):
        if line is None or line["which"] == "END":
            continue
        closed = after is not None and after["which"] == "END" and after.start() - line.end() < LONGEST
        if after is not None and closed and _RUN.search(text, line.end(), after.start()):
            yield line.start(), after.end()
        elif (body := _BODY.match(text, line.end())) and _RUN.search(text, line.end(), body.end()):
            yield line.start(), body.end()
