"""Work that travels needs no directory of its own, and says what the machine that it comes to does not see."""

from __future__ import annotations

import os
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from batch_files import conversation
from boildown import registry
from boildown.batch.away import absolute, away
from boildown.batch.items import Item
from boildown.batch.work import Work
from boildown.errors import UsageError
from boildown.pipeline import Context, Named
from boildown.run import Job
from boildown.transcript import Transcript

PIPELINE = "prune"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Work that was asked for by paths below the directory where one is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out" / "unfinished").mkdir(parents=True)
    (tmp_path / "a.jsonl").write_bytes(conversation(1))
    stages = registry.parse(PIPELINE)
    return Work(Job(stages, registry.spec(stages), ratio=2), "out/unfinished")


ITEM = Item("a.jsonl", "a.jsonl", "out/a.jsonl", "a.jsonl", True, 0)


def test_work_from_another_directory_writes_the_same(work, tmp_path, monkeypatch) -> None:
    here = work(ITEM)
    expected = (tmp_path / "out" / "a.jsonl").read_bytes()
    (tmp_path / "out" / "a.jsonl").unlink()
    with away(work) as there:
        item = absolute(ITEM)
        monkeypatch.chdir("/")
        [found] = pickle.loads(pickle.dumps(there))([item])
    assert found.status == "done", found.error
    assert (tmp_path / "out" / "a.jsonl").read_bytes() == expected
    assert (found.output, found.tokens_out) == (here.output, here.tokens_out)
    assert os.listdir(tmp_path / "out" / "unfinished") == []


@dataclass(frozen=True)
class Scored:
    """A stage that names a file."""

    scorer: str

    def __call__(self, transcript: Transcript, context: Context) -> Transcript:
        return transcript


def test_a_file_that_stages_name_is_found_from_anywhere_or_ends_the_run(work, tmp_path) -> None:
    (tmp_path / "scores.json").touch()
    stages = [Named("scored", Scored("scores.json"), "")]
    with away(replace(work, job=replace(work.job, stages=stages))) as there:
        assert there.scores == (str(tmp_path / "scores.json"),)
        assert there.work.job.stages[0].stage == Scored(there.scores[0])
        (tmp_path / "scores.json").unlink()
        with pytest.raises(UsageError, match=r"scores.json: the worker on .* does not see that file"):
            there([absolute(ITEM)])


def test_outputs_that_nobody_would_find_end_the_run(work, tmp_path) -> None:
    with away(work) as there:
        Path(there.mark).unlink()
        with pytest.raises(UsageError, match=r"out: the worker on .* does not see that directory"):
            there([absolute(ITEM)])


def test_a_file_that_a_worker_does_not_see_is_told_with_the_workers_name(work, tmp_path) -> None:
    with away(work) as there:
        [found] = there([absolute(replace(ITEM, source="gone.jsonl", where="gone.jsonl"))])
    assert found.status == "unreadable"
    assert found.error.startswith("gone.jsonl: the worker on ")
    assert "does not see that file. Keep it where all machines see it" in found.error


def test_urls_stay_as_they_are() -> None:
    item = replace(ITEM, source="s3://a/b.jsonl", target="s3://c/b.jsonl")
    assert absolute(item) == item
