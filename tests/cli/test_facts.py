"""`facts`: of a file, of a session, of one user alone; and what `recall` shows of them."""

from __future__ import annotations

import json

import pytest

from model_server import Reply

FOUND = """<facts>
preferences | m2 | black coffee | I love black coffee.
entities | m3 | Lisbon | I moved to Lisbon.
about | m9 | Porto | I moved to Porto.
</facts>"""


@pytest.fixture
def talk(tmp_path):
    """A chat in which something changes."""
    path = tmp_path / "talk.jsonl"
    texts = ["I live in Berlin, my home town.", "I love black coffee.", "My home town is far away: I moved to Porto."]
    path.write_text("".join(json.dumps({"role": "user", "content": text}) + "\n" for text in texts))
    return path


def test_a_file_lists_its_facts(ask, talk):
    answer = ask("facts", talk)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.decode().splitlines()[:4] == ["Preferences", "  m2 user: I love black coffee.", "", "About"]
    assert "I live in Berlin, my home town. (superseded by m3)" in answer.out.decode()


def test_a_session_lists_the_facts_of_its_user_alone(ask, talk, tmp_path):
    ask("archive", talk, "--archive", tmp_path / "m", "--user", "ada", "--session", "s")
    talk.write_text('{"role": "user", "content": "I love green tea."}\n')
    ask("archive", talk, "--archive", tmp_path / "m", "--user", "bob", "--session", "s")
    told = json.loads(ask("facts", "s", "--archive", tmp_path / "m", "--user", "bob", "--json").out)
    assert [fact["text"] for fact in told["facts"]] == ["I love green tea."]
    other = ask("facts", "s", "--archive", tmp_path / "m", "--user", "ada").out
    assert b"Porto" in other
    assert b"tea" not in other


def test_recall_says_what_is_superseded(ask, talk, tmp_path):
    ask("archive", talk, "--archive", tmp_path / "m")
    question = "what is my home town?"
    assert b"superseded by m3" in ask("recall", question, "--archive", tmp_path / "m").out
    hits = json.loads(ask("recall", question, "--archive", tmp_path / "m", "--json").out)["hits"]
    assert {hit["id"]: hit["superseded_by"] for hit in hits}["m1"] == {"id": "m3", "session": "talk"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["facts", "none.jsonl"], 2, "no such file"),
        (["facts", "talk.jsonl", "--user", "ada"], 2, "--archive DIR"),
        (["facts", "chat", "--archive", "m"], 2, "There is talk."),
        (["facts", "talk", "--archive", "m", "--user", "eve"], 2, "--user eve"),
        (["facts", "talk", "--archive", "none"], 1, "memory.db"),
        (["facts", "chats.jsonl"], 2, "--conversation"),
    ],
)
def test_what_is_wrong_is_said(ask, talk, chats, monkeypatch, arguments, code, said):
    monkeypatch.chdir(talk.parent)
    ask("archive", talk, "--archive", "m")
    answer = ask(*arguments)
    assert (answer.code, answer.out) == (code, b"")
    assert said in answer.err


def test_a_models_facts_are_held_against_their_messages_and_a_second_run_asks_nothing(ask, talk, model_server):
    model_server.answer = lambda _: Reply(FOUND)
    first = ask("facts", talk, "--model", "claude-haiku-5-5")
    assert first.code == 0
    assert "facts: 3 found by claude-haiku-5-5, 2 dropped as their message does not say them; 1 call, " in first.err
    assert b"m2 user: I love black coffee. [black coffee]" in first.out
    assert b"Lisbon" not in first.out
    again = ask("facts", talk, "--model", "claude-haiku-5-5")
    assert (again.out, len(model_server.received)) == (first.out, 1)
    assert "0 calls, 1 answer from before" in again.err


def test_a_dry_run_sends_nothing_and_too_low_a_limit_stops_it(ask, talk, model_server):
    dry = ask("facts", talk, "--model", "claude-haiku-5-5", "--dry-run")
    assert (dry.code, dry.out.startswith(b"1 call of claude-haiku-5-5, ")) == (0, True)
    assert ask("facts", talk, "--model", "claude-haiku-5-5", "--max-cost", "0").code == 1
    assert model_server.received == []


@pytest.mark.parametrize("option", [["--dry-run"], ["--max-cost", "1"], ["--no-redact"]])
def test_options_for_a_model_need_one(ask, talk, option):
    answer = ask("facts", talk, *option)
    assert (answer.code, "Name one with --model" in answer.err) == (2, True)
