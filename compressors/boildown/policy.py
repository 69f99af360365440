"""What is done when a model's window fills: levels as data, the one that holds, and what it makes of a conversation."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from math import isfinite
from typing import Any

from boildown import registry
from boildown.errors import UsageError
from boildown.pipeline import Choice, Context, Named, Pins
from boildown.settings import near, shown
from boildown.transcript import Note, Transcript

_RECENT = 0.5
"""The share of the aim that what stays as it is may take, for the newest messages to be among it"""
_SHARES = {"from": 0.0, "aim": 0.6}
_TEXTS = ("name", "pipeline", "offline")


@dataclass(frozen=True, slots=True)
class Level:
    """What is done from a share `start` of the window on: the keys of policy.toml, where they are explained."""

    name: str
    start: float
    pipeline: str = ""
    offline: str = ""
    aim: float = 0.6
    keep_recent: int = 0
    soft: bool = False

    def stages(self, model: str) -> str:
        """The spec of its stages: those that are offline where no model is named."""
        return self.pipeline if model or not self.offline else self.offline


@dataclass(frozen=True, slots=True)
class Policy:
    """Levels in ascending order, for a window of so many tokens. `model` sums up; without one, nothing is asked."""

    window: int
    levels: tuple[Level, ...]
    model: str = ""

    def at(self, tokens: int) -> int:
        """The index of the level that holds where so many tokens are used."""
        return max(n for n, level in enumerate(self.levels) if n == 0 or tokens >= level.start * self.window)

    def stages(self, level: Level) -> list[Named]:
        """The stages of a level; none where it lets everything be."""
        given = {name: {"model": self.model} for name in registry.ASKING} if self.model else {}
        spec = level.stages(self.model)
        return registry.parse(spec, given) if spec else []

    def choice(self, transcript: Transcript, context: Context) -> Choice:
        """What the level that holds makes of `transcript`, of which `context.target` tokens may be left at most."""
        size = context.count(transcript)
        level = self.levels[self.at(size)]
        stages = self.stages(level)
        if not stages:
            return Choice(tuple(stages), transcript, min(size, context.target), self._note(level, size))
        aim = min(int(level.aim * self.window), context.target)
        kept = recent(transcript, context, level.keep_recent, int(aim * _RECENT))
        needed = context.counter.total([m for m in kept.messages if m.pinned])
        aim = min(context.target, max(aim, min(needed, self.window)))
        if level.soft:
            aim = max(aim, min(context.target, left(kept, stages, context, aim)))
        return Choice(tuple(stages), kept, aim, self._note(level, size))

    def _note(self, level: Level, size: int) -> Note:
        where = f"{size / self.window:.1%} of the window of {self.window:,} tokens"
        spec = level.stages(self.model)
        why = f"from {level.start:.0%} on: {spec}, to {level.aim:.0%}" if spec else "nothing is done"
        offline = "; offline, for no model is named" if level.offline and not self.model else ""
        return Note(f"auto: {level.name}", where, why + offline)


def recent(transcript: Transcript, context: Context, most: int, room: int) -> Transcript:
    """`transcript` with its newest `most` messages pinned, or as many as leave all that is pinned within `room`."""
    for many in range(most, 0, -1):
        pinned = Pins(system=False, recent=many)(transcript)
        if context.counter.total([m for m in pinned.messages if m.pinned]) <= room:
            return pinned
    return transcript


def left(transcript: Transcript, stages: Sequence[Named], context: Context, aim: int) -> int:
    """Tokens that are left where `stages` take out what they find, in order, until `aim` is met."""
    size = context.count(transcript)
    for named in stages:
        if size <= aim:
            break
        transcript = named.stage(transcript, replace(context, target=aim, source=transcript))
        size = min(size, context.count(transcript))
    return size


@cache
def shipped() -> tuple[Level, ...]:
    """The levels that come with boildown."""
    table = tomllib.loads((files("boildown") / "policy.toml").read_text(encoding="utf-8"))
    return levels(table["auto"], "boildown: ")


def levels(table: object, where: str) -> tuple[Level, ...]:
    """The levels in a table `auto` of a TOML file. Raises UsageError that names the key, after `where`."""
    rows = table.get("levels") if isinstance(table, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{where}auto: write each level as a table of its own: [[auto.levels]].")
    if others := [key for key in table if key != "levels"] if isinstance(table, dict) else []:
        raise UsageError(f"{where}auto.{others[0]}: there is no such key. There is: levels.")
    found = tuple(_level(row, f"{where}auto.levels, number {n}: ") for n, row in enumerate(rows, 1))
    if any(a.start >= b.start for a, b in pairwise(found)):
        raise UsageError(f"{where}auto.levels: each has to begin above the one before it: 'from' has to rise.")
    return found if found[0].start == 0 else (Level("verbatim", 0.0), *found)


def _level(row: Mapping[str, Any], where: str) -> Level:
    known = {"name", "from", "pipeline", "offline", "aim", "keep-recent", "soft"}
    for key, value in row.items():
        if key not in known:
            there = ", ".join(sorted(known))
            raise UsageError(
                f"{where}{key}: there is no such key.{near(key, dict.fromkeys(known))} There are: {there}."
            )
        _check(key, value, where)
    if not row.get("name"):
        raise UsageError(f"{where}name: it has none. Give it one, for the report.")
    texts = {key: str(row.get(key, "")) for key in _TEXTS}
    start, aim = (float(row.get(key, default)) for key, default in _SHARES.items())
    if any(texts[key] for key in ("pipeline", "offline")) and not 0 < aim < max(start, 0.01):
        raise UsageError(f"{where}aim: {aim:g} is not below {start:g}, from which on the level holds.")
    return Level(**texts, start=start, aim=aim, keep_recent=row.get("keep-recent", 0), soft=row.get("soft", False))


def _check(key: str, value: object, where: str) -> None:
    """Raise UsageError for a value that a level's key cannot have."""
    if key in _TEXTS and not isinstance(value, str):
        raise UsageError(f"{where}{key}: {shown(value)} is no string.")
    if key in ("pipeline", "offline") and value:
        try:
            stages = registry.parse(str(value))
        except UsageError as error:
            raise UsageError(f"{where}{key}: {error}") from None
        if any(named.name == "auto" for named in stages):
            raise UsageError(f"{where}{key}: 'auto' cannot be a stage of its own level.")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if key in _SHARES and not (number and isfinite(float(str(value))) and float(str(value)) >= 0):
        raise UsageError(f"{where}{key}: {shown(value)} is no share of the window, such as 0.7.")
    if key == "keep-recent" and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
        raise UsageError(f"{where}{key}: {shown(value)} is no whole number of at least 0.")
    if key == "soft" and not isinstance(value, bool):
        raise UsageError(f"{where}{key}: {shown(value)} is neither true nor false.")
