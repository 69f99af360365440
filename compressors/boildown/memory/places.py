"""The store of messages of an archive, whichever it is: SQLite, or LanceDB where the place says so."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from boildown.archive import database
from boildown.archive.places import in_lance
from boildown.memory import erasing, store
from boildown.memory.messages import Erasing, Memory
from boildown.memory.schema import FILE, MESSAGES


def opened(place: str, write: bool = False) -> AbstractContextManager[Memory]:
    """The messages in the archive `place`; with `write`, made where there are none. Raises ArchiveError, UsageError."""
    if (address := in_lance(place)) is None:
        return store.opened(place, write)
    from boildown.memory.lance.store import opened as lance

    return lance(place, address, write)


def check(place: str, write: bool = False) -> None:
    """Raise ArchiveError where there are no messages to read, UsageError where none may be put."""
    if (address := in_lance(place)) is None:
        store.check(place, write)
        return
    from boildown.memory.lance.table import check as lance

    lance(place, address, write)


def erasable(place: str) -> AbstractContextManager[Erasing]:
    """The messages in the archive `place` for erasing; none where it has only originals or checkpoints."""
    if (address := in_lance(place)) is not None:
        from boildown.memory.lance.erasing import erasable as lance

        return lance(place, address)
    if not os.path.isdir(place):
        database.check(MESSAGES, place)
    return erasing.erasable(place) if os.path.exists(os.path.join(place, FILE)) else erasing.nothing()
