"""Processes that work on items, of which one that dies costs its item and no more.

concurrent.futures gives up all work when one process is killed. Here each process has a pipe of its own, so that no
lock or queue is left in a state that nobody knows.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from boildown.errors import BoildownError

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
"""What keeps libraries from starting a thread for each core in each of the processes"""
MOST_IDLE_DEATHS = 5
"""Processes in a row that may die before they take an item, as where memory is short"""


@dataclass(frozen=True, slots=True)
class Death:
    """A process died twice over an item. `code` is its exit code, negative for a signal, None where nobody tells."""

    code: int | None = None

    def __str__(self) -> str:
        if self.code is None:
            return "perhaps for want of memory"
        if self.code >= 0:
            return f"it left with the exit code {self.code}"
        name = signal.Signals(-self.code).name if -self.code in set(signal.Signals) else f"signal {-self.code}"
        return f"killed by {name}" + (", perhaps for want of memory" if self.code == -9 else "")


@dataclass(slots=True)
class _Worker(Generic[I]):
    process: Any
    pipe: Connection
    item: I | None = None
    ready: bool = False


def processes(work: Callable[[I], R], items: Iterable[I], count: int) -> Iterator[tuple[I, R | Death]]:
    """What `work` makes of each item, in the order in which they are done, in at most `count` processes.

    Items are taken as there are processes free for them. An item whose process dies is done again when all others
    are done, alone, for what memory there is. All processes are gone when this ends, however it does.
    """
    pool = _Pool(work, iter(items), count)
    try:
        yield from pool.results()
    finally:
        pool.kill()


class _Pool(Generic[I, R]):
    def __init__(self, work: Callable[[I], R], items: Iterator[I], count: int) -> None:
        self._work = work
        self._items = items
        self._count = count
        self._again: deque[I] = deque()
        self._retried: set[int] = set()
        self._untouched: deque[I] = deque()
        self._idle_deaths = 0
        self._idle: list[_Worker[I]] = []
        self._busy: list[_Worker[I]] = []

    def results(self) -> Iterator[tuple[I, R | Death]]:
        done: list[tuple[I, R | Death]] = []
        while True:
            while len(self._busy) < self._count and (item := self._next()) is not None:
                self._busy.append(self._given(item))
            # Only now, so that nobody is idle while the caller does something with them.
            yield from done
            if not self._busy:
                return
            ready = set(wait([worker.pipe for worker in self._busy]))
            done = [pair for worker in self._busy.copy() if worker.pipe in ready for pair in self._taken(worker)]

    def _next(self) -> I | None:
        if self._untouched:
            return self._untouched.popleft()
        item = next(self._items, None)
        if item is None and self._again and not self._busy:
            item = self._again.popleft()
            self._retried.add(id(item))
        return item

    def _given(self, item: I) -> _Worker[I]:
        """A process that has been given the item: one that is idle, or a new one."""
        while True:
            worker = self._idle.pop() if self._idle else _started(self._work)
            worker.item = item
            try:
                worker.pipe.send(item)
                return worker
            except OSError:
                self._died_idle(worker)

    def _died_idle(self, worker: _Worker[I]) -> int:
        """The exit code of a process that died before it had an item. Raises BoildownError where that does not end."""
        code = _ended(worker)
        self._idle_deaths += 1
        if self._idle_deaths >= MOST_IDLE_DEATHS:
            why = f"processes die before they do anything ({Death(code)})"
            raise BoildownError(f"{why}. Look for free memory; a script of your own needs a __main__ guard.")
        return code

    def _taken(self, worker: _Worker[I]) -> Iterator[tuple[I, R | Death]]:
        """What a process has made of its item; where it died, its item waits for its second turn, or is lost."""
        item = worker.item
        assert item is not None
        try:
            result: R | Death = worker.pipe.recv()
            if not worker.ready:
                worker.ready, self._idle_deaths = True, 0
                return
            self._idle.append(worker)
            self._busy.remove(worker)
        except (EOFError, OSError):
            self._busy.remove(worker)
            if not worker.ready:
                self._untouched.append(item)
                self._died_idle(worker)
                return
            result = Death(_ended(worker))
            if id(item) not in self._retried:
                self._again.append(item)
                return
        yield item, result

    def kill(self) -> None:
        for worker in (workers := [*self._busy, *self._idle]):
            worker.process.kill()
        for worker in workers:
            _ended(worker)


def _ended(worker: _Worker[Any]) -> int:
    """The exit code of a process that has died or is dying."""
    worker.pipe.close()
    worker.process.join()
    return int(worker.process.exitcode or 0)


def _started(work: object) -> _Worker[Any]:
    context = get_context("spawn")  # A fork would have the threads' locks as they happen to be.
    pipe, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    with without_interrupt():
        process.start()
    theirs.close()
    worker: _Worker[Any] = _Worker(process, pipe)
    with suppress(OSError):  # It died at once, as sending the item will show.
        pipe.send(work)
    return worker


@contextmanager
def without_interrupt() -> Iterator[None]:
    """What is started here inherits that Ctrl-C is not for it: its parent ends it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection) -> None:
    """What a process does: items, until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        work = pipe.recv()
        pipe.send(True)
        while True:
            pipe.send(work(pipe.recv()))
    except (EOFError, OSError):
        return


def _leave_with_parent() -> None:
    """End this process as soon as its parent is gone, even if that was killed: nobody waits for the result."""
    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
