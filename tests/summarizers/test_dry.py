"""A dry run goes the way of a run: it counts the calls that are made where answers are as long as was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from battery import sampled
from boildown.registry import parse
from boildown.run import Job, run
from boildown.summarizers.account import Account, Bounds
from boildown.summarizers.answers import Answers
from boildown.summarizers.calls import Model, Request
from boildown.summarizers.dry import DryRun
from boildown.summarizers.scripted import Scripted
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing
from roundtrip import SAMPLES

BUDGETS = (150, 100, 300)


def compressed(path: Path, pipeline: str, budget: int, model: Model) -> int:
    """How many calls of `model` it took."""
    run(path.read_bytes(), path.name, Job(parse(pipeline), pipeline, budget=budget, model=model))
    return model.spending.calls


def dry(folder: Path) -> DryRun:
    return DryRun(Answers(folder), Account(Bounds(Counter(tokenizer(), Framing()), {})))


def short(request: Request) -> str:
    return "<facts>\n- The user said so.\n</facts>"


@pytest.mark.parametrize("pipeline", ["abstractive", "rolling", "hierarchical:chunk=200"])
@pytest.mark.parametrize("name", sampled(["openai.jsonl", "claude-code.jsonl"], every=2))
@pytest.mark.parametrize("budget", sampled(BUDGETS, every=3))
def test_it_counts_the_calls_that_such_answers_take_and_no_fewer_than_shorter_ones_do(
    name: str, pipeline: str, budget: int, tmp_path: Path
) -> None:
    counted = compressed(SAMPLES / name, pipeline, budget, dry(tmp_path))
    assert compressed(SAMPLES / name, pipeline, budget, Scripted(lambda request: request.stand_in)) == counted
    assert compressed(SAMPLES / name, pipeline, budget, Scripted(short)) <= counted


def test_a_summary_of_less_than_a_line_is_not_asked_for_and_not_counted(tmp_path: Path) -> None:
    model = Scripted(lambda request: request.stand_in)
    for budget in (80, 100):
        assert compressed(SAMPLES / "openai.jsonl", "abstractive", budget, dry(tmp_path)) == 0
        assert compressed(SAMPLES / "openai.jsonl", "abstractive", budget, model) == 0
