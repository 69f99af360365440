"""Erasing from tables of messages in LanceDB: rows, the versions before, and what a kill left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from boildown.archive.places import is_remote
from boildown.memory.lance.sessions import Sessions, thread
from boildown.memory.lance.store import LanceStore
from boildown.memory.lance.table import Table, connected, told
from boildown.memory.messages import Scope, Whose


class Erasure:
    """The tables of an archive: an `Erasing`."""

    def __init__(self, store: LanceStore, address: str, messages: Table, vectors: Table) -> None:
        self._store = store
        self._address = address
        self._messages, self._vectors = messages, vectors
        self._known = Sessions(messages)

    def transaction(self) -> AbstractContextManager[None]:
        return self._store.transaction()

    def sessions(self) -> list[tuple[str, str, str]]:
        return [(*one.whose, one.topic) for one in self._known.all()]

    def origins(self) -> dict[Whose, set[str]]:
        return self._store.origins()

    def has_user(self, user: str) -> bool:
        return bool(self._known.of(user))

    def texts(self, user: str, session: str, role: str | None = None) -> Iterator[str]:
        return (kept.said.text for kept in self._store.whole(Scope(user, session, role)))

    def everything(self) -> Iterator[tuple[Whose, Sequence[str]]]:
        for one in self._known.all():
            rows = self._messages.rows(f"thread = '{one.thread}' AND place >= 0", ("text", "name", "time"))
            yield from ((one.whose, (row["text"], row["name"], row["time"])) for row in rows.to_pylist())

    def frame(self) -> bytes:
        return b""

    def erase(self, user: str, sessions: Sequence[str]) -> None:
        self._delete(user, sessions, " AND place >= 0")

    def erase_names(self, user: str, sessions: Sequence[str]) -> None:
        self._delete(user, sessions, "")

    def _delete(self, user: str, sessions: Sequence[str], only: str) -> None:
        if sessions:
            which = f"thread IN ({', '.join(repr(thread(user, name)) for name in sessions)})"
            self._vectors.delete(which)
            self._messages.delete(f"{which}{only}")

    def compact(self) -> None:
        with self._store.transaction():
            alone = not is_remote(self._address)
            self._messages.compact(alone)
            self._vectors.compact(alone)

    def held(self) -> Iterator[tuple[str, bytes]]:
        return remote_files(self._address) if is_remote(self._address) else iter(())


def remote_files(address: str) -> Iterator[tuple[str, bytes]]:
    """Every file below `address` on object storage, with its bytes."""
    from pyarrow import fs

    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    scheme, _, host = endpoint.rpartition("://")
    address += f"?endpoint_override={host}&scheme={scheme or 'https'}" if address.startswith("s3://") and host else ""
    system, path = fs.FileSystem.from_uri(address)
    for one in system.get_file_info(fs.FileSelector(path, recursive=True)):
        if one.type == fs.FileType.File:
            with system.open_input_stream(one.path) as stream:
                yield one.path, stream.read()


@contextmanager
def erasable(place: str, address: str) -> Iterator[Erasure]:
    """The messages in the tables at `address` of the archive `place`, for erasing. Raises ArchiveError, UsageError."""
    with connected(place, address) as (messages, vectors), told(place):
        yield Erasure(LanceStore(place, address, messages, vectors), address, messages, vectors)
