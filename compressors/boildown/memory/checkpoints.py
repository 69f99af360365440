"""Whose the states are that `follow` saved in an archive's directory, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from boildown.formats.source import Json, parse

FOLDER = "checkpoints"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A file with a session's state, or a copy of an earlier one. `whole` is whether it can be read."""

    path: Path
    value: Json
    whole: bool

    @property
    def session(self) -> str:
        return self._said("session")

    @property
    def user(self) -> str:
        return self._said("user")

    @property
    def level(self) -> str:
        """How far the session is compressed, as who saved it calls that; "" where it is not said."""
        value = self.value.get("level") if isinstance(self.value, dict) else None
        return str(value) if isinstance(value, str | int) else ""

    def is_of(self, user: str, session: str | None = None) -> bool:
        """Whether it is of `user`, and of one session where that is asked."""
        return self.whole and self.user == user and session in (None, self.session)

    def texts(self) -> Iterator[str]:
        """Every text in it."""
        return _texts(self.value)

    def _said(self, key: str) -> str:
        value = self.value.get(key) if isinstance(self.value, dict) else None
        return value if isinstance(value, str) else ""


def checkpoints(folder: str) -> list[Checkpoint]:
    """Every file of checkpoints in the archive `folder`, copies and what a kill left behind included."""
    found = sorted(path for path in Path(folder, FOLDER).rglob("*") if path.is_file())
    return [_read(path) for path in found]


def _read(path: Path) -> Checkpoint:
    try:
        value = parse(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return Checkpoint(path, None, False)
    return Checkpoint(path, value, isinstance(value, dict) and isinstance(value.get("session"), str))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
