"""What several threads ask goes to the model in one go, one at a time, and its limits end it for all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from boildown.errors import CostError
from boildown.summarizers.calls import Answer, Outcome, Request, Spending
from boildown.summarizers.scripted import Scripted
from boildown.summarizers.together import Together


def request(text: str) -> Request:
    return Request("model", "system", text, 100)


class Slow:
    """A model that holds its first call until it is let go, and notes how many requests each call had."""

    spending = Spending()

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.let_go = threading.Event()
        self.begun = threading.Event()

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        self.calls.append(len(requests))
        self.begun.set()
        assert self.let_go.wait(5)
        return [Answer(one.prompt) for one in requests]


def test_each_thread_gets_the_answers_to_what_it_asked() -> None:
    model = Together(Scripted(lambda asked: asked.prompt.upper()))
    with ThreadPoolExecutor(8) as pool:
        asked = [[request(f"{n} {m}") for m in "abc"[: n % 4]] for n in range(60)]
        found = list(pool.map(model.ask, asked))
    assert found == [[Answer(one.prompt.upper()) for one in each] for each in asked]


def test_all_that_wait_are_asked_together() -> None:
    slow = Slow()
    model = Together(slow)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(model.ask, [request("first")])
        assert slow.begun.wait(5)
        others = [pool.submit(model.ask, [request(f"{n}")] * 2) for n in range(4)]
        while len(model._waiting) < 4:
            pass
        slow.let_go.set()
        assert first.result() == [Answer("first")]
        assert [one.result() for one in others] == [[Answer(f"{n}")] * 2 for n in range(4)]
    assert slow.calls == [1, 8]


def test_a_limit_of_cost_ends_it_for_all() -> None:
    class Poor(Slow):
        def ask(self, requests: Sequence[Request]) -> list[Outcome]:
            super().ask(requests)
            raise CostError("no more")

    poor = Poor()
    poor.let_go.set()
    model = Together(poor)
    for _ in range(3):
        with pytest.raises(CostError, match="no more"):
            model.ask([request("a")])
    assert poor.calls == [1]
    assert isinstance(model.stop, CostError)
