"""`compress --archive` and `expand`: the source comes back, or what is lost is named and nothing is written."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest


@pytest.fixture
def small(ask, chat, tmp_path):
    """A compressed chat with its source in the archive `originals`."""
    path = tmp_path / "small.jsonl"
    assert (
        ask("compress", chat, "-r", 4, "-p", "window", "-o", path, "--archive", tmp_path / "originals", "-q").code == 0
    )
    return path


def test_the_source_comes_back_to_a_file_and_to_stdout(ask, chat, small, tmp_path):
    answer = ask("expand", small, "--archive", tmp_path / "originals", "-o", tmp_path / "back.jsonl")
    assert (answer.code, answer.out, answer.err) == (0, b"", "")
    assert (tmp_path / "back.jsonl").read_bytes() == chat.read_bytes()
    assert ask("expand", small, "--archive", tmp_path / "originals").out == chat.read_bytes()


def test_the_compressed_file_may_come_from_stdin_and_go_to_stdout(ask, chat, tmp_path):
    archive = tmp_path / "originals"
    piped = ask("compress", "-", "--ratio", 4, "--archive", archive, input=chat.read_bytes())
    assert ask("expand", "-", "--archive", archive, input=piped.out).out == chat.read_bytes()


def test_another_format_gives_the_source_in_its_own(ask, chat, tmp_path):
    archive, out = tmp_path / "originals", tmp_path / "small.json"
    assert ask("compress", chat, "--ratio", 2, "--to", "anthropic", "--archive", archive, "-o", out).code == 0
    assert ask("expand", out, "--archive", archive).out == chat.read_bytes()


def test_the_output_may_take_the_place_of_the_input(ask, chat, tmp_path):
    before = chat.read_bytes()
    assert ask("compress", chat, "--ratio", 4, "-o", chat, "--archive", tmp_path / "originals").code == 0
    assert ask("expand", chat, "-o", chat, "--archive", tmp_path / "originals").code == 0
    assert chat.read_bytes() == before


def test_without_an_archive_references_are_put_back(ask, root, tmp_path):
    source, out = root / "samples" / "claude-code-edits.jsonl", tmp_path / "small.jsonl"
    assert ask("compress", source, "--ratio", 1.2, "-p", "delta", "-o", out).code == 0
    back = ask("expand", out)
    assert (back.code, out.read_bytes().count(b"[delta from ")) == (0, 2)
    assert b"[delta from " not in back.out
    assert ask("count", "-", input=back.out).out.split()[-1] == ask("count", source).out.split()[-1]


def test_the_report_and_people_are_told_where_the_source_is(ask, chat, tmp_path):
    archive, report = tmp_path / "originals", tmp_path / "report.json"
    answer = ask("compress", chat, "--ratio", 4, "--archive", archive, "--report", report, "-o", tmp_path / "out")
    told = json.loads(report.read_bytes())["archive"]
    assert (told["folder"], told["records"], told["new"]) == (str(archive), 61, 61)
    assert f"kept in {archive}: 61 records, 61 of them new" in answer.err
    assert ask("show", told["source"][:8], "--archive", archive).code == 1  # a file is kept as its records


def test_the_output_is_the_same_with_an_archive(ask, chat, tmp_path):
    plain = ask("compress", chat, "--ratio", 4).out
    assert ask("compress", chat, "--ratio", 4, "--archive", tmp_path / "originals").out == plain


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Give --archive DIR"),
        (["--archive", "none"], 1, "there is no archive"),
        (["--archive", "small.jsonl"], 2, "this is a file"),
        (["--archive", "originals", "--source", "00000000"], 2, "begins with '00000000'"),
        (["--archive", "originals", "-o", "no/place.jsonl"], 2, "there is no directory 'no'"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(ask, small, monkeypatch, arguments, code, said):
    monkeypatch.chdir(small.parent)
    before = sorted(os.listdir())
    answer = ask("expand", small.name, *arguments)
    assert (answer.code, answer.out) == (code, b"")
    assert said in answer.err
    assert sorted(os.listdir()) == before


def test_lost_messages_are_named_and_nothing_is_written(ask, chat, small, tmp_path):
    record = chat.read_bytes().splitlines(keepends=True)[4]
    with closing(sqlite3.connect(tmp_path / "originals" / "archive.db")) as connection, connection:
        connection.execute("UPDATE objects SET data = x'00' WHERE size = ?", (len(record),))
    target = tmp_path / "back.jsonl"
    target.write_text("precious")
    answer = ask("expand", small, "--archive", tmp_path / "originals", "-o", target)
    assert (answer.code, target.read_text()) == (1, "precious")
    assert "lost parts of" in answer.err
    assert "m5" in answer.err
    assert "Nothing was written" in answer.err


@pytest.mark.parametrize("left", [0, 50, 4096, 9000])
def test_a_cut_off_archive_gives_nothing(ask, small, tmp_path, left):
    os.truncate(tmp_path / "originals" / "archive.db", left)
    answer = ask("expand", small, "--archive", tmp_path / "originals")
    assert (answer.code, answer.out) == (1, b"")
    assert "archive" in answer.err


def test_without_room_for_the_archive_there_is_no_output(ask, chat, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to_ada.txt").touch()
    answer = ask("compress", chat, "--ratio", 4, "-o", tmp_path / "out.jsonl", "--archive", tmp_path / "letters")
    assert (answer.code, (tmp_path / "out.jsonl").exists()) == (2, False)
    assert "to_ada.txt" in answer.err


def test_a_budget_that_cannot_be_met_makes_no_archive(ask, chat, tmp_path):
    assert ask("compress", chat, "--budget", 5, "--archive", tmp_path / "originals").code == 1
    assert not (tmp_path / "originals").exists()


@pytest.mark.battery
def test_two_that_compress_at_once_keep_both(start, chat, chats, tmp_path):
    archive, names = tmp_path / "originals", ("chat", "chats")
    running = [
        start(
            "compress",
            tmp_path / f"{n}.jsonl",
            "-r",
            3,
            "-p",
            "window",
            "-q",
            "-o",
            tmp_path / f"{n}.out",
            "--archive",
            archive,
        )
        for n in names
    ]
    assert [process.wait(120) for process in running] == [0, 0]
    back = [start("expand", tmp_path / f"{n}.out", "-o", tmp_path / f"{n}.back", "--archive", archive) for n in names]
    assert [process.wait(120) for process in back] == [0, 0]
    assert [(tmp_path / f"{n}.back").read_bytes() for n in names] == [chat.read_bytes(), chats.read_bytes()]


@pytest.mark.parametrize("seen", ["the archive's directory", "the archive's tables"])
def test_a_kill_leaves_no_output_without_its_source(start, ask, chats, tmp_path, seen):
    archive, out = tmp_path / "originals", tmp_path / "small.jsonl"
    command = ("compress", chats, "-r", 3, "-p", "window", "-q", "--archive", archive, "-o", out)
    process = start(*command)
    while process.poll() is None and not (archive.exists() if "dir" in seen else list(archive.glob("*-wal"))):
        time.sleep(0.0005)
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    if out.exists():
        assert ask("expand", out, "--archive", archive).out == chats.read_bytes()
    assert ask(*command).code == 0
    assert ask("expand", out, "--archive", archive).out == chats.read_bytes()
