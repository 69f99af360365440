"""What a compression can be told, as data: checked values from a TOML table, None where nothing is said."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any

from boildown.errors import UsageError

AIMS = frozenset({"budget", "ratio", "window"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What is said on how to compress. A key in a TOML file is a field's name with hyphens.

    `budget`, `ratio` and `window` are one demand: whoever says one of them says all three.
    """

    pipeline: str | None = None
    budget: int | None = None
    ratio: float | None = None
    window: int | None = None
    keep_first: int | None = None
    keep_recent: int | None = None
    pin: str | None = None
    pin_system: bool | None = None
    tokenizer: str | None = None
    scorer: str | None = None
    model: str | None = None

    def said(self) -> dict[str, Any]:
        """What is not None, by field."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}

    def over(self, other: Settings) -> Settings:
        """These settings, and the other ones' where these say nothing."""
        said = self.said()
        if not AIMS.isdisjoint(said):
            other = replace(other, budget=None, ratio=None, window=None)
        return replace(other, **said)


def settings(values: Mapping[str, Any], where: str) -> Settings:
    """The settings in a TOML table. Raises UsageError that names the key, after `where`, for what is not one."""
    return Settings(**checked(values, where, CHECKS))


def checked(values: Mapping[str, Any], where: str, checks: Mapping[str, Callable[[object], object]]) -> dict[str, Any]:
    """The values of a TOML table by their fields' names. Raises UsageError that names the key for what is not one."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        check = checks.get(key)
        if check is None:
            raise UsageError(f"{where}{key}: there is no such key.{near(key, checks)} There are: {', '.join(checks)}.")
        try:
            found[key.replace("-", "_")] = check(value)
        except (ValueError, UsageError) as error:
            raise UsageError(f"{where}{key}: {error}") from None
    return found


def near(name: str, known: Mapping[str, object]) -> str:
    """A hint at what may have been meant."""
    import difflib

    found = difflib.get_close_matches(name, known, 1)
    return f" Did you mean {found[0]!r}?" if found else ""


def shown(value: object) -> str:
    """A value as it may stand in a message."""
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "..."


def whole(least: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{shown(value)} is no whole number of at least {least}.")
        return value

    return check


def _ratio(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 1:
        raise ValueError(f"{shown(value)} is no number of at least 1.")
    return float(value)


def truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)} is neither true nor false.")
    return value


def text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is no string.")
    return value


def _name(value: object) -> str:
    if not text(value).strip() or "," in text(value):
        raise ValueError(f"{shown(value)} is no model's name.")
    return text(value)


def _pattern(value: object) -> str:
    try:
        return re.compile(text(value)).pattern
    except re.error as error:
        raise ValueError(f"{shown(value)} is no regular expression: {error}.") from None


def _tokenizer(value: object) -> str:
    from boildown.provider import PROVIDER, model
    from boildown.tokens import VOCABULARIES

    if text(value) not in VOCABULARIES and model(text(value)) is None:
        raise ValueError(f"{shown(value)} is no tokenizer. There are: {', '.join((*VOCABULARIES, PROVIDER))}.")
    return text(value)


def _scorer(value: object) -> str:
    from boildown.scoring.choice import chosen

    chosen(text(value))
    return text(value)


def _pipeline(value: object) -> str:
    """The spec of a pipeline: a string as it is, or an array of strings and of tables with `stage` and its options."""
    from boildown import registry

    if not isinstance(value, str | list):
        raise ValueError(f"{shown(value)} is neither a string of stages nor an array of them.")
    spec = value if isinstance(value, str) else ",".join(map(_stage, value))
    registry.parse(spec)
    return spec


def _stage(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not isinstance(value.get("stage"), str):
        raise ValueError(f"{shown(value)} is neither a stage's name nor a table with `stage` and its options.")
    given = [f"{key}={_option(key, option)}" for key, option in value.items() if key != "stage"]
    return f"{value['stage']}{':' if given else ''}{','.join(given)}"


def _option(key: str, value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, str | int | float) or "," in text:
        raise ValueError(f"{key} = {shown(value)} is no string (without commas), number, true or false.")
    return text


CHECKS: dict[str, Callable[[object], object]] = {
    "pipeline": _pipeline,
    "budget": whole(1),
    "ratio": _ratio,
    "window": whole(1),
    "keep-first": whole(0),
    "keep-recent": whole(0),
    "pin": _pattern,
    "pin-system": truth,
    "tokenizer": _tokenizer,
    "scorer": _scorer,
    "model": _name,
}
