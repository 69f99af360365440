"""JSON lines: a table where the objects are alike, else a line each without blanks; long ones sampled."""

from __future__ import annotations

from functools import lru_cache

from boildown.output import tables
from boildown.output.excerpt import omitted
from boildown.output.tables import Json, compact
from boildown.output.values import parsed

LEAST = 2


@lru_cache(maxsize=4)
def _rows(text: str) -> tuple[Json, ...]:
    """The value of each line; none at all where a line is no object."""
    found = []
    for line in text.split("\n"):
        if line.strip():
            value = parsed(line) if line.lstrip().startswith("{") else None
            if value is None:
                return ()
            found.append(value)
    return tuple(found)


def sniff(text: str) -> bool:
    return len(_rows(text)) >= LEAST


def lossless(text: str) -> str:
    return _said(list(_rows(text)), sampled=False)


def lossy(text: str) -> str:
    return _said(list(_rows(text)), sampled=True)


def _said(items: list[Json], sampled: bool) -> str:
    rows: list[str] = []
    if sampled:
        pruned = [tables.without_nulls(item) for item in items]
        items, nulls = [item for item, _ in pruned], sum(count for _, count in pruned)
        rows += [omitted(nulls, "null")] if nulls else []
    columns = tables.columns(items)
    if columns:
        rows.append(f"[{len(items)}]{tables.header(columns)}:")
    said = [tables.row(columns, item) if columns and isinstance(item, dict) else compact(item) for item in items]
    kept = tables.sample(items, columns or ()) if sampled else set(range(len(items)))
    return "\n".join([*rows, *tables.shown(said, kept)])
