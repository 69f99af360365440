"""Whether another process is writing a file: by who holds it open, and by whether it grows."""

from __future__ import annotations

import os
import time
from pathlib import Path

from boildown.errors import BusyError

RECENT = 3.0
"""Seconds since its last change in which a file may be in the middle of being written."""
WATCH = 1.0
"""Seconds for which such a file is watched: programs that append open it anew for each record."""
WRITING = os.O_WRONLY | os.O_RDWR

Stamp = tuple[int, int]
"""A file's size and the time of its last change, in nanoseconds."""


def settled(path: str) -> Stamp | None:
    """The file's stamp, None where there is no file. Raises BusyError where it is being written."""
    found = _stamp(path)
    if found is not None and abs(time.time() - found[1] / 1e9) < RECENT:
        time.sleep(WATCH)
    refuse(path, found)
    return found


def refuse(path: str, before: Stamp | None) -> None:
    """Raise BusyError where a process holds the file open for writing, or where it has changed since `before`."""
    what_next = "Nothing was written. Close the session first, or mend a copy of it; --force mends it nevertheless."
    holder = _holder(path)
    if holder:
        raise BusyError(f"{path}: it is being written by {holder}. {what_next}")
    if _stamp(path) != before:
        raise BusyError(f"{path}: it is being written: it has changed while it was looked at. {what_next}")


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _holder(path: str) -> str:
    """A process that holds the file open for writing, as Linux tells it; of other users' processes only root knows."""
    try:
        ours = os.stat(path)
        processes = [p for p in Path("/proc").iterdir() if p.name.isdigit() and int(p.name) != os.getpid()]
    except OSError:
        return ""
    for process in processes:
        try:
            for handle in (process / "fd").iterdir():
                if _same(handle, ours) and _writes(process / "fdinfo" / handle.name):
                    return f"process {process.name} ({(process / 'comm').read_text().strip()})"
        except OSError:  # The process has ended, or is not ours to look at.
            continue
    return ""


def _same(handle: Path, ours: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(handle), ours)
    except OSError:
        return False


def _writes(info: Path) -> bool:
    flags = next((line.split()[1] for line in info.read_text().splitlines() if line.startswith("flags:")), "0")
    return bool(int(flags, 8) & WRITING)
