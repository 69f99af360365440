"""`boildown train`, and `--scorer`."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def chats(tmp_path, monkeypatch):
    """A directory with conversations that come back to what was said."""
    folder = tmp_path / "chats"
    folder.mkdir()
    for n in range(6):
        said = [f"The {word} key number {n} is for gate {k}" for k, word in enumerate(("brass", "copper", "silver"))]
        said += ["Well."] * 4 + [f"Which key was it, the copper or the silver one, for gate {n}?", "The copper one"]
        lines = [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(said)]
        (folder / f"{n}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_scorer_is_learned_told_of_and_used(ask, chats) -> None:
    done = ask("train", "chats", "-o", "mine.json")
    assert done.code == 0
    assert "learned from 5 conversations; 1 other left out" in done.err
    assert "by this one" in done.err
    ask("compress", "chats/0.jsonl", "--ratio", "2", "--scorer", "mine.json", "--report", "r.json")
    assert json.loads((chats.parent / "r.json").read_text())["pipeline"] == "dedup,prune:scorer=mine.json,ledger"


def test_questions_are_given_once_a_file(ask, chats) -> None:
    (chats.parent / "qa.jsonl").write_text('{"question": "Which key?", "answer": "copper", "evidence": [1]}\n')
    done = ask("train", "chats/0.jsonl", "--questions", "qa.jsonl", "-o", "mine.json")
    assert (done.code, "learned from 1 conversation" in done.err) == (0, True)
    refused = ask("train", "chats", "--questions", "qa.jsonl", "-o", "mine.json")
    assert refused.code == 2
    assert "given 1 time for 6 files" in refused.err


def test_what_teaches_nothing_is_an_error_and_writes_nothing(ask, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text('{"role": "user", "content": "Hello"}\n')
    done = ask("train", "a.jsonl", "-o", "mine.json")
    assert done.code == 1
    assert "nothing to learn" in done.err
    assert not (tmp_path / "mine.json").exists()


def test_a_file_that_cannot_be_read_is_passed_over_with_a_word(ask, chats) -> None:
    (chats / "broken.json").write_text("{")
    done = ask("train", "chats", "-o", "mine.json")
    assert (done.code, "passed over: " in done.err) == (0, True)


def test_a_scorer_that_is_none_is_refused(ask, chats) -> None:
    (chats.parent / "mine.json").write_text("{}")
    done = ask("compress", "chats/0.jsonl", "--ratio", "2", "--scorer", "mine.json")
    assert done.code == 2
    assert "boildown train" in done.err
    assert ask("compress", "chats/0.jsonl", "--ratio", "2", "--scorer", "nobody").code == 2
