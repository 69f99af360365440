"""The page from the table and the rows: the same rows give the same page."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from packages import HERE, SUITES, Package, Table, Tool
from rows import TIMED_OUT, Row

OURS = "boildown"
OVER = 1.02
"""Tokens out / budget from which on evals.py counts a case as over its budget."""
MEASURES = {
    "chat": {
        "answer": "answers of questions, with what they ask about, found within 40 words",
        "turns": "questions whose every source message is there as good as whole",
    },
    "meetings": {"answer": "answers of queries, with what they ask about, found within 40 words"},
    "agents": {
        "needed": "paths, identifiers, hashes and numbers used after a cut and stated before it",
        "long": "those of them last stated long before the cut",
    },
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A tool's cases of a suite at a ratio: `valid` where each of them is within its budget."""

    rows: tuple[Row, ...]

    @property
    def over(self) -> int:
        return sum(row.fill > OVER for row in self.rows)

    @property
    def late(self) -> int:
        return sum(row.wrong == TIMED_OUT for row in self.rows)

    @property
    def failed(self) -> int:
        return sum(bool(row.wrong) for row in self.rows) - self.late

    @property
    def valid(self) -> bool:
        return bool(self.rows) and not (self.over or self.late or self.failed)

    @property
    def fill(self) -> float:
        return statistics.median(row.fill for row in self.rows)

    def mean(self, measure: str) -> float:
        """Over the cases that have it; a case without output counts as nothing kept, as in evals.py."""
        return statistics.fmean(value for row in self.rows if (value := getattr(row, measure)) is not None)


Cells = Mapping[tuple[str, float], Cell]
"""(tool, ratio) -> its cases, of one suite."""


def page(table: Table, rows: Sequence[Row]) -> str:
    """The Markdown of benchmarks/README.md. Only cases that every tool has been through at every ratio count."""
    text = (HERE / "page.md").read_text(encoding="utf-8")
    suites = {suite: _cells(table, suite, rows) for suite in SUITES}
    parts = {
        "dates": _dates(cell for cells in suites.values() for cell in cells.values()),
        "counts": _counts(table, suites),
        "losses": _losses(table, suites),
        "figures": "\n\n".join(_figures(table, suite, cells) for suite, cells in suites.items()),
        "budgets": "\n\n".join(_budgets(table, suite, cells) for suite, cells in suites.items()),
        "times": _times(table, suites),
        "packages": _packages(table),
        "left-out": "\n".join(
            f"- **{p.name}** {p.version} ({p.licence}; {p.about}): {p.not_run}" for p in table.packages if p.not_run
        ),
    }
    for name, part in parts.items():
        text = text.replace(f"<!-- {name} -->", part)
    return text


def _cells(table: Table, suite: str, rows: Sequence[Row]) -> Cells:
    found: dict[str, dict[tuple[str, float], Row]] = defaultdict(dict)
    for row in rows:
        found[row.case][row.tool, row.asked] = row
    wanted = [(tool.name, ratio) for tool in _tools(table, suite) for ratio in table.ratios]
    whole = [
        found[case] for case in sorted({r.case for r in rows if r.suite == suite}) if found[case].keys() >= set(wanted)
    ]
    return {key: Cell(tuple(case[key] for case in whole)) for key in wanted}


def _tools(table: Table, suite: str) -> list[Tool]:
    return [tool for _, tool in table.tools() if suite in tool.suites]


def _dates(cells: Iterable[Cell]) -> str:
    days = sorted({row.date for cell in cells for row in cell.rows})
    if not days:
        return "never"
    return days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


def _counts(table: Table, suites: Mapping[str, Cells]) -> str:
    return "; ".join(f"{suite}, {_cases(cells)} of {table.cases[suite]} cases" for suite, cells in suites.items())


def _cases(cells: Cells) -> int:
    return len(next(iter(cells.values())).rows)


def _best(table: Table, suite: str, cells: Cells, measure: str, ratio: float) -> set[str]:
    """The tools that keep most, to three digits, of those whose every output is within its budget."""
    means = {
        t.name: round(cells[t.name, ratio].mean(measure), 3) for t in _tools(table, suite) if cells[t.name, ratio].valid
    }
    return {name for name, mean in means.items() if mean == max(means.values())}


def _losses(table: Table, suites: Mapping[str, Cells]) -> str:
    lines = []
    for suite, cells in suites.items():
        for measure in MEASURES[suite] if _cases(cells) else ():
            for ratio in table.ratios:
                best = _best(table, suite, cells, measure, ratio)
                if not any(name.startswith(OURS) for name in best):
                    lines.append(_loss(table, suite, cells, measure, ratio, best))
    return "\n".join(lines) or "In no column."


def _loss(table: Table, suite: str, cells: Cells, measure: str, ratio: float, best: set[str]) -> str:
    means = {tool.name: cells[tool.name, ratio].mean(measure) for tool in _tools(table, suite)}
    ours = max(mean for name, mean in means.items() if name.startswith(OURS))
    first = max(means[name] for name in best) if best else 0.0
    return f"- {suite}, `{measure}` at {ratio:g}x: {' and '.join(sorted(best))} {first:.3f}, boildown {ours:.3f}"


def _figures(table: Table, suite: str, cells: Cells) -> str:
    parts = []
    for measure, meaning in MEASURES[suite].items() if _cases(cells) else ():
        best = {ratio: _best(table, suite, cells, measure, ratio) for ratio in table.ratios}

        def shown(name: str, ratio: float, measure: str = measure, best: Mapping[float, set[str]] = best) -> str:
            cell = cells[name, ratio]
            mean = f"{cell.mean(measure):.3f}"
            return f"**{mean}**" if name in best[ratio] else mean if cell.valid else f"({mean})"

        parts.append(f"### {suite.capitalize()}: `{measure}`, {meaning}\n\n{_grid(table, suite, shown)}")
    return "\n\n".join(parts)


def _budgets(table: Table, suite: str, cells: Cells) -> str:
    def shown(name: str, ratio: float) -> str:
        cell = cells[name, ratio]
        counts = {"over": cell.over, "timed out": cell.late, "failed": cell.failed}
        return ", ".join([f"{cell.fill:.2f}", *(f"{n} {what}" for what, n in counts.items() if n)])

    return f"### {suite.capitalize()}\n\n{_grid(table, suite, shown)}" if _cases(cells) else ""


def _grid(table: Table, suite: str, shown: Callable[[str, float], str]) -> str:
    lines = [("tool", *(f"{ratio:g}x" for ratio in table.ratios))]
    lines += [(t.name, *(shown(t.name, ratio) for ratio in table.ratios)) for t in _tools(table, suite)]
    return _markdown(lines)


def _times(table: Table, suites: Mapping[str, Cells]) -> str:
    lines = [("tool", *SUITES, "calls")]
    for _, tool in table.tools():
        cells = {suite: [c for (name, _), c in found.items() if name == tool.name] for suite, found in suites.items()}
        rows = {suite: [r for cell in mine for r in cell.rows if r.tokenizing] for suite, mine in cells.items()}
        calls = [row.calls for mine in rows.values() for row in mine]
        mean = f"{statistics.fmean(calls):.1f}" if calls else ""
        lines.append((tool.name, *(_time(mine) for mine in rows.values()), mean))
    return _markdown(lines)


def _time(rows: Sequence[Row]) -> str:
    """Empty where there are none."""
    ratios = [row.seconds / row.tokenizing for row in rows if row.seconds is not None and row.tokenizing]
    return f"{statistics.median(ratios):.3g}" if ratios else ""


def _packages(table: Table) -> str:
    run = [package for package in table.packages if not package.not_run]
    lines = [("package", "version", "licence", "what it is", "how it was asked")]
    return _markdown([*lines, *((p.name, _version(p), p.licence, p.about, p.setting) for p in run)])


def _version(package: Package) -> str:
    return "" if package.where == "evals" else package.version


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([rows[0], f"|{'---|' * len(lines[0])}", *rows[1:]])
