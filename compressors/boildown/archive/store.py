"""The archive's sources: objects by the hash of their bytes, and the manifest of each output, in one SQLite file."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

import zstandard

from boildown.archive import database
from boildown.archive.places import local
from boildown.errors import LostError

FILE = "archive.db"
_NEEDED = "sources are kept"
SOURCES = database.Database(
    FILE,
    application=int.from_bytes(b"boil"),
    schema=1,
    tables=(
        """CREATE TABLE objects (
            id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, data BLOB NOT NULL)""",
        """CREATE TABLE outputs (
            output BLOB NOT NULL, source BLOB NOT NULL, manifest BLOB NOT NULL, name TEXT NOT NULL,
            made TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (output, source)) WITHOUT ROWID""",
    ),
    missing=(
        f"there is no archive ({FILE} is missing), so no source can be given back from it. "
        "Name the directory that --archive named when the file was compressed, or restore it from a copy."
    ),
)


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
    """An open archive. Objects are never changed, and go only by `erase`; what is put twice is kept once."""

    def __init__(self, connection: sqlite3.Connection, folder: str) -> None:
        self.folder = folder
        self._connection = connection
        self._compressor = zstandard.ZstdCompressor()
        self._decompressor = zstandard.ZstdDecompressor()

    def transaction(self) -> AbstractContextManager[None]:
        """All that is put inside is kept, or nothing of it. Other writers wait."""
        return database.transaction(self._connection)

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
        return self._filed("WHERE output = ?", bytes.fromhex(output))

    def made_from(self, source: str) -> list[Filed]:
        """Every output that `source` became, the newest first."""
        return self._filed("WHERE source = ?", bytes.fromhex(source))

    def all_filed(self) -> list[Filed]:
        return self._filed("")

    def _filed(self, which: str, *given: bytes) -> list[Filed]:
        rows = self._connection.execute(
            f"SELECT output, source, manifest, name, made FROM outputs {which} ORDER BY made DESC, name", given
        )
        return [Filed(o.hex(), s.hex(), m.hex(), name, made) for o, s, m, name, made in rows]

    def names(self) -> list[str]:
        """The hashes of all objects."""
        return [name.hex() for (name,) in self._connection.execute("SELECT hash FROM objects ORDER BY id")]

    def erase(self, outputs: Iterable[Filed], objects: Iterable[str]) -> None:
        """Take out what is filed of `outputs`, and `objects`. Inside of a transaction."""
        database.secure(self._connection)
        self._connection.executemany(
            "DELETE FROM outputs WHERE output = ? AND source = ?",
            ((bytes.fromhex(one.output), bytes.fromhex(one.source)) for one in outputs),
        )
        self._connection.executemany("DELETE FROM objects WHERE hash = ?", ((bytes.fromhex(o),) for o in objects))

    def compact(self) -> None:
        """Leave nothing of what was erased in the file or its log. Raises ArchiveError where another reads on."""
        database.compact(self._connection, self.folder)


@contextmanager
def opened(folder: str, write: bool = False) -> Iterator[Archive]:
    """The archive in `folder`; with `write`, made where there is none. SQLite's errors become ArchiveError.

    Raises UsageError where it is on object storage.
    """
    folder = local(folder, _NEEDED)
    with database.connected(SOURCES, folder, write) as connection:
        yield Archive(connection, folder)


def check(folder: str, write: bool = False) -> None:
    """Raise ArchiveError where there is no archive to read, UsageError where none may be made."""
    database.check(SOURCES, local(folder, _NEEDED), write)
