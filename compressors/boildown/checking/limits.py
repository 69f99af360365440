"""What conversations are held to: limits from options and TOML tables, and which hold for which file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import PurePath
from typing import Any

from boildown.errors import UsageError
from boildown.presets import Config
from boildown.settings import checked, shown, text, truth, whole


@dataclass(frozen=True, slots=True)
class Limits:
    """What is looked for; None where nothing is said. A key in a TOML file is a field's name with hyphens.

    max_tokens is a conversation's, and so are the shares, which are of its tokens; `max_growth` is of the file's.
    """

    max_tokens: int | None = None
    max_message_tokens: int | None = None
    max_file_tokens: int | None = None
    max_total_tokens: int | None = None
    max_growth: float | None = None
    max_duplicate_share: float | None = None
    max_tool_share: float | None = None
    max_base64_tokens: int | None = None
    min_retention: float | None = None
    fail_on_secret: bool | None = None
    valid: bool | None = None

    def said(self) -> dict[str, Any]:
        """What is not None, by field."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}

    def over(self, other: Limits) -> Limits:
        """These limits, and the other ones' where these say nothing."""
        return replace(other, **self.said())

    @property
    def asked(self) -> list[str]:
        """What is to be looked for, by the names of RULES."""
        return [name.replace("_", "-") for name, value in self.said().items() if value is not False]


_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*(%?)", re.ASCII)


def growth(value: object) -> float:
    """A share, as a number from 0 to 1 or as a percentage of any size. Raises ValueError for anything else."""
    found = _SHARE.fullmatch(str(value).strip())
    if found is None or isinstance(value, bool):
        raise ValueError(f"{shown(value)} is no share. Write one as 0.1 or 10%.")
    number = float(found[1])
    if number > 1 and not found[2]:
        raise ValueError(f"{shown(value)} is more than all. If it is percent, write {number:g}%.")
    return number / 100 if found[2] else number


def share(value: object) -> float:
    """A share from 0 to 1, as a number or as a percentage. Raises ValueError for anything else."""
    found = growth(value)
    if found > 1:
        raise ValueError(f"{shown(value)} is more than all. Write a share from 0% to 100%.")
    return found


Check = Callable[[object], object]
OF_FILES: dict[str, Check] = {
    "max-tokens": whole(1),
    "max-message-tokens": whole(1),
    "max-file-tokens": whole(1),
    "max-growth": growth,
    "max-duplicate-share": share,
    "max-tool-share": share,
    "max-base64-tokens": whole(0),
    "min-retention": share,
    "fail-on-secret": truth,
    "valid": truth,
}
"""The keys that may differ from file to file"""
OF_ALL: dict[str, Check] = {**OF_FILES, "max-total-tokens": whole(1)}
PLACES: dict[str, Check] = {"baseline": text, "original": text}


@dataclass(frozen=True, slots=True)
class Override:
    """Limits of the files that one of `patterns` names."""

    patterns: tuple[str, ...]
    limits: Limits


@dataclass(frozen=True, slots=True)
class Checks:
    """What a configuration file says on checks. `baseline` and `original` are seen from where boildown is run."""

    limits: Limits = Limits()
    overrides: tuple[Override, ...] = ()
    folder: str = ""
    baseline: str | None = None
    original: str | None = None

    def of(self, path: str, flags: Limits = Limits()) -> Limits:
        """What holds for the file `path`: the flags, else the last override that names it, else the file's own."""
        name, found = relative(path, self.folder), self.limits
        for override in self.overrides:
            if any(_glob(pattern).fullmatch(name) for pattern in override.patterns):
                found = override.limits.over(found)
        return flags.over(found)


def checks(config: Config) -> Checks:
    """The table [check] of a configuration. Raises UsageError with the file and the key of what is wrong in it."""
    where, folder = f"{config.path}: check.", os.path.dirname(os.path.abspath(config.path))
    said = dict(config.check)
    tables = said.pop("overrides", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{where}overrides: write each as a table of its own: [[check.overrides]].")
    values = checked(said, where, {**OF_ALL, **PLACES, "overrides": text})
    places = {key: os.path.join(folder, values.pop(key)) for key in PLACES if key in values}
    overrides = tuple(_override(table, f"{where}overrides[{n}].") for n, table in enumerate(tables, 1))
    return Checks(Limits(**values), overrides, folder, **{key: os.path.relpath(at) for key, at in places.items()})


def _override(table: Mapping[str, Any], where: str) -> Override:
    said = dict(table)
    patterns = said.pop("paths", None)
    if not isinstance(patterns, list) or not patterns or not all(isinstance(one, str) for one in patterns):
        raise UsageError(f'{where}paths: say for which files it is, as in paths = ["archive/**"].')
    if "max-total-tokens" in said:
        raise UsageError(f"{where}max-total-tokens: it is of all files together. Move it up to [check].")
    return Override(tuple(patterns), Limits(**checked(said, where, {**OF_FILES, "paths": text})))


def relative(path: str, folder: str) -> str:
    """`path` as seen from `folder`, with slashes; absolute where there is no way from there."""
    whole_path = os.path.abspath(path)
    try:
        return PurePath(os.path.relpath(whole_path, folder or ".")).as_posix()
    except ValueError:  # Another drive of Windows.
        return PurePath(whole_path).as_posix()


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    """A path's pattern: `*` and `?` stay within a name, `**` goes through directories."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./"))
    means = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(means.get(part, re.escape(part)) for part in parts), re.DOTALL)


def flagged(values: Mapping[str, object]) -> Limits:
    """Limits from options, by field. Raises UsageError that names the option."""
    said: dict[str, Any] = {}
    for name, value in values.items():
        option = name.replace("_", "-")
        try:
            said[name] = None if value is None else OF_ALL[option](value)
        except ValueError as error:
            raise UsageError(f"--{option}: {error}") from None
    return Limits(**said)
