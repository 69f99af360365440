"""Which requests a process is asking, so that others with the same answers wait for what comes of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FILE = "asking.lock"
_PLACES = 15
"""Hexadecimal digits of a request's key that are its place in the file: offsets have 63 bits"""


class Locks:
    """Locks on requests by their keys, each a byte of one file that stays empty, among the processes of a machine.

    They go with a process that is killed, and with `close`. Where there are none, as on Windows and on some network
    file systems, every request is one's own, and two runs that start at one moment may both pay for it.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            self._file = -1

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)

    @contextmanager
    def held(self, key: str) -> Iterator[bool]:
        """Whether this process may ask the request of `key` until the end, and no other does."""
        place = int(key[:_PLACES], 16)
        mine = self._taken(place)
        try:
            yield mine
        finally:
            if mine:
                self._left(place)

    def _taken(self, place: int) -> bool:
        if self._file < 0 or sys.platform == "win32":
            return True
        import fcntl

        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except (BlockingIOError, PermissionError):  # POSIX leaves it open which of the two says that it is taken
            return False
        except OSError:
            return True
        return True

    def _left(self, place: int) -> None:
        if self._file < 0 or sys.platform == "win32":
            return
        import fcntl

        with suppress(OSError):
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
