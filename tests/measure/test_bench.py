"""The bench that tuning measures on."""

from __future__ import annotations

from pathlib import Path

import pytest

from boildown import registry
from boildown.measure import bench
from boildown.measure.bench import Bench, case
from boildown.measure.curves import curves, merged
from boildown.pipeline import Pins
from boildown.run import Job, conversations, reader
from boildown.tokens import Counter, tokenizer
from boildown.transcript import ToolCall, ToolResult
from roundtrip import SAMPLES, files


def cases(path: Path) -> list[bench.Case]:
    """The first ten conversations of a file."""
    format, data, _ = reader(path.read_bytes(), path.name)
    counter = Counter(tokenizer(), format.INFO.framing)
    found = list(conversations(format, data, path.name))[:10]
    return [case(f"{path.name} {n}", path.name, t, format.INFO, counter) for n, t in enumerate(found)]


@pytest.mark.parametrize("path", files("oasst/*.jsonl", samples=["openai.jsonl", "sharegpt.json", "codex.jsonl"]))
def test_a_file_is_measured_as_evaluate_measures_it(path):
    found = cases(path)
    job = Job(registry.parse("dedup,prune"), "dedup,prune")
    each = [list(curves(c.transcript, c.info, c.counter, [("", job)], [2.0])) for c in found]
    (point,) = (merged(same) for same in zip(*each, strict=True))
    trial = Bench(found, Pins()).trial("dedup,prune", 2.0)
    assert (trial.mean, trial.worst, trial.at) == (point.retention.share, point.retention.share, path.name)
    assert trial.kept == point.retention.tokens_after / point.retention.tokens_before


def test_each_pipeline_is_measured_once_at_each_ratio_and_told_before_and_after():
    told = []
    found = Bench(cases(SAMPLES / "sharegpt.json"), Pins(), lambda what, trial: told.append((what, trial)))
    first = found.trial("window", 2.0)
    assert found.trial("window", 2.0) is first
    assert told == [("window at 2x", None), ("window at 2x", first)]


def test_a_ratio_that_the_pins_forbid_is_no_trial():
    found = Bench(cases(SAMPLES / "openai.jsonl"), Pins(recent=1000))
    assert found.trial("window", 2.0) is None
    assert found.trials == []


@pytest.mark.parametrize(
    ("sample", "idle"),
    [
        ("openai.jsonl", {"condense", "dedup", "delta", "ledger", "mask", "stale"}),
        ("openai-twice.jsonl", {"condense", "delta", "ledger", "mask", "stale"}),
        ("openai-output.jsonl", {"dedup", "delta", "mask", "stale"}),
    ],
)
def test_stages_that_find_nothing_to_do_are_idle(sample, idle):
    found = Bench(cases(SAMPLES / sample), Pins())
    stages = registry.parse("condense,dedup,delta,ledger,mask,stale")
    assert {named.name for named in stages if found.idle(named)} == idle


def test_a_small_bench_is_its_own_sample():
    found = Bench(cases(SAMPLES / "openai.jsonl"), Pins())
    assert found.sample() is found


def test_a_sample_has_few_tokens_of_conversations_from_all_over(monkeypatch):
    monkeypatch.setattr(bench, "SAMPLE", 900)
    one = cases(SAMPLES / "openai.jsonl")[0]
    many = [bench.replace(one, name=str(n)) for n in range(24)]
    sample = Bench(many, Pins()).sample()
    assert len(sample.cases) == 8
    assert [c.name for c in sample.cases] == [c.name for c in Bench(many, Pins()).sample().cases]
    assert sum(c.tokens for c in sample.cases) <= 1000


def test_a_front_ends_behind_the_results_of_its_calls():
    for one in cases(SAMPLES / "openai-agent.jsonl"):
        for tokens in range(0, one.tokens, 50):
            blocks = [b for m in one.part(tokens).transcript.messages for b in m.blocks]
            called = {b.id for b in blocks if isinstance(b, ToolCall)}
            assert called == {b.call_id for b in blocks if isinstance(b, ToolResult)}
