"""What every command writes: escape sequences for terminals alone, and nothing more once its reader has left."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import pytest
from typer.main import get_command

from battery import sampled
from boildown_cli.app import app
from boildown_cli.exits import status
from conftest import COMMAND, ROOT, source_roots

if TYPE_CHECKING:
    from cli.conftest import Ask

CHAT, SESSION = ROOT / "samples" / "openai.jsonl", ROOT / "samples" / "claude-code.jsonl"
COMMANDS: dict[str, list[object]] = {
    "compress": ["compress", CHAT, "--ratio", 3],
    "batch": ["batch", CHAT, "-o", "boiled", "--ratio", 3],
    "expand": ["expand", "small.jsonl", "--archive", "originals"],
    "show": ["show", "m1", "--of", CHAT],
    "diff": ["diff", CHAT, "small.jsonl"],
    "archive": ["archive", CHAT, "--archive", "memory"],
    "hook": ["hook", "claude-code", "--install", "--dry-run"],
    "recall": ["recall", "lodge", "--archive", "kept"],
    "context": ["context", CHAT, "--query", "Which lodge?", "--max-tokens", 300],
    "sessions": ["sessions", "--archive", "kept"],
    "facts": ["facts", CHAT],
    "forget": ["forget", "--user", "ada", "--archive", "theirs", "--dry-run"],
    "follow": ["follow", "-", "--window", 1000],
    "resume": ["resume", "lodge", "--archive", "streams"],
    "evaluate": ["evaluate", CHAT, "small.jsonl"],
    "tune": ["tune", CHAT.with_name("openai-login.jsonl"), "--min-retention", 0.5],
    "plan": ["plan", CHAT, "--ratio", 3, "--offline"],
    "train": ["train", CHAT, "-o", "scorer.json"],
    "count": ["count", CHAT],
    "check": ["check", CHAT, "--max-tokens", 10],
    "validate": ["validate", SESSION],
    "repair": ["repair", SESSION],
    "stages": ["stages"],
    "presets": ["presets"],
    "formats": ["formats"],
}
"""A line of each command that writes something"""
ESCAPE = re.compile("[\x1b\x9b]")


class Terminal(io.TextIOWrapper):
    """What a command takes for a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def seen(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode()


class Gone(io.BytesIO):
    """A pipe whose reader has left."""

    def write(self, data: Any, /) -> int:
        if len(data):
            raise BrokenPipeError
        return 0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with what the commands look for."""
    folder = tmp_path_factory.mktemp("streams")
    small = ["--archive", folder / "originals", "-o", folder / "small.jsonl", "--quiet"]
    for line in (
        ["compress", CHAT, "--ratio", 3, *small],
        ["archive", CHAT, "--archive", folder / "kept", "--quiet"],
        ["archive", CHAT, "--archive", folder / "theirs", "--user", "ada", "--quiet"],
    ):
        assert status(lambda: get_command(app), list(map(str, line))) == 0
    followed = ["follow", "-", "--window", "1000", "--session", "lodge", "--archive", str(folder / "streams")]
    command = [sys.executable, "-c", COMMAND, *followed]
    with open(CHAT) as chat:
        subprocess.run(command, env=source_roots(ROOT), stdin=chat, capture_output=True, check=True)
    return folder


@pytest.fixture
def chat() -> Iterator[TextIO]:
    with open(CHAT) as file:
        yield file


@pytest.fixture(autouse=True)
def surroundings(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chat: TextIO) -> None:
    """A copy of that directory, and the environment of somebody at a terminal who has not said anything."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "COLUMNS", "FORCE_COLOR", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("sys.stdin", chat)


Show = Callable[..., str]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    """Runs a line, and says all that a terminal got of it: show("count", path, NO_COLOR="1")."""

    def run(*line: object, **environment: str) -> str:
        for key, value in environment.items():
            monkeypatch.setenv(key, value)
        out, err = Terminal(), Terminal()
        monkeypatch.setattr("sys.stdout", out)
        monkeypatch.setattr("sys.stderr", err)
        assert status(lambda: get_command(app), list(map(str, line))) in (0, 1)
        return out.seen + err.seen

    return run


def test_every_command_is_looked_at() -> None:
    assert list(COMMANDS) == [info.name for info in app.registered_commands]


@pytest.mark.parametrize("name", COMMANDS)
def test_where_there_is_no_terminal_there_are_no_escapes(ask: Ask, name: str) -> None:
    answer = ask(*COMMANDS[name])
    assert answer.code in (0, 1)
    assert answer.out or answer.err
    assert not ESCAPE.search(answer.out.decode() + answer.err)


@pytest.mark.parametrize("name", sampled(COMMANDS, every=5))
def test_no_color_asks_a_terminal_for_nothing(show: Show, name: str) -> None:
    seen = show(*COMMANDS[name], NO_COLOR="1")
    assert seen
    assert not ESCAPE.search(seen)


@pytest.mark.parametrize("name", ["compress", "evaluate", "count"])
def test_a_dumb_terminal_is_asked_for_nothing_and_another_one_is(show: Show, name: str) -> None:
    assert ESCAPE.search(show(*COMMANDS[name]))
    assert not ESCAPE.search(show(*COMMANDS[name], TERM="dumb"))


def test_a_table_is_as_wide_as_the_terminal_and_never_cut_elsewhere(show: Show, ask: Ask) -> None:
    long = Path("a" * 150 + ".jsonl")
    long.write_bytes(CHAT.read_bytes())
    assert str(long).encode() in ask("count", long).out
    assert max(map(len, show("count", long, NO_COLOR="1").splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_leaves_is_no_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    err = Terminal()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(Gone(), encoding="utf-8", write_through=True))
    monkeypatch.setattr("sys.stderr", err)
    assert status(lambda: get_command(app), list(map(str, COMMANDS[name]))) in (0, 1)
    assert "bug" not in err.seen
    assert "roken" not in err.seen


@pytest.mark.parametrize("name", sampled(["compress", "count", "recall", "stages"], every=2))
def test_a_process_ends_quietly_when_its_reader_leaves(name: str) -> None:
    theirs, ours = os.pipe()
    os.close(theirs)
    command = [sys.executable, "-c", COMMAND, *map(str, COMMANDS[name])]
    done = subprocess.run(command, env=source_roots(ROOT), stdout=ours, stderr=subprocess.PIPE, check=False)
    os.close(ours)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"roken" not in done.stderr
