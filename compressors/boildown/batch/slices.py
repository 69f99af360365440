"""Large files with a conversation a line, cut into slices of whole lines, so that none is ever held as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from boildown import formats
from boildown.batch import places
from boildown.batch.names import PACKED
from boildown.errors import BoildownError
from boildown.formats.source import encoding, sample

LARGE = 16 << 20
"""Bytes from which a file is looked at for a conversation a line; of packed ones an eighth of it"""
SLICE = 2 << 20
"""Bytes of a slice, at least; a line is never cut"""
BACK = 64
"""Lines back from a slice's end among which one is looked for that the next slice can begin with"""


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of a file's lines. `line` is the number of the first, `weight` how far the file, packed or not, was read."""

    data: bytes
    line: int
    weight: int


def is_large(path: str, size: int) -> bool:
    """Whether a file of `size` bytes may be one to cut."""
    return size >= (LARGE // 8 if path.lower().endswith(PACKED) else LARGE)


def form(path: str, read_as: str | None, write_as: str | None) -> formats.Format | None:
    """The format of a file that holds a conversation a line, and is to be written in it; None for any other file.

    What several conversations look like in another format than theirs depends on how many there are.
    """
    with places.reading(path) as (file, _):
        head = _head(file)
    if encoding(head).codec != "utf-8" or head.count(b"\n") < 2:
        return None
    try:
        found = formats.load(read_as) if read_as else formats.detect(head, path)
        if write_as not in (None, found.INFO.name) or sample(head).kind != "lines":
            return None
        return found if _is_by_line(found, head) else None
    except (BoildownError, ValueError, RecursionError):
        return None  # What is wrong with it is found when it is read as a whole.


def _head(file: BinaryIO) -> bytes:
    """The first lines of a file, two at least where there are two."""
    head = b""
    while head.count(b"\n") < 2 and (block := file.read(SLICE)):
        head += block
    return head[: head.rfind(b"\n") + 1]


def _is_by_line(form: formats.Format, head: bytes) -> bool:
    """Whether the first line is a conversation by itself, and so are others that look like one."""
    lines = [line for line in head.split(b"\n", 64)[:64] if line.strip()]
    good = [line + b"\n" for line in lines if _can_begin(line, form)][:8]
    if len(good) < 2 or not _can_begin(lines[0], form):
        return False
    return all(len(list(form.read(line))) == 1 for line in good) and len(list(form.read(b"".join(good)))) == len(good)


def cut(path: str, form: formats.Format) -> Iterator[Slice]:
    """The file in slices, each of which begins with a line that is a conversation. Raises InputError."""
    line = position = 0
    with places.reading(path) as (file, raw):
        for data in _cut(file, form):
            before, position = position, raw.tell()
            yield Slice(data, line + 1, position - before)
            line += data.count(b"\n")


def _cut(file: BinaryIO, form: formats.Format) -> Iterator[bytes]:
    held: list[bytes] = []
    while block := file.read(SLICE):
        held.append(block)
        if b"\n" not in block:
            continue
        data = b"".join(held)
        place = _last_start(data, form)
        held = [data[place:]]
        if place:
            yield data[:place]
    if any(held):
        yield b"".join(held)


def _last_start(data: bytes, form: formats.Format) -> int:
    """Where the last whole line begins that another slice can begin with; 0 where there is none but the first."""
    end = data.rfind(b"\n") + 1
    for _ in range(BACK):
        start = data.rfind(b"\n", 0, max(end - 1, 0)) + 1
        if not start:
            return 0
        if _can_begin(data[start:end], form):
            return start
        end = start
    return 0


def _can_begin(line: bytes, form: formats.Format) -> bool:
    try:
        return form.sniff(sample(line))
    except (BoildownError, ValueError, RecursionError):
        return False


def digest(path: str) -> str:
    """The SHA-256 of a file's unpacked content, in hex, without holding it. Raises InputError."""
    hashed = hashlib.sha256()
    with places.reading(path) as (file, _):
        while block := file.read(1 << 20):
            hashed.update(block)
    return hashed.hexdigest()
