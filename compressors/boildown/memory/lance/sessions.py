"""The sessions of a table of messages: a row without a message for each file that one came in, and their numbers."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field

from boildown.memory.keys import writable
from boildown.memory.lance.table import Row, Table
from boildown.memory.messages import Origin, Whose

HEAD = -1
"""The place of a row that tells of a session"""
_COLUMNS = ("owner", "thread", "user", "session", "topic", "source", "came", "moment")


def owner(user: str) -> str:
    """A user's name as conditions have it, which no name can break."""
    return _hash(writable(user))


def thread(user: str, session: str) -> str:
    return _hash(writable(user), writable(session))


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(f"{len(text)}:{text}" for text in texts).encode()).hexdigest()[:24]


def seat(thread: str, place: int) -> str:
    return f"{thread}{place:08x}"


@dataclass(slots=True)
class Known:
    """A session: `came` is nanoseconds since 1970 of its first row; the topic that was said last is kept."""

    thread: str
    owner: str
    user: str
    session: str
    came: int
    topic: str = ""
    said: int = 0
    sources: set[str] = field(default_factory=set)

    @property
    def whose(self) -> Whose:
        return self.user, self.session


class Sessions:
    """The sessions of a table, read anew when its version is another. Their numbers stay while it is open."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._version = -1
        self._known: dict[str, Known] = {}
        self._numbers: dict[str, int] = {}
        self._threads: list[str] = [""]

    def all(self) -> list[Known]:
        """Every session, in the order in which they came."""
        if self._table.version != self._version:
            self._known = read(self._table)
            self._version = self._table.version
            for one in self._known:
                self.number(one)
        return list(self._known.values())

    def of(self, user: str, session: str | None = None) -> list[Known]:
        if session is not None:
            self.all()
            one = self._known.get(thread(user, session))
            return [one] if one else []
        whose = owner(user)
        return [one for one in self.all() if one.owner == whose]

    def get(self, thread: str) -> Known:
        self.all()
        return self._known[thread]

    def number(self, thread: str) -> int:
        """From 1 on, in the order in which they came."""
        if thread not in self._numbers:
            self._numbers[thread] = len(self._threads)
            self._threads.append(thread)
        return self._numbers[thread]

    def thread(self, number: int) -> str:
        """The name of the session's thread, "" where there is no such session."""
        self.all()
        return self._threads[number] if 0 < number < len(self._threads) else ""


def read(table: Table, only: str = "") -> dict[str, Known]:
    """The sessions of a table, those for which a condition holds where one is given, as they came."""
    rows = table.rows(f"{only}place = {HEAD}", _COLUMNS).to_pylist()
    found: dict[str, Known] = {}
    for row in sorted(rows, key=lambda row: (row["came"], row["thread"])):
        one = found.setdefault(row["thread"], Known(*(row[c] for c in ("thread", "owner", "user", "session", "came"))))
        one.sources.add(row["source"])
        at = int(row["moment"] or 0)
        if row["topic"] and at >= one.said:
            one.topic, one.said = row["topic"], at
    return found


def head(origin: Origin, table: Table) -> tuple[Row | None, bool]:
    """The row to be written of where messages come from, and whether it is in place of another; None for none."""
    user, session, topic = map(writable, (origin.user, origin.session, origin.topic))
    which = thread(user, session)
    ours = list(read(table, f"thread = '{which}' AND ").values())
    there = any(origin.source in one.sources for one in ours)
    if there and (not topic or ours[0].topic == topic):
        return None, False
    now = time.time_ns()
    row = {
        "key": f"{which}{_hash(origin.source, writable(origin.file))}",
        "owner": owner(user),
        "thread": which,
        "seat": "",
        "user": user,
        "session": session,
        "topic": topic,
        "source": origin.source,
        "file": writable(origin.file),
        "place": HEAD,
        "came": ours[0].came if ours else now,
        "moment": float(now),
    }
    return row, there
