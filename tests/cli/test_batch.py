"""`boildown batch`: the same bytes as compress, whatever dies in between, and only what has changed is done again."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import zstandard

from batch_files import children, conversation, read_outputs, rows, wait_for
from boildown.batch import run, slices
from boildown.batch.threads import threads
from conftest import COMMAND, ROOT, source_roots
from model_server import ModelServer
from quoting import replied

RATIO = ("--ratio", "2")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads instead of processes, which take a second to start."""
    monkeypatch.setattr(run, "processes", threads)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory of twelve chats, each with something of its own."""
    for n in range(12):
        path = tmp_path / "in" / f"{'ab'[n % 2]}" / f"{n}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(conversation(n))
    return tmp_path / "in"


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a conversation a line, which is large by the sizes that hold in the test's process."""
    monkeypatch.setattr(slices, "LARGE", 20_000)
    monkeypatch.setattr(slices, "SLICE", 10_000)
    path = tmp_path / "large.jsonl"
    path.write_bytes(b"".join(json.dumps({"messages": said(n)}).encode() + b"\n" for n in range(40)))
    return path


def said(n: int) -> list[dict[str, str]]:
    return [json.loads(line) for line in conversation(n).splitlines()]


def compressed(ask, path: Path, *options: str) -> bytes:
    answer = ask("compress", path, *(options or RATIO), "--quiet")
    assert answer.code == 0, answer.err
    return bytes(answer.out)


def test_every_sample_becomes_what_compress_makes_of_it(ask, tmp_path) -> None:
    samples = sorted((ROOT / "samples").iterdir())
    answer = ask("batch", *samples, "-o", tmp_path / "out", *RATIO)
    assert answer.code == 0, answer.err
    for sample in samples:
        assert (tmp_path / "out" / sample.name).read_bytes() == compressed(ask, sample), sample.name


def test_packed_files_become_what_compress_makes_of_their_content(ask, here, tmp_path) -> None:
    data = (ROOT / "samples" / "openai.jsonl").read_bytes()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl.gz").write_bytes(gzip.compress(data))
    (tmp_path / "in" / "b.jsonl.zst").write_bytes(zstandard.compress(data))
    assert ask("batch", tmp_path / "in", "-o", tmp_path / "out", *RATIO).code == 0
    expected = compressed(ask, ROOT / "samples" / "openai.jsonl")
    assert read_outputs(tmp_path / "out") == {"a.jsonl": expected, "b.jsonl": expected}


def test_another_format_is_written_as_compress_does(ask, here, tmp_path) -> None:
    shutil.copy(ROOT / "samples" / "openai.jsonl", tmp_path / "a.jsonl")
    options = (*RATIO, "--to", "markdown")
    assert ask("batch", tmp_path / "a.jsonl", "-o", tmp_path / "out", *options).code == 0
    assert read_outputs(tmp_path / "out") == {"a.md": compressed(ask, tmp_path / "a.jsonl", *options)}


def test_a_second_run_does_only_what_changed(ask, here, folder, tmp_path) -> None:
    command = ("batch", folder, "-o", tmp_path / "out", *RATIO, "--report", tmp_path / "r.jsonl")
    first = ask(*command)
    assert "12 files: 12 done" in first.err
    before = rows(tmp_path / "r.jsonl")
    (folder / "a" / "0.jsonl").write_bytes(conversation(99))
    os.utime(folder / "a" / "2.jsonl", (1, 1))
    (tmp_path / "out" / "a" / "4.jsonl").unlink()
    (tmp_path / "out" / "a" / "6.jsonl").write_text("edited")
    (folder / "b" / "new.jsonl").write_bytes(conversation(98))
    again = ask(*command)
    done = {Path(row["source"]).name for row in rows(tmp_path / "r.jsonl").values() if row["status"] == "done"}
    assert done == {"0.jsonl", "4.jsonl", "6.jsonl", "new.jsonl"}
    assert "13 files: 4 done, 9 unchanged" in again.err
    figures = ("tokens_in", "tokens_out", "conversations", "output", "format_in", "bytes_in")
    for source, row in rows(tmp_path / "r.jsonl").items():
        if row["status"] == "unchanged":
            assert [row[name] for name in figures] == [before[source][name] for name in figures]
    assert "13 unchanged" in ask(*command).err
    assert "13 done" in ask(*command, "--force").err


@pytest.mark.parametrize(
    "options", [("--ratio", "3"), ("--keep-recent", "2"), ("--pipeline", "window"), ("--pin", "harbour")]
)
def test_other_settings_do_all_anew(ask, here, folder, tmp_path, options) -> None:
    assert "12 done" in ask("batch", folder, "-o", tmp_path / "out", *RATIO).err
    assert "12 done" in ask("batch", folder, "-o", tmp_path / "out", *RATIO, *options).err


def test_a_dry_run_says_what_is_to_be_done_and_writes_nothing(ask, here, folder, tmp_path) -> None:
    command = ("batch", folder, "-o", tmp_path / "out", *RATIO)
    answer = ask(*command, "--dry-run")
    assert (answer.code, answer.out.decode().startswith("12 files to do (")) == (0, True)
    assert not (tmp_path / "out").exists()
    ask(*command)
    (folder / "a" / "0.jsonl").write_bytes(conversation(99))
    assert ask(*command, "--dry-run").out.decode().endswith("11 as they were\n")


def test_broken_files_are_reported_and_the_rest_goes_on(ask, here, folder, tmp_path) -> None:
    (folder / "cut.json").write_text('[{"role": "user", "content": "Hel')
    (folder / "package.json").write_text('{"name": "no conversation"}')
    (folder / "empty.jsonl").touch()
    answer = ask("batch", folder, "-o", tmp_path / "out", *RATIO, "--report", tmp_path / "r.csv")
    assert answer.code == 2
    assert "cut.json: line 1, column" in answer.err
    assert "Error: 1 of 15 files failed. The others are done." in answer.err
    assert "12 done, 2 skipped, 1 unreadable" in answer.err
    assert len(read_outputs(tmp_path / "out")) == 12
    assert "12 unchanged, 2 skipped, 1 unreadable" in ask("batch", folder, "-o", tmp_path / "out", *RATIO).err
    named = ask("batch", folder / "package.json", "-o", tmp_path / "out", *RATIO)
    assert (named.code, "which is none of the formats" in named.err) == (2, True)


def test_a_budget_that_cannot_be_met_costs_its_file_and_the_exit_code_is_1(ask, here, folder, tmp_path) -> None:
    system = json.dumps({"role": "system", "content": "a rule of many words " * 500})
    (folder / "pinned.jsonl").write_text(f"{system}\n" + '{"role": "user", "content": "Hello"}\n' * 3)
    for status in ("12 done", "12 unchanged"):
        answer = ask("batch", folder, "-o", tmp_path / "out", "--budget", "300")
        assert answer.code == 1, answer.err
        assert f"{status}, 1 not met" in answer.err
        assert "pinned.jsonl, conversation 1: the budget of 300 tokens is" in answer.err


def test_a_file_that_may_not_be_read_is_reported(ask, here, folder, tmp_path) -> None:
    (folder / "a" / "0.jsonl").chmod(0)
    if os.access(folder / "a" / "0.jsonl", os.R_OK):
        pytest.skip("root may read all files")
    answer = ask("batch", folder, "-o", tmp_path / "out", *RATIO)
    assert (answer.code, "0.jsonl: you may not read it" in answer.err) == (2, True)


def test_slices_of_a_large_file_make_what_compress_makes_of_it(ask, here, large, tmp_path) -> None:
    assert len(list(slices.cut(str(large), slices.form(str(large), None, None)))) > 5  # type: ignore[arg-type]
    answer = ask("batch", large, "-o", tmp_path / "out", *RATIO, "--report", tmp_path / "r.jsonl")
    assert answer.code == 0, answer.err
    assert read_outputs(tmp_path / "out") == {"large.jsonl": compressed(ask, large)}
    [row] = rows(tmp_path / "r.jsonl").values()
    assert (row["conversations"], row["bytes_in"], row["status"]) == (40, large.stat().st_size, "done")
    assert sorted(p.name for p in (tmp_path / "out" / ".boildown").iterdir()) == ["journal.db"]
    os.utime(large, (1, 1))
    assert "1 unchanged" in ask("batch", large, "-o", tmp_path / "out", *RATIO).err


@pytest.mark.battery
def test_slices_that_are_done_are_kept_until_the_file_is(ask, here, large, tmp_path) -> None:
    """A line in the middle that cannot be made so small fails the file; mended, only its slice is done again."""
    good = large.read_bytes()
    lines = good.splitlines(keepends=True)
    pinned = {"messages": [{"role": "system", "content": "a rule of words " * 300}, *said(1)[:2]]}
    lines[30] = json.dumps(pinned).encode() + b"\n"
    large.write_bytes(b"".join(lines))
    command = ("batch", large, "-o", tmp_path / "out", "--ratio", "4", "--jobs", "1")
    answer = ask(*command)
    assert answer.code == 1
    assert "large.jsonl, from line " in answer.err
    kept = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out" / ".boildown").rglob("0*")}
    assert kept
    before = ask(*command)
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out" / ".boildown").rglob("0*")} == kept
    assert before.code == 1
    large.write_bytes(good)
    assert ask(*command).code == 0
    assert read_outputs(tmp_path / "out") == {"large.jsonl": compressed(ask, large, "--ratio", "4")}


def test_urls_are_read_and_written(ask, here, folder, tmp_path, monkeypatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    MemoryFileSystem.store.clear()
    store = MemoryFileSystem()
    store.put(str(folder), "/chats", recursive=True)
    command = ("batch", "memory://chats", "-o", "memory://small", *RATIO)
    try:
        assert "12 files: 12 done" in ask(*command).err
        assert "12 files: 12 unchanged" in ask(*command).err
        assert store.cat("/small/a/0.jsonl") == compressed(ask, folder / "a" / "0.jsonl")
        ask("batch", "memory://chats/b/*1.jsonl", "-o", tmp_path / "out", *RATIO)
        assert (tmp_path / "out" / "1.jsonl").read_bytes() == compressed(ask, folder / "b" / "1.jsonl")
        store.pipe_file("/chats/a/0.jsonl", conversation(99))
        assert "12 files: 1 done, 11 unchanged" in ask(*command).err
    finally:
        MemoryFileSystem.store.clear()


def test_a_large_file_behind_a_url_is_done_in_slices(ask, large, tmp_path, monkeypatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    MemoryFileSystem.store.clear()
    store = MemoryFileSystem()
    store.pipe_file("/large.jsonl.gz", gzip.compress(large.read_bytes()))
    try:
        assert ask("batch", "memory://large.jsonl.gz", "-o", "memory://small", *RATIO).code == 0
        assert store.cat("/small/large.jsonl") == compressed(ask, large)
        assert store.find("/small") == ["/small/large.jsonl"]
    finally:
        MemoryFileSystem.store.clear()


def test_sources_are_archived_and_come_back(ask, here, folder, tmp_path) -> None:
    assert ask("batch", folder, "-o", tmp_path / "out", *RATIO, "--archive", tmp_path / "originals").code == 0
    back = ask("expand", tmp_path / "out" / "a" / "0.jsonl", "--archive", tmp_path / "originals")
    assert back.out == (folder / "a" / "0.jsonl").read_bytes()


def test_what_the_stage_archive_takes_out_is_found_by_the_outputs_name(ask, here, folder, tmp_path) -> None:
    shutil.copyfile(folder / "b" / "1.jsonl", folder / "a" / "1.jsonl")
    to = ("--pipeline", "archive", "--archive", tmp_path / "memory")
    assert ask("batch", folder, "-o", tmp_path / "out", *RATIO, *to).code == 0
    told = ask("sessions", "--archive", tmp_path / "memory", "--json")
    names = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.jsonl")}
    assert {one["session"] for one in json.loads(told.out)["sessions"]} == names
    alone = ("--pipeline", "archive", "--archive", tmp_path / "alone")
    assert (tmp_path / "out" / "a" / "0.jsonl").read_bytes() == compressed(
        ask, folder / "a" / "0.jsonl", *RATIO, *alone
    )


def test_inputs_that_differ_in_their_endings_alone_are_sessions_of_their_own(ask, here, tmp_path) -> None:
    folder = tmp_path / "in" / "a"
    folder.mkdir(parents=True)
    (folder / "x.jsonl").write_bytes(conversation(1))
    (folder / "x.json.gz").write_bytes(gzip.compress(json.dumps({"messages": said(2)}).encode()))
    (folder / "y.jsonl").write_bytes(conversation(3))
    command = ("batch", folder.parent, "-o", tmp_path / "out", *RATIO, "--pipeline", "archive")
    for again in ((), ("--force",)):
        assert ask(*command, "--archive", tmp_path / "memory", *again).code == 0
        told = json.loads(ask("sessions", "--archive", tmp_path / "memory", "--json").out)
        assert sorted(one["session"] for one in told["sessions"]) == ["a/x.json", "a/x.jsonl", "a/y"]


def test_the_stage_archive_needs_an_archive(ask, folder, tmp_path) -> None:
    answer = ask("batch", folder, "-o", tmp_path / "out", *RATIO, "--pipeline", "archive")
    assert (answer.code, "--archive DIR" in answer.err) == (2, True)


@pytest.fixture
def server(model_server: ModelServer) -> ModelServer:
    """A model that sums up."""
    model_server.answer = replied
    return model_server


SUMMED = ("--ratio", "4", "--pipeline", "abstractive:chunk=400")


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    """A directory of four chats that are long enough for a summary beside the facts that are kept word for word."""
    (tmp_path / "in").mkdir()
    for n in range(4):
        (tmp_path / "in" / f"{n}.jsonl").write_bytes(conversation(n, 40))
    return tmp_path / "in"


def test_models_make_the_same_as_in_compress_and_are_not_asked_twice(ask, talks, tmp_path, server) -> None:
    dry = ask("batch", talks, "-o", tmp_path / "out", *SUMMED, "--dry-run")
    assert (dry.code, " of claude-haiku-5-5, 0 answers from before; at most " in dry.out.decode()) == (0, True), dry.err
    assert not server.received
    answer = ask("batch", talks, "-o", tmp_path / "out", *SUMMED)
    assert answer.code == 0, answer.err
    calls = len(server.received)
    assert f"model: {calls} calls, 0 answers from before" in answer.err
    for name, data in read_outputs(tmp_path / "out").items():
        assert data == compressed(ask, talks / name, *SUMMED)
    assert len(server.received) == calls


def test_one_limit_of_cost_holds_for_all_files(ask, talks, tmp_path, server) -> None:
    answer = ask("batch", talks, "-o", tmp_path / "out", *SUMMED, "--max-cost", "0.001")
    assert answer.code == 1
    assert "stopped after" in answer.err
    assert "pass --max-cost 0.001" in answer.err
    calls = len(server.received)
    assert 0 < calls < 12
    assert ask("batch", talks, "-o", tmp_path / "out", *SUMMED).code == 0
    assert len(read_outputs(tmp_path / "out")) == 4


@pytest.mark.battery
@LINUX
def test_a_worker_that_is_killed_costs_nothing_that_a_second_one_can_do(start, many, tmp_path) -> None:
    running = start("batch", many, "-o", tmp_path / "out", *RATIO, "--jobs", "2", stderr=subprocess.PIPE)
    wait_for(lambda: len(read_outputs(tmp_path / "out")) > 3)
    victim = children(running.pid)[0]
    os.kill(victim, signal.SIGKILL)
    _, err = running.communicate(timeout=120)
    assert (running.returncode, b"40 files: 40 done" in err) == (0, True), err.decode()
    assert sorted(read_outputs(tmp_path / "out")) == sorted(p.name for p in many.iterdir())


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A directory that keeps two processes busy for some seconds."""
    folder = tmp_path / "many"
    folder.mkdir()
    for n in range(40):
        (folder / f"{n}.jsonl").write_bytes(conversation(n, 50))
    return folder


@pytest.mark.battery
@LINUX
def test_a_run_that_is_killed_leaves_whole_outputs_no_workers_and_is_taken_up(ask, here, start, many, tmp_path) -> None:
    command = ("batch", many, "-o", tmp_path / "out", *RATIO, "--jobs", "2")
    running = start(*command, stderr=subprocess.DEVNULL)
    wait_for(lambda: len(read_outputs(tmp_path / "out")) > 15)
    workers = children(running.pid)
    running.kill()
    running.wait()
    wait_for(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    there = read_outputs(tmp_path / "out")
    (tmp_path / "out" / ".boildown" / "unfinished" / "half").write_text("half")
    answer = ask(*command, "--report", tmp_path / "r.jsonl")
    assert answer.code == 0, answer.err
    done = [row for row in rows(tmp_path / "r.jsonl").values() if row["status"] == "done"]
    assert len(there) - 3 <= 40 - len(done) <= len(there)
    whole = read_outputs(tmp_path / "out")
    assert {name: whole[name] for name in there} == there
    assert sorted(p.name for p in (tmp_path / "out" / ".boildown").iterdir()) == ["journal.db"]
    fresh = ask("batch", many, "-o", tmp_path / "fresh", *RATIO, "--report", tmp_path / "f.jsonl")
    assert fresh.code == 0
    assert read_outputs(tmp_path / "fresh") == whole
    totals = [sum(row["tokens_out"] for row in rows(tmp_path / name).values()) for name in ("r.jsonl", "f.jsonl")]
    assert totals[0] == totals[1]


@LINUX
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.battery)]
)
def test_an_interrupted_run_ends_at_once_and_keeps_what_is_done(start, many, tmp_path, number, code) -> None:
    running = start("batch", many, "-o", tmp_path / "out", *RATIO, "-j", "2", stderr=subprocess.PIPE, process_group=0)
    wait_for(lambda: len(read_outputs(tmp_path / "out")) > 3)
    workers = children(running.pid)
    begun = time.monotonic()
    os.killpg(running.pid, number) if number == signal.SIGINT else running.send_signal(number)
    _, err = running.communicate(timeout=30)
    assert time.monotonic() - begun < 5
    assert running.returncode == code, err.decode()
    assert b"Traceback" not in err
    if number == signal.SIGINT:
        assert b"which are kept. Run again to do the rest." in err
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert len(read_outputs(tmp_path / "out")) < 40
    assert sorted(p.name for p in (tmp_path / "out" / ".boildown").iterdir()) == ["journal.db"]


def test_two_runs_do_not_write_to_one_directory(ask, folder, tmp_path) -> None:
    from boildown.batch.output import opened, output

    with opened(output(str(tmp_path / "out"))):
        answer = ask("batch", folder, "-o", tmp_path / "out", *RATIO)
    assert (answer.code, "another 'boildown batch' writes there" in answer.err) == (1, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "how far?"),
        (("--ratio", "2", "--from", "nonsense"), "no format is called 'nonsense'"),
        (("--ratio", "2", "--report", "r.txt"), ".jsonl, .csv, .parquet"),
        (("--ratio", "2", "--max-cost", "0.001"), "only stages that ask a model use this"),
    ],
)
def test_what_is_wrong_for_all_files_is_said_before_any_is_read(ask, folder, tmp_path, options, said) -> None:
    answer = ask("batch", folder, "-o", tmp_path / "out", *options)
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert not (tmp_path / "out").exists()


def test_a_plain_run_needs_no_fsspec(folder, tmp_path) -> None:
    script = f"import sys; sys.modules['fsspec'] = None; {COMMAND}"
    command = [sys.executable, "-c", script, "batch", str(folder), "-o", str(tmp_path / "out"), *RATIO, "-j", "1"]
    assert subprocess.run(command, env=source_roots(ROOT), check=False, capture_output=True).returncode == 0
