"""Files for a batch, its outputs and rows, and the processes that work on them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOPICS = ("harbour", "violin", "glacier", "orchard", "lantern", "compass", "meadow", "falcon", "quarry", "timber")


def conversation(seed: int, count: int = 12) -> bytes:
    """A chat as JSON lines, in which every message says something of its own."""
    lines = []
    for n in range(count):
        topic, other = TOPICS[(seed + n) % 10], TOPICS[(seed * 3 + n * 7) % 10]
        text = (
            f"About the {topic} number {seed}-{n}: we met at {n % 24}:30 and chose the {other}. It cost {seed * n} EUR."
        )
        lines.append({"role": ("user", "assistant")[n % 2], "content": f"{text} The {topic} was as we had hoped."})
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def read_outputs(folder: Path) -> dict[str, bytes]:
    """The outputs by their names, without what a batch keeps for itself."""
    found = [path for path in folder.rglob("*") if ".boildown" not in path.parts and path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def rows(path: Path) -> dict[str, dict[str, Any]]:
    """The rows of a report by their sources."""
    return {row["source"]: row for row in map(json.loads, path.read_bytes().splitlines())}


def children(parent: int) -> list[int]:
    """The processes that `parent` started to work, on Linux."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdigit() and (place / "stat").read_text().rpartition(")")[2].split()[1] == str(parent):
                found.append((int(place.name), (place / "cmdline").read_bytes()))
        except OSError:  # It has ended.
            continue
    return [number for number, command in found if b"spawn_main" in command]


def wait_for(is_so: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so. Fails after `seconds`."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)
