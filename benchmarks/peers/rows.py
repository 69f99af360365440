"""The benchmark's figures, a row for each tool, case and ratio, kept as JSON lines outside of the repository."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from packages import Table

TIMED_OUT = "timed out"


@dataclass(frozen=True, slots=True)
class Row:
    """What a tool of a version made of a case at a ratio.

    `ratio`, `fill` and the four scores are evals.py's; `seconds` and `tokenizing` are processor time of the call whose
    result was taken and of encoding the same texts once; `calls` how often the tool was asked; `wrong` is empty or why
    there is no output; `date` is the day, YYYY-MM-DD.
    """

    tool: str
    version: str
    suite: str
    case: str
    asked: float
    ratio: float
    fill: float
    date: str
    seconds: float | None = None
    tokenizing: float | None = None
    calls: int = 0
    wrong: str = ""
    answer: float | None = None
    turns: float | None = None
    needed: float | None = None
    long: float | None = None

    @property
    def key(self) -> tuple[str, str, float]:
        return self.tool, self.case, self.asked


def read(path: Path, table: Table) -> dict[tuple[str, str, float], Row]:
    """The rows of the table's tools in the versions that it names; of several of one key the last."""
    versions = {tool.name: package.version for package, tool in table.tools()}
    known = {field.name for field in fields(Row)}
    rows: dict[tuple[str, str, float], Row] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        row = Row(**{key: value for key, value in json.loads(line).items() if key in known})
        if versions.get(row.tool) == row.version:
            rows[row.key] = row
    return rows


def write(path: Path, rows: Iterable[Row], mode: str = "w") -> None:
    with path.open(mode, encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(asdict(row)) + "\n")
