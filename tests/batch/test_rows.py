"""Rows come out as they went in, whatever the kind of file."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from boildown.batch.items import Result
from boildown.batch.rows import COLUMNS, ending, written
from boildown.errors import UsageError

ROWS = [
    Result("a.json", "out/a.json", "done", tokens_in=100, tokens_out=25, seconds=0.5, stamp=(1, "2")),
    Result('b, "b".json', "out/b", "unreadable", "line\nbroken \udce9"),
]


def report(path: Path, rows: list[Result]) -> Path:
    with written(str(path)) as add:
        for row in rows:
            add(row)
    return path


def test_json_lines(tmp_path: Path) -> None:
    first, second = map(json.loads, report(tmp_path / "r.jsonl", ROWS).read_bytes().splitlines())
    assert tuple(first) == COLUMNS
    assert (first["source"], first["saving"], second["error"]) == ("a.json", 0.75, ROWS[1].error)


def test_csv(tmp_path: Path) -> None:
    with report(tmp_path / "r.csv", ROWS).open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert (first["status"], first["tokens_out"], second["source"]) == ("done", "25", ROWS[1].source)
    assert second["error"].startswith("line\nbroken ")


def test_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = parquet.read_table(report(tmp_path / "r.parquet", ROWS * 1200)).to_pylist()
    assert len(rows) == 2400
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["tokens_in"], rows[0]["saving"], rows[1]["status"]) == (100, 0.75, "unreadable")
    assert parquet.read_table(report(tmp_path / "none.parquet", [])).num_rows == 0


def test_rows_that_were_added_are_kept_where_the_run_ends_early(tmp_path: Path) -> None:
    def interrupted() -> None:
        with written(str(tmp_path / "r.jsonl")) as add:
            add(ROWS[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["r.jsonl"]
    assert json.loads((tmp_path / "r.jsonl").read_bytes())["source"] == "a.json"


def test_an_ending_that_says_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\.jsonl, \.csv, \.parquet"):
        ending("rows.txt")


def test_parquet_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    monkeypatch.delitem(__import__("sys").modules, "pyarrow.parquet", raising=False)
    with pytest.raises(UsageError, match=r"pip install 'boildown\[parquet\]'"):
        ending("rows.parquet")
