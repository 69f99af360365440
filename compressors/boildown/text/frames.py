"""What is left of long code, JSON and tables: framed as they were, with a mark that says how much went."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from boildown.text.kinds import Kind

Span = tuple[int, int]
MARK = re.compile(r'(?:\| )?"?…(?:": ")? ?(\d+) (?:lines?|rows?|items?)"?,?(?: \|)?')
"""What stands for lines, rows or items that went; in JSON it is a value or a member, so that it stays JSON."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What goes with any part of a block that is kept: its head and its tail, where it has one.

    items  what its parts are called: "line", "row", "item" of an array, "member" of an object
    depth  of how many frames it is inside
    """

    head: Span
    tail: Span
    items: str
    depth: int


def frames(text: str, units: Iterable[tuple[int, int, Kind]]) -> list[Frame]:
    """The frames among the units of `text`, outer ones first."""
    found: list[Frame] = []
    opened: list[Span] = []
    table: list[Span] = []
    for start, end, kind in units:
        if table and kind is not Kind.TABLE:
            found.append(_table(table, len(opened)))
            table = []
        if kind is Kind.HEAD or (table and kind is Kind.TABLE):
            table.append(_bare(text, start, end))
        elif kind is Kind.OPEN:
            opened.append(_bare(text, start, end))
        elif kind is Kind.CLOSE:
            head = opened.pop()
            mark = text[head[1] - 1]
            items = "item" if mark == "[" else "member" if mark == "{" and text[start] == "}" else "line"
            found.append(Frame(head, _bare(text, start, end), items, len(opened)))
    if table:
        found.append(_table(table, len(opened)))
    # A fence that is never closed frames all the rest.
    found += [Frame(head, (len(text), len(text)), "line", n) for n, head in enumerate(opened)]
    return sorted(found, key=lambda frame: frame.head)


def _table(rows: Sequence[Span], depth: int) -> Frame:
    return Frame(rows[0], (rows[-1][1], rows[-1][1]), "row", depth)


def _bare(text: str, start: int, end: int) -> Span:
    body = text[start:end]
    return start + len(body) - len(body.lstrip()), start + len(body.rstrip())


def framed(text: str, pieces: Sequence[Span], kept: Sequence[int], found: Sequence[Frame]) -> list[tuple[Span, str]]:
    """The runs of `text` to be written, and what stands before each: a mark where something went inside of a frame.

    `kept` are indexes into `pieces`. Nothing stands before a run that is outside of every frame.
    """
    starts = [start for start, _ in pieces]
    inner: dict[int, list[Frame]] = {}
    for frame in found:
        inner.setdefault(frame.depth - 1, []).append(frame)
    shown = _shown([pieces[n] for n in kept], found)
    out: list[tuple[Span, str]] = [(shown[0][0], "")] if shown else []
    within = [shown[0][1]] if shown and shown[0][2] > 0 else []
    for (before, _, _), (span, frame, turn) in pairwise(shown):
        first, last = bisect_left(starts, before[1]), bisect_left(starts, span[0])
        run, gap = out[-1][0], ""
        if first < last and within:
            owner, ends = within[-1], span == within[-1].tail
            count = sum(_counted(text, pieces[first:last], owner, inner.get(owner.depth, [])))
            gap = _gap(text[before[1] : span[0]], owner.items, count, ends)
        if first == last or (within and not gap):
            out[-1] = ((run[0], span[1]), out[-1][1])
        else:
            out.append((span, gap))
        if turn > 0:
            within.append(frame)
        elif turn < 0:
            within.pop()
    return out


def _shown(kept: Sequence[Span], found: Sequence[Frame]) -> list[tuple[Span, Frame, int]]:
    """The kept pieces, and the heads (1) and tails (-1) of the frames that hold any, in reading order."""
    none = Frame((0, 0), (0, 0), "", 0)
    ends = [end for _, end in kept]
    shown = [(span, none, 0) for span in kept]
    for frame in found:
        n = bisect_left(ends, frame.head[1] + 1)
        if n < len(kept) and kept[n][0] < frame.tail[0]:
            shown += [(frame.head, frame, 1), (frame.tail, frame, -1)]
    # Tails that end nothing, those of tables, stand behind the row that they end; inner tails come first.
    return sorted(shown, key=lambda s: (s[0][0], s[2] < 0 and s[0][0] == s[0][1], -s[1].depth if s[2] < 0 else 0))


def _gap(held: str, items: str, count: int, last: bool) -> str:
    """What stands for `held`, of which `count` lines or items went; nothing where that would be no shorter."""
    mark = _mark(items, count + sum(int(m[1]) for m in MARK.finditer(held)), last)
    if len(mark) >= len(held.strip()):
        return ""
    blanks = len(held) - len(held.lstrip()), len(held.rstrip())
    return _short(held[: blanks[0]]) + mark + _short(held[blanks[1] :])


def _mark(items: str, count: int, last: bool) -> str:
    many = "s" if count != 1 else ""
    if items == "row":
        return f"| … {count} row{many} |"
    if items == "line":
        return f"… {count} line{many}"
    comma = "" if last else ","
    return f'"… {count} item{many}"{comma}' if items == "item" else f'"…": "{count} item{many}"{comma}'


def _counted(text: str, gone: Sequence[Span], frame: Frame, inner: Sequence[Frame]) -> Iterator[int]:
    """What was taken out: lines of code, else the rows or items of `frame` itself, whatever those hold."""
    seen = -1
    for start, end in gone:
        n = bisect_left(inner, start, key=lambda f: f.head[0]) - 1
        if frame.items == "line":
            yield sum(bool(line.strip()) for line in text[start:end].split("\n"))
        elif n < 0 or start > inner[n].tail[0]:
            yield 1
        elif n != seen:
            seen = n
            yield 1


def _short(blanks: str) -> str:
    return "\n" + blanks.rpartition("\n")[2] if "\n" in blanks else blanks
