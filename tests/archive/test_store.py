"""The store keeps what it is given through other writers, kills and full disks, and says so where it cannot."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest

from boildown.archive.store import FILE, Archive, check, digest, opened
from boildown.errors import ArchiveError, LostError, UsageError
from conftest import ROOT, source_roots

WRITER = """
import sys
from boildown.archive.store import digest, opened
folder, name, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
for n in range(rounds):
    with opened(folder, write=True) as archive, archive.transaction():
        for i in range(20):
            archive.put(f"{name} {n} {i}".encode())
        archive.file(digest(f"{name} {n}".encode()), digest(b"source"), digest(b"manifest"), name)
    print(n, flush=True)
"""


def writer(folder: str, name: str, rounds: int, **settings: object) -> subprocess.Popen[str]:
    """A process that puts `rounds` times 20 objects, and says the number of each round that is final."""
    command = [sys.executable, "-c", WRITER, folder, name, str(rounds)]
    return subprocess.Popen(command, env=source_roots(ROOT), stdout=subprocess.PIPE, text=True, **settings)


def missing(folder: str, name: str, rounds: int) -> list[str]:
    """What of a writer's first rounds is not in the archive."""
    lost = []
    with opened(folder) as archive:
        for n in range(rounds):
            lost += [] if archive.filed(digest(f"{name} {n}".encode())) else [f"{name} {n}"]
            for i in range(20):
                try:
                    archive.get(digest(f"{name} {n} {i}".encode()))
                except LostError:
                    lost.append(f"{name} {n} {i}")
    return lost


@pytest.mark.parametrize("data", [b"", b"x", b"\x00\xff" * 9, b"a line\r\n", bytes(100_000)])
def test_what_is_put_comes_back_and_is_kept_once(folder, data):
    with opened(folder, write=True) as archive:
        assert [archive.put(data), archive.put(data)] == [True, False]
    with opened(folder) as archive:
        assert archive.get(digest(data)) == data
        assert archive.find(digest(data)[:7]) == [digest(data)]


def test_a_prefix_that_several_hashes_have_finds_two(folder):
    with opened(folder, write=True) as archive, archive.transaction():
        for n in range(200):
            archive.put(str(n).encode())
        assert len(archive.find("0")) == len(archive.find("")) == 2
        assert archive.find("0" * 64) == []


def test_what_was_never_put_is_missing(folder):
    with opened(folder, write=True) as archive, pytest.raises(LostError, match="missing"):
        archive.get(digest(b"never"))


@pytest.mark.parametrize("place", range(0, 60, 4))
def test_a_flipped_byte_is_seen_and_putting_again_mends_it(folder, execute, place):
    data = b"what was said, and it was quite a lot of different things, to be sure: 4711"
    with opened(folder, write=True) as archive:
        archive.put(data)
    with closing(sqlite3.connect(Path(folder) / FILE)) as connection:
        blob = bytearray(connection.execute("SELECT data FROM objects").fetchone()[0])
    blob[place] ^= 0x55
    assert execute("UPDATE objects SET data = ?", bytes(blob)) == 1
    with opened(folder, write=True) as archive:
        with pytest.raises(LostError, match="damaged"):
            archive.get(digest(data))
        assert archive.put(data)
        assert archive.get(digest(data)) == data


@pytest.mark.parametrize("value", [5, "text", b""])
def test_a_value_that_is_no_frame_is_damaged(folder, execute, value):
    with opened(folder, write=True) as archive:
        archive.put(b"data")
    execute("UPDATE objects SET data = ?", value)
    with opened(folder) as archive, pytest.raises(LostError, match="damaged"):
        archive.get(digest(b"data"))


def test_a_transaction_that_fails_leaves_nothing(folder):
    def interrupted(archive: Archive) -> None:
        with archive.transaction():
            archive.put(b"half")
            raise KeyboardInterrupt

    with opened(folder, write=True) as archive:
        with pytest.raises(KeyboardInterrupt):
            interrupted(archive)
        assert archive.find("") == []


def test_processes_that_make_and_fill_one_archive_at_once_lose_nothing(folder):
    writers = {name: writer(folder, name, 5) for name in ("a", "b", "c", "d")}
    assert [process.wait(120) for process in writers.values()] == [0] * 4
    assert [lost for name in writers for lost in missing(folder, name, 5)] == []


@pytest.mark.parametrize("seed", range(5))
def test_what_was_final_when_a_writer_was_killed_is_there(folder, seed):
    process = writer(folder, "killed", 100_000)
    assert process.stdout is not None
    if seed:  # else while the archive is made
        process.stdout.readline()
    time.sleep(random.Random(seed).random() * 0.3)
    process.send_signal(signal.SIGKILL)
    final = len(process.stdout.read().split()) + bool(seed)
    assert process.wait(30) == -signal.SIGKILL
    if final:
        assert missing(folder, "killed", final) == []
    assert writer(folder, "next", 1).wait(60) == 0
    assert missing(folder, "next", 1) == []
    with closing(sqlite3.connect(Path(folder) / FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_an_archive_can_be_read_while_somebody_writes(folder):
    with opened(folder, write=True) as writing:
        writing.put(b"first")
        with writing.transaction():
            writing.put(b"second")
            with opened(folder) as reading:
                assert reading.get(digest(b"first")) == b"first"


def test_a_directory_that_is_not_there_is_made_to_write_and_missing_to_read(folder):
    with pytest.raises(ArchiveError, match="there is no archive"), opened(folder):
        pass
    assert not os.path.exists(folder)
    with opened(os.path.join(folder, "deeper"), write=True) as archive:
        archive.put(b"x")


@pytest.mark.parametrize("name", ["a?mode=memory", "b#c", "d%20e", "ünïcode", "a b", "\udcff"])
def test_a_directory_may_have_any_name(tmp_path, name):
    folder = tmp_path / name
    with opened(str(folder), write=True) as archive:
        archive.put(b"x")
    with opened(str(folder)) as archive:
        assert archive.get(digest(b"x")) == b"x"
    assert os.listdir(folder) == [FILE]


@pytest.mark.parametrize("name", ["x" * 300, "file/deeper"])
def test_a_directory_that_cannot_be_made_is_an_error(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveError, match="the directory cannot be made"), opened(str(tmp_path / name), write=True):
        pass
    with pytest.raises(ArchiveError, match="there is no archive"), opened(str(tmp_path / name)):
        pass


def test_a_directory_with_other_things_is_refused(tmp_path):
    (tmp_path / "letters.txt").touch()
    with pytest.raises(UsageError, match=r"other things \(letters.txt\)"), opened(str(tmp_path), write=True):
        pass
    assert os.listdir(tmp_path) == ["letters.txt"]


def test_hidden_files_do_not_stand_in_the_way(tmp_path):
    (tmp_path / ".gitignore").touch()
    with opened(str(tmp_path), write=True) as archive:
        archive.put(b"x")


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").touch()
    for write in (True, False):
        with pytest.raises(UsageError, match="this is a file"):
            check(str(tmp_path / "file"), write)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE TABLE songs (title TEXT)", "another program's database"),
        ("PRAGMA user_version = 99", r"a newer boildown made it \(schema 99\)"),
    ],
)
@pytest.mark.parametrize("write", [True, False])
def test_somebody_elses_database_is_left_alone(folder, execute, statement, said, write):
    os.mkdir(folder)
    execute(statement)
    before = (Path(folder) / FILE).read_bytes()
    with pytest.raises(UsageError, match=said), opened(folder, write=write):
        pass
    assert (Path(folder) / FILE).read_bytes() == before


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("left", [20, 100, 1000, 5000, 20_000])
def test_a_file_that_was_cut_off_is_an_error_that_says_so(folder, write, left):
    objects = [random.Random(n).randbytes(200) for n in range(200)]

    def read() -> None:
        with opened(folder, write=write) as archive:
            for data in objects:
                archive.get(digest(data))

    with opened(folder, write=True) as archive, archive.transaction():
        for data in objects:
            archive.put(data)
    os.truncate(Path(folder) / FILE, left)
    with pytest.raises((ArchiveError, LostError)) as error:
        read()
    assert re.search("damaged|unreadable", str(error.value))


def test_an_empty_file_is_a_new_archive_to_write_and_none_to_read(folder):
    os.mkdir(folder)
    (Path(folder) / FILE).touch()
    with pytest.raises(ArchiveError, match="nothing was ever kept"), opened(folder):
        pass
    with opened(folder, write=True) as archive:
        archive.put(b"x")


def ran(script, folder):
    """A Python process of its own that ran `script` on an archive."""
    command = [sys.executable, "-c", script, folder]
    return subprocess.run(command, env=source_roots(ROOT), capture_output=True, text=True)


READ_AND_WRITE = """
import os, sys
from boildown.archive.store import digest, opened
from boildown.errors import BoildownError
if os.geteuid() == 0:  # root may do anything
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
with opened(sys.argv[1]) as archive:
    print(archive.get(digest(b"kept")).decode())
try:
    with opened(sys.argv[1], write=True) as archive:
        archive.put(b"more")
except BoildownError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_a_directory_that_may_only_be_read_gives_and_takes_nothing():
    with tempfile.TemporaryDirectory() as folder:
        with opened(folder, write=True) as archive:
            archive.put(b"kept")
        os.chmod(os.path.join(folder, FILE), 0o444)
        os.chmod(folder, 0o555)
        done = ran(READ_AND_WRITE, folder)
        os.chmod(folder, 0o755)
        assert done.stdout.splitlines()[0] == "kept", done.stderr
        assert "may not be written to" in done.stdout
        assert os.listdir(folder) == [FILE]


READ = """
import resource, sys
from boildown.archive.store import digest, opened
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
with opened(sys.argv[1]) as archive:
    print(archive.get(digest(b"kept")).decode())
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no limit on a file's size there")
def test_what_was_kept_can_be_read_where_the_disk_takes_nothing_more(folder):
    with opened(folder, write=True) as archive:
        archive.put(b"kept")
    done = ran(READ, folder)
    assert done.stdout == "kept\n", done.stderr


FILL = """
import resource, sys
from boildown.archive.store import opened
from boildown.errors import BoildownError
import random
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    with opened(sys.argv[1], write=True) as archive, archive.transaction():
        for n in range(10_000):
            archive.put(random.Random(n).randbytes(500))
except BoildownError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no limit on a file's size there")
def test_a_disk_that_takes_no_more_is_an_error_and_what_was_kept_stays(folder):
    with opened(folder, write=True) as archive:
        archive.put(b"kept")
    done = ran(FILL, folder)
    assert re.fullmatch(r"the archive in .*: the disk .*\.\n", done.stdout), done.stderr
    with opened(folder) as archive:
        assert archive.get(digest(b"kept")) == b"kept"
        assert len(archive.find("")) == 1
