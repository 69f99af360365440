"""`boildown context`: from a file, a pipe or an archived session, in the provider's format, for one user alone."""

from __future__ import annotations

import json

import pytest

from boildown.memory import embedders

QUERY = "what of violin number 21?"
MODEL = ("--allocation", "summary=0.6,recent=0.1,retrieved=0.3", "--model", "claude-haiku-5-5")
ASK = ("--query", QUERY, "--max-tokens", 600)


@pytest.fixture
def memory(ask, chat, tmp_path):
    """An archive with a chat of 61 messages, Ada's session `spring`."""
    to = ("--archive", tmp_path / "memory", "--user", "ada", "--session", "spring")
    assert ask("archive", chat, *to).code == 0
    return tmp_path / "memory"


@pytest.fixture
def embedder(monkeypatch):
    """The name of an embedder to which only the question and message 40 are near each other."""

    class Entry:
        name = "numbered"

        @staticmethod
        def load():
            return lambda texts: [
                [1.0, 0.0] if text == QUERY or " number 38:" in text else [0.0, 1.0] for text in texts
            ]

    monkeypatch.setattr(embedders, "entry_points", lambda group: [Entry()])
    return Entry.name


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


def test_a_question_in_no_utf_8_leaves_a_request_that_is(ask, chat):
    answer = ask("context", chat, "--query", "caf\udce9?", "--max-tokens", 600)
    assert contents(answer)[-1] == "caf??"


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


def test_the_report_adds_up_and_says_what_was_taken_from_where(ask, chat, tmp_path):
    made = tmp_path / "r.json"
    assert ask("context", chat, *ASK, "--report", made, "-o", tmp_path / "out.jsonl").code == 0
    report = json.loads(made.read_bytes())
    (one,) = report["conversations"]
    assert sum(s["before"] - s["after"] for s in one["steps"]) == one["tokens_in"] - one["tokens_out"]
    assert (len(one["messages"]), one["budget"], report["format_out"]) == (61, 600, "openai")
    assert one["tokens_out"] == report["tokens_out"] <= 600 < report["tokens_in"]
    told = report["context"]
    assert 0 <= one["tokens_out"] - sum(told["shares"].values()) <= 3  # what a reply is begun with
    assert [(r["id"], r["score"]) for r in told["retrieved"]].count(("m23", 1.0)) == 1


def test_the_report_has_the_keys_of_that_of_compress(ask, chat, tmp_path):
    paths = tmp_path / "context.json", tmp_path / "compress.json"
    ask("context", chat, *ASK, "--report", paths[0], "-q")
    ask("compress", chat, "--budget", 600, "--report", paths[1], "-q")
    mine, other = (json.loads(path.read_bytes()) for path in paths)
    assert mine.keys() - {"context"} == other.keys()
    assert mine["conversations"][0].keys() == other["conversations"][0].keys()


@pytest.mark.parametrize("question", ["Thank you.", QUERY])
def test_the_report_adds_up_where_the_question_is_in_the_file_and_all_fits(ask, tmp_path, question):
    chat, made = tmp_path / "short.jsonl", tmp_path / "r.json"
    lines = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi."}]
    chat.write_text("".join(json.dumps(m) + "\n" for m in [*lines, {"role": "user", "content": question}]))
    assert ask("context", chat, "--query", QUERY, "--max-tokens", 300, "--report", made, "-q").code == 0
    (one,) = json.loads(made.read_bytes())["conversations"]
    assert sum(s["before"] - s["after"] for s in one["steps"]) == one["tokens_in"] - one["tokens_out"]


def test_a_report_for_reading_has_the_shares(ask, chat, tmp_path):
    made = tmp_path / "r.md"
    assert ask("context", chat, *ASK, "--report", made, "-q").code == 0
    text = made.read_text()
    assert "## Context" in text
    assert "| retrieved |" in text.partition("## Context")[2]


def test_what_was_not_archived_with_an_embedder_cannot_be_found_by_it(ask, memory, embedder):
    answer = ask("context", "--session", "spring", "--user", "ada", "--archive", memory, *ASK, "--embed", embedder)
    assert answer.code == 2
    assert f"--embed {embedder}: nothing was archived with it" in answer.err


def test_with_an_embedder_a_context_goes_by_meaning(ask, chat, embedder):
    plain, meant = (contents(ask("context", chat, *ASK, *more)) for more in ((), ("--embed", embedder)))
    assert "m23 1.00" in plain[-2]
    assert "m40 " in meant[-2]
    assert "m40 " not in plain[-2]
