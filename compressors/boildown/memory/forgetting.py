"""Erasing what a user said from all that an archive keeps, and looking whether any of it is left."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from boildown.archive import database, store
from boildown.archive.store import Archive
from boildown.errors import BusyError, UsageError
from boildown.following.checkpoint import beside, lock, locked
from boildown.hooks.handover import pages
from boildown.memory.checkpoints import FOLDER, Checkpoint, checkpoints
from boildown.memory.originals import Kept, Owned, planned, unpacked
from boildown.memory.schema import FILE, MESSAGES
from boildown.memory.traces import LENGTH, Search, files, passages
from boildown.summarizers import answers

LONG = 2 * LENGTH
"""Characters of a text that nobody else is likely to have written"""
_WRITTEN = " AND role = 'user'"


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes.

    sessions    the names of the user's sessions, and `messages` how many they have
    kept        the originals and compressed copies that go, by the archive's account
    beside      names of the user's other sessions whose originals go, too, since they stand in the same files
    state       files of checkpoints, what a kill left of them included
    pages       those that a hook wrote of the sessions
    answers     files of models' answers: all, for whose messages they tell of cannot be known
    search      the passages that are looked for afterwards
    shared      how many passages are not, since they are also others' or stand in what stays
    short       messages that are too short to be told from others'
    """

    sessions: tuple[str, ...]
    messages: int
    kept: Kept
    beside: tuple[str, ...]
    state: tuple[Path, ...]
    pages: tuple[Path, ...]
    answers: tuple[Path, ...]
    search: Search = field(repr=False)
    shared: int = 0
    short: int = 0


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked through after erasing, how many of the passages were found there, and in which files."""

    files: int
    bytes: int
    objects: int
    passages: int
    found: int
    where: tuple[str, ...]


def forget(folder: str, user: str, session: str | None = None, dry_run: bool = False) -> tuple[Plan, Proof | None]:
    """Erase the messages of `user`, or those of one session, in the archive `folder`; with `dry_run`, only plan it.

    Raises UsageError where there is nothing of theirs, BusyError where one of the sessions is followed. Stopped
    halfway, it is finished by running it again: the names of the sessions go last. Other users' messages stay, equal
    ones included.
    """
    user = user.encode("utf-8", "replace").decode()  # as a store writes it
    with _messages(folder) as connection, _archive(folder) as archive, ExitStack() as held:
        with database.transaction(connection), archive.transaction() if archive else nullcontext():
            plan, going = _planned(connection, archive, folder, user, session)
            if dry_run:
                return plan, None
            locks = _locked(folder, plan.sessions, user, held)
            if archive:
                archive.erase(plan.kept.filed, plan.kept.objects)
            for path in (*plan.state, *plan.pages, *plan.answers, *locks):
                path.unlink(missing_ok=True)
            _erase(connection, going)
        _compact(connection, folder)
        if archive:
            archive.compact()
        with database.transaction(connection):
            _erase_names(connection, going, user)
        _compact(connection, folder)
        return plan, _proof(folder, archive, plan.search)


def _locked(folder: str, sessions: Iterable[str], user: str, held: ExitStack) -> list[Path]:
    """The files of the sessions' locks, which are held then: what follows one would save it again. Raises BusyError."""
    if not os.path.isdir(os.path.join(folder, FOLDER)):
        return []
    locks = []
    for session in sessions:
        try:
            held.enter_context(locked(folder, session, user))
        except BusyError:
            raise BusyError(
                f"--archive {folder}: the session {session!r} is being followed, and would be saved again. Nothing was "
                "erased. Stop that 'boildown follow', then run this again."
            ) from None
        locks.append(lock(folder, session, user))
    return locks


@contextmanager
def _archive(folder: str) -> Iterator[Archive | None]:
    """The archive of sources for writing, where there is one."""
    if not os.path.exists(os.path.join(folder, store.FILE)):
        yield None
        return
    with store.opened(folder, write=True) as archive:
        yield archive


@contextmanager
def _messages(folder: str) -> Iterator[sqlite3.Connection]:
    """The messages for writing; where there are only checkpoints or originals, none that are kept."""
    if not os.path.isdir(folder):
        database.check(MESSAGES, folder)
    if os.path.exists(os.path.join(folder, FILE)):
        with database.connected(MESSAGES, folder, write=True) as connection:
            database.secure(connection)
            yield connection
        return
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        for statement in MESSAGES.tables:
            connection.execute(statement)
        yield connection
    finally:
        connection.close()


_Going = Sequence[tuple[int, str]]
"""The ids and the names of sessions"""


def _sessions(connection: sqlite3.Connection, user: str) -> _Going:
    return connection.execute(
        "SELECT s.id, s.name FROM sessions s JOIN users u ON u.id = s.user WHERE u.name = ? ORDER BY s.id", (user,)
    ).fetchall()


def _planned(
    connection: sqlite3.Connection, archive: Archive | None, folder: str, user: str, session: str | None
) -> tuple[Plan, _Going]:
    """What goes, and the sessions whose messages do."""
    own = _sessions(connection, user)
    going = [one for one in own if session in (None, one[1])]
    state = checkpoints(folder)
    theirs = [one for one in state if one.is_of(user, session)]
    if not going and not theirs:
        _check_known(connection, folder, user, session)
    texts = [text for id, _ in going for text in _texts(connection, id)]
    wanted = passages([*texts, *(text for one in theirs for text in one.texts())])
    search = Search(wanted)
    names = tuple(dict.fromkeys([*(name for _, name in going), *(one.session for one in theirs)]))
    own_pages, other_pages = _pages(connection, folder, user, names)
    staying = _said_by_others(connection, going, search, [one for one in state if one not in theirs])
    staying = staying.union(*map(search.in_file, other_pages))
    sources, kept = _Sources.of(connection, [id for id, _ in own], [id for id, _ in going]), Kept()
    if archive:
        written = [
            passages([text]) for id, _ in going for text in _texts(connection, id, _WRITTEN) if len(text) >= LONG
        ]
        kept, staying = planned(archive, search, Owned(sources.going, sources.others, written), staying)
    search = Search(wanted - staying)
    plan = Plan(
        sessions=names,
        messages=len(texts),
        kept=kept,
        beside=tuple(name for id, name in own if (id, name) not in going and sources.of_session[id] & sources.lost),
        state=_state(folder, user, names, search, state),
        pages=own_pages,
        answers=tuple(sorted(answers.folder().glob("??/*.json"))),
        search=search,
        shared=len(staying),
        short=sum(not passages([text]) for text in texts),
    )
    return plan, going


def _state(
    folder: str, user: str, sessions: Iterable[str], search: Search, state: Sequence[Checkpoint]
) -> tuple[Path, ...]:
    """The checkpoints of the sessions, by what they say or are called, and broken ones that hold what they said."""
    named = {path for session in sessions for path in beside(folder, session, user)}
    theirs = (one for one in state if one.is_of(user) and one.session in sessions)
    broken = (one for one in state if not one.whole and search.in_file(one.path))
    return tuple(sorted(named.union(one.path for one in (*theirs, *broken))))


def _pages(
    connection: sqlite3.Connection, folder: str, user: str, sessions: Sequence[str]
) -> tuple[tuple[Path, ...], set[Path]]:
    """The pages of a user's `sessions`, and those of sessions that stay.

    A hook archives without a user: of two users' sessions of one name, the page tells of that of who has no name.
    """
    rows = connection.execute("SELECT s.name, u.name FROM sessions s JOIN users u ON u.id = s.user").fetchall()
    known = {(name, whose) for name, whose in rows if whose != user or name not in sessions}
    own = [path for name in sessions if not user or (name, "") not in known for path in pages(folder, name)]
    return tuple(own), {path for name, _ in known for path in pages(folder, name)}.difference(own)


def _check_known(connection: sqlite3.Connection, folder: str, user: str, session: str | None) -> None:
    """Raise UsageError, but for a user whose erasing was stopped when only the name was left."""
    known = connection.execute("SELECT 1 FROM users WHERE name = ?", (user,)).fetchone()
    if known and session is None:
        return
    whose = f"--user {user}" if user else "no --user"
    of = f", --session {session}" if session is not None else ""
    raise UsageError(f"{whose}{of}: {folder} holds nothing of theirs. 'boildown sessions' lists what there is.")


@dataclass(frozen=True, slots=True)
class _Sources:
    """The hashes of files: those of each session, those whose originals go, and those that other users have, too."""

    of_session: dict[int, set[str]]
    going: set[str]
    others: set[str]

    @property
    def lost(self) -> set[str]:
        return self.going - self.others

    @classmethod
    def of(cls, connection: sqlite3.Connection, own: Sequence[int], going: Sequence[int]) -> _Sources:
        found: dict[int, set[str]] = {id: set() for id in own}
        others = set[str]()
        rows = connection.execute("SELECT o.session, f.hash FROM origins o JOIN sources f ON f.id = o.source")
        for session, name in rows:
            found.get(session, others).add(name)
        return cls(found, set[str]().union(*(found[id] for id in going)), others)


def _texts(connection: sqlite3.Connection, session: int, only: str = "") -> Iterator[str]:
    return (text for (text,) in connection.execute(f"SELECT text FROM messages WHERE session = ?{only}", (session,)))


def _said_by_others(
    connection: sqlite3.Connection, going: _Going, search: Search, state: Iterable[Checkpoint]
) -> set[str]:
    """The passages that also stand in messages and checkpoints that stay, or in what every archive holds."""
    gone = {id for id, _ in going}
    found = search.found("\n".join((*MESSAGES.tables, *store.SOURCES.tables)).encode())
    some = list[str]()
    for session, *texts in connection.execute("SELECT session, text, name, time FROM messages"):
        if session not in gone:
            some += texts
        if len(some) > 10_000:
            found |= search.found("\n".join(some).encode())
            some.clear()
    names = connection.execute("SELECT s.id, s.name, s.topic, u.name FROM sessions s JOIN users u ON u.id = s.user")
    some += [text for id, *texts in names if id not in gone for text in texts]
    for one in state:
        some += one.texts() if one.whole else ()
    return found | search.found("\n".join(some).encode("utf-8", "replace"))


def _erase(connection: sqlite3.Connection, going: _Going) -> None:
    """Take out all but the names of the sessions, and make the index of words anew."""
    for id, _ in going:
        of = "(SELECT id FROM messages WHERE session = ?)"
        connection.execute(f"DELETE FROM vectors WHERE message IN {of}", (id,))
        connection.execute(f"DELETE FROM words WHERE rowid IN {of}", (id,))
        connection.execute("DELETE FROM messages WHERE session = ?", (id,))
        connection.execute("DELETE FROM origins WHERE session = ?", (id,))
    connection.execute(
        "DELETE FROM sources WHERE id NOT IN (SELECT source FROM origins UNION SELECT source FROM messages)"
    )
    connection.execute("INSERT INTO words (words) VALUES ('rebuild')")


def _erase_names(connection: sqlite3.Connection, going: _Going, user: str) -> None:
    connection.executemany("DELETE FROM sessions WHERE id = ?", ((id,) for id, _ in going))
    connection.execute("DELETE FROM users WHERE name = ? AND id NOT IN (SELECT user FROM sessions)", (user,))
    # Raises where the index says anything that the messages do not.
    connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 0)")


def _compact(connection: sqlite3.Connection, folder: str) -> None:
    if os.path.exists(os.path.join(folder, FILE)):
        database.compact(connection, folder)


def _proof(folder: str, archive: Archive | None, search: Search) -> Proof:
    """Look for the passages in the raw bytes of every file in `folder` and of the models' answers, unpacked as well.

    Copies of checkpoints, torn ones and pages of sessions are among them.
    """
    looked = [*files(folder), *files(str(answers.folder()))]
    held = {str(path): search.in_file(path) for path in looked}
    objects = 0
    for data in unpacked(archive) if archive else ():
        held[f"record {objects} of {store.FILE}"] = search.found(data)
        objects += 1
    where, found = tuple(path for path, some in held.items() if some), set[str]().union(*held.values())
    size = sum(path.stat().st_size for path in looked)
    return Proof(len(looked), size, objects, len(search), len(found), where)
