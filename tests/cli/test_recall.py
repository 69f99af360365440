"""`archive` and `recall`: what is put in is found, within the tokens, for its user, and what is wrong is said."""

from __future__ import annotations

import json
import signal
import time

import pytest

from boildown.tokens import tokenizer


@pytest.fixture
def memory(ask, chat, tmp_path):
    """An archive with a chat of 61 messages."""
    assert ask("archive", chat, "--archive", tmp_path / "memory").code == 0
    return tmp_path / "memory"


def test_what_is_new_is_told(ask, chat, tmp_path):
    answer = ask("archive", chat, "--archive", tmp_path / "memory")
    assert (answer.code, answer.out.decode()) == (0, f"{chat}: 61 messages, 61 new, in session chat\n")
    with chat.open("a") as file:
        file.write(json.dumps({"role": "user", "content": "one more"}) + "\n")
    assert b"62 messages, 1 new" in ask("archive", chat, "--archive", tmp_path / "memory").out
    assert ask("archive", chat, "--archive", tmp_path / "memory", "--quiet").out == b""


def test_a_session_that_is_not_there_is_told_in_one_line(ask, chat, tmp_path):
    ask("archive", chat, "--archive", tmp_path / "memory", "--session", "a\nb" + "c" * 3000)
    for command in (("recall", "violin", "--session", "a\nd"), ("facts", "a\nd")):
        answer = ask(*command, "--archive", tmp_path / "memory")
        assert (answer.code, "There is a bccc" in answer.err) == (2, True)
        assert answer.err.count("\n") == 1
        assert len(answer.err) < 1000


def test_a_message_is_found_with_its_score_its_id_and_its_neighbours(ask, memory):
    answer = ask("recall", "what of violin number 21?", "--archive", memory, "-k", 1)
    head, before, text, after = answer.out.decode().splitlines()
    assert (answer.code, answer.err) == (0, "")
    assert head.split() == ["1.00", "m23", "assistant", "(chat,", "chat.jsonl)"]
    assert "number 21" in text
    assert before.startswith("  m22 user: About the ")
    assert "m24" in after


def test_json_has_the_sources(ask, memory):
    answer = ask("recall", "violin number 21", "--archive", memory, "-k", 1, "--json")
    told = json.loads(answer.out)
    assert [len(told["hits"]), told["schema"], told["query"]] == [1, 1, "violin number 21"]
    first = told["hits"][0]
    assert (first["id"], first["role"], first["session"], first["file"], first["whole"]) == (
        "m23",
        "assistant",
        "chat",
        "chat.jsonl",
        True,
    )
    assert (first["before"]["id"], first["after"]["id"], len(first["source"])) == ("m22", "m24", 64)


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("most", [1, 40, 100, 300, 2000])
def test_no_more_tokens_are_printed_than_asked_for(ask, memory, form, most):
    answer = ask("recall", "the harbour and the violin", "--archive", memory, "--max-tokens", most, "-k", 30, *form)
    assert answer.code == 0
    shown = json.loads(answer.out)["hits"] if form else answer.out
    assert not shown or tokenizer().count([answer.out.decode()])[0] <= most


def test_a_session_in_a_language_without_blanks_is_found(ask, tmp_path):
    path = tmp_path / "zh.jsonl"
    path.write_text(json.dumps({"role": "user", "content": "我们决定了新的定价方案"}, ensure_ascii=False) + "\n")
    assert ask("archive", path, "--archive", tmp_path / "memory").code == 0
    assert "定价" in ask("recall", "定价是什么", "--archive", tmp_path / "memory").out.decode()


def test_users_do_not_find_each_others_messages(ask, chat, memory):
    assert ask("archive", chat, "--archive", memory, "--user", "ada").out.count(b"61 new") == 1
    found = json.loads(ask("recall", "violin", "--archive", memory, "--user", "ada", "--json").out)["hits"]
    assert {hit["user"] for hit in found} == {"ada"}
    assert {h["user"] for h in json.loads(ask("recall", "violin", "--archive", memory, "--json").out)["hits"]} == {""}


def test_nothing_found_is_no_failure(ask, memory):
    answer = ask("recall", "xylophone", "--archive", memory)
    assert (answer.code, answer.out) == (0, b"")
    assert "nothing was found" in answer.err
    assert json.loads(ask("recall", "xylophone", "--archive", memory, "--json").out)["hits"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["recall", "a", "--archive", "none"], 1, "boildown archive FILE --archive DIR"),
        (["recall", "a"], 2, "--archive"),
        (["recall", "a", "--archive", "chat.jsonl"], 2, "this is a file"),
        (["recall", "a", "--archive", "memory", "--user", "eve"], 2, "--user eve"),
        (["recall", "a", "--archive", "memory", "--session", "chart"], 2, "There is chat."),
        (["recall", "a", "--archive", "memory", "--since", "soon"], 2, "no date"),
        (["recall", "a", "--archive", "memory", "--since", "2027-05-09", "--until", "2027-05-08"], 2, "is not before"),
        (["recall", "a", "--archive", "memory", "--embed", "nobody"], 2, "no embedder is called 'nobody'"),
        (["archive", "none.jsonl", "--archive", "memory"], 2, "there is no such file"),
        (["archive", "chat.jsonl", "--archive", "letters"], 2, "to_ada.txt"),
    ],
)
def test_what_is_wrong_is_said(ask, memory, monkeypatch, arguments, code, said):
    monkeypatch.chdir(memory.parent)
    (memory.parent / "letters").mkdir()
    (memory.parent / "letters" / "to_ada.txt").touch()
    answer = ask(*arguments)
    assert (answer.code, answer.out) == (code, b"")
    assert said in answer.err


def test_a_file_that_is_none_does_not_keep_the_others_out(ask, chat, tmp_path):
    (tmp_path / "bad.json").write_text("{")
    answer = ask("archive", tmp_path / "bad.json", chat, "--archive", tmp_path / "memory")
    assert (answer.code, answer.out.count(b"61 new")) == (2, 1)
    assert "bad.json" in answer.err


def test_a_chat_may_come_from_stdin_and_what_is_found_go_to_a_pipe(shell, chat, tmp_path):
    line = 'boildown archive - --archive "$2" < "$1" && boildown recall violin --archive "$2" -k 20 | head -n 1'
    answer = shell(line, chat, tmp_path / "memory")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[1].split()[1].startswith(b"m")


def test_ctrl_c_leaves_an_archive_that_can_be_read(start, ask, big, chat, memory):
    process = start("archive", big, "--archive", memory)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert ask("archive", chat, "--archive", memory).out.count(b" 0 new") == 1
    assert b"m" in ask("recall", "violin", "--archive", memory).out
