"""JSON values: without blanks and quotes, arrays of like objects as tables; long arrays sampled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache

from boildown.output import tables
from boildown.output.excerpt import omitted
from boildown.output.tables import Json, Number, bare_key, cell, compact, header

MOST_ALONE = 8
DEEPEST = 60


class _AmbiguousError(ValueError):
    """An object that has a key twice, or a number that is none: it has no other way to be said."""


def parse(text: str) -> Json:
    """The value of a JSON text, numbers as they are written. Raises ValueError or RecursionError."""
    value: Json = json.loads(
        text, parse_int=Number, parse_float=Number, parse_constant=_refuse, object_pairs_hook=_object
    )
    return value


def _refuse(name: str) -> Json:
    raise _AmbiguousError(name)


def _object(pairs: list[tuple[str, Json]]) -> Json:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _AmbiguousError("a key stands twice")
    return found


@lru_cache(maxsize=4)
def parsed(text: str) -> Json:
    """The array or object that `text` is; None for any other text."""
    body = text.strip()
    if body[:1] + body[-1:] not in ("{}", "[]"):
        return None
    try:
        value = parse(body)
    except (ValueError, RecursionError):
        return None
    return value if _is_within(value, DEEPEST) else None


def _is_within(value: Json, depth: int) -> bool:
    """Whether `value` is nested no deeper than `depth`."""
    if not isinstance(value, dict | list):
        return True
    return depth > 0 and all(_is_within(v, depth - 1) for v in (value.values() if isinstance(value, dict) else value))


def sniff(text: str) -> bool:
    return parsed(text) is not None


def lossless(text: str) -> str:
    return shortest(parsed(text), sampled=False)


def lossy(text: str) -> str:
    return shortest(parsed(text), sampled=True)


def shortest(value: Json, sampled: bool) -> str:
    """`value` as an outline with tables, or as JSON without blanks where that has fewer characters."""
    said, note = value, ""
    if sampled:
        said, nulls = tables.without_nulls(value)
        note = omitted(nulls, "null") + "\n" if nulls else ""
    return min(note + "\n".join(outline(said, sampled)), compact(value), key=len)


def outline(value: Json, sampled: bool = False) -> Iterator[str]:
    """The lines that say `value`; its long arrays with only some of their items where `sampled`."""
    return _lines("", "", value, sampled)


def _lines(pad: str, name: str, value: Json, sampled: bool) -> Iterator[str]:
    """The lines that say `name` and `value`. A list's items have the name "-", the outermost value none."""
    label = name if name in ("", "-") else f"{name}:"
    if isinstance(value, dict) and value:
        deeper = pad + " " if label else pad
        if label:
            yield pad + label
        for key, item in value.items():
            yield from _lines(deeper, bare_key(key), item, sampled)
    elif isinstance(value, list) and value:
        yield from _array(pad, name, value, sampled)
    else:
        yield f"{pad}{label}{' ' if label else ''}{cell(value, ':' if name == '-' else '')}"


def _array(pad: str, name: str, items: list[Json], sampled: bool) -> Iterator[str]:
    columns = tables.columns(items)
    if columns and (len(items) > 1 or len(columns) <= MOST_ALONE):
        yield f"{pad}{name}[{len(items)}]{header(columns)}:"
        rows = [tables.row(columns, item) for item in items if isinstance(item, dict)]
        kept = tables.sample(items, columns) if sampled else set(range(len(rows)))
        yield from (f"{pad} {row}" for row in tables.shown(rows, kept))
    elif all(not isinstance(item, dict | list) for item in items):
        kept = tables.sample(items, ()) if sampled else set(range(len(items)))
        cells = [cell(item, ",") for item in items]
        yield f"{pad}{name}[{len(items)}]: " + ",".join(tables.shown(cells, kept))
    else:
        yield f"{pad}{name}[{len(items)}]:"
        kept = tables.sample(items, ()) if sampled else set(range(len(items)))
        blocks = ["\n".join(_lines(pad + " ", "-", item, sampled)) for item in items]
        yield from tables.shown(blocks, kept)
