"""Counts of the endpoint, with the real SDK: what is sent, what is asked again, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from boildown.errors import ModelError, UsageError
from boildown.summarizers.answers import Answers, folder
from boildown.summarizers.claude import AT_ONCE, endpoint
from boildown.summarizers.counts import Counts
from counting_server import counting
from model_server import KEY, ModelServer, Reply

SOON = {"retry-after-ms": "1"}


def turns(text: str) -> list[dict[str, object]]:
    return [{"role": "user", "content": [{"type": "text", "text": text}]}]


def counts() -> Counts:
    return Counts(Answers(folder(), endpoint()), "claude-haiku-5-5")


MANY = [turns(f"Message {n} of several." * n) for n in range(1, 13)]


@pytest.fixture
def provider(model_server: ModelServer) -> ModelServer:
    model_server.answer = counting
    return model_server


def test_what_goes_over_the_wire(provider: ModelServer) -> None:
    counts().ask([turns("Hello")])
    (received,) = provider.received
    assert received.path == "/v1/messages/count_tokens"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.body == {"model": "claude-haiku-5-5", "messages": turns("Hello")}


def test_counts_come_in_order_and_each_is_asked_once(provider: ModelServer) -> None:
    first = counts()
    found = first.ask([*MANY, MANY[0]])
    assert found == [*sorted(found[:-1]), found[0]]
    assert (first.calls, len(provider.received)) == (12, 12)
    assert provider.most <= AT_ONCE
    again = counts()
    assert (again.ask([*MANY, MANY[0]]), again.calls) == (found, 0)


@pytest.mark.parametrize("status", [429, 500, 529])
def test_what_passes_is_asked_again(provider: ModelServer, status: int) -> None:
    provider.script = [Reply("later", status=status, headers=SOON)]
    assert counts().ask([turns("Hello")])[0] > 0
    assert len(provider.received) == 2


def test_what_was_counted_before_a_failure_is_kept(provider: ModelServer) -> None:
    provider.answer = lambda r: counting(r) if r.said.count("Message") < 8 else Reply("no", status=403)
    with pytest.raises(UsageError, match="that is not allowed"):
        counts().ask(MANY)
    provider.answer = counting
    again = counts()
    assert len(again.ask(MANY)) == 12
    assert 5 <= again.calls < 12


def test_a_damaged_count_is_asked_for_anew(provider: ModelServer) -> None:
    found = counts().ask([turns("Hello")])
    (path,) = folder().rglob("*.json")
    path.write_bytes(b"{")
    assert counts().ask([turns("Hello")]) == found
    assert len(provider.received) == 2


def test_counts_that_cannot_be_kept_are_not_asked_for(provider: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be kept"):
        Counts(Answers(tmp_path / "file" / "in"), "m").ask([turns("Hello")])
    assert provider.received == []


def test_an_answer_that_is_no_count_is_an_error(model_server: ModelServer) -> None:
    with pytest.raises(ModelError, match="is no message of Anthropic's Messages API"):
        counts().ask([turns("Hello")])
