"""What is kept of a message, which messages are meant, and what a store of them can do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from boildown.arrays import Bools, Floats, Singles


Seat = tuple[int, int]
"""Where a message stands: the number of its session in the store, and its place there, from 0 on"""

Whose = tuple[str, str]
"""A session by its user and its name"""


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it is put in.

    id      what its source calls it: `m12`
    time    when, as the source wrote it; `moment` is the same in seconds since 1970, None where that cannot be told
    """

    id: str
    role: str
    text: str
    name: str = ""
    time: str = ""
    moment: float | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it is kept. `source` is the SHA-256 of the file that it first came from, `file` that file's name."""

    seat: Seat
    said: Said
    session: str
    user: str
    topic: str
    source: str
    file: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where messages come from: whose session, what it is about, and the file."""

    session: str
    user: str = ""
    topic: str = ""
    source: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose messages, and which of them. A scope has one user always: users' messages are never looked at together.

    since, until  seconds since 1970, from and up to; a message without a time is outside of both
    """

    user: str = ""
    session: str | None = None
    role: str | None = None
    since: float | None = None
    until: float | None = None

    def holds(self, said: Said) -> bool:
        """Whether a message of the user and the session is meant."""
        if self.role is not None and said.role != self.role:
            return False
        if self.since is None and self.until is None:
            return True
        at = said.moment
        return at is not None and (self.since is None or at >= self.since) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Session:
    """A session of a user: how many messages it has, and the first and the last moment of them that are known."""

    user: str
    name: str
    topic: str
    messages: int
    first: float | None = None
    last: float | None = None


@dataclass(frozen=True, slots=True)
class Vectors:
    """Messages' vectors, a row each, of length 1, in the order of `seats`."""

    seats: list[Seat] = field(default_factory=list)
    rows: Singles | None = None


class Memory(Protocol):
    """A store of messages. What `put` and `embed` have returned from outlives a kill, and another writer.

    folder  where it is, as it was named
    """

    folder: str

    def transaction(self) -> AbstractContextManager[None]:
        """All that is put inside is kept, or nothing of it."""

    def put(self, origin: Origin, said: Sequence[Said]) -> int:
        """Keep a session's messages, in their order: how many are new. What is there already is not kept again."""

    def append(self, origin: Origin, said: Sequence[Said], place: int) -> int:
        """Keep messages of a stream that stand from `place` on: the place behind them.

        What stands there already is not kept again. Where other messages do, these come behind the session's last.
        """

    def search(self, phrases: Sequence[str], scope: Scope, limit: int) -> list[Seat]:
        """The `limit` best of the messages that hold one of `phrases` or several, the best first.

        A phrase is words apart by blanks, to be found side by side.
        """

    def speakers(self, phrases: Sequence[str], scope: Scope) -> list[str]:
        """Those of `phrases` that are in the name of somebody who speaks in the scope's user's messages."""

    def weigh(
        self, phrases: Sequence[str], names: Sequence[str], seats: Sequence[Seat], scope: Scope
    ) -> tuple[Floats, Bools]:
        """What each of `phrases`, a row, is worth in each message, a column: at least 0, and 0 where it is not (BM25).

        How telling a phrase is, is told by the scope's user and session alone.

        And whether each message's speaker is called by one of `names`.
        """

    def get(self, seats: Iterable[Seat]) -> dict[Seat, Kept]:
        """The messages at `seats`; a seat that nothing stands at is left out."""

    def whole(self, scope: Scope) -> list[Kept]:
        """All messages of the scope, session by session, each in its order."""

    def said(self, scope: Scope) -> list[Kept]:
        """All messages of the scope's user and session, whatever the role and the time, in their order."""

    def sessions(self, user: str | None = None) -> list[Session]:
        """Every session, or a user's, in the order in which they came."""

    def origins(self) -> dict[Whose, set[str]]:
        """The SHA-256 of each file that a session came in, for every session in the order in which they came."""

    def sizes(self) -> dict[Whose, int]:
        """Bytes of each session's texts, as UTF-8."""

    def embed(self, embedder: str, vectors: Mapping[Seat, bytes]) -> None:
        """Keep vectors that `embedder` made, as float16."""

    def unembedded(self, embedder: str, limit: int, scope: Scope) -> list[Kept]:
        """Up to `limit` messages of the scope's user and session that have no vector of `embedder`."""

    def vectors(self, embedder: str, scope: Scope) -> Vectors:
        """The vectors of the scope's user and session, whatever the role and the time."""


class Erasing(Protocol):
    """What is kept of all users' messages, to erase some. Its names of sessions go last, so that it can be finished."""

    def transaction(self) -> AbstractContextManager[None]:
        """Nobody else writes meanwhile."""

    def sessions(self) -> list[tuple[str, str, str]]:
        """Every session's user, name and topic, in the order in which they came."""

    def origins(self) -> dict[Whose, set[str]]:
        """As `Memory.origins`."""

    def has_user(self, user: str) -> bool:
        """Whether the user's name is kept, be it without a session."""

    def texts(self, user: str, session: str, role: str | None = None) -> Iterator[str]:
        """What the messages of a session say, those of a role only where one is given."""

    def everything(self) -> Iterator[tuple[Whose, Sequence[str]]]:
        """Every message's session, and all that is written of it: text, name, time."""

    def frame(self) -> bytes:
        """What every store of the kind holds, whoever's messages are in it."""

    def erase(self, user: str, sessions: Sequence[str]) -> None:
        """Take out all of a user's sessions but their names; inside of a transaction."""

    def erase_names(self, user: str, sessions: Sequence[str]) -> None:
        """Take out the names of what was erased; inside of a transaction."""

    def compact(self) -> None:
        """Have nothing of what was taken out in any file. Raises ArchiveError while another process reads it."""

    def held(self) -> Iterator[tuple[str, bytes]]:
        """The names and the bytes of files of it that are not in a directory of this machine."""
