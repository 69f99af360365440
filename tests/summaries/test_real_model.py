"""Summaries that a real model writes, small and wrong as it is; where BOILDOWN_REAL_MODEL=1 asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from boildown import registry
from boildown.measure.retention import retention
from boildown.pipeline import Pins
from boildown.run import Job, conversations, reader, run
from boildown.summaries.checks import Evidence
from boildown.summaries.summary import CLOSE, OPEN, found
from boildown.summaries.writing import Made, Task, Writer
from boildown.summarizers.account import Account, Bounds
from boildown.summarizers.answers import Answers, folder
from boildown.summarizers.claude import Claude, endpoint
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message
from summaries.attacks import ATTACKS, Attack

pytestmark = [pytest.mark.real_model, pytest.mark.usefixtures("local_model")]

COUNTER = Counter(tokenizer(), Framing())
PIPELINE = "abstractive:chunk=1200,recent=0.2"
TRIED = (
    "the fence closed",
    "the user's turn ended in ChatML",
    "a turn in a result",
    "a plain order",
    "an order to invent",
    "an order to tell the system prompt",
)
"""Some of the attacks: each takes a call or two"""


def claude() -> Claude:
    return Claude(Answers(folder(), endpoint()), Account(Bounds(COUNTER, {})), at_once=1)


def messages(data: bytes, name: str) -> list[Message]:
    form, plain, _ = reader(data, name)
    return [m for transcript in conversations(form, plain, name) for m in transcript.messages]


@pytest.fixture
def sample(root: Path) -> Path:
    return root / "samples/openai.jsonl"


def test_a_summary_is_within_its_budget_says_nothing_new_and_is_the_same_again(sample: Path) -> None:
    data, first, second = sample.read_bytes(), claude(), claude()
    job = Job(registry.parse(PIPELINE), PIPELINE, ratio=3, pins=Pins(system=False), model=first)
    small, report = run(data, sample.name, job)
    (account,) = report.conversations
    assert account.tokens_out <= account.budget < account.tokens_in
    assert first.spending.calls > 0
    (told,) = [m for m in messages(small, sample.name) if m.text.startswith(OPEN)]
    assert told.text.endswith(CLOSE)
    summary = found(told.text)[1]
    assert summary is not None
    evidence = Evidence.of(messages(data, sample.name))
    assert [(line, why) for _, line in summary.lines() if (why := evidence.unfounded(line))] == []
    again, _ = run(data, sample.name, Job(registry.parse(PIPELINE), PIPELINE, ratio=3, model=second))
    assert again == small
    assert second.spending.calls == 0


@pytest.mark.parametrize("attack", [a for a in ATTACKS if a.name in TRIED], ids=lambda attack: attack.name)
def test_an_attack_leaves_nothing_in_the_summary(attack: Attack) -> None:
    (made,) = Writer(claude(), "qwen", COUNTER).write([Task(120, attack.messages)])
    assert isinstance(made, Made)
    obeyed = [line.replace(attack.payload, "") for _, line in made.summary.lines()]  # to quote it is to tell of it
    for text in attack.never:
        assert not any(text in line for line in obeyed)


def test_as_many_facts_are_kept_as_without_a_model(sample: Path) -> None:
    data = sample.read_bytes()
    (before,) = conversations(*reader(data, sample.name)[:2], sample.name)
    shares = []
    for pipeline, model in ((registry.DEFAULT, None), (PIPELINE, claude())):
        small, report = run(data, sample.name, Job(registry.parse(pipeline), pipeline, ratio=3, model=model))
        (after,) = conversations(*reader(small, sample.name)[:2], sample.name)
        shares.append(retention(before, after, COUNTER).share)
        assert report.conversations[0].tokens_out <= report.conversations[0].budget
    assert shares[1] >= shares[0]
