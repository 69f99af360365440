"""Every failure leaves by its own door: a message, an exit code, no traceback, nothing half written."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from battery import sampled
from boildown_cli.files import title
from conftest import SHARED

EDGE = sorted((SHARED / "data/derived/edge").glob("*"))


def wait_for(terminal: int, word: bytes) -> bytes:
    """What was written to a terminal until `word` was, within 30 seconds."""
    seen = b""
    while word not in seen:
        assert select.select([terminal], [], [], 30)[0], f"only this came: {seen!r}"
        seen += os.read(terminal, 4096)
    return seen


def test_a_missing_file_is_named_with_the_nearest_one(ask, chat):
    answer = ask("compress", chat.with_name("chta.jsonl"), "--ratio", 2)
    assert answer.code == 2
    assert f"chta.jsonl: there is no such file. Did you mean {chat}?" in answer.err


def test_a_missing_directory_is_named(ask, tmp_path):
    answer = ask("compress", tmp_path / "no" / "chat.jsonl", "--ratio", 2)
    assert answer.code == 2
    assert f"There is no directory '{tmp_path}/no' either" in answer.err


def test_a_directory_is_no_file(ask, tmp_path):
    answer = ask("compress", tmp_path, "--ratio", 2)
    assert answer.code == 2
    assert "this is a directory" in answer.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(ask, chat):
    chat.chmod(0)
    answer = ask("compress", chat, "--ratio", 2)
    assert answer.code == 2
    assert "you may not read it" in answer.err


@pytest.mark.parametrize(
    "data",
    [
        b"", b" \n", b"hello", b"\x00\x00\x00\x00", b"[", b"{", b"[{", b'[{"role": "user", "content": "cut o', b"null",
        b'"text"', b"[1, 2]", b'{"a": 1}', b"[" * 100_000, b'[{"a":' * 50_000, b"\xff\xfe",
        b"\xef\xbb\xbf", b"PK\x03\x04",
    ],
    ids=lambda data: repr(data[:24]),
)  # fmt: skip
def test_a_broken_file_is_named_and_nothing_is_written(ask, tmp_path, data):
    (tmp_path / "broken.json").write_bytes(data)
    for command in (["compress", "--ratio", 2, "-o", tmp_path / "out.json"], ["count"], ["check", "--max-tokens", 1]):
        answer = ask(*command, tmp_path / "broken.json")
        assert answer.code == 2, answer
        assert "broken.json: " in answer.err
        assert "Traceback" not in answer.err
        assert not (tmp_path / "out.json").exists()


@pytest.mark.skipif(not EDGE, reason="../shared/data/derived/edge is not there")
@pytest.mark.parametrize("path", EDGE, ids=lambda path: path.name)
def test_a_hostile_file_is_compressed_or_gets_a_clear_error(ask, path, tmp_path):
    answer = ask("compress", path, "--ratio", 2, "--no-pin-system", "-o", tmp_path / "out")
    assert answer.code in (0, 1, 2)
    assert str(path) in answer.err
    assert "bug" not in answer.err
    assert (tmp_path / "out").exists() == (answer.code == 0)


def test_a_bug_is_reported_with_its_place_and_its_traceback_lies_in_a_file(ask, chat, monkeypatch, tmp_path):
    def broken(*_: object) -> bytes:
        raise ZeroDivisionError("a secret of the conversation")

    monkeypatch.setattr("boildown_cli.files.read", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    answer = ask("compress", chat, "--ratio", 2)
    assert answer.code == 3
    assert "ZeroDivisionError at " in answer.err
    assert "Python 3." in answer.err
    assert "boildown " in answer.err
    assert "secret" not in answer.err
    (written,) = tmp_path.glob("boildown-*.txt")
    assert str(written) in answer.err
    assert "a secret" in written.read_text()
    assert written.stat().st_mode & 0o077 == 0


def test_a_panic_that_is_no_exception_is_a_bug_too(ask, chat, monkeypatch, tmp_path):
    class Panic(BaseException):
        pass

    def broken(*_: object) -> bytes:
        raise Panic

    monkeypatch.setattr("boildown_cli.files.read", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert ask("compress", chat, "--ratio", 2).code == 3


def test_lack_of_memory_is_said(ask, chat, monkeypatch):
    def broken(*_: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("boildown_cli.files.read", broken)
    answer = ask("compress", chat, "--ratio", 2)
    assert answer.code == 2
    assert "out of memory" in answer.err


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, b"interrupted; nothing was written\n"), (signal.SIGTERM, 143, b"")],
)
def test_a_signal_at_work_leaves_no_file_behind(start, big, number, code, said):
    ours, theirs = pty.openpty()
    before = sorted(os.listdir(big.parent))
    process = start("compress", big, "--ratio", 4, "-o", big.with_name("out.jsonl"), stderr=theirs)
    wait_for(ours, b"reading and counting")
    time.sleep(0.3)
    process.send_signal(number)
    assert process.wait(20) == code
    os.close(theirs)
    assert sorted(os.listdir(big.parent)) == before
    assert said.strip() in wait_for(ours, said.strip())


def test_ctrl_c_while_modules_are_loaded_exits_130(start, tmp_path):
    (tmp_path / "typer.py").write_text("import time\nprint('loading', flush=True)\ntime.sleep(20)\n")
    process = start("--help", cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"loading\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"interrupted; nothing was written\n")


def test_ctrl_c_while_waiting_for_stdin_exits_130(start):
    process = start("count", "-", stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == b""
    assert err == b"interrupted; nothing was written\n"


def test_a_reader_that_leaves_early_is_no_error(shell, chats):
    big = chats.with_name("big.jsonl")
    big.write_bytes(chats.read_bytes() * 24)
    done = shell('boildown compress "$1" -r 1.01 -q -p window | head -c 10', big)
    assert done.returncode == 0
    assert done.stdout == chats.read_bytes()[:10]
    assert done.stderr == b""


@pytest.fixture
def unread() -> Iterator[int]:
    """The writing end of a pipe whose reader has left."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.mark.parametrize(
    ("arguments", "code"),
    sampled(
        [
            (["compress", "chat", "-r", "2", "-q", "-p", "window"], 0),
            (["formats"], 0),
            (["check", "chat", "--max-tokens", "9"], 1),
            (["stages"], 0),
            (["--help"], 0),
            (["count", "chat", "--json"], 0),
            (["count", "chat"], 0),
        ],
        every=3,
    ),
)
def test_a_stdout_that_nobody_reads_is_no_error_and_hides_no_verdict(start, chat, unread, arguments, code):
    process = start(*(chat if a == "chat" else a for a in arguments), stdout=unread, stderr=subprocess.PIPE)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Error" not in err
    assert b"Broken" not in err


def test_a_stderr_that_nobody_reads_stops_nothing(start, chat, unread, tmp_path):
    process = start("compress", chat, "-r", 2, "-p", "window", "-o", tmp_path / "out.jsonl", stderr=unread)
    assert process.wait(60) == 0
    assert (tmp_path / "out.jsonl").exists()


def test_a_full_disk_is_said(shell, chat):
    for line in (
        'boildown compress "$1" -r 2 -p window > /dev/full',
        'boildown compress "$1" -r 2 -p window -o /dev/full',
    ):
        done = shell(line, chat)
        assert done.returncode == 2
        assert b"cannot be written: No space left on device" in done.stderr
        assert b"bug" not in done.stderr


def test_a_closed_stdout_is_said(shell, chat):
    done = shell('boildown compress "$1" -r 2 -p window >&-', chat)
    assert done.returncode == 2
    assert b"Name a file with -o" in done.stderr


@pytest.mark.battery
def test_a_terminal_sees_which_stage_runs(start, big):
    ours, theirs = pty.openpty()
    process = start("compress", big, "--ratio", 2, "-p", "window", "-o", "/dev/null", stderr=theirs)
    try:
        wait_for(ours, b"window: ")
    finally:
        process.kill()
        process.wait()


def test_stdin_has_a_name_in_messages():
    assert title("-") == "<stdin>"
