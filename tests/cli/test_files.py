"""Files are written whole or not at all, beside their target, with its mode."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from boildown.errors import BoildownError, InputError
from boildown_cli.files import expand, write


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_mode_that_the_umask_gives(tmp_path):
    old = os.umask(0o027)
    try:
        write([(str(tmp_path / "new"), b"1")])
    finally:
        os.umask(old)
    assert mode(tmp_path / "new") == 0o640


def test_a_file_keeps_its_mode(tmp_path):
    target = tmp_path / "kept"
    target.write_bytes(b"1")
    target.chmod(0o604)
    write([(str(target), b"2")])
    assert target.read_bytes() == b"2"
    assert mode(target) == 0o604


def test_the_old_file_stays_whole_for_who_reads_it(tmp_path):
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with target.open("rb") as reader:
        write([(str(target), b"new")])
        assert reader.read() == b"old"


def test_a_link_stays_a_link_and_what_it_names_is_written(tmp_path):
    (tmp_path / "real").write_bytes(b"1")
    (tmp_path / "link").symlink_to("real")
    write([(str(tmp_path / "link"), b"2")])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"2"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write([(str(pipe), b"through")])
    reader.join(10)
    assert got == [b"through"]
    assert pipe.is_fifo()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_when_the_second_file_fails_neither_is_written(tmp_path, monkeypatch, error):
    def fail(path: str) -> int:
        if path.endswith("second"):
            raise error
        return 0o644

    monkeypatch.setattr("boildown_cli.files._mode", fail)
    (tmp_path / "first").write_bytes(b"old")
    with pytest.raises((BoildownError, KeyboardInterrupt)):
        write([(str(tmp_path / "first"), b"new"), (str(tmp_path / "second"), b"new")])
    assert (tmp_path / "first").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["first"]


def test_an_interruption_between_two_files_names_the_one_that_is_written(tmp_path, monkeypatch):
    def interrupted(old: str, new: str) -> None:
        if new.endswith("second"):
            raise KeyboardInterrupt
        rename(old, new)

    rename = os.replace
    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt, match=r"written: .*first$"):
        write([(str(tmp_path / "first"), b"new"), (str(tmp_path / "second"), b"new")])
    assert os.listdir(tmp_path) == ["first"]


def test_a_directory_stands_for_the_conversations_in_it(tmp_path):
    for name in ("b.jsonl", "a.json", "notes.txt", "run.traj", "deep/er/C.JSON"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [os.path.relpath(path, tmp_path) for path in expand([str(tmp_path)])]
    assert found == ["a.json", "b.jsonl", "deep/er/C.JSON", "run.traj"]
    assert list(expand(["-", str(tmp_path / "notes.txt")])) == ["-", str(tmp_path / "notes.txt")]


def test_a_directory_without_conversations_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"no \.json, \.jsonl or \.traj file"):
        list(expand([str(tmp_path)]))
