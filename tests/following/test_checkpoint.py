"""A checkpoint is there whole, the one before stands in for a broken one, and each has a name of its own."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from boildown.errors import ArchiveError, BusyError
from boildown.following.checkpoint import Checkpoint, load, locked, name, save, sessions
from boildown.following.state import Tally

CHECKPOINT = Checkpoint(
    session="s",
    user="ada",
    input="/tmp/s.jsonl",
    format="openai",
    offset=10,
    digest="00",
    window=1000,
    tokenizer="o200k_base",
    scorer="learned",
    level="verbatim",
    tokens=7,
    place=1,
    first=1,
    settled=0,
    names=[],
    cut=[],
    compressed=[],
    recent=['{"role": "user", "content": "a\\ud800\udcff"}\n'],
    sizes=[7],
    base=0,
    counters=asdict(Tally(messages=1)),
)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.fixture
def path(folder: str) -> Path:
    save(folder, replace(CHECKPOINT, offset=5))
    save(folder, CHECKPOINT)
    return Path(folder) / "checkpoints" / f"{name('s', 'ada')}.json"


def test_it_comes_back_as_it_was(folder, path):
    assert load(folder, "s", "ada").checkpoint == CHECKPOINT
    assert CHECKPOINT.lines == [b'{"role": "user", "content": "a\\ud800\xff"}\n']


def test_it_is_plain_json_that_begins_with_its_version(path):
    value = json.loads(path.read_bytes())
    assert next(iter(value)) == "version"
    assert (value["session"], value["user"], value["input"], value["offset"]) == ("s", "ada", "/tmp/s.jsonl", 10)


def test_nobody_else_may_read_it_and_nothing_is_left_beside(folder, path):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(os.listdir(path.parent)) == sorted([path.name, path.with_suffix(".previous.json").name])


def without(key):
    value = asdict(CHECKPOINT)
    del value[key]
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (b"", "no checkpoint, or half of one"),
        (b'{"version": 1, "session": "s", "us', "no checkpoint, or half of one"),
        (b"[]", "version None"),
        (without("offset"), "lacks 'offset'"),
        (json.dumps({**asdict(CHECKPOINT), "version": 0}).encode(), "version 0"),
        (json.dumps({**asdict(CHECKPOINT), "user": "bob"}).encode(), "does not hold together"),
        (json.dumps({**asdict(CHECKPOINT), "sizes": []}).encode(), "does not hold together"),
        (json.dumps({**asdict(CHECKPOINT), "offset": -1}).encode(), "does not hold together"),
        (json.dumps({**asdict(CHECKPOINT), "recent": [1]}).encode(), "does not hold together"),
    ],
)
def test_the_one_before_stands_in_for_a_broken_one(folder, path, data, trouble):
    path.write_bytes(data)
    found = load(folder, "s", "ada")
    assert found.checkpoint.offset == 5
    assert trouble in found.trouble
    assert str(path) in found.trouble


def test_where_both_are_broken_there_is_none(folder, path):
    for one in (path, path.with_suffix(".previous.json")):
        one.write_bytes(b"x")
    assert load(folder, "s", "ada").checkpoint is None
    assert load(folder, "s", "ada").trouble


def test_one_of_a_newer_boildown_is_an_error_and_no_reason_to_take_an_old_one(folder, path):
    path.write_bytes(json.dumps({**asdict(CHECKPOINT), "version": 2}).encode())
    with pytest.raises(ArchiveError, match=r"a newer boildown made it \(version 2\)"):
        load(folder, "s", "ada")


def test_a_file_that_a_kill_left_half_written_does_no_harm(folder, path):
    for one in (path, path.with_suffix(".previous.json")):
        one.with_name(f".{one.name}.new").write_bytes(b"{")
    save(folder, replace(CHECKPOINT, offset=11))
    assert load(folder, "s", "ada").checkpoint.offset == 11
    assert len(os.listdir(path.parent)) == 2


def test_users_and_sessions_have_files_of_their_own(folder, path):
    assert load(folder, "s", "bob").checkpoint is None
    assert load(folder, "s").checkpoint is None
    names = {name(*pair) for pair in [("a", "b"), ("ab", ""), ("a/b", ""), ("a.b", ""), ("", "ab"), ("../a", "b")]}
    assert len(names) == 6
    assert not any("/" in one or one.startswith(".") for one in names)
    assert (sessions(folder, "ada"), sessions(folder)) == (["s"], [])


def test_a_session_is_followed_once_at_a_time(folder):
    with locked(folder, "s", ""), locked(folder, "s", "ada"):
        again = locked(folder, "s", "")
        with pytest.raises(BusyError, match="another process follows the session 's'"):
            again.__enter__()
    with locked(folder, "s", ""):
        pass
