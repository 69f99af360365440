"""A compressed session has no fault that its source had not: every stage, every ratio."""

from __future__ import annotations

from pathlib import Path

import pytest

from battery import sampled
from boildown import formats, registry
from boildown.errors import NotMetError
from boildown.pipeline import Pins
from boildown.run import Job, reader, run
from boildown.validity import added, violations
from damage import broken, shaken
from quoting import quoting
from roundtrip import SAMPLES, files

RATIOS = (3, 20)
TOOLS = ("openai-tools.json", "anthropic.json", "claude-code.jsonl", "codex.jsonl")
SLICE = files(
    "claude-code/entire-cli-more/2026-01-06-*.jsonl",
    "claude-code/viewer/5c0375b4*.jsonl",
    "codex/git-sync/rollout-019ed493*.jsonl",
    "derived/edge/orphan_tool_result.json",
)
BOTH = "dedup,prune"


def check(data: bytes, name: str, pipeline: str, ratio: float) -> None:
    format, plain, _ = reader(data, name)
    job = Job(
        registry.parse(pipeline),
        pipeline,
        ratio=ratio,
        pins=Pins(system=False),
        model=quoting(),
        archive=lambda _: None,
    )
    try:
        small, _ = run(data, name, job)
    except NotMetError:
        return
    _, after, _ = reader(small, name, format.INFO.name)
    assert added(violations(format, plain), violations(format, after)) == []


@pytest.mark.parametrize("ratio", sampled(RATIOS, every=2))
@pytest.mark.parametrize("pipeline", registry.STAGES)
@pytest.mark.parametrize("sample", TOOLS)
def test_compressing_a_sample_breaks_nothing(sample: str, pipeline: str, ratio: int) -> None:
    check((SAMPLES / sample).read_bytes(), sample, pipeline, ratio)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("path", SLICE)
def test_compressing_a_real_session_breaks_nothing(path: Path, ratio: int) -> None:
    check(path.read_bytes(), path.name, BOTH, ratio)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("sample", ["claude-code.jsonl", "codex.jsonl"])
def test_compressing_a_session_that_is_broken_breaks_nothing_more(sample: str, seed: int) -> None:
    check(broken(sample, shaken(seed)), sample, BOTH, 3)


@pytest.mark.parametrize("target", ["openai", "anthropic", "claude-code", "codex"])
@pytest.mark.parametrize("sample", TOOLS)
def test_what_is_converted_is_sound(sample: str, target: str) -> None:
    job = Job(registry.parse(BOTH), BOTH, ratio=2, write_as=target)
    small, _ = run((SAMPLES / sample).read_bytes(), sample, job)
    assert violations(formats.load(target), small) == []
