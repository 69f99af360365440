"""`boildown context`: from a file, a pipe or an archived session, in the provider's format, for one user alone."""

from __future__ import annotations

import json

import pytest

QUERY = "what of violin number 21?"
MODEL = ("--allocation", "summary=0.6,recent=0.1,retrieved=0.3", "--model", "claude-haiku-5-5")
ASK = ("--query", QUERY, "--max-tokens", 600)


@pytest.fixture
def memory(ask, chat, tmp_path):
    """An archive with a chat of 61 messages, Ada's session `spring`."""
    to = ("--archive", tmp_path / "memory", "--user", "ada", "--session", "spring")
    assert ask("archive", chat, *to).code == 0
    return tmp_path / "memory"


def contents(answer):
    return [json.loads(line)["content"] for line in answer.out.splitlines()]


def test_a_context_ends_with_what_fits_and_the_question(ask, chat):
    answer = ask("context", chat, *ASK)
    *_, retrieved, asked = contents(answer)
    assert (answer.code, asked) == (0, QUERY)
    assert "\nm23 1.00 assistant: " in retrieved
    assert "of 600 tokens: system" in answer.err


def test_a_file_may_be_piped_and_two_runs_are_the_same(ask, chat):
    piped = ask("context", "-", *ASK, "--quiet", input=chat.read_bytes())
    assert (piped.code, piped.err) == (0, "")
    assert piped.out == ask("context", chat, *ASK).out


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_it_is_accepted_as_it_is_in_the_providers_format(ask, chat, tmp_path, name):
    made = tmp_path / "request.json"
    assert ask("context", chat, *ASK, "--to", name, "-o", made).code == 0
    assert ask("validate", made).code == 0
    assert ask("check", made, "--max-tokens", 600).code == 0


def test_an_archived_session_is_a_conversation(ask, memory):
    answer = ask("context", "--session", "spring", "--user", "ada", "--archive", memory, *ASK)
    assert answer.code == 0
    assert "\nm23 1.00 assistant: " in contents(answer)[-2]


def test_archived_messages_are_among_what_is_retrieved_for_their_user_alone(ask, memory, tmp_path):
    other = tmp_path / "other.jsonl"
    other.write_text('{"role": "user", "content": "Hello"}\n{"role": "assistant", "content": "Good morning."}\n')
    hers = ask("context", other, *ASK, "--archive", memory, "--user", "ada")
    assert contents(hers)[-2].count("-- session spring") == 1
    assert "\nm23 1.00 assistant: " in contents(hers)[-2]
    his = ask("context", other, *ASK, "--archive", memory, "--user", "bob")
    assert (his.code, his.out) == (2, b"")
    assert "--user bob" in his.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "Name a file"),
        (["--session", "spring"], "Name a file"),
        (["FILE", "--user", "ada"], "Give --archive DIR"),
        (["FILE", "--allocation", "recent=2"], "--allocation"),
        (["FILE", "--to", "nothing"], "nothing"),
        (["FILE", "--max-cost", "1"], "--max-cost"),
    ],
)
def test_what_makes_no_sense_is_said_with_what_to_do(ask, chat, given, said):
    answer = ask("context", *(chat if one == "FILE" else one for one in given), *ASK)
    assert (answer.code, answer.out) == (2, b"")
    assert said in answer.err


def test_a_budget_that_is_too_small_is_said_and_nothing_is_written(ask, chat):
    answer = ask("context", chat, "--query", QUERY, "--max-tokens", 5)
    assert (answer.code, answer.out) == (1, b"")
    assert "Ask for at least" in answer.err


def test_a_model_writes_the_summary(ask, chat, model_server):
    answer = ask("context", chat, "--query", QUERY, "--max-tokens", 500, *MODEL)
    assert answer.code == 0, answer.err
    assert model_server.received
