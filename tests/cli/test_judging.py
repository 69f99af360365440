"""`boildown evaluate --judge`: what is printed and what it costs, with a server on the loopback for a model."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from batch_server import BatchEndpoint
from conftest import COMMAND, source_roots
from model_server import KEY, ModelServer, Received, Reply


def model(received: Received) -> Reply:
    """Asks for two things, finds one of them everywhere and the other where it is, and scores by that."""
    if "You write" in received.system:
        form = "<kind>{}</kind><question>{}</question><answer>{}</answer>"
        return Reply(form.format("recall", "Cost?", "7 EUR") + form.format("decision", "Door?", "number 44"))
    if "You answer" in received.system:
        asked = "7 EUR" if "Cost?" in received.said else "number 44"
        return Reply(f"<answer>{asked if asked in received.said else 'not stated'}</answer>")
    return Reply(f"<reason>So.</reason><score>{0 if 'not stated' in received.said else 5}</score>")


@pytest.fixture
def pair(chat: Path, tmp_path: Path, model_server: ModelServer) -> tuple[Path, Path]:
    """The chat, and its first messages in the place of what was made of it; a model to ask."""
    model_server.answer = model
    small = tmp_path / "small.jsonl"
    small.write_text("".join(chat.read_text().splitlines(keepends=True)[:20]))
    return chat, small


def test_scores_are_printed_by_kind_and_what_they_took_is_told(ask, pair, model_server) -> None:
    answer = ask("evaluate", *pair, "--judge")
    assert answer.code == 0, answer.err
    rows = [line.split() for line in answer.out.decode().partition("questions")[2].splitlines()[2:]]
    assert rows == [
        ["recall", "1", "0", "5.00", "5.00", "1.00"],
        ["decision", "1", "0", "5.00", "0.00", "0.00"],
        ["all", "2", "0", "5.00", "2.50", "0.50"],
    ]
    told = (
        r"judge: scores from 0 to 5 by claude-haiku-5-5; 8 calls, 0 answers from before; 8,000 tokens in, 800 out; \$"
    )
    assert re.search(told, answer.err)
    again = ask("evaluate", *pair, "--judge")
    assert again.out == answer.out
    assert "0 calls, 8 answers from before" in again.err
    assert len(model_server.received) == 8


def test_json_holds_every_question_with_its_answers_and_scores(ask, pair) -> None:
    found = json.loads(ask("evaluate", *pair, "--judge", "--json").out)["judge"]
    assert found["all"] == {
        "kind": "all", "questions": 2, "unscored": 0, "original": 5.0, "compressed": 2.5, "share": 0.5
    }  # fmt: skip
    assert found["questions"][1] == {
        "kind": "decision",
        "question": "Door?",
        "answer": "number 44",
        "original": {"answer": "number 44", "score": {"score": 5.0, "reason": "So."}},
        "compressed": {"answer": "not stated", "score": {"score": 0.0, "reason": "So."}},
    }
    assert found["spending"]["calls"] == 8


def test_questions_of_ones_own_are_asked(ask, pair, tmp_path, model_server) -> None:
    questions = tmp_path / "qa.jsonl"
    questions.write_text('{"question": "Cost?", "answer": "7 EUR"}\n')
    answer = ask("evaluate", *pair, "--judge", "--questions", questions, "--judge-model", "local")
    assert re.search(r"^\s*given +1 +0 +5.00 +5.00 +1.00$", answer.out.decode(), re.MULTILINE)
    assert "which cost nobody knows what" in answer.err
    assert {r.body["model"] for r in model_server.received} == {"local"}


def test_a_dry_run_says_what_it_would_take_and_sends_nothing(ask, pair, model_server) -> None:
    answer = ask("evaluate", *pair, "--judge", "--dry-run", "--min-retention", "1")
    assert answer.code == 0
    told = r"49 calls of claude-haiku-5-5, 0 answers from before; .* tokens in and .* out; at most \$(\S+), \$(\S+) "
    dollars = re.match(told, answer.out.decode())
    assert dollars
    assert 0 < float(dollars[2]) < float(dollars[1]) < 1
    found = json.loads(ask("evaluate", *pair, "--judge", "--dry-run", "--json").out)["judge"]
    assert (found["spending"]["calls"], list(found)) == (49, ["model", "spending"])
    assert model_server.received == []


def test_it_stops_before_it_has_cost_more_than_it_may(ask, pair, model_server) -> None:
    model_server.answer = lambda r: replace(model(r), usage={"input_tokens": 4000, "output_tokens": 100})
    answer = ask("evaluate", *pair, "--judge", "--max-cost", "0.0025")
    assert (answer.code, answer.out) == (1, b"")
    assert re.match(
        r"Error: stopped after \d calls and \$0\.00\d+: .* --max-cost 0\.0025\. What was answered", answer.err
    )
    assert 0 < len(model_server.received) < 8
    assert ask("evaluate", *pair, "--judge", "--max-cost", "0.1").code == 0
    assert len(model_server.received) == 8


@pytest.mark.battery
def test_in_batches_it_prints_the_same_at_half_the_price(ask, pair, tmp_path, model_server) -> None:
    questions = tmp_path / "qa.jsonl"
    questions.write_text('{"question": "Cost?", "answer": "7 EUR"}\n')
    command = ["evaluate", *pair, "--judge", "--questions", questions]
    single = ask(*command)
    shutil.rmtree(tmp_path / "cache")
    model_server.batches = desk = BatchEndpoint(model_server, model_server.url)
    answer = ask(*command, "--batch")
    assert (answer.code, answer.out) == (0, single.out), answer.err
    assert [len(batch.asked) for batch in desk.batches] == [2, 1]  # both sides said the same
    assert len(model_server.received) == 3
    assert "batch msgbatch_2 of 1 request: ended, 1 answered" in answer.err
    full, half = (float(re.search(r"\$(\S+)$", one.err.strip())[1]) for one in (single, answer))
    assert half == pytest.approx(full / 2, abs=1e-5)


def test_a_dry_run_of_batches_costs_half(ask, pair) -> None:
    full, half = (
        json.loads(ask("evaluate", *pair, "--judge", "--dry-run", "--json", *options).out)["judge"]["spending"]
        for options in ([], ["--batch"])
    )
    assert half["dollars"] == pytest.approx(full["dollars"] / 2)
    assert (half["calls"], half["shared"]) == (full["calls"], None)
    told = ask("evaluate", *pair, "--judge", "--dry-run", "--batch").out.decode()
    assert re.search(r"at most \$\S+$", told.strip())


@pytest.mark.battery
def test_an_interrupted_batch_is_taken_up_by_the_same_command(start, ask, pair, model_server) -> None:
    model_server.batches = desk = BatchEndpoint(model_server, model_server.url)
    desk.polls = 10**9
    process = start("evaluate", *pair, "--judge", "--batch", stderr=subprocess.PIPE)
    assert b"batch msgbatch_1 of 1 request: sent" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    said = f"interrupted; msgbatch_1 will end at {model_server.url}: run again to take the answers\n"
    assert (process.returncode, err.decode()) == (130, said)
    desk.batches[0].left, desk.polls = 0, 0
    answer = ask("evaluate", *pair, "--judge", "--batch")
    assert answer.code == 0
    assert "batch msgbatch_1 of 1 request: already open" in answer.err
    assert [len(batch.asked) for batch in desk.batches] == [1, 4, 3]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["{small}", "--dry-run"], "--dry-run, --max-cost and --batch are for --judge"),
        (["{small}", "--batch"], "--dry-run, --max-cost and --batch are for --judge"),
        (["{small}", "--max-cost", "1"], "--dry-run, --max-cost and --batch are for --judge"),
        (["--judge"], "--judge is asked about one output. Name it as COMPRESSED"),
        (["{small}", "--judge", "--judge-window", "100"], "say so with --judge-window"),
        (["{small}", "--judge", "--judge-model", "x", "--max-cost", "1"], "no prices for the model 'x'"),
    ],
)
def test_what_cannot_be_judged_is_an_error_before_anything_is_sent(ask, pair, model_server, options, said) -> None:
    chat, small = pair
    answer = ask("evaluate", chat, *(option.format(small=small) for option in options))
    assert (answer.code, answer.out) == (2, b"")
    assert said in answer.err
    assert model_server.received == []


def test_a_key_is_never_printed(ask, pair, model_server) -> None:
    model_server.answer = lambda _: Reply(f"wrong key: {KEY}", status=401)
    answer = ask("evaluate", *pair, "--judge")
    assert answer.code == 2
    assert "the key is refused (401)" in answer.err
    assert KEY not in answer.err + answer.out.decode()


@pytest.mark.battery
def test_it_can_be_interrupted_while_the_model_thinks(start, pair, model_server) -> None:
    held, asked = threading.Event(), threading.Event()
    model_server.answer = lambda _: (asked.set(), Reply(held=held))[1]
    process = start("evaluate", *pair, "--judge", stderr=subprocess.PIPE)
    assert asked.wait(60)
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=30)  # the answer would take longer
    finally:
        held.set()
    assert (process.returncode, err) == (130, b"interrupted; nothing was written\n")


@pytest.mark.battery
def test_only_a_call_of_a_model_loads_anthropic(root: Path, pair) -> None:
    sources = [p for folder in ("cli", "compressors") for p in (root / folder).rglob("*.py")]
    assert [p for p in sources if re.search(r"^(?:import|from) anthropic\b", p.read_text("utf-8"), re.MULTILINE)] == []

    def loads(*options: str) -> bool:
        code = f"import sys, atexit; atexit.register(lambda: print('anthropic' in sys.modules)); {COMMAND}"
        command = [sys.executable, "-c", code, "evaluate", *map(str, pair), *options]
        done = subprocess.run(command, env={**os.environ, **source_roots(root)}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1] == "True"

    assert loads("--judge")
    assert not loads("--judge")  # all is answered from the cache


def test_secrets_are_not_sent_but_where_it_is_asked_for(ask, tmp_path, model_server) -> None:
    token = "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    talk = tmp_path / "talk.jsonl"
    talk.write_text("".join(f'{{"role": "user", "content": "Token {token} for gate {n}, 7 EUR"}}\n' for n in range(4)))
    model_server.answer = model
    assert ask("evaluate", talk, talk, "--judge").code == 0
    assert not [received for received in model_server.received if token in received.said]
    assert [received for received in model_server.received if "[redacted:github-token:1]" in received.said]
    assert ask("evaluate", talk, talk, "--judge", "--no-redact").code == 0
    assert [received for received in model_server.received if token in received.said]
