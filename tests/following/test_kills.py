"""A kill costs no message up to the last checkpoint, and what comes after it is caught up with."""

from __future__ import annotations

from pathlib import Path

import pytest

from battery import battery
from killing import kill_archive, kill_follow, kill_resume


@battery
def test_kills_of_follow_and_resume_lose_and_break_nothing(tmp_path: Path):
    left = kill_follow(tmp_path / "memory", tmp_path / "session.jsonl", 160, 2, seed=3, longest=0.5)
    assert (left.kills, left.lost, left.corrupt) == (2, 0, 0)
    assert left.checkpoints
    left = kill_resume(tmp_path / "memory", tmp_path / "context.jsonl", 1, seed=3)
    assert (left.lost, left.corrupt) == (0, 0)


@battery
def test_kills_while_lancedb_is_written_lose_and_break_nothing(tmp_path: Path):
    pytest.importorskip("lancedb")
    left = kill_archive(tmp_path / "one", tmp_path / "one.jsonl", 400, 1, seed=3, store="lance")
    assert (left.kills, left.lost, left.corrupt) == (1, 0, 0)
    left = kill_follow(tmp_path / "two", tmp_path / "two.jsonl", 160, 2, seed=3, longest=0.5, store="lance")
    assert (left.kills, left.lost, left.corrupt) == (2, 0, 0)


def test_kills_of_archive_lose_and_break_nothing(tmp_path: Path):
    left = kill_archive(tmp_path / "memory", tmp_path / "session.jsonl", 400, 2, seed=3)
    assert (left.kills, left.lost, left.corrupt) == (2, 0, 0)
