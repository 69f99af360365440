"""Erasing from the SQLite file of messages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager

from boildown.archive import database
from boildown.memory.messages import Whose
from boildown.memory.schema import MESSAGES
from boildown.memory.store import Store

_NAMED = "FROM sessions s JOIN users u ON u.id = s.user"


class Erasure:
    """An open SQLite file: an `Erasing`."""

    def __init__(self, store: Store, connection: sqlite3.Connection) -> None:
        self._store = store
        self._connection = connection

    def transaction(self) -> AbstractContextManager[None]:
        return self._store.transaction()

    def sessions(self) -> list[tuple[str, str, str]]:
        return list(self._connection.execute(f"SELECT u.name, s.name, s.topic {_NAMED} ORDER BY s.id"))

    def origins(self) -> dict[Whose, set[str]]:
        return self._store.origins()

    def has_user(self, user: str) -> bool:
        return self._connection.execute("SELECT 1 FROM users WHERE name = ?", (user,)).fetchone() is not None

    def texts(self, user: str, session: str, role: str | None = None) -> Iterator[str]:
        only, given = ("", ()) if role is None else (" AND role = ?", (role,))
        for id in self._ids(user, [session]):
            for (text,) in self._connection.execute(f"SELECT text FROM messages WHERE session = ?{only}", (id, *given)):
                yield text

    def everything(self) -> Iterator[tuple[Whose, Sequence[str]]]:
        rows = self._connection.execute(
            f"SELECT u.name, s.name, m.text, m.name, m.time {_NAMED} JOIN messages m ON m.session = s.id"
        )
        return (((user, name), texts) for user, name, *texts in rows)

    def frame(self) -> bytes:
        return "\n".join(MESSAGES.tables).encode()

    def _ids(self, user: str, sessions: Sequence[str]) -> list[int]:
        query = f"SELECT s.id {_NAMED} WHERE u.name = ? AND s.name = ?"
        return [id for name in sessions for (id,) in self._connection.execute(query, (user, name))]

    def erase(self, user: str, sessions: Sequence[str]) -> None:
        """As `Erasing.erase`; the index of words is made anew."""
        database.secure(self._connection)
        for id in self._ids(user, sessions):
            of = "(SELECT id FROM messages WHERE session = ?)"
            self._connection.execute(f"DELETE FROM vectors WHERE message IN {of}", (id,))
            self._connection.execute(f"DELETE FROM words WHERE rowid IN {of}", (id,))
            self._connection.execute("DELETE FROM messages WHERE session = ?", (id,))
            self._connection.execute("DELETE FROM origins WHERE session = ?", (id,))
        self._connection.execute(
            "DELETE FROM sources WHERE id NOT IN (SELECT source FROM origins UNION SELECT source FROM messages)"
        )
        self._connection.execute("INSERT INTO words (words) VALUES ('rebuild')")

    def erase_names(self, user: str, sessions: Sequence[str]) -> None:
        self._connection.executemany("DELETE FROM sessions WHERE id = ?", ((id,) for id in self._ids(user, sessions)))
        self._connection.execute("DELETE FROM users WHERE name = ? AND id NOT IN (SELECT user FROM sessions)", (user,))
        # Raises where the index says anything that the messages do not.
        self._connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 0)")

    def compact(self) -> None:
        database.compact(self._connection, self._store.folder)

    def held(self) -> Iterator[tuple[str, bytes]]:
        return iter(())


@contextmanager
def erasable(folder: str) -> Iterator[Erasure]:
    """The messages in `folder` for erasing. Raises ArchiveError."""
    with database.connected(MESSAGES, folder, write=True) as connection:
        yield Erasure(Store(connection, folder), connection)


@contextmanager
def nothing() -> Iterator[Erasure]:
    """No messages, of an archive that has only checkpoints or originals."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for table in MESSAGES.tables:
            connection.execute(table)
        yield Erasure(Store(connection, ":memory:"), connection)
