"""Killing boildown at random moments, and looking at what it left."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from boildown.archive.places import LANCE
from boildown.errors import ArchiveError
from boildown.following.checkpoint import Checkpoint, load
from boildown.memory.messages import Scope
from boildown.memory.places import opened
from boildown.memory.schema import FILE
from conftest import COMMAND, ROOT, source_roots

SESSION = "killed"
WINDOW = 2_000
STORES = {"sqlite": "", "lance": "lance:"}
"""What stands before a directory so that its messages go to the store"""
_LOADING = 60.0
_SUBJECTS = ("the gate", "our invoice", "the second run", "the ferry", "her report", "the pump", "the old server")
_VERBS = ("opened at", "moved to", "failed after", "was paid on", "cost", "measured", "waited for")


def messages(count: int, seed: int = 0) -> Iterator[bytes]:
    """Lines of a chat of short messages, each of which says something of its own."""
    draw = random.Random(seed)
    for n in range(count):
        what = f"{draw.choice(_SUBJECTS)} {draw.choice(_VERBS)} {draw.randrange(1000)}"
        said = f"Note {n}: {what}, says {draw.choice('ABCDE')}."
        yield json.dumps({"role": ("user", "assistant")[n % 2], "content": said}).encode() + b"\n"


def run(*arguments: object, **streams: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", COMMAND, *map(str, arguments)]
    return subprocess.Popen(command, env=source_roots(ROOT), **{"stdout": subprocess.DEVNULL, **streams})


@dataclass(slots=True)
class Left:
    """What kills left, all of them together: checkpoints and stores that were looked at, and what was wrong."""

    kills: int = 0
    checkpoints: int = 0
    lost: int = 0
    corrupt: int = 0

    def look(self, folder: Path, source: Path) -> None:
        """Hold the checkpoint against what was read of the file up to it, and the store against itself."""
        self.kills += 1
        found = load(str(folder), SESSION)
        self.corrupt += bool(found.trouble)
        if found.checkpoint is not None:
            self.checkpoints += 1
            self.lost += missing(found.checkpoint, source, folder)
        self.corrupt += not sound(folder)


def missing(checkpoint: Checkpoint, source: Path, folder: Path) -> int:
    """How many messages of the file up to the checkpoint it does not account for, or the store does not hold."""
    read = source.read_bytes()[: checkpoint.offset]
    if hashlib.sha256(read).hexdigest() != checkpoint.digest:
        return max(1, len(read.splitlines()))
    lines = read.splitlines()
    kept = stored(folder)
    gone = sum(json.loads(line)["content"] != text for line, text in zip(lines, kept, strict=False))
    return abs(len(lines) - checkpoint.counters["messages"]) + max(0, len(lines) - len(kept)) + gone


def stored(folder: Path) -> list[str]:
    """The texts in the store, in their order."""
    if (folder / LANCE).exists():
        with opened(str(folder)) as store:
            return [kept.said.text for kept in store.said(Scope())]
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM messages ORDER BY place")]


def sound(folder: Path) -> bool:
    """Whether the store is whole, its index included, or was not made yet."""
    if (folder / LANCE).exists():
        return _lance_sound(folder)
    if not (folder / FILE).exists():
        return True
    with closing(sqlite3.connect(folder / FILE)) as connection:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            return True
        connection.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        return connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _lance_sound(folder: Path) -> bool:
    """Whether each message has a place of its own, none is free between them, and each is found by its words."""
    try:
        with opened(str(folder)) as store:
            said, found = store.said(Scope()), store.search(["note"], Scope(), 1_000_000)
    except ArchiveError as error:
        return "no messages to recall" in str(error)
    return [kept.seat[1] for kept in said] == list(range(len(said))) and len(found) == len(said)


def wait_for_writing(folder: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until LanceDB is loaded, which takes seconds, and something in `folder` is written; or until it ended."""
    before, end = _stamps(folder), time.monotonic() + _LOADING
    while _stamps(folder) == before and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)


def _stamps(folder: Path) -> dict[str, int]:
    found = dict[str, int]()
    for name in glob(f"{folder}/**", recursive=True, include_hidden=True):
        with suppress(FileNotFoundError):
            found[name] = os.stat(name).st_mtime_ns
    return found


def kill_follow(
    folder: Path, source: Path, total: int, kills: int, seed: int = 0, longest: float = 2.0, store: str = "sqlite"
) -> Left:
    """Follow a file that grows to `total` messages, killed again and again, then to its end."""
    draw, left, lines = random.Random(seed), Left(), list(messages(total, seed))
    source.write_bytes(b"".join(lines[: total // 4]))
    rest, step = lines[total // 4 :], -(-(total - total // 4) // max(kills, 1))
    command = (
        "follow",
        source,
        "--window",
        WINDOW,
        "--archive",
        f"{STORES[store]}{folder}",
        "--session",
        SESSION,
        "--checkpoint",
        20,
        "-q",
    )
    for n in range(kills):
        process = run(*command)
        if store == "lance":
            wait_for_writing(folder, process)
        end = time.monotonic() + (0.4 if store == "sqlite" else 0.0) + draw.random() * longest
        for line in rest[n * step : (n + 1) * step]:
            with source.open("ab") as file:
                file.write(line[:9])
                file.flush()
                file.write(line[9:])
            time.sleep(max(0.0, min(0.002, end - time.monotonic())))
        time.sleep(max(0.0, end - time.monotonic()))
        process.send_signal(signal.SIGKILL)
        process.wait()
        left.look(folder, source)
    end_by(run(*command[:-1], stderr=subprocess.PIPE), folder, total)
    left.lost += abs(total - len(stored(folder)))
    left.look(folder, source)
    left.kills -= 1
    return left


def end_by(process: subprocess.Popen[bytes], folder: Path, total: int) -> None:
    """Let a follower catch up with the file, and end it with SIGTERM, which it takes once it has said something."""
    assert process.stderr is not None
    process.stderr.readline()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        found = load(str(folder), SESSION).checkpoint
        if found is not None and found.counters["messages"] >= total - 20:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def kill_resume(folder: Path, output: Path, kills: int, seed: int = 0) -> Left:
    """Resume a session into a file, killed again and again: the file is as it was, or whole."""
    draw, left = random.Random(seed), Left()
    command = ("resume", SESSION, "--archive", folder, "-q", "-o", output)
    assert run(*command).wait(60) == 0
    whole = output.read_bytes()
    for n in range(kills):
        output.write_bytes(b"before")
        process = run(*command, *(("--max-tokens", 500) if n % 2 else ()))
        time.sleep(draw.random() * 1.2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        written = output.read_bytes()
        left.kills += 1
        if written not in (b"before", whole):
            assert n % 2
            left.corrupt += not written or not all(json.loads(line)["content"] for line in written.splitlines())
        left.corrupt += bool(load(str(folder), SESSION).trouble)
    return left


def kill_archive(
    folder: Path, source: Path, total: int, kills: int, seed: int = 0, longest: float = 1.5, store: str = "sqlite"
) -> Left:
    """Archive a file, killed again and again, then to its end: its messages are there once each, in their order."""
    draw, left = random.Random(seed), Left()
    source.write_bytes(b"".join(messages(total, seed)))
    command = ("archive", source, "--archive", f"{STORES[store]}{folder}", "-q")
    for _ in range(kills):
        process = run(*command)
        if store == "lance":
            wait_for_writing(folder, process)
        time.sleep((0.2 if store == "sqlite" else 0.0) + draw.random() * longest)
        process.send_signal(signal.SIGKILL)
        process.wait()
        left.kills += 1
        left.corrupt += not sound(folder)
    assert run(*command).wait(120) == 0
    texts = [json.loads(line)["content"] for line in source.read_bytes().splitlines()]
    left.lost += sum(a != b for a, b in zip(texts, stored(folder), strict=False)) + abs(
        len(texts) - len(stored(folder))
    )
    return left
