"""`boildown repair`: where it writes, what it keeps, and when it refuses."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time

import pytest

from damage import broken, drop, found, put
from roundtrip import SAMPLES

APPENDING = """
import sys, time
path, mode = sys.argv[1:]
if mode == "held":
    file = open(path, "ab")
print("ready", flush=True)
while True:
    if mode == "reopened":
        with open(path, "ab") as file:
            file.write(b'{"type":"summary","summary":"x","leafUuid":"x"}\\n')
    time.sleep(0.1)
"""


@pytest.fixture
def session(tmp_path):
    """A Claude Code session that lost a result, some time ago."""
    path = tmp_path / "session.jsonl"
    path.write_bytes(broken("claude-code.jsonl", drop(23)))
    os.chmod(path, 0o600)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


@pytest.fixture
def written(request, session):
    """The session while a process appends to it, holding it open or opening it anew each time."""
    with subprocess.Popen([sys.executable, "-c", APPENDING, session, request.param], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        if request.param == "reopened":
            time.sleep(0.3)
        yield session
        process.kill()


def test_the_mended_file_goes_to_stdout_and_each_mend_to_stderr(ask, session):
    before = session.read_bytes()
    answer = ask("repair", session)
    assert answer.code == 0
    assert found("claude-code", answer.out) == []
    assert f"{session}:21: orphan-call: " in answer.err
    assert "2 violations mended, 0 left" in answer.err
    assert session.read_bytes() == before
    assert list(session.parent.iterdir()) == [session]


def test_the_mended_file_goes_where_it_is_told(ask, session, tmp_path):
    out = tmp_path / "out.jsonl"
    assert ask("repair", session, "-o", out).code == 0
    assert found("claude-code", out.read_bytes()) == []


def test_in_place_keeps_what_the_file_was_and_its_mode(ask, session):
    before = session.read_bytes()
    answer = ask("repair", session, "--in-place")
    backup = session.with_name("session.jsonl.bak")
    assert answer.code == 0
    assert f"what it was is in {backup}" in answer.err
    assert backup.read_bytes() == before
    assert found("claude-code", session.read_bytes()) == []
    assert [stat.S_IMODE(path.stat().st_mode) for path in (session, backup)] == [0o600, 0o600]
    assert ask("validate", session).code == 0


def test_a_backup_is_never_written_over(ask, session):
    backup = session.with_name("session.jsonl.bak")
    backup.write_text("precious")
    assert ask("repair", session, "--in-place").code == 0
    assert backup.read_text() == "precious"
    assert session.with_name("session.jsonl.bak2").exists()


def test_where_links_cannot_be_made_the_backup_is_a_copy(ask, session, monkeypatch):
    def refuse(*_):
        raise PermissionError

    before = session.read_bytes()
    monkeypatch.setattr(os, "link", refuse)
    session.with_name("session.jsonl.bak").write_text("precious")
    assert ask("repair", session, "--in-place").code == 0
    assert session.with_name("session.jsonl.bak2").read_bytes() == before


def test_a_second_repair_finds_nothing_and_writes_nothing(ask, session):
    ask("repair", session, "--in-place", "--force")
    files = {path: path.stat().st_mtime_ns for path in session.parent.iterdir()}
    answer = ask("repair", session, "--in-place", "--force")
    assert answer.code == 0
    assert "0 violations mended, 0 left" in answer.err
    assert {path: path.stat().st_mtime_ns for path in session.parent.iterdir()} == files


def test_a_dry_run_says_what_it_would_do_and_writes_nothing(ask, session):
    before = session.read_bytes()
    answer = ask("repair", session, "--in-place", "--dry-run")
    assert (answer.code, answer.out) == (0, b"")
    assert "2 violations would be mended, 0 left" in answer.err
    assert session.read_bytes() == before
    assert list(session.parent.iterdir()) == [session]


def test_what_cannot_be_mended_is_named_and_the_exit_code_says_so(ask, tmp_path):
    path = tmp_path / "request.json"
    path.write_bytes(broken("anthropic.json", lambda r: (drop(1)(r), put(1, "", "content", 1, "text")(r))))
    answer = ask("repair", path, "--force")
    assert answer.code == 1
    assert ": user-first: the conversation begins with a message of the assistant's: LEFT: " in answer.err
    assert "1 violation mended, 1 left" in answer.err
    assert [rule for _, rule in found("anthropic", answer.out)] == ["user-first"]


def test_a_file_in_another_encoding_keeps_it(ask, tmp_path):
    path = tmp_path / "utf16.jsonl"
    path.write_bytes(b"\xff\xfe" + broken("codex.jsonl", drop(11)).decode().encode("utf-16-le"))
    answer = ask("repair", path, "--force")
    assert answer.code == 0
    assert answer.out.startswith(b"\xff\xfe")
    assert found("codex", answer.out[2:].decode("utf-16-le").encode()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="which process holds a file open is known on Linux only")
@pytest.mark.parametrize("written", ["held"], indirect=True)
def test_a_file_that_a_process_holds_open_for_writing_is_not_touched(ask, written):
    before = written.read_bytes()
    answer = ask("repair", written, "--in-place")
    assert answer.code == 1
    assert "it is being written by process " in answer.err
    assert "--force" in answer.err
    assert written.read_bytes() == before
    assert ask("repair", written, "--dry-run").code == 0
    assert ask("repair", written, "--in-place", "--force").code == 0


@pytest.mark.parametrize("written", ["reopened"], indirect=True)
def test_a_file_that_grows_is_not_touched(ask, written):
    answer = ask("repair", written, "--in-place")
    assert answer.code == 1
    assert "it is being written" in answer.err
    assert list(written.parent.iterdir()) == [written]


@pytest.mark.skipif(sys.platform != "linux", reason="which process holds a file open is known on Linux only")
def test_a_file_that_is_only_read_may_be_mended(ask, session):
    with subprocess.Popen(["tail", "-f", session], stdout=subprocess.PIPE) as reader:
        reader.stdout.readline()
        assert ask("repair", session, "--in-place").code == 0
        reader.kill()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("x.jsonl", "--in-place", "-o", "y.jsonl"), "two places"),
        (("-", "--in-place"), "standard input"),
        (("no-such-file.jsonl", "--in-place"), "no such file"),
    ],
)
def test_wrong_usage_is_refused(ask, arguments, what):
    answer = ask("repair", *arguments)
    assert answer.code == 2
    assert what in answer.err


def test_the_file_itself_is_no_place_for_the_output(ask, session):
    answer = ask("repair", session, "-o", session)
    assert answer.code == 2
    assert "--in-place" in answer.err


def test_sound_samples_come_out_byte_for_byte(ask):
    for path in (SAMPLES / "codex.jsonl", SAMPLES / "anthropic.json"):
        assert ask("repair", path, "--force").out == path.read_bytes()
