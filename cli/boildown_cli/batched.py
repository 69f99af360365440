"""What people see of a batch: a bar while it runs, and at its end the totals, the slowest and worst files, failures."""

from __future__ import annotations

import heapq
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from boildown_cli import summed
from boildown_cli.exits import BUG
from boildown_cli.terminal import add_row, console, decorates, number, one_line, say, show, table

if TYPE_CHECKING:
    from boildown.batch.items import Result, Todo
    from boildown.batch.run import Watch
    from boildown.run import Job

MOST = 5
"""Files that are named of the slowest and the worst"""
MOST_FAILURES = 20
NARROW = 60
"""Columns of a terminal below which there is no bar, for figures say more"""
BESIDE = 14
"""Columns that the percentage and the time that is left take beside the figures"""
FAILED = {"not met": 1, "unreadable": 2, "lost": 2, "bug": BUG}
"""What a run fails by, and its exit code then; the highest counts"""


@dataclass(slots=True)
class Totals:
    """The figures of all files in sum, and the few that are named. `tokens` are also those of slices under way."""

    counts: Counter[str] = field(default_factory=Counter)
    conversations: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cut: int = 0
    slowest: list[tuple[float, str]] = field(default_factory=list)
    worst: list[tuple[float, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def count(self, status: str) -> int:
        return self.counts[status]

    def add(self, result: Result) -> None:
        self.counts[result.status] += 1
        self.conversations += result.conversations
        self.tokens_in += result.tokens_in
        self.tokens_out += result.tokens_out
        self.cut += result.cut
        if result.status in FAILED and len(self.failures) < MOST_FAILURES:
            self.failures.append(result.error)
        if result.status in ("done", "unchanged"):
            _keep(self.worst, (-result.saving, result.source))
            _keep(self.slowest, (result.seconds, result.source))

    @property
    def failed(self) -> int:
        return sum(self.counts[status] for status in FAILED)


def _keep(top: list[tuple[float, str]], one: tuple[float, str]) -> None:
    """Keep the MOST highest."""
    if len(top) < MOST:
        heapq.heappush(top, one)
    else:
        heapq.heappushpop(top, one)


def size(count: float) -> str:
    """Bytes as people read them."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} GB"


@contextmanager
def progress(todo: Sequence[Todo], totals: Totals, quiet: bool) -> Iterator[Watch]:
    """Shows on stderr, where that is a terminal, how far the files are: by bytes, since they differ in size."""
    if quiet or not todo or sys.stderr is None or not decorates(sys.stderr):
        yield lambda weight, result: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    screen, every = console(sys.stderr), totals.counts.total() + len(todo)
    bars = [BarColumn(None)] if screen.width >= NARROW else []
    columns = (*bars, TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    tokens = Counter[str]()

    def told() -> str:
        parts = [f"{totals.counts.total():,} of {every:,} files"]
        parts += [f"{totals.failed:,} failed"] if totals.failed else []
        parts += [f"{1 - tokens['out'] / tokens['in']:.1%} saved"] if tokens["in"] else []
        return _fitting([*parts, f"{tokens['in']:,} tokens"], screen.width - BESIDE)

    with Progress(*columns, console=screen, transient=True, expand=True, refresh_per_second=4) as bar:
        task = bar.add_task(told(), total=sum(one.stamp[0] for one in todo))

        def watch(weight: int, result: Result) -> None:
            tokens.update({"in": result.tokens_in, "out": result.tokens_out})
            bar.update(task, advance=weight, description=told())

        yield watch


def _fitting(parts: Sequence[str], width: int) -> str:
    """As many of `parts`, the first one always, as are `width` characters in a row."""
    line, *more = parts
    for part in more:
        if len(line) + len(part) + 2 > width:
            break
        line = f"{line}, {part}"
    return line


def finish(totals: Totals, job: Job, folder: str, quiet: bool) -> None:
    """Tell what came of a batch. Raises Exit where a file failed."""
    if not quiet:
        _summary(totals, job, folder)
    for why in totals.failures:
        say(f"Error: {one_line(why)}")
    if totals.failed:
        more = totals.failed - len(totals.failures)
        rest = f", {more:,} not shown (--report has all)" if more else ""
        every = number(sum(totals.counts.values()), "file")
        say(f"Error: {totals.failed:,} of {every} failed{rest}. The others are done.")
        raise typer.Exit(max(code for status, code in FAILED.items() if totals.counts[status]))


def _summary(totals: Totals, job: Job, folder: str) -> None:
    for heads, top in (
        (("slowest files", "seconds"), [(name, f"{n:.2f}") for n, name in sorted(totals.slowest, reverse=True) if n]),
        (("least saved", "saving"), [(name, f"{-n:.1%}") for n, name in sorted(totals.worst, reverse=True)]),
    ):
        if len(top) > 1:
            rows = table(heads)
            for name, figure in top:
                add_row(rows, name, figure)
            show(rows, sys.stderr)
            say("")
    counts = ", ".join(
        f"{totals.counts[s]:,} {s}" for s in ("done", "unchanged", "skipped", *FAILED) if totals.counts[s]
    )
    saved = f" ({1 - totals.tokens_out / totals.tokens_in:.1%} saved)" if totals.tokens_in else ""
    say(
        f"{folder}: {number(sum(totals.counts.values()), 'file')}: {counts}; "
        f"{number(totals.conversations, 'conversation')}, {totals.tokens_in:,} tokens to {totals.tokens_out:,}{saved}, "
        f"{time.monotonic() - totals.started:.1f} seconds"
    )
    if job.model is not None:
        say(f"model: {summed.spent(job.model.spending)}")
    if totals.cut:
        say(f"warning: {number(totals.cut, 'span')} cut offline for want of a summary. --strict makes this an error.")
