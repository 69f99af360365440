"""Arrays of like objects as tables, in the manner of TOON (github.com/toon-format): keys once, a row an object.

A column that has one value throughout stands in the header as `key=value`; one of like objects as `key{a,b}`. A cell
is bare where it cannot be taken for anything else, JSON otherwise, and empty where the object lacks the key. Numbers
stay as they were written.
"""

from __future__ import annotations

import json
import re
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from boildown.output.excerpt import omitted, spread


class Number(str):
    """A number as the source wrote it."""

    __slots__ = ()


Json = dict[str, "Json"] | list["Json"] | str | Number | bool | None

LIKE = 0.7
MOST_COLUMNS = 60
LONG = 12
FIRST, LAST, MOST_ODD = 3, 2, 8
FAR = 8.0
RARE = 0.02
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_KEY = re.compile(r"[\w.$@/-]+")
_PLAIN = re.compile(r"""[^\s"'\[\]{},\\\x00-\x1f-](?:[^"\\\x00-\x1f\x85\u2028\u2029]*[^\s"\\\x00-\x1f])?""")
_STRUCTURE = re.compile(r"[{}\[\]=]")
_LITERAL = re.compile(r"true|false|null|[+-]?\.?\d[\d.]*(?:[eE][+-]?\d+)?")
_WRONG = re.compile(r"error|fail|exception|fatal|critical|panic|denied|refused|timed?.?out", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """One key of the objects of a table, with the columns of the objects under it, or the `same` value of all."""

    key: str
    inner: tuple[Column, ...] = ()
    same: str | None = None


Columns = Sequence[Column]


def compact(value: Json) -> str:
    """`value` as JSON without blanks."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{_quoted(k)}:{compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return str(value) if isinstance(value, Number) else _quoted(value)


def _quoted(value: str | bool | None) -> str:
    return _ENCODE(value)


def bare_key(key: str) -> str:
    return key if _KEY.fullmatch(key) and key != "-" else _quoted(key)


def cell(value: Json, apart: str = "") -> str:
    """`value` on one line, where the sign `apart` would be taken for structure: "," in a row, ":" in a list's item."""
    if isinstance(value, Number) or not isinstance(value, str):
        return compact(value)
    bare = _PLAIN.fullmatch(value) and not _LITERAL.fullmatch(value)
    return value if bare and not (apart and apart in value) else _quoted(value)


def columns(items: Sequence[Json]) -> tuple[Column, ...] | None:
    """The columns of a table of `items`; None where they are not like objects."""
    rows = [item for item in items if isinstance(item, dict) and item]
    if len(rows) < len(items):
        return None
    keys = Tally(key for row in rows for key in row)
    if len(keys) > MOST_COLUMNS or sum(keys.values()) < LIKE * len(keys) * len(rows):
        return None
    return tuple(_column(key, [row[key] for row in rows if key in row], len(rows)) for key in keys)


def _column(key: str, found: list[Json], rows: int) -> Column:
    if len(found) < rows:
        return Column(key)
    first = found[0]
    if isinstance(first, dict) and first and all(isinstance(v, dict) and v.keys() == first.keys() for v in found):
        inner = [_column(k, [v[k] for v in found if isinstance(v, dict)], rows) for k in first]
        return Column(key, tuple(inner))
    if rows > 2 and not isinstance(first, dict | list) and all(type(v) is type(first) and v == first for v in found):
        said = cell(first, ",")
        return Column(key, same=_quoted(said) if _STRUCTURE.search(said) and said[0] != '"' else said)
    return Column(key)


def header(found: Columns) -> str:
    return "{" + ",".join(map(_name, found)) + "}"


def _name(column: Column) -> str:
    if column.inner:
        return bare_key(column.key) + header(column.inner)
    return bare_key(column.key) + (f"={column.same}" if column.same is not None else "")


def row(found: Columns, item: dict[str, Json]) -> str:
    return ",".join(_cells(found, item))


def _cells(found: Columns, item: dict[str, Json]) -> Iterable[str]:
    for column in found:
        value = item.get(column.key)
        if column.inner and isinstance(value, dict):
            yield from _cells(column.inner, value)
        elif column.same is None:
            yield cell(value, ",") if column.key in item else ""


def without_nulls(value: Json) -> tuple[Json, int]:
    """`value` without the fields that are null, and how many those were."""
    if isinstance(value, dict):
        inner = {k: without_nulls(v) for k, v in value.items() if v is not None}
        return {k: v for k, (v, _) in inner.items()}, len(value) - len(inner) + sum(n for _, n in inner.values())
    if isinstance(value, list):
        items = [without_nulls(v) for v in value]
        return [v for v, _ in items], sum(n for _, n in items)
    return value, 0


def shown(rows: Sequence[str], kept: set[int]) -> list[str]:
    """The rows that are kept, and how many are not, in their place."""
    found: list[str] = []
    for keep, run in groupby(range(len(rows)), key=kept.__contains__):
        places = list(run)
        found += [rows[n] for n in places] if keep else [omitted(len(places), "more")]
    return found


def sample(items: Sequence[Json], found: Columns) -> set[int]:
    """Places to keep of a long array: the first, the last, those that tell of an error, and outliers."""
    if len(items) <= LONG:
        return set(range(len(items)))
    odd = [*_wrong(items), *_rare(items, found), *_far(items, found)]
    return spread(len(items), FIRST, LAST, list(dict.fromkeys(odd))[:MOST_ODD])


def _wrong(items: Sequence[Json]) -> list[int]:
    """Items with a word for failure in a value; none where a fifth of them has one, for then it is no outlier."""
    hits = [n for n, item in enumerate(items) if any(map(_WRONG.search, _said(item)))]
    return hits if len(hits) <= max(1, len(items) // 5) else hits[:1]


def _said(item: Json) -> list[str]:
    if isinstance(item, dict):
        return [s for v in item.values() for s in _said(v)] + [k for k, v in item.items() if v and k == "error"]
    if isinstance(item, list):
        return [s for v in item for s in _said(v)]
    return [item] if isinstance(item, str) and not isinstance(item, Number) else []


def _rare(items: Sequence[Json], found: Columns) -> list[int]:
    """Items of a shape, or with a value in a column of few values, that hardly another has."""
    least = max(1, int(RARE * len(items)))
    odd: list[int] = []
    for marks in (_shapes(items), *([_value(item, c.key) for item in items] for c in found if c.same is None)):
        often = Tally(marks)
        if len(often) <= 10:
            odd += [n for n, mark in enumerate(marks) if often[mark] <= least]
    return odd


def _shapes(items: Sequence[Json]) -> list[str]:
    return [" ".join(item) if isinstance(item, dict) else type(item).__name__ for item in items]


def _value(item: Json, key: str) -> str:
    value = item.get(key) if isinstance(item, dict) else item
    return type(value).__name__ if isinstance(value, dict | list | Number) else str(value)


def _far(items: Sequence[Json], found: Columns) -> list[int]:
    """The items with the least and the largest number of a column where that is far from the median."""
    odd: list[int] = []
    for key in [c.key for c in found] or [""]:
        column = [(item.get(key) if isinstance(item, dict) else item) for item in items]
        numbers = {n: float(v) for n, v in enumerate(column) if isinstance(v, Number)}
        if len(numbers) < len(items):
            continue
        middle = median(numbers.values())
        usual = median(abs(v - middle) for v in numbers.values())
        ends = (min(numbers, key=numbers.__getitem__), max(numbers, key=numbers.__getitem__))
        odd += [n for n in ends if abs(numbers[n] - middle) > FAR * usual > 0]
    return odd
