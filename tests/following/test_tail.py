"""A growing file gives its new bytes, a half line waits, and another file in its place is told apart."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from boildown.following.tail import Lines, Tail, beginning


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "session.jsonl"
    found.write_bytes(b"one\ntwo\n")
    return found


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_what_is_appended_comes_once(path):
    tail = Tail(str(path))
    assert (tail.more(), tail.more()) == (b"one\ntwo\n", b"")
    append(path, b"thr")
    append(path, b"ee\n")
    assert (tail.more(), tail.more()) == (b"three\n", b"")


def test_it_begins_where_it_is_told_to(path):
    assert Tail(str(path), 4).more() == b"two\n"


@pytest.mark.parametrize("data", [b"", b"one\n", b"ONE\nTWO\nTHREE\n"], ids=["emptied", "shortened", "written anew"])
def test_a_file_that_was_written_anew_in_place_is_told_apart(path, data):
    tail = Tail(str(path))
    tail.more()
    path.write_bytes(data)
    assert tail.more() is None


def test_what_is_left_of_a_file_that_was_moved_comes_before_the_new_one(path):
    tail = Tail(str(path))
    tail.more()
    append(path, b"three\n")
    path.rename(path.with_suffix(".1"))
    assert (tail.more(), tail.more()) == (b"three\n", b"")  # There is none with that name yet.
    path.write_bytes(b"four\n")
    assert tail.more() is None
    tail.reopen(0)
    assert tail.more() == b"four\n"


def test_a_file_that_was_replaced_is_told_apart(path):
    tail = Tail(str(path))
    tail.more()
    other = path.with_suffix(".new")
    other.write_bytes(b"one\ntwo\nthree\n")
    os.replace(other, path)
    assert tail.more() is None
    tail.reopen(8)
    assert tail.more() == b"three\n"


def test_it_is_only_read(path):
    path.chmod(0o400)
    before = path.stat().st_mtime_ns
    Tail(str(path)).more()
    assert (path.stat().st_mtime_ns, path.read_bytes()) == (before, b"one\ntwo\n")


def test_half_a_line_waits():
    lines = Lines()
    assert [list(lines.cut(part)) for part in (b"a", b"b\nc", b"\n\nd")] == [[], [b"ab\n"], [b"c\n", b"\n"]]
    assert lines.waiting == b"d"


def test_a_files_beginning_is_hashed_and_can_be_gone_on_with(path):
    found = beginning(str(path), 4)
    found.update(b"two\n")
    assert found.digest() == hashlib.sha256(b"one\ntwo\n").digest()
    assert beginning(str(path), 9) is None
    assert beginning(str(path.with_suffix(".x")), 1) is None
