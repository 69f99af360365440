"""A summary that grows: what comes next is merged in, and held against what stood there before."""

from __future__ import annotations

from pathlib import Path

import pytest

from boildown.run import conversations, reader
from boildown.summaries.anchored import Anchored
from boildown.summaries.summary import Summary
from boildown.summaries.writing import Writer
from boildown.summarizers.calls import Request
from boildown.summarizers.scripted import Scripted
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Message, Text
from quoting import quoting
from roundtrip import files

COUNTER = Counter(tokenizer(), Framing())
FILLER = "Well, what else is there to be said about all of that. " * 12
TALK = tuple(
    Message(f"m{n}", "user", (Text(f"{said} {FILLER}"),), name=who)
    for n, (who, said) in enumerate([("Ada", "I rented a violin in Oslo."), ("Bob", "Good for you."), ("Ada", "Yes.")])
)


@pytest.mark.parametrize(("later", "dropped"), [("Ada", 0), ("Bob", 1)])
def test_a_name_that_changes_as_more_is_merged_in_is_found(later: str, dropped: int) -> None:
    def answer(request: Request) -> str:
        if "<line>" in request.prompt:
            return "<line>-</line>" * request.prompt.count("<line>")
        return f"<facts>\n- {later if '<earlier>' in request.prompt else 'Ada'} rented a violin.\n- Well.\n</facts>"

    model = Scripted(answer)
    found = Anchored(200)(Writer(model, "m", COUNTER), TALK, None, 200)
    assert any("<earlier>" in request.prompt for request in model.asked)
    assert bool(found.account.dropped) == dropped
    assert not any("Bob" in line for _, line in found.summary.lines())


def test_what_could_only_be_cut_is_no_invention_when_more_is_merged_in() -> None:
    def answer(request: Request) -> str:
        if "<earlier>" not in request.prompt:
            return ""
        return "<facts>\n- Ada has a violin from Oslo.\n</facts>"

    found = Anchored(200)(Writer(Scripted(answer), "m", COUNTER), TALK, Summary(), 200)
    assert found.account.cut
    assert found.account.found == 0


@pytest.mark.battery
@pytest.mark.parametrize(
    "path", files("claude-code/entire-cli/4f8c1176*.jsonl", "claude-code/entire-cli/*21a2e002*.jsonl", "pi/*.jsonl")
)
def test_of_what_a_model_quotes_next_to_nothing_is_found_wrong(path: Path) -> None:
    form, plain, _ = reader(path.read_bytes(), path.name)
    transcript, *_ = conversations(form, plain, path.name)
    model = quoting()
    found = Anchored(2000)(Writer(model, "m", COUNTER), transcript.messages, None, 900).account
    assert len(model.asked) > 40
    assert found.found <= len(model.asked) / 40
