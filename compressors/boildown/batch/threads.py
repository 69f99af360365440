"""Threads that work on items: for work that waits for a model, and for files in this process's memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from queue import SimpleQueue
from typing import TypeVar

I = TypeVar("I")  # noqa: E741
R = TypeVar("R")


def threads(work: Callable[[I], R], items: Iterable[I], count: int) -> Iterator[tuple[I, R]]:
    """What `work` makes of each item, in the order in which they are done, in at most `count` threads.

    Raises what `work` raises. Threads that are under way then are left alone, and end with the process: an answer of
    a model is not waited for.
    """
    waiting: SimpleQueue[I | None] = SimpleQueue()
    done: SimpleQueue[tuple[I, R | None, BaseException | None]] = SimpleQueue()

    def serve() -> None:
        while (item := waiting.get()) is not None:
            try:
                done.put((item, work(item), None))
            except BaseException as error:
                done.put((item, None, error))

    def taken() -> tuple[I, R]:
        item, result, error = done.get()
        if error is not None:
            raise error
        return item, result  # type: ignore[return-value]

    started = under_way = 0
    try:
        for item in items:
            if under_way == count:
                yield taken()
                under_way -= 1
            if under_way == started:
                threading.Thread(target=serve, daemon=True).start()
                started += 1
            waiting.put(item)
            under_way += 1
        for _ in range(under_way):
            yield taken()
    finally:
        for _ in range(started):
            waiting.put(None)
