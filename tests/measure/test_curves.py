"""Curves: a point for each pipeline at each ratio, and what cannot be compressed so far says why."""

from __future__ import annotations

import pytest

from boildown import formats, registry
from boildown.measure.curves import Point, curves, merged
from boildown.pipeline import Pins
from boildown.run import Job
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Transcript
from roundtrip import SAMPLES

OPENAI = formats.load("openai")
COUNTER = Counter(tokenizer("o200k_base"), OPENAI.INFO.framing)


def job(pipeline: str, **more: object) -> tuple[str, Job]:
    return pipeline, Job(registry.parse(pipeline), pipeline, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def transcript() -> Transcript:
    (found,) = OPENAI.read((SAMPLES / "openai.jsonl").read_bytes())
    return found


def test_each_pipeline_is_measured_at_each_ratio_and_its_own_bounds_do_not_count(transcript: Transcript) -> None:
    tried = []
    jobs = [job("dedup,prune", budget=10), job("window", window=7)]
    points = list(curves(transcript, OPENAI.INFO, COUNTER, jobs, [2, 5], watch=lambda name, _: tried.append(name)))
    assert [(p.pipeline, p.ratio) for p in points] == [(n, r) for n in ("dedup,prune", "window") for r in (2, 5)]
    assert tried == [f"{p.pipeline} at {p.ratio:g}x" for p in points]
    for p in points:
        assert p.retention is not None
        assert p.retention.future is not None
        assert p.ratio <= p.retention.tokens_before / p.retention.tokens_after < 1.1 * p.ratio


def test_at_ratio_1_all_is_retained(transcript: Transcript) -> None:
    (point,) = curves(transcript, OPENAI.INFO, COUNTER, [job("prune")], [1])
    assert point.retention is not None
    assert point.retention.future is not None
    assert point.retention.share == point.retention.future.share == 1.0


def test_what_is_pinned_over_the_budget_is_a_point_that_failed(transcript: Transcript) -> None:
    pinned = job("prune", pins=Pins(first=20))
    found = list(curves(transcript, OPENAI.INFO, COUNTER, [pinned], [1, 5]))
    assert [p.retention is None for p in found] == [False, True]
    assert "20 of 32 messages" in found[1].failure
    assert merged([found[0], found[1]]) == Point("prune", 1, None, found[1].failure)
