"""Threads do all items, and an error ends the run without waiting for the others."""

from __future__ import annotations

import threading
import time
from itertools import count, islice

import pytest

from boildown.batch.threads import threads


@pytest.mark.parametrize("workers", [1, 4])
def test_each_item_has_its_result(workers: int) -> None:
    assert sorted(threads(lambda n: n * n, range(20), workers)) == [(n, n * n) for n in range(20)]


def test_items_are_taken_as_there_is_room() -> None:
    taken: list[int] = []
    results = threads(str, (taken.append(n) or n for n in count()), 3)
    assert len(list(islice(results, 4))) == 4
    assert len(taken) <= 7


def test_as_many_are_under_way_as_are_asked_for() -> None:
    meeting = threading.Barrier(3, timeout=5)
    assert len(list(threads(lambda n: meeting.wait(), range(6), 3))) == 6


def test_an_error_ends_the_run_at_once() -> None:
    def work(number: int) -> int:
        if number == 0:
            raise ValueError("no more")
        time.sleep(30)
        return number

    start = time.monotonic()
    with pytest.raises(ValueError, match="no more"):
        list(threads(work, range(4), 4))
    assert time.monotonic() - start < 5
