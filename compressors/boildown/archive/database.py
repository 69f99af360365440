"""One SQLite file in an archive's directory: made, opened and checked alike, whatever it holds. WAL mode."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from boildown.archive.places import LANCE
from boildown.errors import ArchiveError, UsageError

FILES = ("archive.db", "memory.db", LANCE, "checkpoints")
"""What an archive's directory holds: the sources that were compressed, the messages to be recalled, and streams"""
BESIDE = ("ledgers", "hook.log")
"""What agents' hooks put beside them"""
_WAIT = 120.0
_CACHE = 65_536
"""KiB of the file that a reader holds at most. A writer holds SQLite's 2 MiB: what follows a stream is to stay small"""
_BLOCKED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)
"""What SQLite says where the file that its readers share cannot be made: it may not be, or the disk is full"""
_HINTS = {
    sqlite3.SQLITE_FULL: "the disk is full. Make room, or name another directory",
    sqlite3.SQLITE_READONLY: "it may not be written to. Change its permissions, or name another directory",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened. Check the permissions of the directory and of what is in it",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written. Look for room on it, and for errors of its own",
    sqlite3.SQLITE_BUSY: f"another process has been writing to it for {_WAIT:.0f} seconds. Try again when it is done",
    sqlite3.SQLITE_CORRUPT: "the file is damaged. Restore it from a copy, or archive the sources again elsewhere",
    sqlite3.SQLITE_NOTADB: "{file} in it is no archive, or a damaged one. Restore it, or name another directory",
}


@dataclass(frozen=True, slots=True)
class Database:
    """A kind of file.

    file         one of FILES
    application  its SQLite application id
    schema       the version of `tables`, the statements that make them
    missing      what to say and to do where there is none to read
    """

    file: str
    application: int
    schema: int
    tables: tuple[str, ...]
    missing: str


@contextmanager
def connected(database: Database, folder: str, write: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to the file in `folder`; with `write`, made where there is none. SQLite's errors become
    ArchiveError."""
    check(database, folder, write)
    try:
        with closing(_for_writing(database, folder) if write else _for_reading(database, folder)) as connection:
            yield connection
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        hint = _HINTS.get(code, f"{error}. Check the directory").format(file=database.file)
        raise ArchiveError(f"the archive in {folder}: {hint}.") from None


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside is kept, or nothing of it. Other writers wait."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def secure(connection: sqlite3.Connection) -> None:
    """Have what is deleted overwritten with zeros."""
    connection.execute("PRAGMA secure_delete = ON")


def compact(connection: sqlite3.Connection, folder: str) -> None:
    """Write the file anew without what was deleted, and empty its log. Raises ArchiveError while another reads it."""
    connection.execute("VACUUM")
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise ArchiveError(
            f"the archive in {folder}: another process still reads what was deleted. Stop it, and run this again."
        )


def check(database: Database, folder: str, write: bool = False) -> None:
    """Raise ArchiveError where there is no file to read, UsageError where none may be made."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UsageError(f"--archive {folder}: this is a file. Name a directory, which may be a new one.")
    if os.path.exists(os.path.join(folder, database.file)):
        return
    if not write:
        raise ArchiveError(f"--archive {folder}: {database.missing}")
    check_directory(folder)


def check_directory(folder: str) -> None:
    """Raise UsageError where there are other things than an archive's, ArchiveError where that cannot be told."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UsageError(f"--archive {folder}: this is a file. Name a directory, which may be a new one.")
    try:
        names = os.listdir(folder) if os.path.exists(folder) else []
    except OSError as error:
        raise ArchiveError(f"--archive {folder}: it cannot be read: {error.strerror}.") from None
    if others := [name for name in names if not name.startswith((".", *FILES, *BESIDE))]:
        raise UsageError(
            f"--archive {folder}: the directory holds no archive, but other things ({min(others)}). "
            "Name an empty directory or a new one."
        )


def _for_writing(database: Database, folder: str) -> sqlite3.Connection:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ArchiveError(f"--archive {folder}: the directory cannot be made: {error.strerror}.") from None
    connection = _connect(database, folder, "mode=rwc")
    try:
        connection.execute("PRAGMA synchronous = FULL")  # no output outlives its source, not even a power cut
        if not _version(database, connection, folder):
            _make(database, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _for_reading(database: Database, folder: str) -> sqlite3.Connection:
    """A connection that can read; also where nothing may be written, as long as no writer left work behind there."""
    log = Path(folder) / f"{database.file}-wal"
    modes = ["mode=rw", "mode=ro"] + ([] if log.exists() and log.stat().st_size else ["mode=ro&immutable=1"])
    for mode in modes:
        connection = _connect(database, folder, mode)
        try:
            if _version(database, connection, folder):
                connection.execute(f"PRAGMA cache_size = -{_CACHE}")
                return connection
            raise ArchiveError(f"the archive in {folder} is empty: nothing was ever kept in it.")
        except BaseException as error:
            connection.close()
            if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _BLOCKED or mode == modes[-1]:
                raise
    raise AssertionError("the last mode returns or raises")


def _connect(database: Database, folder: str, mode: str) -> sqlite3.Connection:
    address = f"{(Path(folder) / database.file).absolute().as_uri()}?{mode}"
    return sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None)


def _version(database: Database, connection: sqlite3.Connection, folder: str) -> int:
    """The schema's version, 0 for a new file. Raises UsageError for a file of somebody else's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != database.application and tables:
        raise UsageError(
            f"--archive {folder}: {database.file} in it is another program's database. Name another directory."
        )
    if version > database.schema:
        raise UsageError(f"--archive {folder}: a newer boildown made it (schema {version}). Install that version.")
    return int(version)


def _make(database: Database, connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process was faster. A process killed in here leaves a new file, or all of it."""
    _set_wal(connection)
    with transaction(connection):
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            for statement in database.tables:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {database.application}")
            connection.execute(f"PRAGMA user_version = {database.schema}")


def _set_wal(connection: sqlite3.Connection) -> None:
    """Turn on the write-ahead log. SQLite does not wait for others here, so this does."""
    end = time.monotonic() + _WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
