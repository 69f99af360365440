"""`boildown check`: the exit code says whether all is small enough, the lines say what is not."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def sizes(ask, chat) -> int:
    return json.loads(ask("count", chat, "--json").out)["tokens"]


def test_what_is_just_small_enough_passes(ask, chat, sizes):
    answer = ask("check", chat, "--max-tokens", sizes)
    assert answer.code == 0
    assert answer.out == b""
    assert "1 conversation checked, 0 over" in answer.err


def test_what_is_one_token_too_large_is_named(ask, chat, sizes):
    answer = ask("check", chat, "--max-tokens", sizes - 1)
    assert answer.code == 1
    assert answer.out.decode() == f"{chat}: {sizes:,} tokens, 1 over\n"


def test_of_several_conversations_each_offender_is_named_by_its_place(ask, chats):
    answer = ask("check", chats, "--max-tokens", 500)
    assert answer.code == 1
    assert [line.partition(": ")[0] for line in answer.out.decode().splitlines()] == [
        f"{chats}, conversation 2",
        f"{chats}, conversation 3",
    ]


def test_a_directory_is_checked_at_any_depth(ask, chat, tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    chat.rename(deep / "chat.jsonl")
    answer = ask("check", tmp_path, "--max-tokens", 10)
    assert answer.code == 1
    assert str(deep / "chat.jsonl") in answer.out.decode()


def test_an_unreadable_file_outweighs_an_offender(ask, chat, tmp_path):
    (tmp_path / "broken.json").write_text("[{")
    answer = ask("check", tmp_path, "--max-tokens", 10)
    assert answer.code == 2
    assert str(chat) in answer.out.decode()
    assert "broken.json" in answer.err
    assert "1 file not read" in answer.err


def test_a_limit_is_demanded(ask, chat):
    assert ask("check", chat).code == 2
    assert ask("check", chat, "--max-tokens", 0).code == 2
