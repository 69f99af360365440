"""A file that another process writes, or a pipe: its lines as they come, and what becomes of the file meanwhile."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_CHUNK = 1 << 16
_LOOKED_AT = 64
"""Bytes before the place that is read from, by which a file is known that was written anew in place"""


@dataclass(slots=True)
class Lines:
    """Bytes cut into lines with their endings. What has no ending yet waits."""

    waiting: bytes = b""

    def cut(self, data: bytes) -> Iterator[bytes]:
        # Searching only what is new keeps a long line that comes in many parts from costing its square.
        if b"\n" not in data:
            self.waiting += data
            return
        *whole, self.waiting = (self.waiting + data).split(b"\n")
        yield from (line + b"\n" for line in whole)


class Tail:
    """A file that grows, read from `offset` on, and never written to.

    `more` is what came since; None where the path leads to another file now, or to one that was written anew: what is
    left of the old one comes before that.
    """

    def __init__(self, path: str, offset: int = 0) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._open(offset)

    def _open(self, offset: int) -> None:
        self.close()
        self._file = open(self.path, "rb")  # noqa: SIM115 (it is held open for as long as it is followed)
        self._file.seek(max(0, offset - _LOOKED_AT))
        self._end = self._file.read(min(offset, _LOOKED_AT))
        self._place = offset

    def more(self) -> bytes | None:
        """Up to 64 KiB that are new, b"" where there is nothing."""
        assert self._file is not None
        size = os.fstat(self._file.fileno()).st_size
        if size > self._place and self._is_same():
            self._file.seek(self._place)
            data = self._file.read(_CHUNK)
            self._place += len(data)
            self._end = (self._end + data)[-_LOOKED_AT:]
            return data
        if size == self._place and not self._is_replaced():
            return b""
        return b"" if not os.path.exists(self.path) else None

    def _is_same(self) -> bool:
        """Whether the bytes before the place are those that were read."""
        assert self._file is not None
        self._file.seek(self._place - len(self._end))
        return self._file.read(len(self._end)) == self._end

    def _is_replaced(self) -> bool:
        """Whether another file has the path. None has it for a moment where it is moved away first."""
        assert self._file is not None
        try:
            now = os.stat(self.path)
        except FileNotFoundError:
            return False
        old = os.fstat(self._file.fileno())
        return (now.st_dev, now.st_ino) != (old.st_dev, old.st_ino)

    def reopen(self, offset: int) -> None:
        """Go on with the file that has the path now."""
        self._open(offset)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def beginning(path: str, length: int) -> hashlib._Hash | None:
    """The SHA-256 of a file's first `length` bytes, to be gone on with; None where it is shorter, or not there."""
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while length and (data := file.read(min(length, 1 << 20))):
                found.update(data)
                length -= len(data)
    except FileNotFoundError:
        return None
    return None if length else found
