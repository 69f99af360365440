"""The archive's one file: objects by the hash of their bytes, and the manifest of each output. SQLite in WAL mode."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import zstandard

from boildown.errors import ArchiveError, LostError, UsageError

FILE = "archive.db"
SCHEMA = 1
_APPLICATION = int.from_bytes(b"boil")
_WAIT = 120.0
_TABLES = (
    """CREATE TABLE objects (
        id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, data BLOB NOT NULL)""",
    """CREATE TABLE outputs (
        output BLOB NOT NULL, source BLOB NOT NULL, manifest BLOB NOT NULL, name TEXT NOT NULL,
        made TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (output, source)) WITHOUT ROWID""",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {SCHEMA}",
)
_HINTS = {
    sqlite3.SQLITE_FULL: "the disk is full. Make room, or name another directory",
    sqlite3.SQLITE_READONLY: "it may not be written to. Change its permissions, or name another directory",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened. Check the permissions of the directory and of what is in it",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written. Look for room on it, and for errors of its own",
    sqlite3.SQLITE_BUSY: f"another process has been writing to it for {_WAIT:.0f} seconds. Try again when it is done",
    sqlite3.SQLITE_CORRUPT: "the file is damaged. Restore it from a copy, or archive the sources again elsewhere",
    sqlite3.SQLITE_NOTADB: f"{FILE} in it is no archive, or a damaged one. Restore it, or name another directory",
}


def digest(data: bytes) -> str:
    """The name of `data` in an archive: SHA-256, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Filed:
    """That a source was compressed to an output: their hashes, the manifest's, the source's file name, and when."""

    output: str
    source: str
    manifest: str
    name: str
    made: str


class Archive:
    """An open archive. Objects are never changed and never go; what is put twice is kept once."""

    def __init__(self, connection: sqlite3.Connection, folder: str) -> None:
        self.folder = folder
        self._connection = connection
        self._compressor = zstandard.ZstdCompressor()
        self._decompressor = zstandard.ZstdDecompressor()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is put inside is kept, or nothing of it. Other writers wait."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def put(self, data: bytes) -> bool:
        """Keep `data` under its hash: whether it is new here. A damaged copy is replaced."""
        name = digest(data)
        with suppress(LostError):
            self.get(name)
            return False
        self._connection.execute(
            "INSERT OR REPLACE INTO objects (hash, size, data) VALUES (?, ?, ?)",
            (bytes.fromhex(name), len(data), self._compressor.compress(data)),
        )
        return True

    def get(self, name: str) -> bytes:
        """The object with the hash `name`. Raises LostError where it is missing or is not what was put."""
        try:
            found = self._connection.execute("SELECT size, data FROM objects WHERE hash = ?", (bytes.fromhex(name),))
            row = found.fetchone()
        except sqlite3.Error as error:
            raise LostError(name, f"unreadable: {error}") from None
        if row is None:
            raise LostError(name, "missing")
        try:
            # A damaged header could ask for any amount of memory.
            whole = zstandard.frame_content_size(row[1]) == row[0]
            data = self._decompressor.decompress(row[1]) if whole else b""
        except (zstandard.ZstdError, TypeError, ValueError, MemoryError):
            raise LostError(name, "damaged") from None
        if digest(data) != name:
            raise LostError(name, "damaged")
        return data

    def find(self, prefix: str) -> list[str]:
        """Hashes of objects that begin with `prefix`: two at most, to tell one from several."""
        rows = self._connection.execute(
            "SELECT hash FROM objects WHERE hash BETWEEN ? AND ? ORDER BY hash LIMIT 2",
            (bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))),
        )
        return [name.hex() for (name,) in rows]

    def file(self, output: str, source: str, manifest: str, name: str) -> None:
        """Note that `manifest` says how `source` became `output`; the newest one of a pair holds."""
        name = name.encode("utf-8", "replace").decode()
        self._connection.execute(
            "INSERT OR REPLACE INTO outputs (output, source, manifest, name) VALUES (?, ?, ?, ?)",
            (*map(bytes.fromhex, (output, source, manifest)), name),
        )

    def filed(self, output: str) -> list[Filed]:
        """Every source that became `output`, the newest first."""
        rows = self._connection.execute(
            "SELECT output, source, manifest, name, made FROM outputs WHERE output = ? ORDER BY made DESC, name",
            (bytes.fromhex(output),),
        )
        return [Filed(o.hex(), s.hex(), m.hex(), name, made) for o, s, m, name, made in rows]


@contextmanager
def opened(folder: str, write: bool = False) -> Iterator[Archive]:
    """The archive in `folder`; with `write`, made where there is none. SQLite's errors become ArchiveError."""
    check(folder, write)
    try:
        with closing(_for_writing(folder) if write else _for_reading(folder)) as connection:
            yield Archive(connection, folder)
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        hint = _HINTS.get(code, f"{error}. Check the directory")
        raise ArchiveError(f"the archive in {folder}: {hint}.") from None


def check(folder: str, write: bool = False) -> None:
    """Raise ArchiveError where there is no archive to read, UsageError where none may be made."""
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UsageError(f"--archive {folder}: this is a file. Name a directory, which may be a new one.")
    if os.path.exists(os.path.join(folder, FILE)):
        return
    if not write:
        raise ArchiveError(
            f"--archive {folder}: there is no archive ({FILE} is missing), so no source can be given back from it. "
            "Name the directory that --archive named when the file was compressed, or restore it from a copy."
        )
    try:
        names = os.listdir(folder) if os.path.exists(folder) else []
    except OSError as error:
        raise ArchiveError(f"--archive {folder}: it cannot be read: {error.strerror}.") from None
    if others := [name for name in names if not name.startswith((".", FILE))]:
        raise UsageError(
            f"--archive {folder}: the directory holds no archive, but other things ({min(others)}). "
            "Name an empty directory or a new one."
        )


def _for_writing(folder: str) -> sqlite3.Connection:
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise ArchiveError(f"--archive {folder}: the directory cannot be made: {error.strerror}.") from None
    connection = _connect(folder, "mode=rwc")
    try:
        connection.execute("PRAGMA synchronous = FULL")  # no output outlives its source, not even a power cut
        if not _version(connection, folder):
            _make(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _for_reading(folder: str) -> sqlite3.Connection:
    """A connection that can read; also where nothing may be written, as long as no writer left work behind there."""
    log = Path(folder) / f"{FILE}-wal"
    modes = ["mode=rw", "mode=ro"] + ([] if log.exists() and log.stat().st_size else ["mode=ro&immutable=1"])
    for mode in modes:
        connection = _connect(folder, mode)
        try:
            if _version(connection, folder):
                return connection
            raise ArchiveError(f"the archive in {folder} is empty: nothing was ever kept in it.")
        except BaseException as error:
            connection.close()
            blocked = getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if not blocked or mode == modes[-1]:
                raise
    raise AssertionError("the last mode returns or raises")


def _connect(folder: str, mode: str) -> sqlite3.Connection:
    address = f"{(Path(folder) / FILE).absolute().as_uri()}?{mode}"
    return sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None)


def _version(connection: sqlite3.Connection, folder: str) -> int:
    """The schema's version, 0 for a new file. Raises UsageError for a file of somebody else's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != _APPLICATION and tables:
        raise UsageError(f"--archive {folder}: {FILE} in it is another program's database. Name another directory.")
    if version > SCHEMA:
        raise UsageError(f"--archive {folder}: a newer boildown made it (schema {version}). Install that version.")
    return int(version)


def _make(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process was faster. A process killed in here leaves a new file, or all of it."""
    _set_wal(connection)
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("PRAGMA user_version").fetchone()[0]:
        for statement in _TABLES:
            connection.execute(statement)
    connection.execute("COMMIT")


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
