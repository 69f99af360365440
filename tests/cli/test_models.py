"""`boildown compress` with stages that ask a model, which is a server on the loopback: options, secrets, failures."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from signal import SIGINT, SIGKILL

import pytest

from batch_server import BatchEndpoint
from conftest import ROOT
from model_server import ModelServer, Received, Reply
from quoting import replied

SMALL = ("--ratio", "5", "--pipeline", "abstractive:chunk=400")
ONCE = ("--ratio", "5", "--pipeline", "abstractive")


@pytest.fixture
def chat(chat: Path) -> Path:
    """The chat's first fifty messages, with talk between the facts: room for a summary beside those that are kept."""
    said = [json.loads(line) for line in chat.read_text().splitlines()[:51]]
    for message in said[2::2]:
        message["content"] += " We talked about it for a while, and then about the others and what they thought of it."
    chat.write_text("".join(json.dumps(message) + "\n" for message in said))
    return chat


@pytest.fixture
def server(model_server: ModelServer) -> ModelServer:
    """A model that sums up."""
    model_server.answer = replied
    return model_server


def test_the_newest_messages_stay_and_a_summary_stands_for_the_others(ask, chat, server, tmp_path) -> None:
    answer = ask("compress", chat, *SMALL, "--report", tmp_path / "r.json")
    assert answer.code == 0, answer.err
    _, summary, *_, last = map(json.loads, answer.out.splitlines())
    assert summary["content"].startswith("[summary of earlier messages: ")
    assert last == json.loads(chat.read_text().splitlines()[-1])
    report = json.loads((tmp_path / "r.json").read_bytes())
    assert report["pipeline"] == "redact,abstractive:chunk=400"
    (made,) = report["conversations"][0]["summaries"]
    assert made["spans"] > 2
    assert made["found"] == made["mended"] + made["dropped"]
    assert made["left"] == 0
    assert made["readings"] == made["read"] / made["covered"]
    assert report["spending"]["calls"] == len(server.received)
    told = (
        rf"summaries by claude-haiku-5-5: {made['covered']:,} tokens in {made['spans']} spans, each read \d\.\d\d times"
    )
    assert re.search(told, answer.err)
    assert re.search(rf"model: {len(server.received)} calls, 0 answers from before; .*; \$0\.", answer.err)


def test_a_second_run_makes_no_call_and_writes_the_same(ask, chat, server) -> None:
    first = ask("compress", chat, *SMALL)
    calls = len(server.received)
    again = ask("compress", chat, *SMALL)
    assert again.out == first.out
    assert f"model: 0 calls, {calls} answers from before" in again.err
    assert len(server.received) == calls


@pytest.mark.parametrize(
    ("options", "toml", "asked"),
    [
        (["--pipeline", "abstractive"], "", {"claude-haiku-5-5"}),
        (["--pipeline", "abstractive", "--model", "mine"], 'model = "file"', {"mine"}),
        (["--pipeline", "abstractive"], 'model = "file"', {"file"}),
        (["--pipeline", "abstractive:model=own", "--model", "mine"], "", {"own"}),
    ],
)
def test_a_stages_own_model_goes_before_the_option_and_that_before_the_file(
    ask, chat, server, tmp_path, options, toml, asked
) -> None:
    (tmp_path / "boildown.toml").write_text(toml)
    assert ask("compress", chat, "--ratio", 4, *options, "--config", tmp_path / "boildown.toml").code == 0
    assert {received.body["model"] for received in server.received} == asked


def test_a_dry_run_says_what_it_takes_at_most_and_sends_and_writes_nothing(ask, chat, server, tmp_path, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    out, report = tmp_path / "out.jsonl", tmp_path / "r.json"
    answer = ask("compress", chat, *SMALL, "--dry-run", "--strict", "-o", out, "--report", report)
    assert answer.code == 0, answer.err
    told = (
        r"(\d+) calls of claude-haiku-5-5, 0 answers from before; at most (\S+) tokens in and \S+ out; at most \$(\S+)"
    )
    found = re.fullmatch(told + "\n", answer.out.decode())
    assert found
    assert "take more calls" in answer.err
    assert (out.exists(), report.exists(), server.received) == (False, False, [])
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any")
    assert ask("compress", chat, *SMALL).code == 0
    written = [received for received in server.received if received.system.startswith("You sum up")]
    assert int(found[1]) >= len(written) > 2
    assert b"0 calls" in ask("compress", chat, *SMALL, "--dry-run").out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--dry-run"],
            "--dry-run: only stages that ask a model use this, and --pipeline has none. Add one (abstractive",
        ),
        (["--model", "x", "--max-cost", "1"], "--model, --max-cost: only stages"),
        (["--batch"], "--batch: only stages"),
        (["--at-once", "2"], "--at-once: only stages"),
        (["--no-redact"], "--no-redact: only stages"),
        (["--redact"], "--redact: only stages"),
        (["-p", "abstractive", "--batch", "--at-once", "2"], "--at-once is for single calls"),
        (["-p", "redact,abstractive", "--no-redact"], "--no-redact: the pipeline has the stage 'redact'"),
        (["-p", "abstractive", "--model", "x", "--max-cost", "1"], "no prices for the model 'x'"),
        (["-p", "abstractive", "--prices", "none.toml"], "none.toml: the prices cannot be read"),
    ],
)
def test_options_that_do_not_go_together_are_an_error_before_anything_is_sent(ask, chat, server, options, said) -> None:
    answer = ask("compress", chat, "--ratio", 4, *options)
    assert (answer.code, answer.out) == (2, b"")
    assert said in answer.err
    assert server.received == []


def secret(n: int) -> str:
    """A token that is a different one for each `n`."""
    return "ghp_" + f"{n:02}16C7e42F292c6912E7710c838347Ae178B4a"[:36]


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """A session that tells secrets in every place that it has: 0 to 2 are in what is summed up, 3 and 4 are pinned."""
    call = {"id": "c1", "type": "function", "function": {"name": "run", "arguments": f'{{"token": "{secret(1)}"}}'}}
    filler = "We looked at the harbour wall, and nothing was wrong with it on that day. " * 4
    said = [
        {"role": "system", "content": f"Deploy with {secret(3)}."},
        {"role": "user", "content": f"Push it with {secret(0)}, please. {filler}"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": f"remote: refused {secret(2)}. {filler}"},
        {"role": "assistant", "content": f"It was refused. {filler}"},
        {"role": "user", "content": f"PIN: the old one was {secret(4)}."},
        {"role": "assistant", "content": filler},
        {"role": "user", "content": "Then go on."},
    ]
    path = tmp_path / "leaky.jsonl"
    path.write_text("".join(json.dumps(message) + "\n" for message in said))
    return path


def test_no_secret_goes_over_the_wire_but_with_no_redact(ask, leaky, server) -> None:
    options = ("--ratio", "2", "-p", "abstractive:recent=0.1", "--pin", "^PIN", "--max-cost", "1")

    def sent() -> list[int]:
        wire = json.dumps([received.body for received in server.received])
        return [n for n in range(5) if secret(n) in wire]

    answer = ask("compress", leaky, *options)
    assert answer.code == 0, answer.err
    assert server.received
    assert sent() == []
    assert not re.search(rb"ghp_", answer.out)
    assert "redacted: github-token 5 in 5 places" in answer.err
    assert any("[redacted:github-token:" in received.said for received in server.received)
    assert ask("compress", leaky, *options, "--no-redact").code == 0
    assert sent() == [0, 1, 2]


def test_nor_does_one_in_a_speakers_name(ask, chat, server) -> None:
    system, first, *rest = map(json.loads, chat.read_text().splitlines())
    chat.write_text("".join(json.dumps(m) + "\n" for m in (system, {**first, "name": secret(0)}, *rest)))
    answer = ask("compress", chat, *SMALL)
    assert answer.code == 0, answer.err
    assert any(f"--- {first['role']}, [redacted:github-token:1]\n" in received.said for received in server.received)
    assert secret(0) not in json.dumps([received.body for received in server.received])
    assert secret(0).encode() not in answer.out


def fault(received: Received) -> Reply:
    """An endpoint that fails again and again where it is sent a message about 1 EUR, which is in the first span."""
    if "cost 1 EUR" in received.said.partition("<transcript>")[2]:
        return Reply("on fire", status=500, headers={"retry-after-ms": "1"})
    return replied(received)


def test_a_span_that_no_model_would_sum_up_is_cut_offline_with_a_warning(ask, chat, server, tmp_path) -> None:
    server.answer = fault
    answer = ask("compress", chat, *SMALL, "--report", tmp_path / "r.json")
    assert answer.code == 0
    told = r"warning: 1 of \d spans was cut offline instead of being summed up: http://127.*it fails.*\(500"
    assert re.search(told, answer.err)
    assert re.search(rb"by claude-haiku-5-5, 1 of \d parts cut offline, for want of an answer\]", answer.out)
    (made,) = json.loads((tmp_path / "r.json").read_bytes())["conversations"][0]["summaries"]
    (note,) = made["cut"]
    assert note["where"].startswith("m2 to m")
    server.answer = replied
    assert "warning" not in ask("compress", chat, *SMALL).err


def test_strict_makes_that_an_error_and_nothing_is_written(ask, chat, server, tmp_path) -> None:
    server.answer = fault
    answer = ask("compress", chat, *SMALL, "--strict", "-o", tmp_path / "out.jsonl", "--archive", tmp_path / "kept")
    assert answer.code == 1
    assert re.match(
        rf"Error: {chat}: 1 of \d spans was cut offline .*\. Nothing was written: run again where the end", answer.err
    )
    assert not (tmp_path / "out.jsonl").exists()
    assert not (tmp_path / "kept").exists()


def test_a_model_that_would_refuse_again_is_not_to_be_tried_again(ask, chat, server) -> None:
    server.answer = lambda _: Reply(stop="refusal")
    answer = ask("compress", chat, *ONCE, "--strict")
    assert (answer.code, "with another --model where its answers, which are kept, were no use" in answer.err) == (
        1,
        True,
    )
    calls = len(server.received)
    assert ask("compress", chat, *ONCE, "--strict").code == 1
    assert len(server.received) == calls


def test_where_nobody_answers_all_is_cut_offline(ask, chat, server, monkeypatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        answer = ask("compress", chat, "--ratio", 4, "--pipeline", "abstractive")
    assert answer.code == 0
    assert "warning: 1 of 1 span was cut offline instead of being summed up: http://127.0.0.1:" in answer.err
    assert "no connection" in answer.err
    assert b" of them, cut offline, for want of an answer]" in answer.out


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("wrong", status=401), "the key is refused (401). Check ANTHROPIC_API_KEY."),
        (
            Reply("model: gone", status=404),
            "there is no model 'claude-haiku-5-5', or no /v1/messages (404: model: gone)",
        ),
    ],
)
def test_what_would_fail_every_time_is_an_error(ask, chat, server, reply, said) -> None:
    server.answer = lambda _: reply
    answer = ask("compress", chat, *SMALL)
    assert (answer.code, answer.out, len(server.received)) == (2, b"", 1)
    assert said in answer.err


def test_without_a_key_nothing_is_sent_and_the_way_out_is_named(ask, chat, server, monkeypatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    answer = ask("compress", chat, *SMALL)
    assert (answer.code, answer.out, server.received) == (2, b"", [])
    for word in ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "--pipeline dedup,prune,ledger"):
        assert word in answer.err


def test_it_stops_before_it_has_cost_more_than_it_may_and_goes_on_from_there(ask, chat, server) -> None:
    server.answer = lambda received: replace(replied(received), usage={"input_tokens": 9000, "output_tokens": 300})
    answer = ask("compress", chat, *SMALL, "--max-cost", "0.0025")
    assert (answer.code, answer.out) == (1, b"")
    told = re.match(
        r"Error: stopped after (\d) calls and \$0\.00\d+: .* --max-cost 0\.0025\. What was answered is kept", answer.err
    )
    assert told
    assert f"{told[1]} answers from before" in ask("compress", chat, *SMALL, "--max-cost", "0.1").err


def test_curves_of_a_pipeline_that_asks_are_measured_with_it(ask, chat, server) -> None:
    options = ("--pipeline", "abstractive", "--ratios", "4")
    cost = ask("evaluate", chat, *options, "--dry-run")
    assert re.match(r"[1-9]\d? calls of claude-haiku-5-5, 0 answers from before; .* at most \$0\.", cost.out.decode())
    assert server.received == []
    answer = ask("evaluate", chat, *options, "--max-cost", "1")
    assert answer.code == 0, answer.err
    assert b"redact,abstractive" not in answer.out
    assert re.search(rf"model: {len(server.received)} calls", answer.err)
    unused = ask("evaluate", chat, "--pipeline", "window", "--dry-run")
    assert (unused.code, "--dry-run: only stages that ask a model" in unused.err) == (2, True)


def test_a_search_asks_no_model(ask, server, tmp_path) -> None:
    chat = tmp_path / "chat.jsonl"
    chat.write_text("".join(f'{{"role": "user", "content": "The harbour cost {n} EUR."}}\n' for n in range(6)))
    (tmp_path / "boildown.toml").write_text('[presets.mine]\npipeline = "abstractive"\nratio = 2\n')
    answer = ask("tune", chat, "--min-retention", "0.9", "--config", tmp_path / "boildown.toml", "-q")
    assert answer.code == 0, answer.err
    assert server.received == []


MANY = ("--ratio", "4", "--pipeline", "abstractive:chunk=200", "--quiet")


@pytest.fixture
def stuck(server: ModelServer) -> Iterator[threading.Event]:
    """Set when the model is asked for the fourth time, to which it does not answer; it is told to after the test."""
    asked, held = threading.Event(), threading.Event()

    def answer(received: Received) -> Reply:
        if len(server.received) < 4:
            return replied(received)
        asked.set()
        return replace(replied(received), held=held)

    server.answer = answer
    yield asked
    held.set()


@pytest.mark.battery
@pytest.mark.parametrize(("signal", "code"), [(SIGKILL, -9), (SIGINT, 130)])
def test_a_run_that_was_stopped_goes_on_where_it_was(
    ask, start, chat, server, stuck, tmp_path, monkeypatch, signal, code
) -> None:
    out = tmp_path / "out.jsonl"
    process = start("compress", chat, *MANY, "-o", out, stderr=subprocess.PIPE)
    assert stuck.wait(60)
    process.send_signal(signal)
    _, err = process.communicate(timeout=30)  # the answer would take longer
    assert (process.returncode, out.exists()) == (code, False)
    assert err == (b"" if signal == SIGKILL else b"interrupted; nothing was written\n")
    before = server.received.copy()
    server.answer = replied
    assert ask("compress", chat, *MANY, "-o", out).code == 0
    asked_again = [received.body for received in server.received[4:] if received in before]
    assert asked_again == [before[3].body]
    calls = len(server.received) - 1
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert ask("compress", chat, *MANY).out == out.read_bytes()
    assert len(server.received) == 1 + 2 * calls


def test_a_reader_that_leaves_early_is_no_error(shell, chat, server) -> None:
    done = shell('boildown compress "$1" --ratio 2 -q -p abstractive | head -c 9', chat)
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"role": ', b"")


def test_what_a_summary_stands_for_can_be_shown_and_comes_back(ask, chat, server, tmp_path) -> None:
    out, kept = tmp_path / "out.jsonl", tmp_path / "kept"
    assert ask("compress", chat, *SMALL, "--archive", kept, "-o", out).code == 0
    assert ask("expand", out, "--archive", kept).out == chat.read_bytes()
    assert ask("show", "m2", "--of", out, "--archive", kept).out.startswith(b"m2  user\nAbout the harbour number 0")
    assert ask("show", "m2", "--of", out).out.startswith(b"m2  user\n[summary of earlier")
    assert b"(stood for by summary)" in ask("diff", chat, out, "--archive", kept).out
    assert b"[summary of earlier" in ask("diff", chat, out).out


def test_batches_are_not_warned_of_where_all_spans_are_asked_for_at_once(ask, chat, server) -> None:
    server.batches = BatchEndpoint(server, server.url)
    answer = ask("compress", chat, "--ratio", "4", "--pipeline", "hierarchical", "--batch", "--dry-run")
    assert (answer.code, "--batch" in answer.err) == (0, False)


@pytest.mark.battery
def test_batches_give_the_same_at_half_the_price(ask, chat, server, tmp_path, monkeypatch) -> None:
    single = ask("compress", chat, *ONCE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    server.batches = desk = BatchEndpoint(server, server.url)
    batched = ask("compress", chat, *ONCE, "--batch")
    assert (batched.code, batched.out) == (0, single.out)
    assert "batch msgbatch_1 of 1 request: ended, 1 answered" in batched.err
    assert "--batch: each span of 'abstractive' is merged into the summary of those before" in batched.err
    calls = sum(len(batch.asked) for batch in desk.batches)
    told = rf"model: {calls} calls?, 0 answers from before; .*; \$(\S+)"
    full, half = (float(re.search(told, one.err)[1]) for one in (single, batched))
    assert half == pytest.approx(full / 2, rel=0.05)


def test_where_a_summary_would_lose_more_it_is_said_and_is_no_failure(ask, server) -> None:
    answer = ask("compress", ROOT / "samples" / "openai.jsonl", "--preset", "summary", "--strict")
    assert answer.code == 0, answer.err
    assert "note: no summary was written of this: a summary would have kept fewer facts than cutting does" in answer.err
    assert ("warning" in answer.err, server.received) == (False, [])
