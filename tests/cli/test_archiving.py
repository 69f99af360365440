"""`compress --pipeline archive`: what leaves is in the archive before the output is there, for its user alone."""

from __future__ import annotations

import json

import pytest


def lines(path):
    return [json.loads(line)["content"] for line in path.read_text().splitlines()]


@pytest.fixture
def small(ask, chat, tmp_path):
    """The chat's newer part, whose older part was archived as Ada's."""
    to = ("--archive", tmp_path / "memory", "--user", "ada", "-o", tmp_path / "small.jsonl")
    assert ask("compress", chat, "--pipeline", "archive", "--ratio", 3, *to).code == 0
    return tmp_path / "small.jsonl"


def test_every_message_is_in_the_output_or_recalled(ask, chat, small, tmp_path):
    gone = set(lines(chat)) - set(lines(small))
    assert gone
    for text in sorted(gone)[::7]:
        answer = ask("recall", text, "--archive", tmp_path / "memory", "--user", "ada", "--json", "-k", 60)
        assert text in [hit["text"] for hit in json.loads(answer.out)["hits"]]


def test_a_message_of_the_output_says_where_the_others_are(small):
    assert sum("'boildown recall' finds them" in text for text in lines(small)) == 1


def test_nobody_else_recalls_them(ask, small, tmp_path):
    answer = ask("recall", "violin", "--archive", tmp_path / "memory")
    assert (answer.code, answer.out) == (2, b"")


def test_expand_still_gives_the_source_back(ask, chat, small, tmp_path):
    assert ask("expand", small, "--archive", tmp_path / "memory").out == chat.read_bytes()


def test_without_an_archive_nothing_is_written_and_it_is_said_what_to_do(ask, chat, tmp_path):
    answer = ask("compress", chat, "--pipeline", "archive", "--ratio", 3, "-o", tmp_path / "small.jsonl")
    assert answer.code == 2
    assert "--archive DIR" in answer.err
    assert not (tmp_path / "small.jsonl").exists()


def test_whose_messages_they_are_is_of_no_use_without_the_stage(ask, chat, tmp_path):
    answer = ask("compress", chat, "--ratio", 3, "--user", "ada", "--archive", tmp_path / "memory")
    assert (answer.code, "the stage 'archive'" in answer.err) == (2, True)


def test_an_archive_that_cannot_be_written_leaves_no_output(ask, chat, tmp_path):
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.db").write_bytes(b"not a database at all" * 50)
    to = ("--archive", tmp_path / "memory", "-o", tmp_path / "small.jsonl")
    answer = ask("compress", chat, "--pipeline", "archive", "--ratio", 3, *to)
    assert answer.code == 1
    assert not (tmp_path / "small.jsonl").exists()


def test_two_files_of_one_name_are_two_sessions(ask, chat, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "chat.jsonl").write_bytes(chat.read_bytes())
    assert ask("archive", tmp_path / "a", tmp_path / "b", tmp_path / "a", "--archive", tmp_path / "memory").code == 0
    listed = json.loads(ask("sessions", "--archive", tmp_path / "memory", "--json").out)
    assert sorted(s["session"] for s in listed["sessions"]) == [str(tmp_path / f / "chat") for f in ("a", "b")]


def test_files_that_differ_in_their_endings_alone_are_two_sessions(ask, chat, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("chat.json", "chat.jsonl"):
        (tmp_path / name).write_bytes(chat.read_bytes())
    assert ask("archive", "chat.json", "chat.jsonl", "--archive", "memory").code == 0
    listed = json.loads(ask("sessions", "--archive", "memory", "--json").out)
    assert [s["session"] for s in listed["sessions"]] == ["chat.json", "chat.jsonl"]


def test_a_long_title_is_cut_in_the_table_of_sessions_alone(ask, tmp_path):
    title = "a talk of which somebody wrote a very long title, which a table has no room for"
    talk = [{"from": "human", "value": "Hello."}, {"from": "gpt", "value": "Hello!"}]
    (tmp_path / "talks.json").write_text(json.dumps([{"id": title, "conversations": talk}]))
    assert ask("archive", tmp_path / "talks.json", "--archive", tmp_path / "m", "--session", "s").code == 0
    assert "a talk of which somebody wrote a very l…" in ask("sessions", "--archive", tmp_path / "m").out.decode()
    assert title in ask("sessions", "--archive", tmp_path / "m", "--json").out.decode()
