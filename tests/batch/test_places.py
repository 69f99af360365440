"""Files here and behind URLs: read unpacked, written whole, and plain words where that fails."""

from __future__ import annotations

import builtins
import gzip
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from boildown.batch import places
from boildown.batch.inputs import find
from boildown.errors import BoildownError, InputError, UsageError

TEXT = b"some lines\n" * 5000


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    """fsspec's files in memory, which are of the whole process, without any."""
    from fsspec.implementations.memory import MemoryFileSystem

    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    yield
    MemoryFileSystem.store.clear()


PACKERS = [
    ("a.json", lambda data: data),
    ("a.json.gz", gzip.compress),
    ("a.json.zst", zstandard.ZstdCompressor().compress),
    ("a.json.zst", lambda data: zstandard.compress(data[:1000]) + zstandard.compress(data[1000:])),
]


@pytest.mark.parametrize("base", ["", "memory://folder"])
@pytest.mark.parametrize(("name", "pack"), PACKERS)
def test_a_file_is_read_unpacked(tmp_path: Path, base: str, name: str, pack) -> None:
    path = places.join(base or str(tmp_path), name)
    places.write(path, pack(TEXT), str(tmp_path))
    assert places.read(path) == TEXT
    with places.reading(path) as (file, _):
        assert b"".join(iter(lambda: file.read(1000), b"")) == TEXT


@pytest.mark.parametrize(("name", "pack"), PACKERS[1:3])
def test_a_packed_file_that_is_cut_off_or_is_none_is_an_input_error(tmp_path: Path, name: str, pack) -> None:
    for data in (pack(TEXT)[:-20], b"no such thing", pack(TEXT)[:30] + b"\xff" * 30):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=r"a\.json\.(gz|zst): it cannot be"):
            places.read(str(tmp_path / name))


def test_a_stamp_changes_with_the_file(tmp_path: Path) -> None:
    for path in (str(tmp_path / "a"), "memory://folder/a"):
        assert places.stamp(path) is None
        places.write(path, b"12", str(tmp_path))
        first = places.stamp(path)
        places.write(path, b"34", str(tmp_path))
        assert first is not None
        assert places.stamp(path) not in (None, first)


def test_folders_are_made_as_they_are_needed_and_nothing_is_left_beside(tmp_path: Path) -> None:
    (tmp_path / "staging").mkdir()
    places.write(str(tmp_path / "a/b/c.json"), b"1", str(tmp_path / "staging"))
    hashed = places.write_joined(str(tmp_path / "d/e"), [str(tmp_path / "a/b/c.json")] * 2, str(tmp_path / "staging"))
    assert (tmp_path / "d/e").read_bytes() == b"11"
    assert hashed == __import__("hashlib").sha256(b"11").hexdigest()
    assert list((tmp_path / "staging").iterdir()) == []


def test_what_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(places.WriteError, match="file/a: it cannot be written: Not a directory"):
        places.write(str(tmp_path / "file" / "a"), b"1", str(tmp_path))


def test_without_fsspec_a_url_says_what_to_install_and_a_path_is_read(tmp_path: Path, monkeypatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.partition(".")[0] == "fsspec":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    places._storage.cache_clear()
    with pytest.raises(UsageError, match=r"pip install 'boildown\[remote\]'"):
        places.read("s3://bucket/a.json")
    (tmp_path / "a.json").write_bytes(b"1")
    assert places.read(places.plain((tmp_path / "a.json").as_uri())) == b"1"


def test_a_store_whose_package_is_missing_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(UsageError, match=r"(?i)gcsfs|s3fs"):
        places.read("gs://bucket/a.json")


def test_what_a_stores_library_raises_is_told_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    def refused(*given: object, **more: object) -> None:
        raise type("NoCredentialsError", (Exception,), {"__module__": "botocore.exceptions"})("no key.")

    for name in ("info", "isdir", "open", "pipe_file"):
        monkeypatch.setattr(MemoryFileSystem, name, refused)
    told = "memory://a.json: its store cannot be asked: no key. Look at its address, your key for it and the network."
    for ask in (
        lambda: places.read("memory://a.json"),
        lambda: places.write("memory://a.json", b"", str(tmp_path)),
        lambda: find(["memory://a.json"], str(tmp_path)),
    ):
        with pytest.raises(BoildownError, match=re.escape(told)):
            ask()
