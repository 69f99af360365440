"""What models charge for tokens and for caching them: the table that is packed, and a user's own over it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from boildown.errors import UsageError

Table = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars for a million tokens."""

    input: float
    output: float
    cache_read: float
    cache_write_5m: float
    cache_write_1h: float


@dataclass(frozen=True, slots=True)
class Price:
    """A model's prices. `minimum` is the fewest tokens that it caches; prompts of more than `above` cost `long`."""

    short: Rates
    minimum: int
    above: int | None = None
    long: Rates | None = None

    def rates(self, tokens: int) -> Rates:
        """The rates of a prompt of so many tokens."""
        return self.long if self.long and self.above is not None and tokens > self.above else self.short


NAMES = tuple(f.name for f in fields(Rates))


def models() -> list[str]:
    """The models whose prices are known here."""
    return list(_packed())


def price(model: str, path: str = "") -> Price:
    """The prices of `model`, those in the TOML file `path` going before the packed ones.

    Raises UsageError for a model that neither has, a file that cannot be read, and what in it is missing or no price.
    """
    table = _merged(_packed(), _given(path) if path else {})
    where = f"{path or 'prices'}: {model}"
    if model not in table:
        raise UsageError(f"no prices for the model {model!r}. There are: {', '.join(table)}. Add others with --prices.")
    found = table[model]
    long = found.get("long")
    if long is None:
        return Price(_rates(found, where), int(_number(found, "minimum", where)))
    if not isinstance(long, Mapping):
        raise UsageError(f"{where}: long is no table. Write [{model}.long] with above and the prices.")
    above = int(_number(long, "above", f"{where}.long"))
    return Price(_rates(found, where), int(_number(found, "minimum", where)), above, _rates(long, f"{where}.long"))


def _rates(found: Mapping[str, Any], where: str) -> Rates:
    return Rates(*(_number(found, name, where) for name in NAMES))


def _number(found: Mapping[str, Any], key: str, where: str) -> float:
    if key not in found:
        raise UsageError(f"{where}: {key} is missing. A model has {', '.join(NAMES)} and minimum.")
    value = found[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise UsageError(f"{where}: {key} = {value!r} is no number of 0 or more. Prices are dollars a million tokens.")
    return value


def _merged(table: Table, over: Table) -> dict[str, Mapping[str, Any]]:
    """`table` with the keys of `over` in place of its own, model by model."""
    merged = dict(table)
    for model, given in over.items():
        known = merged.get(model, {})
        long = given.get("long", known.get("long"))
        if isinstance(long, Mapping):
            given = {**given, "long": {**known.get("long", {}), **long}}
        merged[model] = {**known, **given}
    return merged


@cache
def _packed() -> Table:
    return tomllib.loads((files("boildown") / "prices.toml").read_text(encoding="utf-8"))


def _given(path: str) -> Table:
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: the prices cannot be read: {error.strerror}. Give --prices a TOML file.") from None
    except ValueError as error:
        raise UsageError(f"{path}: not a TOML file: {error}. Mend it there.") from None
    for model, given in found.items():
        if not isinstance(given, dict):
            raise UsageError(f"{path}: {model} is no table. Write [{model}], and under it a price a line.")
    return found
