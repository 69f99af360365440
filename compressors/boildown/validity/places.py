"""On which line of its file a record stands."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from boildown.transcript import Source


class Places:
    """Finds the records of a file's conversations, asked for in order, in its bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.ends = list(_breaks(data))
        self.start = 0

    def lines(self, source: Source) -> list[int]:
        """The line of each record of the file's next conversation, counted from 1."""
        begin = place = self.start + len(source.before)
        found = []
        for record in source.records:
            bare = record.strip()
            at = self.data.find(bare, place)
            if at < 0:  # What stands behind the messages among the records may stand before them in the file.
                at = self.data.find(bare, begin)
            elif bare:
                place = at + len(bare)
            found.append(self.line(max(at, begin)))
        self.start = place
        return found

    def line(self, place: int) -> int:
        return bisect_left(self.ends, place) + 1


def _breaks(data: bytes) -> Iterator[int]:
    at = data.find(b"\n")
    while at >= 0:
        yield at
        at = data.find(b"\n", at + 1)
