"""Presets and defaults: settings by name, from the table that comes with boildown and from a user's own TOML file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boildown.errors import UsageError
from boildown.settings import Settings, near, settings, shown

if TYPE_CHECKING:
    from boildown.policy import Level

NAMES = ("boildown.toml", "pyproject.toml")
SHIPPED = "boildown"


@dataclass(frozen=True, slots=True)
class Preset:
    """A named pipeline with its settings, what it extends worked in. `where` is its file, or "boildown"."""

    name: str
    summary: str
    settings: Settings
    where: str


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration file: its defaults, the preset that it asks for, the tables of its own presets, and its levels.

    check   the table of what `boildown check` is to look for, as it stands there
    levels  what the stage `auto` does as a window fills; none where the file says nothing on it
    """

    path: str = ""
    defaults: Settings = field(default_factory=Settings)
    preset: str | None = None
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    check: Mapping[str, Any] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()

    def settle(self, flags: Settings, preset: str | None = None) -> Settings:
        """What holds: the flags, else the preset that a flag names, else the file, else the preset that the file names.

        Raises UsageError for a preset that there is not.
        """
        if preset is not None:
            return flags.over(find(preset, self).settings).over(self.defaults)
        below = find(self.preset, self).settings if self.preset is not None else Settings()
        return flags.over(self.defaults).over(below)


@cache
def shipped() -> Config:
    """The presets that come with boildown."""
    return _config((files("boildown") / "presets.toml").read_bytes(), SHIPPED)


def read(path: str) -> Config:
    """The configuration in `path`. Raises UsageError with the file and the key of what is wrong in it."""
    try:
        return _config(Path(path).read_bytes(), path)
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read: {error.strerror or error}.") from None


def pipeline(path: str) -> Settings:
    """What a file says that is named for its pipeline: its keys, over its preset's: the one it names, or its only one.

    Raises UsageError where that has no pipeline.
    """
    file = read(path)
    only = next(iter(file.tables)) if len(file.tables) == 1 and file.defaults.pipeline is None else None
    said = replace(file, preset=file.preset or only).settle(Settings())
    if said.pipeline is None:
        raise UsageError(f"--pipeline @{path}: the file has no key 'pipeline'. Write pipeline = \"...\" in it.")
    return said


def search(folder: Path) -> Config:
    """The configuration nearest to `folder`, from there upward; boildown.toml before pyproject.toml. Empty if none."""
    for place in (folder, *folder.parents):
        for name in NAMES:
            path = place / name
            try:
                data = path.read_bytes()
            except OSError:  # There is none, or it is not ours to read.
                continue
            if name == NAMES[0] or (b"boildown" in data and _tool(data, str(path)) is not None):
                return _config(data, str(path))
    return Config()


def names(config: Config) -> list[str]:
    """All presets' names, those that come with boildown first."""
    return list({**shipped().tables, **config.tables})


def find(name: str, config: Config) -> Preset:
    """The preset called `name`: the user's, or else the one that comes with boildown.

    One that extends its own name extends the one that comes with boildown.
    """
    ours = shipped()
    holder = config if name in config.tables else ours
    table = _table(name, holder)
    chain, said, summary = [(holder.path, name)], _settings(name, table, holder), table.get("summary", "")
    while (parent := table.get("extends")) is not None:
        place = f"{chain[-1][0]}: presets.{chain[-1][1]}.extends"
        own = parent == chain[-1][1] and parent in ours.tables
        holder = config if parent in config.tables and not own else ours
        if parent not in holder.tables:
            raise UsageError(f"{place}: {_missing(parent, config)}")
        if (holder.path, parent) in chain:
            raise UsageError(f"{place}: it goes in a circle: {' -> '.join([*(n for _, n in chain), parent])}.")
        chain.append((holder.path, parent))
        table = _table(parent, holder)
        said = said.over(_settings(parent, table, holder))
        summary = summary or table.get("summary", "")
    return Preset(name, summary, said, chain[0][0])


def toml(preset: Preset) -> str:
    """The preset as a table that can be put into a boildown.toml."""
    lines = [f"[presets.{_key(preset.name)}]", f"summary = {_value(preset.summary)}"]
    said = preset.settings.said()
    lines += [f"{f.name.replace('_', '-')} = {_value(said[f.name])}" for f in fields(Settings) if f.name in said]
    return "\n".join(lines) + "\n"


def _config(data: bytes, path: str) -> Config:
    table = _tool(data, path) if Path(path).name == NAMES[1] else _parsed(data, path)
    if table is None:
        raise UsageError(f"{path}: it has no table [tool.boildown]. Write one, or name another file.")
    tables = table.get("presets", {})
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise UsageError(f"{path}: presets: write each preset as a table of its own: [presets.NAME].")
    preset = table.get("preset")
    if preset is not None and not isinstance(preset, str):
        raise UsageError(f"{path}: preset: {shown(preset)} is no string.")
    check = table.get("check", {})
    if not isinstance(check, dict):
        raise UsageError(f"{path}: check: {shown(check)} is no table. Write [check], and its keys below.")
    defaults = settings(_without(table, "preset", "presets", "check", "auto"), f"{path}: ")
    config = Config(path, defaults, preset, tables, check, _levels(table["auto"], path) if "auto" in table else ())
    for name in tables if path != SHIPPED else ():
        find(name, config)
    return config


def _levels(table: object, path: str) -> tuple[Level, ...]:
    from boildown.policy import levels

    return levels(table, f"{path}: ")


def _tool(data: bytes, path: str) -> dict[str, Any] | None:
    """The table tool.boildown of a pyproject.toml."""
    tool = _parsed(data, path).get("tool", {})
    found = tool.get("boildown") if isinstance(tool, dict) else None
    if found is not None and not isinstance(found, dict):
        raise UsageError(f"{path}: tool.boildown: {shown(found)} is no table.")
    return found


def _parsed(data: bytes, path: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: this is no TOML: {error}. Mend it, or pass it over with --no-config.") from None


def _table(name: str, config: Config) -> Mapping[str, Any]:
    if name not in config.tables:
        raise UsageError(_missing(name, config))
    table = config.tables[name]
    for key in ("summary", "extends"):
        if not isinstance(table.get(key, ""), str):
            raise UsageError(f"{config.path}: presets.{name}.{key}: {shown(table[key])} is no string.")
    return table


def _settings(name: str, table: Mapping[str, Any], config: Config) -> Settings:
    return settings(_without(table, "summary", "extends"), f"{config.path}: presets.{name}.")


def _without(table: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in keys}


def _missing(name: str, config: Config) -> str:
    known = dict.fromkeys([*shipped().tables, *config.tables])
    return f"no preset is called {name!r}.{near(name, known)} There are: {', '.join(known)}."


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else _value(name)


def _value(value: object) -> str:
    """A string, number or truth as TOML, whose strings are JSON's but for one character."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
