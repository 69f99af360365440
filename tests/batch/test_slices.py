"""Large files are cut where a conversation begins; cut or whole, the output is the same."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard

from boildown import formats
from boildown.batch import slices
from roundtrip import SAMPLES


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 1000)


def body(n: int) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": f"number {n} " * 9}]}).encode() + b"\n"


def written(folder: Path, data: bytes, name: str = "a.jsonl") -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


BODIES = b"".join(map(body, range(50)))


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.jsonl", bytes), ("a.jsonl.gz", gzip.compress), ("a.jsonl.zst", zstandard.compress)],
)
def test_slices_are_the_file_in_whole_lines(tmp_path: Path, name: str, pack) -> None:
    path = written(tmp_path, pack(BODIES), name)
    form = slices.form(path, None, None)
    assert form is not None
    found = list(slices.cut(path, form))
    assert b"".join(one.data for one in found) == BODIES
    assert len(found) > 5
    assert all(one.data.endswith(b"\n") for one in found)
    assert [one.line for one in found] == [1 + sum(f.data.count(b"\n") for f in found[:n]) for n in range(len(found))]
    assert sum(one.weight for one in found) <= Path(path).stat().st_size


def test_a_slice_begins_with_a_line_that_is_a_conversation(tmp_path: Path) -> None:
    odd = b'{"messages": [\n\n{"no": "conversation"}\n'
    path = written(tmp_path, b"".join(body(n) + odd * (n % 3) for n in range(60)))
    form = slices.form(path, "openai", None)
    assert form is not None
    found = list(slices.cut(path, form))
    assert len(found) > 5
    assert b"".join(one.data for one in found) == Path(path).read_bytes()
    assert all(one.data.startswith(b'{"messages": [{') for one in found)


def test_a_line_larger_than_a_slice_is_not_cut(tmp_path: Path) -> None:
    long = json.dumps({"messages": [{"role": "user", "content": "x" * 9000}]}).encode() + b"\n"
    path = written(tmp_path, body(1) + long + body(2) + long + body(3)[:-1])
    form = slices.form(path, None, None)
    assert form is not None
    found = [one.data for one in slices.cut(path, form)]
    assert b"".join(found) == Path(path).read_bytes()
    assert all(one.count(b'"x') == one.count(b'x"') for one in found)


@pytest.mark.parametrize(
    "sample",
    sorted(p.name for p in SAMPLES.iterdir() if p.name not in ("oasst.jsonl", "openai-twice.jsonl")),
)
def test_a_sample_that_is_one_conversation_or_no_lines_is_not_cut(sample: str) -> None:
    assert slices.form(str(SAMPLES / sample), None, None) is None


def test_a_file_to_be_converted_or_in_another_encoding_is_not_cut(tmp_path: Path) -> None:
    path = written(tmp_path, BODIES)
    assert slices.form(path, None, "anthropic") is None
    assert slices.form(path, None, "openai") is formats.load("openai")
    assert slices.form(written(tmp_path, BODIES.decode().encode("utf-16"), "b"), None, None) is None
    assert slices.form(written(tmp_path, b"", "c"), None, None) is None
    assert slices.form(written(tmp_path, b"no JSON\n" * 500, "d"), None, None) is None
