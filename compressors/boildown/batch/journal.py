"""What was done before, in one SQLite file: which input became which output by which settings. It survives kill -9."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields

from boildown.batch.items import Result
from boildown.batch.places import Stamp
from boildown.errors import BusyError, NotMetError, UsageError

APPLICATION = 0x626F6962  # "boib"
SCHEMA = 1
TABLE = "CREATE TABLE done (name TEXT PRIMARY KEY, size INT, changed TEXT, settings TEXT, result TEXT) WITHOUT ROWID"
NAMES = tuple(field.name for field in fields(Result))


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of an input, whose stamp it had then, by the settings of that hash."""

    stamp: Stamp
    settings: str
    result: Result


class Journal:
    """Entries by the outputs' names. Every change is there for good at once, or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> Entry | None:
        found = self._connection.execute(
            "SELECT size, changed, settings, result FROM done WHERE name = ?", (name,)
        ).fetchone()
        if found is None:
            return None
        size, changed, settings, packed = found
        values = json.loads(packed)
        values["stamp"] = tuple(values["stamp"]) if values["stamp"] else None
        return Entry((size, changed), settings, Result(**values))

    def put(self, name: str, entry: Entry) -> None:
        result = {key: getattr(entry.result, key) for key in NAMES}  # `asdict` copies each value, as slow as SQLite is
        values = (name, *entry.stamp, entry.settings, json.dumps(result))
        self._connection.execute("INSERT OR REPLACE INTO done VALUES (?, ?, ?, ?, ?)", values)

    def forget_slices(self, name: str) -> None:
        """Forget all slices of the output `name`."""
        self._connection.execute("DELETE FROM done WHERE name > ? AND name < ?", (f"{name}//", f"{name}/0"))


def slice_name(name: str, number: int) -> str:
    """What a slice of the output `name` goes by, as no other output does."""
    return f"{name}//{number:08}"


@contextmanager
def opened(path: str) -> Iterator[Journal]:
    """The journal at `path`, made where there is none, which no other process has meanwhile; ":memory:" is forgotten.

    Raises BusyError where another has it, UsageError for a file of somebody else's, NotMetError where it is damaged.
    """
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
            _prepare(connection, path)
            yield Journal(connection)
    except sqlite3.Error as error:
        raise _explained(path, error) from None


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may take the last entries, which are done again
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute("BEGIN EXCLUSIVE")
    if not version:
        connection.execute(TABLE)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
    elif (application, version) != (APPLICATION, SCHEMA):
        raise UsageError(f"{path}: this is no journal, or another version's. Move it away, or name another directory.")
    connection.execute("COMMIT")


def _explained(path: str, error: sqlite3.Error) -> NotMetError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        folder = os.path.dirname(os.path.dirname(path))
        return BusyError(f"{folder}: another 'boildown batch' writes there. Wait for it, or name another directory.")
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return NotMetError(f"{path}: the journal is damaged. Delete it: what is done will be done again.")
    return NotMetError(f"{path}: the journal cannot be written: {error}. Make room, or name another directory.")
