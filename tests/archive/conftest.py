"""What the archive's tests share: a compressed sample and its report, and damage done to an archive."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from boildown import registry
from boildown.archive.originals import keep
from boildown.archive.store import FILE, opened
from boildown.report import Archived
from boildown.run import Job, run
from quoting import quoting

Keep = Callable[..., tuple[bytes, Archived]]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """Where an archive is to be."""
    return str(tmp_path / "archive")


@pytest.fixture
def kept(folder: str) -> Keep:
    """Compresses bytes and archives them: kept(data, pipeline="prune", ratio=3) -> (output, what was archived)."""

    def compress(data: bytes, where: str = "chat.jsonl", pipeline: str = "dedup,prune", ratio: float = 3):
        written, report = run(
            data, where, Job(registry.parse(pipeline), pipeline, ratio=ratio, model=quoting(), archive=lambda _: None)
        )
        with opened(folder, write=True) as archive:
            return written, keep(archive, data, written, report)

    return compress


Execute = Callable[..., int]


@pytest.fixture
def execute(folder: str) -> Execute:
    """Runs a statement on the archive's file, behind boildown's back: how many rows it changed."""

    def run(statement: str, *values: object) -> int:
        with closing(sqlite3.connect(Path(folder) / FILE)) as connection, connection:
            return connection.execute(statement, values).rowcount

    return run
