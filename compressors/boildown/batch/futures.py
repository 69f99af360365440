"""Items as tasks of a Dask cluster, which hands them to another worker when one is lost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from queue import Empty
from typing import TYPE_CHECKING

from boildown.batch.away import Away, absolute, away
from boildown.batch.items import Item, Result
from boildown.batch.pool import Death
from boildown.batch.work import Work
from boildown.errors import BoildownError, NotMetError, UsageError

if TYPE_CHECKING:
    from distributed import Client, Future

TASK = 1.0
"""Seconds that a task is to take: its items are as many, since a scheduler takes milliseconds for each task"""
MOST = 100
"""Items of a task"""
AHEAD = 2
"""Tasks that a worker has at a time for each of its threads, so that none waits for the next one"""
LOOK = 5.0
"""Seconds from one look at the workers to the next: there may be more of them, or none"""
GRACE = 60.0
"""Seconds that a cluster may be without workers"""

Done = Iterator[tuple[Item, Result | Death]]


def futures(work: Work, items: Iterable[Item], connected: Callable[[], AbstractContextManager[Client]]) -> Done:
    """What `work` makes of each item, in the order in which they are done, on a cluster.

    Items are taken as there is room for them. One over which workers died, more than the scheduler allows, is done
    again when all others are done, alone, and then given up. Nothing is left at the scheduler when this ends.
    """
    with connected() as client, away(work) as there:
        tasks = _Tasks(client, there, iter(items))
        try:
            yield from tasks.results()
        finally:
            tasks.cancel()


class _Tasks:
    def __init__(self, client: Client, work: Away, items: Iterator[Item]) -> None:
        from distributed import as_completed

        self._client = client
        self._work = work
        self._items = items
        self._under_way: dict[Future, list[Item]] = {}
        self._completed = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self._again: deque[Item] = deque()
        self._retried: set[str] = set()
        self._room = 1
        self._seconds = 0.0
        self._weight = 0
        self._worked = time.monotonic()
        self._looked = self._worked - LOOK

    def results(self) -> Done:
        while True:
            self._look()
            while len(self._under_way) < self._room and (task := self._next()):
                future = self._client.submit(self._work, list(map(absolute, task)), pure=False)
                self._under_way[future] = task
                self._completed.add(future)
            if not self._under_way:
                return
            # Not `next`, which waits for ever where no worker is left.
            with suppress(Empty):
                yield from self._taken(*self._completed.queue.get(timeout=LOOK))

    def _next(self) -> list[Item]:
        """The items of the next task, of a weight that took TASK seconds so far; none where there are no more."""
        most = self._weight / self._seconds * TASK if self._seconds else 0
        task, weight = list[Item](), 0
        while not task or (weight < most and len(task) < MOST):
            item = next(self._items, None)
            if item is None:
                break
            task.append(item)
            weight += item.weight
        if not task and self._again and not self._under_way:
            task.append(self._again.popleft())
            self._retried.add(task[0].name)
        return task

    def _look(self) -> None:
        """Learn how many items there is room for. Raises NotMetError where nobody is there to do any."""
        now = time.monotonic()
        if now < self._looked + LOOK:
            return
        try:
            threads = sum(self._client.nthreads(callback_timeout=GRACE).values())
        except (OSError, TimeoutError, CancelledError, ValueError):
            raise _gone() from None
        self._looked = now
        if threads:
            self._worked, self._room = now, AHEAD * threads
        elif now >= self._worked + GRACE:
            raise NotMetError(
                "--engine dask: the cluster has had no worker for a minute. See why they end, perhaps for want of "
                "memory, start some, and run again to do the rest."
            )

    def _taken(self, future: Future, found: list[Result]) -> Done:
        """What came of a task; where its workers died, its items wait for their second turn, or the one is lost."""
        from distributed import KilledWorker

        task = self._under_way.pop(future)
        if future.status == "finished":
            for item, result in zip(task, found, strict=True):
                self._seconds += result.seconds
                self._weight += item.weight
                yield item, replace(result, source=item.source, target=item.target)
            return
        error = future.exception() if future.status == "error" else None
        if not isinstance(error, KilledWorker):
            raise _reason(error) from error
        if task[0].name not in self._retried:
            self._again += task
            return
        yield task[0], Death()

    def cancel(self) -> None:
        if self._under_way:
            with suppress(OSError, TimeoutError, CancelledError):
                self._client.cancel(list(self._under_way), force=True)


def _gone() -> BoildownError:
    return NotMetError("--engine dask: the scheduler is gone. Start it and its workers, and run again to do the rest.")


def _reason(error: BaseException | None) -> BaseException:
    """What ends a run whose task came to nothing; None for a task that was cancelled."""
    if error is None:
        return _gone()
    if isinstance(error, ImportError | AttributeError):
        return UsageError(
            f"--engine dask: a worker cannot do the work: {error}. Install this version of boildown where workers run."
        )
    return error
