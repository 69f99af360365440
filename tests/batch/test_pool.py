"""Processes that die cost their item and nothing else, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, islice
from multiprocessing import active_children
from pathlib import Path

import pytest

from boildown.batch import pool
from boildown.batch.pool import Death, processes
from boildown.errors import BoildownError
from conftest import ROOT, source_roots

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are not the same there")


@dataclass(frozen=True)
class Kills:
    """Answers with twice the number; `ill` numbers kill the process, all times or the first time only."""

    folder: Path
    ill: tuple[int, ...] = ()
    once: bool = False

    def __call__(self, number: int) -> int:
        tried = self.folder / f"{number}.{time.time_ns()}"
        tried.touch()
        if number in self.ill and not (self.once and len(list(self.folder.glob(f"{number}.*"))) > 1):
            os.kill(os.getpid(), signal.SIGKILL)
        return 2 * number


def tries(folder: Path, number: int) -> int:
    return len(list(folder.glob(f"{number}.*")))


@pytest.mark.parametrize("workers", [1, 2])
def test_each_item_has_its_result(tmp_path: Path, workers: int) -> None:
    assert sorted(processes(Kills(tmp_path), range(1, 20), workers)) == [(n, 2 * n) for n in range(1, 20)]
    assert active_children() == []


def test_a_process_that_is_killed_costs_its_item_which_is_tried_twice(tmp_path: Path) -> None:
    found = dict(processes(Kills(tmp_path, (3,)), range(1, 8), 2))
    assert found.pop(3) == Death(-9)
    assert found == {n: 2 * n for n in (1, 2, 4, 5, 6, 7)}
    assert [tries(tmp_path, n) for n in range(1, 8)] == [1, 1, 2, 1, 1, 1, 1]


def test_an_item_whose_process_was_killed_once_is_done_after_all_others(tmp_path: Path) -> None:
    found = list(processes(Kills(tmp_path, (2, 3), once=True), range(1, 8), 2))
    assert sorted(found) == [(n, 2 * n) for n in range(1, 8)]
    assert {n for n, _ in found[-2:]} == {2, 3}


def test_items_are_taken_as_there_is_room(tmp_path: Path) -> None:
    taken: list[int] = []
    endless = (taken.append(n) or n for n in count(1))
    results = processes(Kills(tmp_path), endless, 2)
    assert len(list(islice(results, 5))) == 5
    results.close()
    assert len(taken) <= 7
    assert active_children() == []


def test_a_death_says_what_it_was() -> None:
    assert str(Death(-9)) == "killed by SIGKILL, perhaps for want of memory"
    assert str(Death(-11)) == "killed by SIGSEGV"
    assert str(Death(3)) == "it left with the exit code 3"


def test_processes_that_cannot_start_are_an_error_and_no_endless_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Callable[..., object]] = []

    class Gone:
        def send(self, item: object) -> None:
            raise BrokenPipeError

        def close(self) -> None: ...

    class Process:
        exitcode = 1

        def join(self) -> None: ...

    def begin(work: Callable[..., object]) -> object:
        started.append(work)
        return pool._Worker(Process(), Gone())  # type: ignore[arg-type]

    monkeypatch.setattr(pool, "_started", begin)
    with pytest.raises(BoildownError, match="processes die before they do anything"):
        list(processes(str, [1], 1))
    assert len(started) == pool.MOST_IDLE_DEATHS


UNGUARDED = """
from boildown.batch.pool import processes
print(list(processes(len, ["a"] * 1000, 2)))
"""


def test_a_script_without_a_guard_ends_with_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(UNGUARDED)
    command = [sys.executable, str(tmp_path / "script.py")]
    done = subprocess.run(command, env=source_roots(ROOT), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "BoildownError: processes die before they do anything" in done.stderr
    assert "__main__ guard" in done.stderr
