"""The store of messages that comes with boildown: SQLite with a full-text index, and vectors as blobs."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from boildown.archive import database
from boildown.memory.keys import clean, idf, keys, placed, told, writable
from boildown.memory.messages import Kept, Origin, Said, Scope, Seat, Session, Vectors, Whose
from boildown.memory.schema import MESSAGES
from boildown.memory.scopes import Scopes
from boildown.memory.terms import indexed, parts

if TYPE_CHECKING:
    from boildown.arrays import Bools, Floats

_KEPT = """SELECT m.session, m.place, m.called, m.role, m.text, m.name, m.time, m.moment,
    s.name, u.name, s.topic, f.hash, f.name
    FROM messages m JOIN sessions s ON s.id = m.session JOIN users u ON u.id = s.user
    JOIN sources f ON f.id = m.source"""
_SAID = "{text parts}"
"""The columns of the index that hold what a message says"""
_WEIGHTS = "0.0, 1.0, 0.5, 0.0, 0.0, 0.0"
"""What a word counts in each column; those that only filter count nothing"""
_SEATED = "m.session = seat.value >> 32 AND m.place = seat.value & 0xffffffff"
"""Joins messages and what `_packed` made of their seats"""
_ENOUGH = 2000
"""Messages that are weighed to find the best of them; weighing is what takes the time"""


class Store:
    """Messages in an open SQLite file: a `Memory`."""

    def __init__(self, connection: sqlite3.Connection, folder: str) -> None:
        self.folder = folder
        self._connection = connection
        self._scopes = Scopes(connection)

    def transaction(self) -> AbstractContextManager[None]:
        return database.transaction(self._connection)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """What is put inside is gone afterwards."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def put(self, origin: Origin, said: Sequence[Said]) -> int:
        """As `Memory.put`; inside of a transaction."""
        user = self._number("users", name=origin.user)
        session = self._session(user, origin)
        source = self._number("sources", hash=origin.source, name=origin.file)
        self._connection.execute("INSERT OR IGNORE INTO origins VALUES (?, ?)", (session, source))
        rows = self._connection.execute("SELECT key, place FROM messages WHERE session = ?", (session,))
        known: dict[bytes, int] = dict(rows)
        cleaned = [clean(one) for one in said]
        fresh = placed(list(keys(cleaned)), known)
        self._make_room(session, len(known), [after for after, _, _ in fresh])
        places = (after + n for n, (after, _, _) in enumerate(fresh, 1))
        added = [(place, key, cleaned[i]) for place, (_, i, key) in zip(places, fresh, strict=True)]
        self._insert(user, session, source, added)
        return len(added)

    def append(self, origin: Origin, said: Sequence[Said], place: int) -> int:
        """As `Memory.append`; inside of a transaction."""
        user = self._number("users", name=origin.user)
        session = self._session(user, origin)
        source = self._number("sources", hash=origin.source, name=origin.file)
        self._connection.execute("INSERT OR IGNORE INTO origins VALUES (?, ?)", (session, source))
        cleaned = [clean(one) for one in said]
        names = [told(one) for one in cleaned]
        query = "SELECT place, substr(key, 1, 16) FROM messages WHERE session = ? AND place >= ? AND place < ?"
        there: dict[int, bytes] = dict(self._connection.execute(query, (session, place, place + len(said))))
        (end,) = self._connection.execute(
            "SELECT coalesce(max(place) + 1, 0) FROM messages WHERE session = ?", (session,)
        ).fetchone()
        if place > end or any(there.get(place + n, name) != name for n, name in enumerate(names)):
            place, there = end, {}
        often = Counter[bytes]()
        added = []
        for n, (name, one) in enumerate(zip(names, cleaned, strict=True)):
            if place + n not in there:
                added.append((place + n, name + (self._often(session, name) + often[name]).to_bytes(4), one))
                often[name] += 1
        self._insert(user, session, source, added)
        return place + len(said)

    def _often(self, session: int, name: bytes) -> int:
        """How many messages of a session there are that say what `name` is the hash of."""
        query = "SELECT max(key) FROM messages WHERE session = ? AND key BETWEEN ? AND ?"
        (last,) = self._connection.execute(query, (session, name + bytes(4), name + b"\xff" * 4)).fetchone()
        return 0 if last is None else int.from_bytes(last[16:]) + 1

    def _number(self, table: str, **values: str) -> int:
        """The id of the row of `table` that has `values`, which are unique; a new one where there is none."""
        names, given = ", ".join(values), [writable(value) for value in values.values()]
        marks = ", ".join("?" * len(given))
        self._connection.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", given)
        query = f"SELECT id FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in values)}"
        return int(self._connection.execute(query, given).fetchone()[0])

    def _session(self, user: int, origin: Origin) -> int:
        """The session's id. Its topic is the last that was said."""
        name, topic = writable(origin.session), writable(origin.topic)
        row = self._connection.execute(
            """INSERT INTO sessions (user, name, topic) VALUES (?, ?, ?)
            ON CONFLICT DO UPDATE SET topic = iif(excluded.topic = '', topic, excluded.topic) RETURNING id""",
            (user, name, topic),
        )
        return int(row.fetchone()[0])

    def _make_room(self, session: int, end: int, anchors: Sequence[int]) -> None:
        """Move what stands behind new messages that come between others. `anchors` are the places before these."""
        for after, count in sorted(Counter(anchors).items(), reverse=True):
            if after < end - 1:
                self._connection.execute(
                    "UPDATE messages SET place = place + ? WHERE session = ? AND place > ?", (count, session, after)
                )

    def _insert(self, user: int, session: int, source: int, added: Sequence[tuple[int, bytes, Said]]) -> None:
        (last,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM messages").fetchone()
        self._connection.executemany(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (id, session, place, key, source, said.role, said.name, said.moment, said.time, said.id, said.text)
                for id, (place, key, said) in enumerate(added, last + 1)
            ),
        )
        whose = f"s{session}", f"u{user}"
        self._connection.executemany(
            "INSERT INTO words (rowid, speaker, text, parts, session, user, role) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (id, indexed(said.name), indexed(said.text), parts(said.text), *whose, _role(said.role))
                for id, (_, _, said) in enumerate(added, last + 1)
            ),
        )

    def search(self, phrases: Sequence[str], scope: Scope, limit: int) -> list[Seat]:
        """As `Memory.search`. Words that many messages hold are not looked for where rarer ones find enough."""
        whose = self._scopes.whose(scope)
        if not phrases or whose is None:
            return []
        # A user's words are counted with all others', for it is quicker: they may find too little by themselves.
        rarest = self._rarest(phrases, "" if scope.session is None else whose)
        found = self._best(rarest, whose, scope, limit) if rarest else []
        if len(found) < limit and len(rarest) < len(phrases):
            found = self._best(phrases, whose, scope, limit)
        return found

    def _best(self, phrases: Sequence[str], whose: str, scope: Scope, limit: int) -> list[Seat]:
        if whose and self._scopes.others(scope):
            # Of the best of all users nearly all are this one's, and to find those takes half as long.
            best = self._matching(phrases, "", scope, 2 * limit)
            numbers = {session for session, _ in self._scopes.sessions(scope)}
            own = [seat for seat in best if seat[0] in numbers]
            if len(own) >= limit or len(best) < 2 * limit:
                return own[:limit]
        return self._matching(phrases, whose, scope, limit)

    def _matching(self, phrases: Sequence[str], whose: str, scope: Scope, limit: int) -> list[Seat]:
        query = f"{_SAID} : ({_either(phrases)}){whose}"
        if scope.role is not None:
            query += f' AND role : "{_role(scope.role)}"'
        timed, bounds = _times(scope)
        rows = self._connection.execute(
            f"""SELECT m.session, m.place FROM
            (SELECT rowid AS id, bm25(words, {_WEIGHTS}) AS score FROM words WHERE words MATCH ?
            {f"AND rowid IN (SELECT id FROM messages WHERE {timed})" if timed else ""} ORDER BY score LIMIT ?) AS found
            JOIN messages m ON m.id = found.id ORDER BY found.score, m.id""",
            (query, *bounds, limit),
        )
        return list(rows)

    def _rarest(self, phrases: Sequence[str], within: str) -> list[str]:
        """Those of `phrases` that fewest messages hold, as many as find _ENOUGH together, and one at least."""
        often = [(self._count(f'{_SAID} : "{phrase}"{within}'), phrase) for phrase in phrases]
        chosen, total = list[str](), 0
        for count, phrase in sorted(filter(lambda one: one[0], often), key=lambda one: one[0]):
            if chosen and total + count > _ENOUGH:
                break
            chosen.append(phrase)
            total += count
        return chosen

    def _count(self, query: str) -> int:
        return int(self._connection.execute("SELECT count(*) FROM words WHERE words MATCH ?", (query,)).fetchone()[0])

    def speakers(self, phrases: Sequence[str], scope: Scope) -> list[str]:
        whose = self._scopes.whose(scope)
        named = [phrase for phrase in phrases if self._any(f'speaker : "{phrase}"')]
        return [phrase for phrase in named if whose is not None and self._any(f'speaker : "{phrase}"{whose}')]

    def _any(self, query: str) -> bool:
        return bool(self._connection.execute("SELECT 1 FROM words WHERE words MATCH ? LIMIT 1", (query,)).fetchone())

    def weigh(
        self, phrases: Sequence[str], names: Sequence[str], seats: Sequence[Seat], scope: Scope
    ) -> tuple[Floats, Bools]:
        import numpy as np

        columns, found = self._columns(seats), np.zeros((len(phrases), len(seats)))
        ids = min(columns, default=0), max(columns, default=0), json.dumps(list(columns))
        for row, phrase, rarer in zip(found, phrases, self._rarer(phrases, scope), strict=True):
            for id, score in self._at(f'{_SAID} : "{phrase}"', ids, f"bm25(words, {_WEIGHTS})"):
                row[columns[id]] = max(-score, 0.0) * rarer
        spoken = np.zeros(len(seats), np.bool_)
        for id, _ in self._at(f"speaker : ({_either(names)})", ids) if names else ():
            spoken[columns[id]] = True
        return found, spoken

    def _rarer(self, phrases: Sequence[str], scope: Scope) -> list[float]:
        """How much rarer each phrase is in the scope than in the whole store, by which SQLite's BM25 goes."""
        whose = self._scopes.whose(scope)
        if not whose:
            return [1.0] * len(phrases)
        (stored,) = self._connection.execute("SELECT max(id) FROM messages").fetchone()
        own, others = self._scopes.size(scope), self._scopes.others(scope)
        rarer = []
        for said in (f'{_SAID} : "{phrase}"' for phrase in phrases):
            often = self._count(said)
            # What few others say is counted sooner than what most say.
            within = often - self._count(said + others) if others else self._count(said + whose)
            rarer.append(idf(own, within) / idf(stored, often))
        return rarer

    def _columns(self, seats: Sequence[Seat]) -> dict[int, int]:
        """The index of each of `seats` by its message's id."""
        rows = self._connection.execute(
            f"SELECT m.id, seat.key FROM json_each(?) seat CROSS JOIN messages m ON {_SEATED}", (_packed(seats),)
        )
        return dict(rows)

    def _at(self, query: str, ids: tuple[int, int, str], value: str = "0") -> Iterator[tuple[int, float]]:
        """Those of `ids` that `query` finds, with `value` of each; `ids` is the first, the last, and all in JSON."""
        # The plus keeps SQLite from asking the index anew for each id, which takes many times as long. Within bounds,
        # it reads a session's part of the index alone.
        return self._connection.execute(
            f"""SELECT rowid, {value} FROM words WHERE words MATCH ? AND rowid BETWEEN ? AND ?
            AND +rowid IN (SELECT value FROM json_each(?))""",
            (query, *ids),
        )

    def get(self, seats: Iterable[Seat]) -> dict[Seat, Kept]:
        rows = self._connection.execute(
            f"{_KEPT} JOIN json_each(?) seat ON {_SEATED} ORDER BY seat.key", (_packed(dict.fromkeys(seats)),)
        )
        return {kept.seat: kept for kept in map(_kept, rows)}

    def whole(self, scope: Scope) -> list[Kept]:
        whose, given = self._scopes.within(scope)
        rows = self._connection.execute(f"{_KEPT} WHERE {whose} ORDER BY m.session, m.place", given)
        return [kept for row in rows if scope.holds((kept := _kept(row)).said)]

    def sessions(self, user: str | None = None) -> list[Session]:
        only, given = ("", []) if user is None else ("WHERE u.name = ?", [writable(user)])
        rows = self._connection.execute(
            f"""SELECT u.name, s.name, s.topic, count(m.id), min(m.moment), max(m.moment) FROM sessions s
            JOIN users u ON u.id = s.user LEFT JOIN messages m ON m.session = s.id {only}
            GROUP BY s.id ORDER BY s.id""",
            given,
        )
        return [Session(*row) for row in rows]

    def said(self, scope: Scope) -> list[Kept]:
        """All messages of the scope's user and session, in their order."""
        whose, given = self._scopes.within(scope)
        return [
            _kept(row) for row in self._connection.execute(f"{_KEPT} WHERE {whose} ORDER BY m.session, m.place", given)
        ]

    def origins(self) -> dict[Whose, set[str]]:
        found: dict[Whose, set[str]] = {}
        rows = self._connection.execute(
            """SELECT u.name, s.name, f.hash FROM sessions s JOIN users u ON u.id = s.user
            LEFT JOIN origins o ON o.session = s.id LEFT JOIN sources f ON f.id = o.source ORDER BY s.id"""
        )
        for user, name, source in rows:
            found.setdefault((user, name), set()).update(() if source is None else (source,))
        return found

    def sizes(self) -> dict[Whose, int]:
        rows = self._connection.execute(
            """SELECT u.name, s.name, coalesce(sum(length(CAST(m.text AS BLOB))), 0) FROM sessions s
            JOIN users u ON u.id = s.user LEFT JOIN messages m ON m.session = s.id GROUP BY s.id"""
        )
        return {(user, name): size for user, name, size in rows}

    def embed(self, embedder: str, vectors: Mapping[Seat, bytes]) -> None:
        """As `Memory.embed`; inside of a transaction."""
        number = self._number("embedders", name=embedder)
        self._connection.executemany(
            "INSERT OR REPLACE INTO vectors SELECT ?, id, ? FROM messages WHERE session = ? AND place = ?",
            ((number, vector, *seat) for seat, vector in vectors.items()),
        )

    def unembedded(self, embedder: str, limit: int, scope: Scope) -> list[Kept]:
        whose, given = self._scopes.within(scope)
        rows = self._connection.execute(
            f"""{_KEPT} WHERE {whose} AND m.id NOT IN (SELECT v.message FROM vectors v JOIN embedders e
            ON e.id = v.embedder WHERE e.name = ?) ORDER BY m.id LIMIT ?""",
            (*given, embedder, limit),
        )
        return [_kept(row) for row in rows]

    def vectors(self, embedder: str, scope: Scope) -> Vectors:
        import numpy as np

        whose, given = self._scopes.within(scope)
        rows = self._connection.execute(
            f"""SELECT m.session, m.place, v.vector FROM messages m JOIN vectors v ON v.message = m.id
            JOIN embedders e ON e.id = v.embedder WHERE e.name = ? AND {whose} ORDER BY m.id""",
            (embedder, *given),
        ).fetchall()
        if not rows:
            return Vectors()
        made = np.frombuffer(b"".join(vector for _, _, vector in rows), np.float16).astype(np.float32)
        return Vectors([(session, place) for session, place, _ in rows], made.reshape(len(rows), -1))


@contextmanager
def opened(folder: str, write: bool = False) -> Iterator[Store]:
    """The messages in the archive `folder`; with `write`, made where there are none. Raises ArchiveError."""
    with database.connected(MESSAGES, folder, write) as connection:
        yield Store(connection, folder)


def within_memory() -> Store:
    """An empty store that no file holds."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for table in MESSAGES.tables:
        connection.execute(table)
    return Store(connection, ":memory:")


def check(folder: str, write: bool = False) -> None:
    """Raise ArchiveError where there are no messages to read, UsageError where none may be put."""
    database.check(MESSAGES, folder, write)


def _packed(seats: Iterable[Seat]) -> str:
    """Seats as a JSON array of one number each."""
    return json.dumps([session << 32 | place for session, place in seats])


def _either(phrases: Sequence[str]) -> str:
    return " OR ".join(f'"{phrase}"' for phrase in phrases)


def _role(role: str) -> str:
    """A role as one phrase of the index, also where it has no letters."""
    return f"r{writable(role).encode().hex()}"


def _times(scope: Scope) -> tuple[str, list[float]]:
    """A condition on messages' moments, empty where any is meant, and its values."""
    given = [("moment >= ?", scope.since), ("moment < ?", scope.until)]
    return " AND ".join(c for c, value in given if value is not None), [v for _, v in given if v is not None]


def _kept(row: tuple[object, ...]) -> Kept:
    session, place, called, role, text, name, time, moment, *rest = row
    said = Said(str(called), str(role), str(text), str(name), str(time), moment)  # type: ignore[arg-type]
    return Kept((session, place), said, *rest)  # type: ignore[arg-type]
