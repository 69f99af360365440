"""What the command line's tests share: a chat to work on, and a command run inside the test's process."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.main import get_command

from boildown_cli.app import app
from boildown_cli.exits import status
from conftest import COMMAND, ROOT, source_roots

TOPICS = ("harbour", "violin", "glacier", "orchard", "lantern", "compass", "meadow", "falcon", "quarry", "timber")


class Answer(NamedTuple):
    """What a command left: its exit code, and what it wrote."""

    code: int
    out: bytes
    err: str


Ask = Callable[..., Answer]


@pytest.fixture
def ask(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Runs `boildown ARGUMENTS` as the console script does, but in this process."""

    def run(*arguments: object, input: bytes = b"") -> Answer:
        with tempfile.TemporaryFile() as stdin:
            stdin.write(input)
            stdin.seek(0)
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stdin))
            code = status(lambda: get_command(app), [str(a) for a in arguments])
        out, err = capfdbinary.readouterr()
        return Answer(code, out, err.decode())

    return run


Start = Callable[..., "subprocess.Popen[bytes]"]
Shell = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def start() -> Start:
    """Starts `boildown ARGUMENTS` as a process and does not wait for it. On a terminal it shows progress."""

    def run(*arguments: object, **streams: int) -> subprocess.Popen[bytes]:
        env = {**source_roots(ROOT), "NO_COLOR": "", "TERM": "xterm"}
        return subprocess.Popen([sys.executable, "-c", COMMAND, *map(str, arguments)], env=env, **streams)

    return run


@pytest.fixture
def shell() -> Shell:
    """Runs a line in bash, where `boildown` is the command and $1, $2, ... are the arguments."""

    def run(line: str, *arguments: object) -> subprocess.CompletedProcess[bytes]:
        env = {**source_roots(ROOT), "COMMAND": COMMAND, "PYTHON": sys.executable}
        script = f'set -o pipefail; boildown() {{ "$PYTHON" -c "$COMMAND" "$@"; }}; {line}'
        command = ["bash", "-c", script, "bash", *map(str, arguments)]
        return subprocess.run(command, env=env, capture_output=True, timeout=120, check=False)

    return run


def messages(count: int) -> list[dict[str, str]]:
    """A chat in which every message says something of its own."""
    said = [{"role": "system", "content": "You help with plans."}]
    for n in range(count):
        topic = TOPICS[n % len(TOPICS)]
        text = (
            f"About the {topic} number {n}: we met at {n % 24}:30 and chose the {TOPICS[n * 7 % 10]}. It cost {n} EUR."
        )
        said.append(
            {"role": ("user", "assistant")[n % 2], "content": f"{text} The {topic} was as we had hoped, or so."}
        )
    return said


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    """A file with one chat of 61 messages, a message a line."""
    path = tmp_path / "chat.jsonl"
    path.write_text("".join(json.dumps(m) + "\n" for m in messages(60)))
    return path


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    """A file with three chats of different length, a conversation a line."""
    path = tmp_path / "chats.jsonl"
    path.write_text("".join(json.dumps({"messages": messages(n)}) + "\n" for n in (4, 20, 40)))
    return path


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file that keeps a computer busy for some seconds."""
    path = tmp_path / "big.jsonl"
    said = messages(2000)
    with path.open("w") as file:
        for n in range(60):
            for message in said[n > 0 :]:
                file.write(json.dumps({**message, "content": f"{message['content']} Round {n}, {n * 7919}."}) + "\n")
    return path
