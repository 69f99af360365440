"""Compressing by a provider's own count: the budget holds by it, none is asked twice, no secret leaves the machine."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import ceil
from pathlib import Path

import pytest

from battery import sampled
from boildown import registry
from boildown.errors import BudgetError
from boildown.pipeline import Pins
from boildown.provider.asking import requests
from boildown.run import Job, conversations, reader, run
from boildown.summarizers.answers import folder
from counting_server import counting, provider_tokens
from model_server import KEY, ModelServer, Reply
from roundtrip import SAMPLES, files

STAGES = registry.parse(registry.DEFAULT)
JOB = Job(STAGES, registry.DEFAULT, ratio=3, tokenizer="anthropic")
TOKEN = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.fixture
def provider(model_server: ModelServer) -> ModelServer:
    model_server.answer = counting
    return model_server


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def provided(data: bytes) -> list[int]:
    """What the provider counts for each conversation of a file."""
    format, plain, _ = reader(data, "it")
    found = conversations(format, plain, "it")
    return [sum(map(provider_tokens, requests(transcript.messages))) for transcript in found]


@pytest.mark.parametrize(
    "name", ["openai.jsonl", "openai-agent.jsonl", "claude-code.jsonl", "codex.jsonl", "langchain.json"]
)
@pytest.mark.parametrize("ratio", sampled([4, 1.3], every=2))
def test_the_budget_is_met_by_the_providers_count(name: str, ratio: float, provider: ModelServer) -> None:
    data = sample(name)
    small, report = run(data, name, replace(JOB, ratio=ratio, pins=Pins(system=False)))
    assert [c.tokens_in for c in report.conversations] == provided(data)
    assert [c.tokens_out for c in report.conversations] == provided(small)
    for account in report.conversations:
        assert account.tokens_out <= account.budget == int(account.tokens_in / ratio)
        assert account.tokens_in - sum(step.removed for step in account.steps) == account.tokens_out
    assert report.tokenizer == "anthropic (count_tokens, claude-haiku-5-5)"


@pytest.mark.parametrize("path", files("claude-code/entire-cli/61cb*.jsonl", samples=["openai.jsonl"]))
@pytest.mark.parametrize("ratio", sampled([2, 5], every=2))
def test_the_budget_is_filled_where_messages_are_small_beside_it(path: Path, ratio: float, provider) -> None:
    data = path.read_bytes()
    small, report = run(data, path.name, replace(JOB, ratio=ratio))
    (account,) = report.conversations
    assert 0.97 * account.budget <= account.tokens_out <= account.budget == int(account.tokens_in / ratio)
    assert provided(small) == [account.tokens_out]


def test_what_fits_by_the_providers_count_is_left_as_it_is(provider: ModelServer) -> None:
    data = sample("openai.jsonl")
    (size,) = provided(data)
    same, report = run(data, "it", replace(JOB, ratio=None, budget=size))
    assert (same, report.tokens_out) == (data, size)
    small, report = run(data, "it", replace(JOB, ratio=None, budget=size - 1))
    assert len(small) < len(data)
    assert provided(small) == [report.tokens_out]
    assert 0.97 * size <= report.tokens_out < size


def test_a_second_run_makes_no_call_and_writes_the_same(provider: ModelServer, monkeypatch) -> None:
    first, _ = run(sample("openai-agent.jsonl"), "it", JOB)
    calls = len(provider.received)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    second, report = run(sample("openai-agent.jsonl"), "it", JOB)
    assert (second, len(provider.received)) == (first, calls)
    assert report.tokenizer.startswith("anthropic")
    assert calls > 1


def test_another_models_counts_are_others(provider: ModelServer) -> None:
    run(sample("openai.jsonl"), "it", JOB)
    calls = len(provider.received)
    _, report = run(sample("openai.jsonl"), "it", replace(JOB, tokenizer="anthropic:claude-opus-5"))
    assert len(provider.received) == 2 * calls
    assert {received.body["model"] for received in provider.received} == {"claude-haiku-5-5", "claude-opus-5"}
    assert report.tokenizer == "anthropic (count_tokens, claude-opus-5)"


def test_no_secret_goes_over_the_wire_and_the_output_keeps_it(provider: ModelServer) -> None:
    talk = [{"role": "user", "content": f"Gate {n}: the token is {TOKEN}, use it at {n}:30."} for n in range(40)]
    data = "".join(json.dumps(message) + "\n" for message in talk).encode()
    small, _ = run(data, "it", JOB)
    sent = json.dumps([received.body for received in provider.received])
    assert TOKEN not in sent
    assert "[redacted:github-token:1]" in sent
    assert TOKEN.encode() in small
    assert {received.headers["authorization"] for received in provider.received} == {f"Bearer {KEY}"}


def test_what_is_pinned_and_larger_than_the_budget_is_an_error_in_the_providers_tokens(provider: ModelServer) -> None:
    data = sample("openai.jsonl")
    (size,) = provided(data)
    with pytest.raises(BudgetError) as error:
        run(data, "it", replace(JOB, ratio=None, budget=size // 4, pins=Pins(recent=1000)))
    assert error.value.budget == size // 4
    assert error.value.needed == pytest.approx(size, rel=0.02)


def test_images_are_not_sent_and_their_tokens_are_counted(provider: ModelServer) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}
    plain = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}]}]
    shown = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]
    sizes = [run(json.dumps(m).encode(), "it", replace(JOB, ratio=1))[1].tokens_in for m in (plain, shown)]
    assert sizes[1] > sizes[0] + 50
    assert "aGVsbG8" not in json.dumps([received.body for received in provider.received])


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("no such path", status=404), "there is no model 'claude-haiku-5-5', or no /v1/messages/count_tokens"),
        (Reply(f"bad key {KEY}", status=401), "the key is refused (401)"),
        (Reply(status=529, headers={"retry-after-ms": "1"}), "overloaded"),
        (Reply("messages.3: odd", status=400), "it refuses the request (400: messages.3: odd)"),
        (Reply(body=b"<html>"), "is no message of Anthropic's Messages API"),
        (Reply(body=b"{}"), "is no message of Anthropic's Messages API"),
    ],
)
def test_where_it_does_not_count_a_calibration_does_and_the_report_says_why(
    model_server: ModelServer, reply: Reply, said: str
) -> None:
    model_server.answer = lambda _: reply
    _, report = run(sample("openai.jsonl"), "it", JOB)
    assert report.tokenizer == "o200k_base x 1.7, the most that was seen, for there is nothing to calibrate it by"
    (note,) = report.conversations[0].notes
    assert note.what == "not counted by the provider"
    assert said in note.why
    assert KEY not in note.why
    assert report.tokens_out <= report.conversations[0].budget


def test_where_it_stops_counting_halfway_all_is_calibrated(model_server: ModelServer) -> None:
    def once(received):
        return counting(received) if len(model_server.received) < 2 else Reply("gone", status=404)

    model_server.answer = once
    _, report = run(sample("openai.jsonl"), "it", JOB)
    assert report.tokenizer.startswith("o200k_base x 1.7")
    assert report.tokens_in == pytest.approx(1.7 * run(sample("openai.jsonl"), "it", plain())[1].tokens_in, rel=0.001)


def plain() -> Job:
    return replace(JOB, tokenizer="o200k_base")


def test_without_a_key_nothing_is_sent(model_server: ModelServer, monkeypatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    _, report = run(sample("openai.jsonl"), "it", JOB)
    assert model_server.received == []
    assert not folder().exists() or not any(folder().rglob("*.json"))
    assert re.search("there is no key for http://127.0.0.1", report.conversations[0].notes[0].why)
    assert "No model is needed" not in report.conversations[0].notes[0].why


def test_a_calibrated_budget_is_that_of_the_counter_by_the_factor(model_server: ModelServer, monkeypatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    small, report = run(sample("openai.jsonl"), "it", replace(JOB, ratio=None, budget=1700))
    _, plainly = run(small, "it", replace(plain(), ratio=1))
    assert 0.97 * 1700 <= report.tokens_out == ceil(1.7 * plainly.tokens_in) <= 1700


def test_the_cache_account_is_in_the_providers_tokens(provider: ModelServer, tmp_path: Path) -> None:
    pipeline = "dedup,prune,cache"
    job = replace(JOB, stages=registry.parse(pipeline), pipeline=pipeline, write_as="anthropic")
    _, report = run(sample("openai-agent.jsonl"), "it", job)
    (account,) = report.conversations
    assert account.cache is not None
    assert account.cache.stays + account.cache.written in (account.tokens_out, account.cache.stays)
