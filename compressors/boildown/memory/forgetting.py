"""Erasing what a user said from all that an archive keeps, and looking whether any of it is left."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from boildown.archive import store
from boildown.archive.places import is_remote, local
from boildown.archive.store import Archive
from boildown.errors import BusyError, UsageError
from boildown.following.checkpoint import beside, lock, locked
from boildown.hooks.handover import pages
from boildown.memory.checkpoints import FOLDER, Checkpoint, checkpoints
from boildown.memory.messages import Erasing, Whose
from boildown.memory.originals import Kept, Owned, planned, unpacked
from boildown.memory.places import erasable
from boildown.memory.traces import LENGTH, Search, files, passages
from boildown.summarizers import answers

LONG = 2 * LENGTH
"""Characters of a text that nobody else is likely to have written"""


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


def forget(place: str, user: str, session: str | None = None, dry_run: bool = False) -> tuple[Plan, Proof | None]:
    """Erase the messages of `user`, or those of one session, in the archive `place`; with `dry_run`, only plan it.

    Raises UsageError where there is nothing of theirs, BusyError where one of the sessions is followed. Stopped
    halfway, it is finished by running it again: the names of the sessions go last. Other users' messages stay, equal
    ones included.
    """
    user = user.encode("utf-8", "replace").decode()  # as a store writes it
    with erasable(place) as messages, ExitStack() as held:
        # On object storage there are messages only: the directory of that name is not there, and has nothing in it.
        folder = place if is_remote(place) else local(place, "erasing")
        archive = held.enter_context(_archive(folder))
        with messages.transaction(), archive.transaction() if archive else nullcontext():
            plan, going = _planned(messages, archive, folder, user, session)
            if dry_run:
                return plan, None
            locks = _locked(folder, plan.sessions, user, held)
            if archive:
                archive.erase(plan.kept.filed, plan.kept.objects)
            for path in (*plan.state, *plan.pages, *plan.answers, *locks):
                path.unlink(missing_ok=True)
            messages.erase(user, going)
        messages.compact()
        if archive:
            archive.compact()
        with messages.transaction():
            messages.erase_names(user, going)
        messages.compact()
        return plan, _proof(folder, messages, archive, plan.search)


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


def _planned(
    messages: Erasing, archive: Archive | None, folder: str, user: str, session: str | None
) -> tuple[Plan, list[str]]:
    """What goes, and the names of the sessions whose messages do."""
    known = messages.sessions()
    own = [name for whose, name, _ in known if whose == user]
    going = [name for name in own if session in (None, name)]
    state = checkpoints(folder)
    theirs = [one for one in state if one.is_of(user, session)]
    if not going and not theirs:
        _check_known(messages, folder, user, session)
    texts = [text for name in going for text in messages.texts(user, name)]
    wanted = passages([*texts, *(text for one in theirs for text in one.texts())])
    search = Search(wanted)
    names = tuple(dict.fromkeys([*going, *(one.session for one in theirs)]))
    own_pages, other_pages = _pages(known, folder, user, names)
    gone = {(user, name) for name in going}
    staying = _said_by_others(messages, gone, search, [one for one in state if one not in theirs])
    staying = staying.union(*map(search.in_file, other_pages))
    sources, kept = _Sources.of(messages.origins(), user, going), Kept()
    if archive:
        written = [
            passages([text]) for name in going for text in messages.texts(user, name, "user") if len(text) >= LONG
        ]
        kept, staying = planned(archive, search, Owned(sources.going, sources.others, written), staying)
    search = Search(wanted - staying)
    plan = Plan(
        sessions=names,
        messages=len(texts),
        kept=kept,
        beside=tuple(name for name in own if name not in going and sources.of_session[name] & sources.lost),
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
    sessions: Iterable[tuple[str, str, str]], folder: str, user: str, names: Sequence[str]
) -> tuple[tuple[Path, ...], set[Path]]:
    """The pages of a user's sessions of these `names`, and those of sessions that stay.

    A hook archives without a user: of two users' sessions of one name, the page tells of that of who has no name.
    """
    known = {(name, whose) for whose, name, _ in sessions if whose != user or name not in names}
    own = [path for name in names if not user or (name, "") not in known for path in pages(folder, name)]
    return tuple(own), {path for name, _ in known for path in pages(folder, name)}.difference(own)


def _check_known(messages: Erasing, folder: str, user: str, session: str | None) -> None:
    """Raise UsageError, but for a user whose erasing was stopped when only the name was left."""
    if session is None and messages.has_user(user):
        return
    whose = f"--user {user}" if user else "no --user"
    of = f", --session {session}" if session is not None else ""
    raise UsageError(f"{whose}{of}: {folder} holds nothing of theirs. 'boildown sessions' lists what there is.")


@dataclass(frozen=True, slots=True)
class _Sources:
    """The hashes of files: those of each session, those whose originals go, and those that other users have, too."""

    of_session: dict[str, set[str]]
    going: set[str]
    others: set[str]

    @property
    def lost(self) -> set[str]:
        return self.going - self.others

    @classmethod
    def of(cls, origins: Mapping[Whose, set[str]], user: str, going: Sequence[str]) -> _Sources:
        found = {name: sources for (whose, name), sources in origins.items() if whose == user}
        others = set[str]().union(*(sources for (whose, _), sources in origins.items() if whose != user))
        return cls(found, set[str]().union(*(found[name] for name in going)), others)


def _said_by_others(
    messages: Erasing, gone: AbstractSet[Whose], search: Search, state: Iterable[Checkpoint]
) -> set[str]:
    """The passages that also stand in messages and checkpoints that stay, or in what every archive holds."""
    found = search.found("\n".join(store.SOURCES.tables).encode() + b"\n" + messages.frame())
    some = list[str]()
    for whose, texts in messages.everything():
        if whose not in gone:
            some += texts
        if len(some) > 10_000:
            found |= search.found("\n".join(some).encode())
            some.clear()
    some += [
        text for user, name, topic in messages.sessions() if (user, name) not in gone for text in (name, topic, user)
    ]
    for one in state:
        some += one.texts() if one.whole else ()
    return found | search.found("\n".join(some).encode("utf-8", "replace"))


def _proof(folder: str, messages: Erasing, archive: Archive | None, search: Search) -> Proof:
    """Look for the passages in the raw bytes of every file in `folder` and of the models' answers, unpacked as well.

    Copies of checkpoints, torn ones and pages of sessions are among them.
    """
    looked = [*files(folder), *files(str(answers.folder()))]
    held = {str(path): search.in_file(path) for path in looked}
    objects = 0
    for data in unpacked(archive) if archive else ():
        held[f"record {objects} of {store.FILE}"] = search.found(data)
        objects += 1
    size = sum(path.stat().st_size for path in looked)
    for name, data in messages.held():
        held[name] = search.found(data)
        size += len(data)
    where, found = tuple(path for path, some in held.items() if some), set[str]().union(*held.values())
    return Proof(len(held) - objects, size, objects, len(search), len(found), where)
