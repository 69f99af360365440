"""Whose messages a question is about, as the store's index and its tables name them."""

from __future__ import annotations

import sqlite3

from boildown.memory.keys import writable
from boildown.memory.messages import Scope

_FEW = 16
"""Other users whose messages are told apart from one's own one user by one"""


class Scopes:
    """What a scope means in an open store."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def whose(self, scope: Scope) -> str | None:
        """What a query ends with that says whose messages are meant: nothing where all are of one user.

        None where there are no such messages.
        """
        if scope.session is not None:
            found = self.sessions(scope)
            return f" AND session : s{found[0][0]}" if found else None
        row = self._connection.execute("SELECT id FROM users WHERE name = ?", (writable(scope.user),)).fetchone()
        if row is None:
            return None
        alone = self._connection.execute("SELECT count(*) FROM users").fetchone() == (1,)
        return "" if alone else f" AND user : u{row[0]}"

    def sessions(self, scope: Scope) -> list[tuple[int, int]]:
        """The ids of the scope's sessions, each with that of their user."""
        only, given = self._named(scope)
        query = f"SELECT s.id, u.id FROM sessions s JOIN users u ON u.id = s.user WHERE {only}"
        return list(self._connection.execute(query, given))

    def _named(self, scope: Scope) -> tuple[str, list[str]]:
        """A condition on `s` and `u`, sessions and their users, that holds for the scope's."""
        if scope.session is None:
            return "u.name = ?", [writable(scope.user)]
        return "u.name = ? AND s.name = ?", [writable(scope.user), writable(scope.session)]

    def size(self, scope: Scope) -> int:
        """How many messages the scope's user and session have. A session's places have no gaps."""
        only, given = self._named(scope)
        query = f"""SELECT sum((SELECT max(m.place) + 1 FROM messages m WHERE m.session = s.id))
            FROM sessions s JOIN users u ON u.id = s.user WHERE {only}"""
        return int(self._connection.execute(query, given).fetchone()[0] or 0)

    def others(self, scope: Scope) -> str:
        """What a query ends with that finds other users' messages alone, where these are few; "" where they are not."""
        if scope.session is not None:
            return ""
        query = "SELECT id FROM users WHERE name != ? LIMIT ?"
        numbers = [number for (number,) in self._connection.execute(query, (writable(scope.user), _FEW + 1))]
        (stored,) = self._connection.execute("SELECT max(id) FROM messages").fetchone()
        if not 0 < len(numbers) <= _FEW or 2 * self.size(scope) < stored:
            return ""
        return f" AND user : ({' OR '.join(f'u{number}' for number in numbers)})"

    def within(self, scope: Scope) -> tuple[str, list[int]]:
        """A condition on `m`, messages, that holds for those of the scope's user and session."""
        numbers = [session for session, _ in self.sessions(scope)]
        return f"m.session IN ({', '.join('?' * len(numbers))})", numbers
