"""Runs that ask the same at one time, as processes: each request is asked once, and nobody waits for the dead."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from boildown.prices import price
from boildown.summarizers.account import Account, Bounds
from boildown.summarizers.answers import Answers, folder
from boildown.summarizers.calls import MODEL, Answer, Request
from boildown.summarizers.claude import Claude, endpoint
from boildown.summarizers.locks import FILE
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing
from conftest import ROOT, source_roots
from model_server import ModelServer, Received, Reply

RUN = """
from boildown.summarizers.calls import Request
from boildown.summarizers.models import model
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing
asked = [Request("claude-haiku-5-5", "You count.", f"How many, {n}?", 100) for n in range(11)]
asking = model(Counter(tokenizer(), Framing()), {})
print([outcome.text for outcome in asking.ask(asked)], asking.spending.calls, asking.spending.cached, sep="|")
"""
HOLD = """
import sys, time
from pathlib import Path
from boildown.summarizers.locks import Locks
with Locks(Path(sys.argv[1])).held(sys.argv[2]) as mine:
    print(mine, flush=True)
    time.sleep(60)
"""
ASKED = Request(MODEL, "You count.", "How many?", 100)

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(model_server: ModelServer) -> Iterator[Start]:
    """Starts Python code as a process, which is killed after the test."""
    started = list[subprocess.Popen[str]]()

    def run(code: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        started.append(subprocess.Popen(command, env=source_roots(ROOT), stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def claude(**options: float) -> Claude:
    account = Account(Bounds(Counter(tokenizer(), Framing()), {MODEL: price(MODEL)}))
    return Claude(Answers(folder(), endpoint()), account, **options)  # type: ignore[arg-type]


def held(start: Start) -> subprocess.Popen[str]:
    """A process that is about to ask ASKED for a minute."""
    answers = Answers(folder(), endpoint())
    answers.check()
    process = start(HOLD, answers.folder, answers.key(ASKED))
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


@pytest.mark.battery
def test_two_runs_at_once_share_the_calls_and_make_none_of_them_twice(start: Start, model_server: ModelServer) -> None:
    go = threading.Event()

    def answer(received: Received) -> Reply:
        if len(model_server.received) == 8:  # both have as many calls under way as they may
            go.set()
        return Reply(received.said, held=go)

    model_server.answer = answer
    said = [process.communicate(timeout=100)[0].split("|") for process in (start(RUN), start(RUN))]
    assert [ast.literal_eval(texts) for texts, _, _ in said] == [[f"How many, {n}?" for n in range(11)]] * 2
    assert sorted(received.said for received in model_server.received) == sorted(f"How many, {n}?" for n in range(11))
    assert sum(int(calls) for _, calls, _ in said) == sum(int(cached) for _, _, cached in said) == 11


def test_a_process_that_was_killed_holds_up_nobody(start: Start, model_server: ModelServer) -> None:
    process = held(start)
    process.kill()
    process.wait()
    began = time.monotonic()
    assert [type(outcome) for outcome in claude().ask([ASKED])] == [Answer]
    assert time.monotonic() - began < 10


def test_what_a_process_that_hangs_asks_is_asked_after_a_while_and_all_else_at_once(
    start: Start, model_server: ModelServer
) -> None:
    held(start)
    others = [Request(MODEL, "You count.", f"How many, {n}?", 100) for n in range(4)]
    assert [type(outcome) for outcome in claude(at_once=1, timeout=2.0).ask([ASKED, *others])] == [Answer] * 5
    assert model_server.received[-1].said == ASKED.prompt


def test_where_nothing_can_be_locked_all_is_asked(model_server: ModelServer) -> None:
    (folder() / FILE).mkdir(parents=True)
    assert [type(outcome) for outcome in claude().ask([ASKED])] == [Answer]


def test_where_all_answers_are_there_the_folder_may_be_read_only(model_server: ModelServer) -> None:
    claude().ask([ASKED])
    (folder() / FILE).unlink()
    asking = claude()
    asking.ask([ASKED])
    assert asking.spending.cached == 1
    assert not (folder() / FILE).exists()
