"""Where long code, JSON and tables come apart: whole statements, members and rows, and what frames them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise

from boildown.text.kinds import Kind, Row

LONG_JSON = 400
"""Characters up to which a JSON value is one unit; a longer one comes apart at its members."""
_LEAST_JSON = 20
_PATIENCE = 4
"""Parsing what turns out to be no JSON may cost so many times the text's length, so that it stays linear."""
_DECODER = json.JSONDecoder()
_VALUE = re.compile(r"^[ \t]*([{\[])", re.MULTILINE)
_BLANKS = re.compile(r"[ \t\r]*(?:\n(?:[ \t\r]*\n)*|\Z)")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{\[\]},]')
_MEMBER = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"\s*:\s*)?([{\[])')
_LINE = re.compile(r"[^\n]*(?:\n|\Z)")
_INDENT = re.compile(r"[ \t]*")
# A line that goes on with the statement before it, though it is not indented.
_GOES_ON = re.compile(r"[ \t]*(?:[)\]}]|(?:else|elif|except|finally|catch|case|default|end|fi|done|esac|then)\b)")
_LEADS_IN = re.compile(r"[ \t]*(?:@|#|//|/\*|\*|--)")
_OPENED, _CLOSED = "([{", ")]}"
_LONG_QUOTES = '"""', "'''"


def values(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """The JSON objects and arrays that stand in lines of their own in `text[start:end]`, blanks around included."""
    end = len(text) if end is None else end
    part, at = text[start:end], 0
    left = _PATIENCE * len(part)
    while left > 0 and (match := _VALUE.search(part, at)):
        opening = match.start(1)
        try:
            value, stop = _DECODER.raw_decode(part, opening)
        except json.JSONDecodeError as error:
            left -= error.pos - opening
            at = opening + 1
            continue
        except RecursionError:
            return
        at = stop
        blank = _BLANKS.match(part, stop)
        if value and blank and stop - opening >= _LEAST_JSON:
            at = blank.end()
            yield start + match.start(), start + at


def members(text: str, start: int, end: int, rows: list[Row]) -> None:
    """Add the units of the JSON value in `text[start:end]`: a short one whole, a long one as its members."""
    if end - start <= LONG_JSON:
        rows.append((start, end, Kind.CODE))
        return
    opened: list[int] = []
    spans: list[tuple[int, int, list[int]]] = []
    cuts: list[list[int]] = []
    for token in _TOKEN.finditer(text, start, end):
        mark = token[0]
        if mark in "{[":
            opened.append(token.start())
            cuts.append([])
        elif mark == "," and cuts:
            cuts[-1].append(token.end())
        elif mark in "}]" and opened:
            spans.append((opened.pop(), token.end(), cuts.pop()))
    inner = {a: (b, commas) for a, b, commas in spans}
    first = min(inner, default=start)
    _split(text, start, end, first, inner, rows)


def _split(
    text: str, start: int, end: int, bracket: int, inner: dict[int, tuple[int, list[int]]], rows: list[Row]
) -> None:
    """Add the units of `text[start:end]`, a member whose long container opens at `bracket`; brackets stand apart."""
    waiting = [(start, end, bracket)]
    while waiting:
        start, end, bracket = waiting.pop()
        if bracket < 0:
            kind = {-1: Kind.CODE, -2: Kind.OPEN, -3: Kind.CLOSE}[bracket]
            rows.append((start, end, kind))
            continue
        close, commas = inner[bracket]
        bounds = [_after(text, bracket + 1), *(_after(text, c) for c in commas), close - 1]
        todo = [(start, bounds[0], -2)]
        for a, b in pairwise(bounds):
            if b > a:
                held = _container(text, a, b, inner)
                todo.append((a, b, held if b - a > LONG_JSON else -1))
        todo.append((close - 1, end, -3))
        waiting += reversed(todo)


def _container(text: str, start: int, end: int, inner: dict[int, tuple[int, list[int]]]) -> int:
    """Where the container opens that a member's value is; -1 where it is none."""
    match = _MEMBER.match(text, start, end)
    return match.start(1) if match and match.start(1) in inner else -1


def _after(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    if match and match.end() > at:
        return match.end()
    return at + (text[at : at + 1] == " ")


def statements(text: str, start: int, end: int, long: int) -> list[int]:
    """Where the statements of the code in `text[start:end]` end, by indentation and brackets.

    One of more than `long` characters, such as a class, comes apart at the statements in it.
    """
    ends: list[int] = []
    waiting = [(start, end)]
    while waiting:
        start, end = waiting.pop()
        parts = list(pairwise(_statements(text, start, end, long)))
        if len(parts) == 1 or end - start <= long:
            lines = [m.end() for m in _LINE.finditer(text, start, end) if m.end() > m.start()]
            first = next((at for at in lines if text[start:at].strip()), end)
            if end - start > long and first < end:
                ends.append(first)
                waiting.append((first, end))
            else:
                ends.append(end)
            continue
        waiting += [(a, b) for a, b in reversed(parts)]
    return ends


def _statements(text: str, start: int, end: int, long: int) -> list[int]:
    """`start`, where each statement of the least indentation but the first begins, and `end`."""
    lines = [m.span() for m in _LINE.finditer(text, start, end) if m.end() > m.start()]
    spoken = [(a, b) for a, b in lines if text[a:b].strip()]
    least = min((_indent(text, a) for a, _ in spoken), default=0)
    cuts, depth, quoted, leading = [start], 0, False, True
    for a, b in spoken:
        line = text[a:b]
        free = (depth <= 0 and not quoted) or a - cuts[-1] > long
        if free and a > start and _indent(text, a) <= least and not _GOES_ON.match(line):
            if not leading:
                cuts.append(a)
            leading = True
        if free:
            depth, quoted = 0, False
        depth += sum(map(line.count, _OPENED)) - sum(map(line.count, _CLOSED))
        quoted ^= sum(map(line.count, _LONG_QUOTES)) % 2 == 1
        leading = leading and _LEADS_IN.match(line) is not None
    return [*cuts, end]


def _indent(text: str, at: int) -> int:
    match = _INDENT.match(text, at)
    return len(match[0].expandtabs()) if match else 0
