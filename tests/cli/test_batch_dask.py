"""`boildown batch --engine dask`: the bytes of the local run, whatever becomes of workers, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batch_files import children, conversation, read_outputs, rows, wait_for
from boildown.batch import run
from boildown.batch.threads import threads

RATIO = ("--ratio", "2")
DASK = ("--engine", "dask")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A directory that keeps four processes busy for some seconds."""
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(80):
        (folder / f"{n}.jsonl").write_bytes(conversation(n, 50))
    return folder


@pytest.mark.battery
@LINUX
def test_of_four_workers_one_is_killed_and_all_outputs_are_those_of_a_local_run(
    ask, start, many, tmp_path, monkeypatch
) -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    report = ("--report", tmp_path / "r.jsonl")
    running = start("batch", many, "-o", tmp_path / "out", *RATIO, *DASK, "-j", "4", *report, stderr=subprocess.PIPE)
    wait_for(lambda: len(read_outputs(tmp_path / "out")) > 5)
    workers = children(running.pid)
    os.kill(workers[1], signal.SIGKILL)
    assert len(read_outputs(tmp_path / "out")) < 76
    _, err = running.communicate(timeout=120)
    assert (running.returncode, b"80 files: 80 done" in err) == (0, True), err.decode()
    assert err.startswith(b"slowest files"), err.decode()
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    monkeypatch.setattr(run, "processes", threads)
    assert ask("batch", many, "-o", tmp_path / "local", *RATIO, "--report", tmp_path / "l.jsonl").code == 0
    assert read_outputs(tmp_path / "out") == read_outputs(tmp_path / "local")
    dask, local = rows(tmp_path / "r.jsonl"), rows(tmp_path / "l.jsonl")
    varying = {"target", "seconds"}
    assert {s: {k: v for k, v in row.items() if k not in varying} for s, row in dask.items()} == {
        s: {k: v for k, v in row.items() if k not in varying} for s, row in local.items()
    }
    assert "80 unchanged" in ask("batch", many, "-o", tmp_path / "out", *RATIO).err


@pytest.mark.battery
@LINUX
def test_an_interrupted_run_ends_at_once_and_its_workers_with_it(start, many, tmp_path) -> None:
    pytest.importorskip("distributed", reason="the extra dask is not installed")
    command = ("batch", many, "-o", tmp_path / "out", *RATIO, *DASK, "-j", "2")
    running = start(*command, stderr=subprocess.PIPE, process_group=0)
    wait_for(lambda: len(read_outputs(tmp_path / "out")) > 1)
    workers = children(running.pid)
    assert len(workers) == 2
    begun = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert time.monotonic() - begun < 5
    assert running.returncode == 130, err.decode()
    assert err.startswith(b"interrupted; "), err.decode()
    assert err.endswith(b"which are kept. Run again to do the rest.\n")
    assert err.count(b"\n") == 1
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 2)
    assert sorted(p.name for p in (tmp_path / "out" / ".boildown").iterdir()) == ["journal.db"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scheduler", "tcp://127.0.0.1:9"), "only Dask has a scheduler. Give --engine dask"),
        ((*DASK, "--scheduler", "tcp://127.0.0.1:9", "--jobs", "2"), "--jobs is how many workers Dask starts here"),
        ((*DASK, "--scheduler", "tcp://127.0.0.1:9", "--archive", "a"), "which several machines cannot write"),
        ((*DASK, "-o", "memory://small"), "other processes do not see memory://"),
        (("--engine", "ray"), "'ray' is not one of"),
    ],
)
def test_what_other_machines_cannot_do_is_said_before_any_file_is_read(ask, many, tmp_path, options, said) -> None:
    answer = ask("batch", many, "-o", tmp_path / "out", *RATIO, *options)
    assert (answer.code, said in " ".join(answer.err.split())) == (2, True), answer.err


def test_stages_that_ask_a_model_are_refused(ask, many, tmp_path, model_server) -> None:
    answer = ask("batch", many, "-o", tmp_path / "out", *RATIO, *DASK, "--pipeline", "abstractive")
    assert (answer.code, "--max-cost and --at-once hold in one only" in answer.err) == (2, True), answer.err
    assert not model_server.received
