"""`--tokenizer anthropic`: what is printed where the provider counts, where it does not, and where it cannot."""

from __future__ import annotations

import json
from math import ceil

import pytest

from counting_server import counting
from model_server import Reply


@pytest.fixture
def provider(model_server):
    model_server.answer = counting
    return model_server


def counted(ask, path, *options: str) -> dict:
    return json.loads(ask("count", path, "--json", "--tokenizer", "anthropic", *options).out)


def test_count_gives_the_providers_count_and_shares_it_out(ask, chat, provider) -> None:
    data = counted(ask, chat)
    assert data["tokenizer"] == "anthropic (count_tokens, claude-haiku-5-5)"
    assert data["tokens"] == sum(row["tokens"] for row in data["by"]) == data["files"][0]["tokens"]
    assert data["tokens"] > 1.2 * json.loads(ask("count", chat, "--json").out)["tokens"]
    assert len(provider.received) == 1
    assert counted(ask, chat) == data
    assert len(provider.received) == 1


def test_compress_is_within_the_budget_by_it_and_check_agrees(ask, chat, tmp_path, provider) -> None:
    small = tmp_path / "small.jsonl"
    report = tmp_path / "report.json"
    options = ("--budget", 900, "--tokenizer", "anthropic", "-o", small, "--report", report)
    answer = ask("compress", chat, *options)
    assert answer.code == 0, answer.err
    assert "counted with anthropic (count_tokens, claude-haiku-5-5)" in answer.err
    told = json.loads(report.read_bytes())
    assert 873 <= told["tokens_out"] <= 900
    assert counted(ask, small)["tokens"] == told["tokens_out"]
    assert ask("check", small, "--max-tokens", told["tokens_out"], "--tokenizer", "anthropic").code == 0
    assert ask("check", small, "--max-tokens", told["tokens_out"] - 1, "--tokenizer", "anthropic").code == 1
    calls = len(provider.received)
    assert ask("compress", chat, *options).code == 0
    assert len(provider.received) == calls


def test_an_endpoint_that_does_not_count_is_a_note_and_no_failure(ask, chat, tmp_path, model_server) -> None:
    model_server.answer = lambda _: Reply("no", status=404)
    for command in (
        ("compress", chat, "--ratio", 3, "-o", tmp_path / "small.jsonl"),
        ("count", chat),
        ("check", chat, "--max-tokens", 100_000),
    ):
        answer = ask(*command, "--tokenizer", "anthropic")
        assert answer.code == 0, answer.err
        assert "note: not counted by the provider (1): --tokenizer: http://127.0.0.1:" in answer.err
        assert "or no /v1/messages/count_tokens (404: no). Check" in answer.err


def test_without_a_key_the_counts_are_the_most_that_was_seen(ask, chat, monkeypatch, model_server) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    data = counted(ask, chat)
    assert data["tokenizer"].startswith("o200k_base x 1.7, the most that was seen")
    assert data["tokens"] == ceil(1.7 * json.loads(ask("count", chat, "--json").out)["tokens"] - 1e-6)
    assert model_server.received == []


def test_it_may_be_the_default_in_a_file(ask, chat, tmp_path, monkeypatch, provider) -> None:
    (tmp_path / "boildown.toml").write_text('tokenizer = "anthropic:claude-opus-5"\nratio = 3\n')
    monkeypatch.chdir(tmp_path)
    answer = ask("compress", chat, "-o", tmp_path / "small.jsonl")
    assert (answer.code, "count_tokens, claude-opus-5" in answer.err) == (0, True)


@pytest.mark.parametrize("command", ["diff {0} {0}", "evaluate {0}", "tune {0} --min-retention 0.5"])
def test_where_parts_are_counted_it_is_refused(ask, chat, command) -> None:
    answer = ask(*command.format(chat).split(), "--tokenizer", "anthropic")
    assert answer.code == 2
    assert "anthropic counts whole conversations" in answer.err
