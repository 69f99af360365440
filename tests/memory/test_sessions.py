"""Sessions as they are listed: level and saving from what the archive knows."""

from __future__ import annotations

import json
from pathlib import Path

from boildown.archive import store as sources
from boildown.memory.archiving import archive
from boildown.memory.idle import compressed
from boildown.memory.places import opened
from boildown.memory.sessions import COMPRESSED, VERBATIM, sessions
from boildown.registry import DEFAULT, parse, spec
from boildown.run import Job
from conftest import ROOT

SAMPLE = ROOT / "samples" / "openai.jsonl"
JOB = Job(parse(DEFAULT), spec(parse(DEFAULT)), ratio=4)


def add(folder: str, user: str, session: str = "s") -> None:
    with opened(folder, write=True) as store:
        archive(store, SAMPLE.read_bytes(), SAMPLE.name, user, session)


def test_a_session_is_listed_with_its_size_and_without_a_saving_that_nobody_knows(folder):
    add(folder, "ada")
    (one,) = sessions(folder)
    assert (one.user, one.session, one.messages, one.level, one.saving) == ("ada", "s", 32, VERBATIM, None)
    assert 4000 < one.size < 5000


def test_the_saving_is_that_of_the_copy(folder):
    add(folder, "ada")
    with sources.opened(folder, write=True) as kept:
        copy = compressed(kept, SAMPLE.read_bytes(), SAMPLE.name, JOB)
    (one,) = sessions(folder)
    assert (one.level, one.tokens_in, one.tokens_out) == (COMPRESSED, copy.tokens_in, copy.tokens_out)
    assert 0.74 < one.saving < 0.78


def test_a_checkpoint_says_the_level_of_its_users_session_alone(folder):
    add(folder, "ada")
    add(folder, "bob")
    Path(folder, "checkpoints").mkdir()
    Path(folder, "checkpoints", "1.json").write_text(json.dumps({"session": "s", "user": "bob", "level": "summarized"}))
    assert [(one.user, one.level) for one in sessions(folder)] == [("ada", VERBATIM), ("bob", "summarized")]
    assert [one.user for one in sessions(folder, "ada")] == ["ada"]
