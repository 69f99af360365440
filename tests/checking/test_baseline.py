"""The baseline: what is larger than it allows, what is new, and how little of it a change touches."""

from __future__ import annotations

import pytest

from boildown.checking.baseline import Baseline, gone, load
from boildown.checking.limits import Limits
from boildown.checking.looking import Looked
from boildown.errors import UsageError

BEFORE = Baseline("o200k_base", {"b.json": 1000, "a.json": 0})


def sized(tokens: int) -> Looked:
    return Looked("./b.json", "openai", Limits(), 1, tokens, "o200k_base (x)")


@pytest.mark.parametrize(
    ("name", "tokens", "allowed", "rules"),
    [
        ("b.json", 1000, 0.0, []),
        ("b.json", 1001, 0.0, ["max-growth"]),
        ("b.json", 1100, 0.1, []),
        ("b.json", 1101, 0.1, ["max-growth"]),
        ("b.json", 10, 0.0, []),
        ("a.json", 0, 0.1, []),
        ("a.json", 1, 0.1, ["max-growth"]),
        ("c.json", 9999, 0.0, ["new-file"]),
    ],
)
def test_a_file_may_grow_as_far_as_is_allowed(name, tokens, allowed, rules):
    assert [one.rule for one in BEFORE.grown(name, sized(tokens), allowed)] == rules


def test_new_and_gone_files_are_told_and_no_failure():
    (new,) = BEFORE.grown("c.json", sized(5), 0.0)
    (lost,) = gone(["z.json"], "baseline.json")
    assert (new.severity, lost.severity) == ("note", "note")
    assert (new.file, lost.file, lost.subject) == ("./b.json", "baseline.json", "z.json")


def test_it_is_written_in_order_a_file_a_line_and_read_again():
    data = BEFORE.dump()
    assert data.decode().splitlines()[3:6] == ['  "files": {', '    "a.json": 0,', '    "b.json": 1000']
    assert load(data, "x") == BEFORE
    assert load(data, "x").dump() == data


def test_one_change_changes_one_line():
    after = BEFORE.updated("o200k_base", {"b.json": 1001}, [])
    changed = set(after.dump().splitlines()) ^ set(BEFORE.dump().splitlines())
    assert changed == {b'    "b.json": 1000', b'    "b.json": 1001'}


def test_an_update_takes_out_what_is_gone_and_leaves_what_was_not_looked_at():
    assert BEFORE.updated("o200k_base", {"c.json": 5}, ["a.json"]).files == {"b.json": 1000, "c.json": 5}


def test_sizes_of_another_tokenizer_are_not_kept():
    assert BEFORE.updated("cl100k_base", {"b.json": 7}, []) == Baseline("cl100k_base", {"b.json": 7})


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"schema": 2, "tokenizer": "x", "files": {}}', b"\xff", b"[" * 100_000,
     b'{"schema": 1, "tokenizer": "x", "files": {"a": "1"}}', b'{"schema": 1, "tokenizer": "x", "files": []}'],
)  # fmt: skip
def test_what_is_no_baseline_is_refused(data):
    with pytest.raises(UsageError, match=r"--baseline b\.json: this is no baseline"):
        load(data, "b.json")
