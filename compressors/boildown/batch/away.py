"""An item's work on another machine, perhaps: what it has to find there, and what is said where it does not."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from threading import Lock
from uuid import uuid4

from boildown.batch import places
from boildown.batch.items import Item, Result
from boildown.batch.work import Work, files
from boildown.errors import UsageError
from boildown.pipeline import Named

ALONE = Lock()
"""A worker with several threads does one item at a time: how many threads a library may use is set for all of them."""


@dataclass(frozen=True, slots=True)
class Away:
    """Work on items as `absolute` makes them.

    mark    a file beside the outputs that the machine with the run has made
    scores  the files that stages name
    """

    work: Work
    mark: str
    scores: tuple[str, ...] = ()

    def __call__(self, items: Sequence[Item]) -> list[Result]:
        """What becomes of each item. Raises UsageError where none could be done as on the machine with the run."""
        return [self._done(item) for item in items]

    def _done(self, item: Item) -> Result:
        if not places.is_remote(item.target) and not os.path.exists(self.mark):
            raise UsageError(f"{os.path.dirname(item.target)}: {_unseen('that directory', 'Name one')}")
        for path in self.scores:
            if not os.path.exists(path):
                raise UsageError(f"{path}: {_unseen('that file', 'Keep it')}")
        with ALONE:
            result = self.work(item)
        if result.status == "unreadable" and item.data is None and _is_missing(item.source):
            return replace(result, error=f"{item.where}: {_unseen('that file', 'Keep it')}")
        return result


def _is_missing(path: str) -> bool:
    return not places.is_remote(path) and not os.path.exists(path)


def _unseen(what: str, do: str) -> str:
    return (
        f"the worker on {socket.gethostname()} does not see {what}. {do} where all machines see it under one path, as "
        "in a shared directory, or behind a URL, such as s3://bucket/folder."
    )


@contextmanager
def away(work: Work) -> Iterator[Away]:
    """The same work from any directory, as long as this lasts."""
    staging = os.path.abspath(work.staging)
    mark = os.path.join(staging, uuid4().hex)
    with open(mark, "xb"):
        pass
    job = replace(work.job, stages=tuple(map(_from_anywhere, work.job.stages)))
    scores = tuple(path for named in job.stages for path in files(named).values())
    try:
        yield Away(Work(job, staging, work.archive and os.path.abspath(work.archive)), mark, scores)
    finally:
        with suppress(OSError):
            os.unlink(mark)


def _from_anywhere(named: Named) -> Named:
    """The stage with absolute paths of the files that it names."""
    paths = {name: os.path.abspath(path) for name, path in files(named).items()}
    return replace(named, stage=replace(named.stage, **paths)) if paths else named  # type: ignore[type-var]


def absolute(item: Item) -> Item:
    """The item as workers need it, who are in other directories."""
    return replace(item, source=_absolute(item.source), target=_absolute(item.target))


def _absolute(path: str) -> str:
    return path if places.is_remote(path) else os.path.abspath(path)
