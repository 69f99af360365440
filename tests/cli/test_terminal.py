"""Nothing that comes from a file is obeyed by a terminal or taken for markup."""

from __future__ import annotations

import json
import os
import pty
import re

import pytest

from boildown_cli.terminal import number, one_line, plain
from conftest import source_roots

CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
NASTY = (
    "\x1b[31mred\x1b]0;owned\x07\x1b]8;;http://x\x1b\\ \x9b2J\x00\x08\r\u202eevil\u2066 "
    "[bold]b[/bold] [/x] :smile: \ud800"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never ends", "]0;never ends"),
        ("\x1bPq#0\x1b\\after", "after"),
        ("\x9b2Jgone", "gone"),
        ("a\rb\x08c\x7fd\x00e", "abcde"),
        ("\u202eright to left\u202c\u2066x\u2069", "right to leftx"),
        ("[bold]stays[/bold] :smile:", "[bold]stays[/bold] :smile:"),
        ("emoji 👩‍👩‍👧 and नमस्ते stay", "emoji 👩‍👩‍👧 and नमस्ते stay"),
        ("half \ud83d pair", "half � pair"),
    ],
)
def test_plain_takes_out_what_a_terminal_would_obey(text, expected):
    assert plain(text) == expected


def test_one_line_is_one_line_and_short():
    assert one_line("a\n\n  b\tc") == "a b c"
    assert one_line("x" * 20, 10) == "x" * 9 + "…"


def test_a_number_agrees_with_its_noun():
    assert [number(n, "file") for n in (0, 1, 1000)] == ["0 files", "1 file", "1,000 files"]


@pytest.fixture
def nasty(tmp_path):
    """A file whose name, roles, names, texts and bad lines hold escapes and markup."""
    path = tmp_path / "a\x1b[31m[bold]b\u202e.jsonl"
    said = [
        {"role": ("user", "assistant", NASTY)[n % 3], "name": NASTY, "content": f"{n} {NASTY} text"} for n in range(30)
    ]
    path.write_text("".join(json.dumps(m) + "\n" for m in said) + '{"broken\x1b[31m\x9b2J\n', encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "arguments",
    [["compress", "--ratio", "2", "-o", "/dev/null"], ["compress", "--budget", "1", "--keep-first", "9"], ["count"],
     ["check", "--max-tokens", "10"], ["formats"], ["compress", "--ratio", "2", "--strict"]],
)  # fmt: skip
def test_no_control_character_of_a_file_reaches_stdout_or_stderr(ask, nasty, arguments):
    done = ask(*arguments, nasty)
    assert done.code in (0, 1, 2), done.err
    assert "bug" not in done.err
    assert not CONTROL.findall(done.err.encode())
    assert not CONTROL.findall(done.out)
    assert b"[bold]b" in done.err.encode() + done.out


def test_a_missing_or_unreadable_name_is_told_without_its_escapes(ask, tmp_path):
    for command in (["count"], ["compress", "-r", "2"], ["compress", "-r", "2", "-p", NASTY[:9].replace("\0", "")]):
        done = ask(*command, tmp_path / "no\x1b]0;owned\x07ne\r.json")
        assert done.code == 2
        assert not CONTROL.findall(done.err.encode())


def test_a_terminal_gets_only_escapes_of_our_own(start, nasty):
    ours, theirs = pty.openpty()
    process = start("compress", nasty, "--ratio", 2, "-o", "/dev/null", stderr=theirs)
    assert process.wait(60) == 0
    os.close(theirs)
    seen = os.read(ours, 1 << 16)
    assert b"stage" in seen
    assert b"owned" not in seen
    assert b"\x1b[31m" not in seen
    assert b"\x1b[2J" not in seen
    assert "\u202e".encode() not in seen


def test_no_color_and_pipes_are_plain(boildown, chat):
    assert source_roots(chat.parent)["NO_COLOR"] == "1"
    assert b"\x1b" not in boildown("compress", chat, "--ratio", "2", env={"NO_COLOR": "", "TERM": "xterm"}).stderr


def test_a_stream_that_cannot_say_it_gets_it_spelled_out(boildown, chat, tmp_path):
    odd = tmp_path / "日本.jsonl"
    odd.write_bytes(chat.read_bytes())
    done = boildown("count", odd, env={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert rb"\u65e5\u672c.jsonl" in done.stdout
