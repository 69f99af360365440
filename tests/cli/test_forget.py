"""`sessions`, `archive --idle` and `forget`: what is listed, what is left as it is, and what goes after asking."""

from __future__ import annotations

import json
import os
import time

import pytest


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_an_idle_file_is_compressed_and_archived_and_an_active_one_left(ask, chat, tmp_path):
    old = tmp_path / "old.jsonl"
    old.write_bytes(before := chat.read_bytes())
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    answer = ask("archive", old, chat, "--archive", tmp_path / "m", "--idle", "1h", "--user", "ada")
    assert (answer.code, f"{chat}: left as it is: active just now\n") == (0, answer.err)
    assert answer.out.startswith(f"{old}: 61 messages, 61 new, in session old, ".encode())
    assert old.read_bytes() == before
    (one,) = json.loads(ask("sessions", "--archive", tmp_path / "m", "--json").out)["sessions"]
    assert (one["session"], one["level"]) == ("old", "compressed")
    assert 0.79 < one["saving"] < 0.82
    assert b" 81%" in ask("sessions", "--archive", tmp_path / "m").out or one["saving"] < 0.805


def test_forget_asks_looks_and_proves(ask, chat, tmp_path):
    memory = tmp_path / "m"
    for user in ("ada", "bob"):
        own = tmp_path / f"{user}.jsonl"
        own.write_text(chat.read_text().replace("About", f"{user} about"))
        assert ask("archive", own, "--archive", memory, "--user", user).code == 0
    assert ask("forget", "--user", "ada", "--archive", memory).code == 2
    looked = ask("forget", "--user", "ada", "--archive", memory, "--dry-run")
    assert (looked.code, looked.out.startswith(b"would go: 61 messages of 1 session (ada)\n")) == (0, True)
    answer = ask("forget", "--user", "ada", "--archive", memory, "--yes")
    assert (answer.code, answer.out.endswith(b": 0 found\n")) == (0, True)
    assert ask("recall", "violin", "--archive", memory, "--user", "ada").code == 2
    assert ask("recall", "violin", "--archive", memory, "--user", "bob").code == 0
    assert ask("forget", "--user", "ada", "--archive", memory, "--yes").code == 2


@pytest.mark.parametrize(
    "command",
    [
        ("archive", "chat.jsonl", "--user", "a\udcff"),
        ("archive", "chat.jsonl", "--session", "a\udcff"),
        ("recall", "violin", "--user", "a\udcfe"),
        ("resume", "chat", "--user", "a\udcff"),
        ("sessions", "--user", "a\udcff"),
        ("forget", "--user", "a\udcff", "--yes"),
    ],
)
def test_names_that_an_archive_could_not_tell_apart_are_refused(ask, chat, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    assert ask("archive", chat, "--archive", "m", "--user", "a?").code == 0
    answer = ask(*command, "--archive", "m")
    assert (answer.code, "this name is no UTF-8" in answer.err, answer.out) == (2, True, b"")


def test_what_is_found_afterwards_is_exit_code_1(ask, chat, tmp_path):
    ask("archive", chat, "--archive", tmp_path / "m", "--user", "ada")
    (tmp_path / "m" / "notes.txt").write_bytes(chat.read_bytes())
    answer = ask("forget", "--user", "ada", "--archive", tmp_path / "m", "--yes")
    assert (answer.code, b": 0 found" in answer.out) == (1, False)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["archive", "chat.jsonl", "--archive", "m", "--ratio", "3"], 2, "--idle"),
        (["archive", "chat.jsonl", "--archive", "m", "--idle", "soon"], 2, "--idle 'soon'"),
        (["sessions", "--archive", "none"], 1, "memory.db"),
        (["forget", "--user", "ada", "--archive", "none", "--yes"], 1, "memory.db"),
        (["forget", "--archive", "none"], 2, "--user"),
    ],
)
def test_what_is_wrong_is_said(ask, chat, monkeypatch, arguments, code, said):
    monkeypatch.chdir(chat.parent)
    answer = ask(*arguments)
    assert (answer.code, answer.out) == (code, b"")
    assert said in answer.err
