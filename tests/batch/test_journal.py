"""The journal keeps what was noted, whatever happens to its process, and is one process's at a time."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from boildown.batch import journal
from boildown.batch.items import Result
from boildown.batch.journal import Entry, slice_name
from boildown.errors import BusyError, NotMetError, UsageError
from conftest import ROOT, source_roots

ENTRY = Entry((12, "34"), "settings", Result("a", "out/a", "done", tokens_in=5, stamp=(3, "4")))


@pytest.fixture
def path(tmp_path: Path) -> str:
    (tmp_path / ".boildown").mkdir()
    return str(tmp_path / ".boildown" / "journal.db")


def test_what_is_noted_is_there_again(path: str) -> None:
    with journal.opened(path) as first:
        assert first.get("a") is None
        first.put("a", ENTRY)
        first.put("b", ENTRY)
        first.put("b", replace(ENTRY, settings="others"))
    with journal.opened(path) as second:
        assert second.get("a") == ENTRY
        assert second.get("b") == replace(ENTRY, settings="others")


def test_a_files_slices_are_forgotten_and_no_others(path: str) -> None:
    names = ["a", "a/b", "a0", slice_name("a/b", 1), slice_name("b", 1), "a#1"]
    with journal.opened(path) as found:
        for name in [*names, slice_name("a", 0), slice_name("a", 12345678)]:
            found.put(name, ENTRY)
        found.forget_slices("a")
        assert [name for name in names if found.get(name) is None] == []
        assert found.get(slice_name("a", 0)) is found.get(slice_name("a", 12345678)) is None


def test_two_processes_do_not_write_one_journal(path: str) -> None:
    busy = pytest.raises(BusyError, match="another 'boildown batch' writes there")
    with journal.opened(path), busy, journal.opened(path):
        pass
    with journal.opened(path):
        pass


KILLED = """
import os, sys
from boildown.batch import journal
from boildown.batch.items import Result
with journal.opened(sys.argv[1]) as found:
    for n in range(50):
        found.put(str(n), journal.Entry((n, ""), "s", Result("a", "b", "done")))
    os.kill(os.getpid(), 9)
"""


def test_a_process_that_is_killed_leaves_all_that_it_noted(path: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, path], env=source_roots(ROOT), check=False)
    assert done.returncode == -9
    with journal.opened(path) as found:
        assert all(found.get(str(n)) for n in range(50))


def test_a_torn_tail_costs_the_last_entries_and_no_more(path: str) -> None:
    subprocess.run([sys.executable, "-c", KILLED, path], env=source_roots(ROOT), check=False)
    log = Path(f"{path}-wal")
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - 6000)
    with journal.opened(path) as found:
        there = [found.get(str(n)) is not None for n in range(50)]
    assert 40 < sum(there) < 50
    assert there == sorted(there, reverse=True)


def test_a_damaged_journal_says_what_to_do(path: str) -> None:
    Path(path).write_bytes(os.urandom(5000))
    with pytest.raises(NotMetError, match="damaged"), journal.opened(path):
        pass


def test_another_programs_database_is_left_alone(path: str) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("PRAGMA user_version = 7")
    other.close()
    with pytest.raises(UsageError, match="this is no journal"), journal.opened(path):
        pass
