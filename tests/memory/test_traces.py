"""Passages: which there are, and that each is found wherever it stands."""

from __future__ import annotations

import json

import pytest

from boildown.memory import traces
from boildown.memory.traces import LENGTH, Search, passages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("too short", set()),
        ("twelve chars", {"twelve chars"}),
        ("a line of its own\nand another one", {"a line of its own", "and another one"}),
        ('she said "yes, of course" to it', {"yes, of course"}),
        ("x" * LENGTH + "y" * 11, {"x" * LENGTH}),
        ("x" * LENGTH + "y" * 12, {"x" * LENGTH, "y" * 12}),
        (" " * 40, set()),
    ],
)
def test_passages_hold_nothing_that_json_would_write_otherwise(text, expected):
    assert passages([text]) == expected


@pytest.mark.parametrize("before", range(10))
def test_a_passage_is_found_at_any_place(before):
    search = Search(passages(["the tide is at nine tonight", "nothing of that kind at all"]))
    assert search.found(b"\x00" * before + b"the tide is at nine tonight") == {"the tide is at nine tonight"}


@pytest.mark.parametrize("ascii_only", [False, True])
def test_a_passage_is_found_in_json_of_either_form(ascii_only):
    text = "Grüße aus Köln, wir kommen 明日の朝に"
    assert Search(passages([text])).found(json.dumps({"text": text}, ensure_ascii=ascii_only).encode())


def test_a_passage_is_found_across_the_parts_in_which_a_file_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(traces, "_AT_ONCE", 50)
    (tmp_path / "file").write_bytes(b"." * 40 + b"the tide is at nine tonight" + b"." * 100)
    assert Search({"the tide is at nine tonight"}).in_file(tmp_path / "file")


def test_nothing_is_found_of_no_passages(tmp_path):
    assert (Search(()).found(b"anything at all"), len(Search(()))) == (set(), 0)
    assert Search({"twelve chars"}).found(b"") == set()
