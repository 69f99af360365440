"""Idle sessions: which are, and what is kept of them."""

from __future__ import annotations

import json

import pytest

from boildown.archive import store as sources
from boildown.archive.originals import find, restore
from boildown.archive.store import digest
from boildown.errors import UsageError
from boildown.memory.idle import Copy, compressed, last_activity, seconds
from boildown.registry import DEFAULT, parse, spec
from boildown.run import Job
from conftest import ROOT

JOB = Job(parse(DEFAULT), spec(parse(DEFAULT)), ratio=4)


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("30m", 1800), (" 1H ", 3600), ("2d", 172800), ("1.5h", 5400)]
)
def test_times_are_read(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1 year", "1h30m"])
def test_what_is_no_time_is_said(text):
    with pytest.raises(UsageError, match="--idle"):
        seconds(text)


def test_the_newest_messages_time_counts_or_else_the_files():
    session = (ROOT / "samples" / "claude-code.jsonl").read_bytes()
    assert last_activity(session, "s.jsonl", 5.0) > 1_700_000_000
    chat = json.dumps({"role": "user", "content": "hello"}).encode()
    assert (last_activity(chat, "s.jsonl", 5.0), last_activity(chat, "s.jsonl")) == (5.0, None)


def test_source_and_copy_are_kept_and_not_made_again(folder, monkeypatch):
    data = (ROOT / "samples" / "openai.jsonl").read_bytes()
    with sources.opened(folder, write=True) as archive:
        copy = compressed(archive, data, "openai.jsonl", JOB)
        assert 0.9 < copy.tokens_out * 4 / copy.tokens_in <= 1
        (filed,) = archive.made_from(digest(data))
        assert restore(archive, find(archive, archive.get(filed.output), "")) == data
        monkeypatch.setattr("boildown.memory.idle.run", None)
        assert compressed(archive, data, "openai.jsonl", JOB) == copy


def test_what_cannot_be_made_smaller_is_kept_as_it_is(folder):
    data = json.dumps({"role": "system", "content": "Always answer in French, and never in German."}).encode()
    with sources.opened(folder, write=True) as archive:
        copy = compressed(archive, data, "s.json", JOB)
        assert copy == Copy(copy.tokens_in, copy.tokens_in)
        assert archive.get(digest(data)) == data
