"""What is read, what its output is called, and that nothing is read or written that should not be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from boildown.batch.inputs import find
from boildown.batch.names import output_name
from boildown.errors import InputError, UsageError


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    return folder


def names(given: list[str], out: str, write_as: str | None = None) -> list[str]:
    return [one.name for one in find(given, out, write_as)]


@pytest.mark.parametrize(
    ("name", "write_as", "output"),
    [
        ("a/b.json", None, "a/b.json"),
        ("a.json.gz", None, "a.json"),
        ("a.JSONL.ZST", None, "a.JSONL"),
        ("a.json", "markdown", "a.md"),
        ("a.json", "claude-code", "a.jsonl"),
        ("a.json", "openai", "a.json"),
        ("a.traj", "openai", "a.jsonl"),
        ("a.b/c", "markdown", "a.b/c"),
        ("a.json.gz", "swe-agent", "a.traj"),
    ],
)
def test_an_output_is_called_as_its_input_but_for_packing_and_another_format(name, write_as, output) -> None:
    assert output_name(name, write_as) == output


def test_a_directorys_files_keep_their_places(tmp_path: Path) -> None:
    made(tmp_path / "in", "a.json", "b/c.jsonl", "b/d/e.traj", "b/f.jsonl.gz", "README.md", "x.txt", "b/g.zst")
    found = find([str(tmp_path / "in")], str(tmp_path / "out"))
    assert [one.name for one in found] == ["a.json", "b/c.jsonl", "b/f.jsonl", "b/d/e.traj"]
    assert not any(one.named for one in found)


def test_a_file_goes_right_into_the_output(tmp_path: Path) -> None:
    made(tmp_path, "in/deep/a.txt")
    [one] = find([str(tmp_path / "in/deep/a.txt")], str(tmp_path / "out"))
    assert (one.name, one.named) == ("a.txt", True)


def test_a_patterns_files_keep_their_places_behind_its_fixed_part(tmp_path: Path, monkeypatch) -> None:
    made(tmp_path, "in/a.json", "in/b/c.json", "in/b/d.txt")
    monkeypatch.chdir(tmp_path)
    assert names(["in/**/*.json"], "out") == ["a.json", "b/c.json"]
    assert names(["*/b/*"], "out") == ["in/b/c.json", "in/b/d.txt"]


def test_the_same_file_named_twice_is_one(tmp_path: Path) -> None:
    made(tmp_path, "in/a.json")
    assert names([str(tmp_path / "in"), str(tmp_path / "in/a.json")], str(tmp_path / "out")) == ["a.json"]


@pytest.mark.parametrize(
    ("files", "write_as"),
    [(["in/a.json", "in/a.json.gz"], None), (["in/a.json", "in/a.jsonl"], "markdown")],
)
def test_two_files_with_one_output_are_refused(tmp_path: Path, files, write_as) -> None:
    made(tmp_path, *files)
    with pytest.raises(UsageError, match="would both become"):
        find([str(tmp_path / "in")], str(tmp_path / "out"), write_as)


def test_files_of_one_name_from_two_directories_are_refused(tmp_path: Path) -> None:
    made(tmp_path, "x/a.json", "y/a.json")
    with pytest.raises(UsageError, match=r"x/a\.json and .*y/a\.json would both become .*out/a\.json"):
        find([str(tmp_path / "x"), str(tmp_path / "y")], str(tmp_path / "out"))


def test_outputs_below_the_input_are_no_inputs(tmp_path: Path) -> None:
    made(tmp_path, "a.json", "out/a.json", "out/.boildown/slices/x.json")
    assert names([str(tmp_path)], str(tmp_path / "out")) == ["a.json"]
    assert names([str(tmp_path / "**/*.json")], str(tmp_path / "out")) == ["a.json"]


def test_an_output_is_never_written_over_an_input(tmp_path: Path) -> None:
    made(tmp_path, "a.json", "sub/b.json")
    with pytest.raises(UsageError, match="overwritten by an output"):
        find([str(tmp_path / "a.json")], str(tmp_path))
    with pytest.raises(InputError, match="besides outputs"):
        find([str(tmp_path)], str(tmp_path))
    assert names([str(tmp_path / "sub")], str(tmp_path)) == ["b.json"]
    made(tmp_path, "b.json")
    with pytest.raises(UsageError, match="would both become"):
        find([str(tmp_path / "sub"), str(tmp_path / "b.json")], str(tmp_path))


def test_a_link_back_up_is_not_followed(tmp_path: Path) -> None:
    made(tmp_path, "in/a.json", "in/b/c.json")
    os.symlink(tmp_path / "in", tmp_path / "in/b/loop")
    os.symlink(tmp_path / "nowhere", tmp_path / "in/dangling.json")
    assert names([str(tmp_path / "in")], str(tmp_path / "out")) == ["a.json", "b/c.json"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("empty", "no file to read"),
        ("missing.json", "no such file or directory"),
        ("in/*.xyz", "nothing has such a name"),
        ("-", "boildown compress -"),
        ("nowhere://x/y", "nowhere"),
    ],
)
def test_nothing_to_read_is_an_error_that_says_so(tmp_path: Path, monkeypatch, given: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, UsageError), match=said):
        find([given], "out")
