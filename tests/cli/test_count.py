"""`boildown count`: tokens by role and kind, per file and in all."""

from __future__ import annotations

import json


def test_a_file_is_counted_by_role_and_kind(ask, chat):
    answer = ask("count", chat)
    assert answer.code == 0
    rows = [line.split() for line in answer.out.decode().splitlines()]
    assert rows[0] == ["file", "role", "kind", "tokens", "share"]
    assert any(row[-4:-2] == ["user", "text"] for row in rows)
    assert "openai, 1 conversation, 61 messages" in answer.out.decode()
    assert "o200k_base" in answer.err


def test_the_parts_are_the_whole(ask, chat, chats):
    data = json.loads(ask("count", chat, chats, "--json").out)
    assert data["schema"] == 1
    assert data["conversations"] == 4
    assert data["tokens"] == sum(f["tokens"] for f in data["files"]) == sum(part["tokens"] for part in data["by"])
    for file in data["files"]:
        assert file["tokens"] == sum(part["tokens"] for part in file["by"])
    assert [f["file"] for f in data["files"]] == [str(chat), str(chats)]


def test_several_files_come_with_a_sum(ask, chat, chats):
    assert "all 2 files" in ask("count", chat, chats).out.decode()
    assert " files" not in ask("count", chat).out.decode()


def test_a_directory_is_counted_whole(ask, chat, chats):
    data = json.loads(ask("count", chat.parent, "--json").out)
    assert [f["file"] for f in data["files"]] == sorted([str(chat), str(chats)])


def test_stdin_is_counted(ask, chat):
    data = json.loads(ask("count", "-", "--json", input=chat.read_bytes()).out)
    assert data["files"][0]["file"] == "<stdin>"
    assert data["tokens"] == json.loads(ask("count", chat, "--json").out)["tokens"]


def test_another_tokenizer_counts_otherwise_and_is_named(ask, chat):
    data = json.loads(ask("count", chat, "--json", "--tokenizer", "cl100k_base").out)
    assert data["tokenizer"].startswith("cl100k_base")


def test_a_file_that_cannot_be_read_does_not_stop_the_others(ask, chat, tmp_path):
    (tmp_path / "broken.json").write_text("[{")
    answer = ask("count", tmp_path / "broken.json", chat, "--json")
    assert answer.code == 2
    data = json.loads(answer.out)
    assert [f["file"] for f in data["files"]] == [str(chat)]
    assert [e["file"] for e in data["errors"]] == [str(tmp_path / "broken.json")]
    assert "broken.json" in answer.err
