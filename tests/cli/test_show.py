"""`show`: one message as text or as its record, of a file, of its source, or by a record's hash."""

from __future__ import annotations

import hashlib
import json

import pytest


@pytest.fixture
def small(ask, chat, tmp_path):
    path = tmp_path / "small.jsonl"
    assert (
        ask("compress", chat, "-r", 4, "-p", "window", "-o", path, "--archive", tmp_path / "originals", "-q").code == 0
    )
    return path


def test_a_message_of_a_file_is_shown_as_text_and_as_its_record(ask, chat):
    records = chat.read_bytes().splitlines(keepends=True)
    answer = ask("show", "m2", "--of", chat)
    assert answer.code == 0
    assert answer.out.decode() == f"m2  user\n{json.loads(records[1])['content']}\n"
    assert ask("show", "m2", "--of", chat, "--json").out == records[1]
    assert ask("show", "m61", "m2", "--of", chat, "--json").out == records[60] + records[1]


def test_a_message_that_is_gone_is_shown_from_the_archive(ask, chat, small, tmp_path):
    records = chat.read_bytes().splitlines(keepends=True)
    assert len(small.read_bytes().splitlines()) < 61
    for id, record in (("m2", records[1]), ("m40", records[39])):
        raw = ask("show", id, "--of", small, "--archive", tmp_path / "originals", "--json")
        assert raw.out == record
        text = ask("show", id, "--of", small, "--archive", tmp_path / "originals")
        assert text.out.decode().endswith(f"\n{json.loads(record)['content']}\n")


def test_a_record_is_shown_by_the_beginning_of_its_hash(ask, chat, small, tmp_path):
    record = chat.read_bytes().splitlines(keepends=True)[6]
    prefix = hashlib.sha256(record).hexdigest()[:10]
    assert ask("show", prefix, "--archive", tmp_path / "originals", "--json").out == record
    assert record.strip() in ask("show", prefix, "--archive", tmp_path / "originals").out


def test_calls_and_results_are_shown(ask, root):
    source = root / "samples" / "openai-tools.json"
    said = [(m.get("tool_calls"), m["role"]) for m in json.loads(source.read_bytes())]
    call = next(n for n, (calls, _) in enumerate(said, 1) if calls)
    result = next(n for n, (_, role) in enumerate(said, 1) if role == "tool")
    shown = ask("show", f"m{call}", f"m{result}", "--of", source).out.decode()
    assert f"[call] {said[call - 1][0][0]['function']['name']} " in shown
    assert "[result] " in shown


def test_a_record_of_an_array_ends_in_a_line_break(ask, root):
    source = root / "samples" / "openai-tools.json"
    shown = ask("show", "m1", "--of", source, "--json").out
    assert shown.endswith(b"}\n")
    assert shown[:-1] in source.read_bytes()


def test_of_several_conversations_one_is_chosen(ask, chats):
    assert "--conversation 1 to 3" in ask("show", "m2", "--of", chats).err
    shown = ask("show", "m2", "--of", chats, "--conversation", 3)
    assert shown.code == 0
    assert ask("show", "m2", "--of", chats, "--conversation", 4).code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["m2"], 2, "Name it with --of"),
        (["m2", "--archive", "originals"], 2, "Name it with --of"),
        (["m99", "--of", "small.jsonl"], 2, "it has no message m99"),
        (["m99", "--of", "small.jsonl", "--archive", "originals"], 2, "it has no message m99; there are 61"),
        (["m2", "--of", "chat.jsonl", "--archive", "originals"], 1, "edited since"),
        (["first"], 2, "neither a message's id"),
        (["abc"], 2, "neither a message's id"),
        (["abcdef"], 2, "Give --archive DIR"),
        (["abcdef", "--archive", "none"], 1, "there is no archive"),
        (["0123456789", "--archive", "originals"], 1, "no record whose hash begins so"),
    ],
)
def test_what_is_wrong_is_said(ask, small, monkeypatch, arguments, code, said):
    monkeypatch.chdir(small.parent)
    answer = ask("show", *arguments)
    assert (answer.code, answer.out) == (code, b"")
    assert said in answer.err


def test_terminal_escapes_are_not_obeyed(ask, tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text(json.dumps({"role": "user", "name": "\x1b[1mEve", "content": "\x1b[31m[bold]red\x07"}) + "\n")
    assert ask("show", "m1", "--of", path).out == b"m1  user  Eve\n[bold]red\n"
