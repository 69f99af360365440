"""Tasks of a real cluster: each item has its result, and one that kills workers costs itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from boildown.batch import futures
from boildown.batch.cluster import cluster
from boildown.batch.futures import AHEAD, _Tasks
from boildown.batch.items import Item, Result
from boildown.batch.pool import Death
from boildown.errors import BoildownError, NotMetError, UsageError

pytest.importorskip("distributed", reason="the extra dask is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are not the same there")


@dataclass(frozen=True)
class Kills:
    """Notes each try in a folder; `ill` items kill their worker, all times or the first time only."""

    folder: str
    ill: tuple[str, ...] = ()
    once: bool = False
    seconds: float = 1.0

    def __call__(self, items: list[Item]) -> list[Result]:
        return [self.done(item) for item in items]

    def done(self, item: Item) -> Result:
        tried = Path(self.folder) / f"{item.name}.{os.getpid()}.{os.urandom(4).hex()}"
        tried.touch()
        if item.name in self.ill and not (self.once and len(list(tried.parent.glob(f"{item.name}.*"))) > 1):
            os.kill(os.getpid(), signal.SIGKILL)
        return Result(item.source, item.target, "done", seconds=self.seconds)


@dataclass(frozen=True)
class Fails:
    error: Exception

    def __call__(self, items: list[Item]) -> list[Result]:
        raise self.error


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A cluster of two processes."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(__import__(__name__, fromlist=["Kills"]))
    with cluster(2) as made:
        yield made


def items(last: int) -> list[Item]:
    return [Item(f"{n:02}", f"{n:02}", f"out/{n:02}", f"{n:02}", False, 1) for n in range(last)]


def results(client: Any, work: Any, given: list[Item]) -> dict[str, Any]:
    return {item.name: found for item, found in _Tasks(client, work, iter(given)).results()}


@pytest.mark.battery
def test_each_item_has_its_result_by_the_names_that_it_came_with(client, tmp_path) -> None:
    found = results(client, Kills(str(tmp_path)), items(9))
    assert found == {item.name: Result(item.source, item.target, "done", seconds=1.0) for item in items(9)}


def test_an_item_that_kills_its_workers_costs_itself_and_is_tried_twice(client, tmp_path) -> None:
    found = results(client, Kills(str(tmp_path), ("03",)), items(8))
    assert found.pop("03") == Death()
    assert {one.status for one in found.values()} == {"done"}
    assert len(found) == 7
    assert len(list(tmp_path.glob("03.*"))) == 2


@pytest.mark.battery
def test_short_items_go_in_tasks_and_one_that_kills_workers_costs_itself_all_the_same(client, tmp_path) -> None:
    tasks = _Tasks(client, Kills(str(tmp_path), ("40",), seconds=0.25), iter(items(60)))  # type: ignore[arg-type]
    sizes: list[int] = []
    made = tasks._next
    tasks._next = lambda: (sizes.append(len(task := made())), task)[1]  # type: ignore[method-assign]
    found = {item.name: result for item, result in tasks.results()}
    assert found.pop("40") == Death()
    assert [result.status for result in found.values()] == ["done"] * 59
    assert (sizes[0], max(sizes)) == (1, 4)


@pytest.mark.battery
def test_an_item_whose_worker_was_killed_once_is_done(client, tmp_path) -> None:
    found = results(client, Kills(str(tmp_path), ("02",), once=True), items(8))
    assert [found[item.name].status for item in items(8)] == ["done"] * 8


@pytest.mark.battery
def test_items_are_taken_as_there_is_room(client, tmp_path) -> None:
    taken: list[int] = []
    endless = (taken.append(n) or replace(items(1)[0], name=str(n)) for n in count())  # type: ignore[func-returns-value]
    tasks = _Tasks(client, Kills(str(tmp_path)), endless)  # type: ignore[arg-type]
    assert len(list(islice(tasks.results(), 5))) == 5
    tasks.cancel()
    assert len(taken) <= 5 + 2 * AHEAD


@pytest.mark.battery
@pytest.mark.parametrize(
    ("raised", "told", "said"),
    [
        (UsageError("out: not seen"), UsageError, "out: not seen"),
        (ModuleNotFoundError("No module named 'boildown'"), UsageError, "Install this version of boildown where work"),
    ],
)
def test_what_would_fail_for_each_item_ends_the_run(client, raised, told, said) -> None:
    with pytest.raises(told, match=said):
        results(client, Fails(raised), items(4))


class Gone:
    """What is left of a client whose workers, or whose scheduler, are gone."""

    def __init__(self, error: Exception | None = None) -> None:
        import asyncio

        self.loop, self.error = asyncio.new_event_loop(), error

    def nthreads(self, callback_timeout: float) -> dict[str, int]:
        if self.error is not None:
            raise self.error
        return {}

    def submit(self, *given: object, **options: object) -> object:
        return object()


def test_a_scheduler_that_is_gone_is_an_error() -> None:
    with pytest.raises(BoildownError, match="the scheduler is gone"):
        next(_Tasks(Gone(OSError("closed")), None, iter(items(1))).results())  # type: ignore[arg-type]


def test_a_cluster_that_stays_without_workers_is_an_error_and_no_endless_wait(monkeypatch) -> None:
    monkeypatch.setattr(futures, "GRACE", 0.0)
    with pytest.raises(NotMetError, match="no worker for a minute"):
        next(_Tasks(Gone(), None, iter(items(1))).results())  # type: ignore[arg-type]
