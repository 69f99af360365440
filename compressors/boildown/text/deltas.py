"""One text as lines of another and a unified diff between them, so that it can be had back letter by letter.

A line ends at "\\n" and nowhere else. Line numbers that a tool wrote before each line (`   12→`, as `cat -n` does) are
taken off before texts are compared and put back afterwards, so that a shifted file is not all changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

CONTEXT = 1
LARGEST_CUT = 2
LEAST_MATCH = 8
NUMBER = re.compile(r"( *\d+)(→|\t)")
HUNK = re.compile(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The line numbers of a text: `first` to `last`, after `after` lines without; `width` and `mark` are their look."""

    first: int
    last: int
    after: int = 0
    width: int = 0
    mark: str = ""

    def before(self, number: int) -> str:
        return f"{number:>{self.width}}{self.mark}"


@dataclass(frozen=True, slots=True)
class Lines:
    """A text's lines without their numbers."""

    lines: tuple[str, ...]
    numbers: Numbers | None = None

    @property
    def shift(self) -> int:
        """What a line's index lacks to its label: the number that it shows, or else its place from 1."""
        numbers = self.numbers
        return numbers.first - numbers.after if numbers and numbers.first > numbers.after else 1

    @property
    def text(self) -> str:
        numbers, lines = self.numbers, list(self.lines)
        if numbers:
            for number in range(numbers.first, numbers.last + 1):
                n = numbers.after + number - numbers.first
                lines[n] = numbers.before(number) + lines[n]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Delta:
    """How to make a text from another: its lines labelled `spans` (all where empty), `diff` applied, numbers put on.

    Of `numbers`, the look is the other text's. Without any of them it is the other text as it stands.
    """

    spans: tuple[Span, ...] = ()
    numbers: Numbers | None = None
    diff: str = ""


def split(text: str) -> Lines:
    """The lines of `text`; the first run of two or more that are numbered in order loses its numbers."""
    lines = text.split("\n")
    for after in range(len(lines) - 1 if "→" in text or "\t" in text else 0):
        found = NUMBER.match(lines[after])
        if found:
            first = int(found[1])
            numbers = Numbers(first, first, after, len(found[1]) if found[1][0] == " " else 0, found[2])
            length = _run(lines, numbers)
            if length > 1:
                return _unnumbered(lines, replace(numbers, last=first + length - 1))
    return Lines(tuple(lines))


def _run(lines: Sequence[str], numbers: Numbers) -> int:
    """How many lines are numbered in order, from the first that has a number."""
    length = 0
    for line in lines[numbers.after :]:
        if not line.startswith(numbers.before(numbers.first + length)):
            break
        length += 1
    return length


def _unnumbered(lines: list[str], numbers: Numbers) -> Lines:
    for number in range(numbers.first, numbers.last + 1):
        n = numbers.after + number - numbers.first
        lines[n] = lines[n].removeprefix(numbers.before(number))
    return Lines(tuple(lines), numbers)


def delta(base: Lines, new: Lines) -> Delta | None:
    """The delta that makes `new` from `base`; None where they share no line or are numbered in different ways."""
    if new.numbers and (not base.numbers or _look(base.numbers) != _look(new.numbers)):
        return None
    blocks = _matches(base.lines, new.lines)
    if not blocks:
        return None
    spans = _spans(blocks)
    chosen = [i for a, b in spans for i in range(a, b)]
    whole = len(chosen) == len(base.lines)
    labels = tuple((a + base.shift, b - 1 + base.shift) for a, b in spans)
    diff = "\n".join(_hunks(base, new, chosen, blocks))
    bare = base.numbers is not None and new.numbers is None
    return Delta(() if whole and (diff or not bare) else labels, new.numbers, diff)


def _look(numbers: Numbers) -> tuple[int, str]:
    return numbers.width, numbers.mark


def _matches(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int]]:
    """(place in old, place in new, length) of the runs of equal lines, without those that are far off and slight."""
    kept: list[tuple[int, int, int]] = []
    for i, j, size in SequenceMatcher(None, old, new).get_matching_blocks():
        near = bool(kept) and i - kept[-1][0] - kept[-1][2] <= LARGEST_CUT
        if size and (near or sum(len(line.strip()) for line in old[i : i + size]) >= LEAST_MATCH):
            kept.append((i, j, size))
    return kept


def _spans(blocks: Sequence[tuple[int, int, int]]) -> list[Span]:
    """What of the old lines is used: all between the first and the last match but long runs that went."""
    spans: list[Span] = []
    for i, _, size in blocks:
        if spans and i - spans[-1][1] <= LARGEST_CUT:
            spans[-1] = (spans[-1][0], i + size)
        else:
            spans.append((i, i + size))
    return spans


def _hunks(base: Lines, new: Lines, chosen: Sequence[int], blocks: Sequence[tuple[int, int, int]]) -> Iterator[str]:
    """The lines of the unified diff from the chosen lines of `base` to `new`."""
    place = {i: n for n, i in enumerate(chosen)}
    edits: list[tuple[Span, Span]] = []
    i = j = 0
    for start, begin, size in (*blocks, (-1, len(new.lines), 0)):
        here = place[start] if size else len(chosen)
        if here > i or begin > j:
            edits.append(((i, here), (j, begin)))
        i, j = here + size, begin + size
    for hunk in _near(edits):
        (a, _), (c, _) = hunk[0]
        before = min(CONTEXT, a, c)
        end = min(len(chosen), hunk[-1][0][1] + CONTEXT)
        behind = end - hunk[-1][0][1]
        old, now = end - a + before, hunk[-1][1][1] - c + before + behind
        label = _label(base, chosen, a - before)
        yield f"@@ -{label},{old} +{c - before + new.shift},{now} @@"
        yield from _edited(base, new, chosen, hunk, (a - before, end))


def _near(edits: Sequence[tuple[Span, Span]]) -> Iterator[list[tuple[Span, Span]]]:
    """The edits whose context lines would touch, together."""
    hunk: list[tuple[Span, Span]] = []
    for edit in edits:
        if hunk and edit[0][0] - hunk[-1][0][1] > 2 * CONTEXT:
            yield hunk
            hunk = []
        hunk.append(edit)
    if hunk:
        yield hunk


def _edited(
    base: Lines, new: Lines, chosen: Sequence[int], hunk: Sequence[tuple[Span, Span]], span: Span
) -> Iterator[str]:
    at = span[0]
    for (a, b), (c, d) in hunk:
        yield from (" " + base.lines[i] for i in chosen[at:a])
        yield from ("-" + base.lines[i] for i in chosen[a:b])
        yield from ("+" + line for line in new.lines[c:d])
        at = b
    yield from (" " + base.lines[i] for i in chosen[at : span[1]])


def _label(base: Lines, chosen: Sequence[int], n: int) -> int:
    return (chosen[n] if n < len(chosen) else chosen[-1] + 1) + base.shift


def applied(base: Lines, change: Delta) -> str | None:
    """The text that `change` makes of `base`; None where it does not fit."""
    count, shift = len(base.lines), base.shift
    spans = [(a - shift, b + 1 - shift) for a, b in change.spans] or [(0, count)]
    if any(not 0 <= a < b <= count for a, b in spans):
        return None
    chosen = [i for a, b in spans for i in range(a, b)]
    lines = _patched(base, chosen, change.diff) if change.diff else [base.lines[i] for i in chosen]
    numbers = change.numbers
    if lines is None or (numbers and (not base.numbers or numbers.after + numbers.last - numbers.first >= len(lines))):
        return None
    if numbers and base.numbers:
        numbers = replace(numbers, width=base.numbers.width, mark=base.numbers.mark)
    return Lines(tuple(lines), numbers).text


def _patched(base: Lines, chosen: Sequence[int], diff: str) -> list[str] | None:
    """The chosen lines with the diff applied; None where it does not fit."""
    places = {i + base.shift: n for n, i in enumerate(chosen)}
    places.setdefault(chosen[-1] + 1 + base.shift, len(chosen))
    old, rows, done, at, n = [base.lines[i] for i in chosen], diff.split("\n"), list[str](), 0, 0
    while n < len(rows):
        head = HUNK.fullmatch(rows[n])
        place = places.get(int(head[1])) if head else None
        if head is None or place is None or place < at:
            return None
        done += old[at:place]
        at, n, gone, come = place, n + 1, int(head[2]), int(head[4])
        while gone > 0 or come > 0:
            if n == len(rows):
                return None
            sign, line = rows[n][:1], rows[n][1:]
            if sign not in (" ", "-", "+") or (sign != "+" and old[at : at + 1] != [line]):
                return None
            if sign != "-":
                done.append(line)
            at, gone, come, n = at + (sign != "+"), gone - (sign != "+"), come - (sign != "-"), n + 1
    return done + old[at:]
