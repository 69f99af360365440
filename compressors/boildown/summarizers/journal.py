"""Batches that are open at an endpoint, noted on disk before they are waited for: what a run that was killed left."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from boildown.summarizers.answers import write

VERSION = 1
KEPT_FOR = 29 * 24 * 3600.0
"""Seconds after its creation that a batch's results can be had.

https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""


@dataclass(frozen=True, slots=True)
class Note:
    """A batch: the keys of its requests, and when it was about to be created, in seconds since 1970.

    `batch` is its id there; "" says that it may have been created or not, since the run ended at just that moment.
    """

    name: str
    requests: tuple[str, ...]
    started: float
    batch: str = ""


class Journal:
    """Notes on batches, a file each. Keys of requests are hashes: nothing that was asked can be read from a note."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """No other process creates a batch meanwhile; the lock goes with a process that is killed.

        Not on Windows, where two runs that start at one moment with the same requests could both pay for them.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self._folder / "lock", "wb") as file:
            while not _lock(file):
                await asyncio.sleep(0.1)
            yield

    def intend(self, requests: Sequence[str]) -> Note:
        """Note that a batch is about to be created. Raises OSError, as does all that writes."""
        note = Note(uuid4().hex, tuple(requests), time.time())
        self._write(note)
        return note

    def created(self, note: Note, batch: str) -> Note:
        """Note that it was, with its id."""
        note = replace(note, batch=batch)
        self._write(note)
        return note

    def drop(self, note: Note) -> None:
        """Forget a batch, also where another run has done so."""
        with suppress(FileNotFoundError):
            self._path(note.name).unlink()

    def notes(self) -> list[Note]:
        """The open batches, in the order of their creation. Those whose results are no longer to be had are dropped."""
        found = [note for path in self._folder.glob("*.json") if (note := _read(path)) is not None]
        late = [note for note in found if note.started < time.time() - KEPT_FOR]
        for note in late:
            self.drop(note)
        return sorted((note for note in found if note not in late), key=lambda note: (note.started, note.name))

    def _write(self, note: Note) -> None:
        value = {"version": VERSION, "batch": note.batch, "started": note.started, "requests": note.requests}
        write(self._path(note.name), json.dumps(value).encode())

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


def _lock(file: BinaryIO) -> bool:
    """Whether `file` is locked now, and not by another process."""
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _read(path: Path) -> Note | None:
    """A note; None for what is damaged, or of another version, which is left to that."""
    try:
        found = json.loads(path.read_bytes())
        if found["version"] != VERSION:
            return None
        return Note(path.stem, tuple(map(str, found["requests"])), float(found["started"]), str(found["batch"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
