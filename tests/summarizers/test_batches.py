"""Message Batches, with the real SDK against a server on the loopback: what is sent, paid, taken up again and lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from batch_server import BatchEndpoint
from boildown.errors import AnswerError, CostError, ModelError, UsageError
from boildown.prices import price
from boildown.summarizers import batch_wire
from boildown.summarizers.account import Account, Bounds
from boildown.summarizers.answers import Answers, folder, key
from boildown.summarizers.batches import Batches
from boildown.summarizers.calls import MODEL, Answer, Outcome, Request, Spending, Usage
from boildown.summarizers.claude import endpoint
from boildown.summarizers.dry import DryRun
from boildown.summarizers.journal import KEPT_FOR, Journal
from boildown.summarizers.said import Said
from boildown.summarizers.wire import params
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing
from conftest import ROOT, source_roots
from model_server import KEY, ModelServer, Received, Reply

ASKED = Request(MODEL, "You count.", "How many?", 100)
HALF = (1000 * 0.10 + 100 * 0.50) / 2 / 1e6
"""What the server's usage costs in a batch."""

RUN = """
from boildown.summarizers.calls import Answer, Request
from boildown.summarizers.models import model
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing
asked = [Request("claude-haiku-5-5", "You count.", f"How many, {n}?", 100) for n in range(3)]
print([o.text for o in model(Counter(tokenizer(), Framing()), {}, batch=True).ask(asked) if isinstance(o, Answer)])
"""


@pytest.fixture
def desk(model_server: ModelServer) -> BatchEndpoint:
    """An endpoint with batches, whose model says what it was asked."""
    model_server.batches = made = BatchEndpoint(model_server, model_server.url)
    model_server.answer = lambda received: Reply(received.said)
    return made


def batches(limit: float | None = None, tell: Callable[[str], None] | None = None) -> Batches:
    account = Account(Bounds(Counter(tokenizer(), Framing()), {MODEL: price(MODEL)}, batched=True), limit)
    return Batches(Answers(folder(), endpoint()), account, tell, pause=0.001)


def many(count: int) -> list[Request]:
    return [replace(ASKED, prompt=f"How many, {n}?") for n in range(count)]


def texts(outcomes: list[Outcome]) -> list[str]:
    return [o.text if isinstance(o, Answer) else type(o).__name__ for o in outcomes]


def notes() -> list[dict[str, object]]:
    return [json.loads(path.read_bytes()) for path in (folder() / "batches").glob("*.json")]


def numbered(received: Received, *numbers: int) -> bool:
    return received.said in [f"How many, {n}?" for n in numbers]


def test_what_goes_over_the_wire(desk: BatchEndpoint) -> None:
    asked = [replace(ASKED, context="A long text."), ASKED]
    batches().ask(asked)
    (batch,) = desk.batches
    lasting = {"cache_control": {"type": "ephemeral"}}
    assert batch.received.path == "/v1/messages/batches"
    assert batch.received.headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in batch.received.headers
    assert [one["custom_id"] for one in batch.received.body["requests"]] == [key(r, endpoint()) for r in asked]
    assert batch.received.body["requests"][0]["params"] == {
        "model": MODEL,
        "max_tokens": 100,
        "system": [{"type": "text", "text": "You count.", **lasting}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "A long text.", **lasting},
                    {"type": "text", "text": "How many?"},
                ],
            }
        ],
    }


def test_custom_ids_are_what_the_api_takes_and_tell_nothing(desk: BatchEndpoint) -> None:
    batches().ask([replace(ASKED, prompt=f"My key is {KEY}.", context="é" * 100)])
    (name,) = desk.batches[0].asked
    assert len(name) <= 64
    assert set(name) <= set("0123456789abcdef")


def test_answers_come_in_the_order_of_the_requests_at_half_the_price(
    desk: BatchEndpoint, model_server: ModelServer
) -> None:
    told: list[str] = []
    desk.polls = 3
    model = batches(tell=told.append)
    assert texts(model.ask([*many(4), ASKED, ASKED])) == [f"How many, {n}?" for n in range(4)] + ["How many?"] * 2
    assert model.spending == Spending(5, 0, Usage(5000, 500), pytest.approx(5 * HALF))
    assert (len(desk.batches), desk.polled, model_server.received) == (1, 5, [])  # the SDK asks before it downloads
    assert told == [
        "batch msgbatch_1 of 5 requests: sent; most end within an hour, all within a day",
        "batch msgbatch_1 of 5 requests: ended, 5 answered",
    ]


def test_a_second_run_sends_nothing_and_says_the_same(desk: BatchEndpoint) -> None:
    first, second = batches(), batches()
    said = texts(first.ask(many(3)))
    assert texts(second.ask(many(3))) == said
    assert second.spending == Spending(calls=0, cached=3)
    assert (len(desk.batches), notes()) == (1, [])


def test_requests_that_differ_only_in_their_stand_ins_are_one_call(desk: BatchEndpoint) -> None:
    assert texts(batches().ask([ASKED, replace(ASKED, stand_in="Some.")])) == ["How many?", "How many?"]
    assert len(desk.batches[0].asked) == 1


@pytest.mark.parametrize("fate", ["expired", "canceled", "overloaded_error", "api_error", "rate_limit_error"])
def test_what_no_model_answered_is_asked_once_more_in_a_batch(desk: BatchEndpoint, fate: str) -> None:
    desk.fate = lambda received: fate if numbered(received, 1) and len(desk.batches) == 1 else None
    model = batches()
    assert texts(model.ask(many(3))) == [f"How many, {n}?" for n in range(3)]
    assert [len(batch.asked) for batch in desk.batches] == [3, 1]
    assert model.spending.calls == 3


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        ("expired", "the batch was expired before claude-haiku-5-5 had answered"),
        ("canceled", "the batch was canceled before"),
        ("overloaded_error", "overloaded, also after waiting (529)"),
        ("api_error", "it fails, also when asked again (500: it is an api_error)"),
        ("no_such_error", "it fails, also when asked again (500: it is an no_such_error)"),
    ],
)
def test_what_fails_twice_leaves_its_error_in_its_place(desk: BatchEndpoint, fate: str, said: str) -> None:
    desk.fate = lambda received: fate if numbered(received, 1) else None
    fine, failed = batches().ask(many(2))
    assert isinstance(fine, Answer)
    assert isinstance(failed, ModelError)
    assert said in str(failed)
    assert ([len(batch.asked) for batch in desk.batches], notes()) == ([2, 1], [])


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        ("invalid_request_error", "it refuses the request (400: it is an invalid_request_error)"),
        ("billing_error", "the account cannot pay: it is an billing_error"),
        ("request_too_large", "the input is longer than claude-haiku-5-5 takes"),
        ("not_found_error", "there is no model 'claude-haiku-5-5'"),
    ],
)
def test_what_would_fail_for_every_call_is_an_error_after_all_others_are_kept(
    desk: BatchEndpoint, fate: str, said: str
) -> None:
    desk.fate = lambda received: fate if numbered(received, 2) else None
    with pytest.raises(UsageError) as caught:
        batches().ask(many(3))
    assert said in str(caught.value)
    again = batches()
    assert texts(again.ask(many(2))) == ["How many, 0?", "How many, 1?"]
    assert (again.spending.cached, len(desk.batches)) == (2, 1)


def test_an_answer_of_no_use_is_paid_for_and_kept_as_what_it_is(desk: BatchEndpoint, model_server: ModelServer) -> None:
    model_server.answer = lambda _: Reply(stop="refusal")
    model = batches()
    (outcome,) = model.ask([ASKED])
    assert isinstance(outcome, AnswerError)
    assert (model.spending.calls, model.spending.dollars) == (1, pytest.approx(HALF))
    (again,) = batches().ask([ASKED])
    assert str(again) == str(outcome)
    assert len(desk.batches) == 1


@pytest.mark.parametrize("line", [b"[1]", b"{}", b'{"custom_id": "x", "result": {}}', b'{"custom_id": 1}'])
def test_lines_that_are_no_results_are_none(desk: BatchEndpoint, line: bytes) -> None:
    desk.polls = 0
    with ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(batches().ask, [ASKED])
        while not desk.batches:
            time.sleep(0.001)
        desk.batches[0].lines = [line + b"\n", *desk.lines(desk.batches[0])]
        assert texts(outcomes.result()) == ["How many?"]


def test_results_that_are_cut_off_are_read_again_and_paid_once(desk: BatchEndpoint) -> None:
    desk.cuts = [700, 0]
    model = batches()
    assert texts(model.ask(many(4))) == [f"How many, {n}?" for n in range(4)]
    assert (desk.downloads, len(desk.batches), model.spending.calls) == (3, 1, 4)


def test_results_that_stay_cut_off_leave_the_batch_to_the_next_run(desk: BatchEndpoint) -> None:
    desk.cuts = [700] * 3
    outcomes = batches().ask(many(4))
    assert texts(outcomes) == ["ModelError", "ModelError", "ModelError", "How many, 3?"]
    assert "cut in the middle" in str(outcomes[0])
    again = batches()
    assert texts(again.ask(many(4))) == [f"How many, {n}?" for n in range(4)]
    assert (len(desk.batches), again.spending.cached, notes()) == (1, 1, [])


def test_a_note_holds_no_secret_and_nothing_that_was_asked_and_is_ones_own(desk: BatchEndpoint) -> None:
    desk.polls = 10**9
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        if len(told) > 1:
            return
        (path,) = (folder() / "batches").glob("*.json")
        assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0
        assert notes()[0]["requests"] == list(desk.batches[0].asked)
        assert (notes()[0]["batch"], notes()[0]["version"]) == ("msgbatch_1", 1)
        assert not any(secret in path.read_text() for secret in (KEY, "How many", "127.0.0.1"))
        desk.batches[0].left = 0

    batches(tell=tell).ask(many(2))
    assert len(told) == 2


def test_the_key_goes_to_no_other_host_than_the_one_that_is_named(desk: BatchEndpoint) -> None:
    desk.url = "http://127.0.0.1:9"  # as a gateway passes on where its provider keeps the results
    assert texts(batches().ask(many(2))) == ["How many, 0?", "How many, 1?"]


def test_of_a_batch_of_several_requests_all_are_kept_though_only_one_is_asked_now(desk: BatchEndpoint) -> None:
    desk.cuts = [0] * 3
    batches().ask(many(3))
    assert texts(batches().ask(many(1))) == ["How many, 0?"]
    assert batches().ask(many(3))[2] == Answer("How many, 2?", Usage(1000, 100), cached=True)
    assert len(desk.batches) == 1


@pytest.mark.parametrize("how", ["gone", "archived"])
def test_a_batch_that_is_no_longer_to_be_had_is_made_anew(desk: BatchEndpoint, how: str) -> None:
    desk.cuts = [0] * 3
    batches().ask(many(2))
    setattr(desk.batches[0], how, True)
    told: list[str] = []
    assert texts(batches(tell=told.append).ask(many(2))) == ["How many, 0?", "How many, 1?"]
    assert "batch msgbatch_1 is gone, and its answers with it" in told
    assert (len(desk.batches), notes()) == (2, [])


def test_an_endpoint_that_forgets_every_batch_is_not_paid_for_ever(desk: BatchEndpoint) -> None:
    desk.get = lambda path: Reply("no such batch", status=404)  # type: ignore[method-assign]
    (outcome,) = batches().ask([ASKED])
    assert isinstance(outcome, ModelError)
    assert len(desk.batches) == 2


def test_notes_that_are_old_are_dropped_and_others_that_cannot_be_read_are_left_alone(desk: BatchEndpoint) -> None:
    name = key(ASKED, endpoint())
    place = folder() / "batches"
    place.mkdir(parents=True)
    old = {"version": 1, "batch": "x", "started": time.time() - KEPT_FOR - 1, "requests": [name]}
    for stem, value in {"old": old, "new": {**old, "version": 2}, "bad": [], "worse": {**old, "started": "?"}}.items():
        (place / f"{stem}.json").write_text(json.dumps(value))
    assert texts(batches().ask([ASKED])) == ["How many?"]
    assert {path.stem for path in place.glob("*.json")} == {"new", "bad", "worse"}


@pytest.mark.parametrize("reply", [Reply("oh no", status=500), Reply(cut=0), Reply("late", status=504)])
def test_a_batch_is_not_sent_again_where_its_answer_was_lost(desk: BatchEndpoint, reply: Reply) -> None:
    desk.script, desk.lost = [reply], 1
    assert texts(batches().ask(many(2))) == ["How many, 0?", "How many, 1?"]
    assert (len(desk.batches), desk.listed, notes()) == (1, 1, [])


def test_a_batch_that_was_not_taken_is_sent_again(desk: BatchEndpoint) -> None:
    soon = {"retry-after-ms": "1"}
    desk.script = [Reply("wait", status=429, headers=soon), Reply("busy", status=529, headers=soon), Reply(cut=0)]
    assert texts(batches().ask([ASKED])) == ["How many?"]
    assert (len(desk.batches), desk.listed) == (1, 1)


def test_a_batch_that_never_seems_to_be_taken_is_an_error_and_the_next_run_looks_for_it(desk: BatchEndpoint) -> None:
    desk.script = [Reply(cut=0)] * 3
    (outcome,) = batches().ask([ASKED])
    assert isinstance(outcome, ModelError)
    assert [note["batch"] for note in notes()] == [""]
    desk.post(Received("/v1/messages/batches", {}, {"requests": [_line(ASKED)]}))  # the last one came late
    assert texts(batches().ask([ASKED])) == ["How many?"]
    assert (len(desk.batches), notes()) == (1, [])


def test_another_batch_of_as_many_requests_is_not_taken_for_ones_own(desk: BatchEndpoint) -> None:
    journal = Journal(folder() / "batches")
    journal.intend([key(ASKED, endpoint())])
    desk.post(Received("/v1/messages/batches", {}, {"requests": [{**_line(ASKED), "custom_id": "another"}]}))
    assert texts(batches().ask([ASKED])) == ["How many?"]
    assert (len(desk.batches), notes()) == (2, [])
    assert Answers(folder(), endpoint()).of("another") is None


def _line(request: Request) -> dict[str, object]:
    return {"custom_id": key(request, endpoint()), "params": batch_wire.params(request)}


def test_a_connection_that_is_lost_for_a_while_is_waited_for(desk: BatchEndpoint) -> None:
    get, bad = desk.get, [Reply("busy", status=503, headers={"retry-after-ms": "1"})] * 20
    desk.get = lambda path: bad.pop() if bad else get(path)  # type: ignore[method-assign]
    assert texts(batches().ask([ASKED])) == ["How many?"]
    assert len(desk.batches) == 1


def test_a_connection_that_stays_lost_leaves_the_batch_to_the_next_run(desk: BatchEndpoint) -> None:
    get, bad = desk.get, Reply("busy", status=503, headers={"retry-after-ms": "1"})
    desk.get = lambda _: bad  # type: ignore[method-assign]
    (outcome,) = batches().ask([ASKED])
    assert "it fails, also when asked again (503: busy)" in str(outcome)
    desk.get = get  # type: ignore[method-assign]
    assert texts(batches().ask([ASKED])) == ["How many?"]
    assert len(desk.batches) == 1


@pytest.fixture
def process(model_server: ModelServer) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that a test starts, killed at its end."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for one in started:
        one.kill()
        one.wait()


def _start(started: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    one = subprocess.Popen([sys.executable, "-c", RUN], env=source_roots(ROOT), stdout=pipe, stderr=pipe)
    started.append(one)
    return one


@pytest.mark.battery
def test_a_run_that_is_killed_while_it_waits_is_taken_up_by_the_next(
    desk: BatchEndpoint, process: list[subprocess.Popen[bytes]]
) -> None:
    desk.polls = 10**9
    killed = _start(process)
    while not desk.batches or not notes()[0]["batch"]:
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    desk.batches[0].left = 0
    out, err = _start(process).communicate(timeout=60)
    assert out.decode() == "['How many, 0?', 'How many, 1?', 'How many, 2?']\n", err
    assert (len(desk.batches), notes()) == (1, [])
    assert str(texts(batches().ask(many(3)))) == out.decode().strip()
    assert len(desk.batches) == 1


def test_two_runs_at_once_send_one_batch(desk: BatchEndpoint) -> None:
    desk.polls = 5
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda _: texts(batches().ask(many(3))), range(4)))
    assert said == [[f"How many, {n}?" for n in range(3)]] * 4
    assert (len(desk.batches), notes()) == (1, [])


def test_what_another_run_took_while_it_was_waited_for_is_not_sent_again(
    desk: BatchEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = Journal.locked

    @asynccontextmanager
    async def late(journal: Journal) -> AsyncIterator[None]:
        Answers(folder(), endpoint()).put(ASKED, Said("Told to another.", Usage(), "end_turn"))
        async with locked(journal):
            yield

    monkeypatch.setattr(Journal, "locked", late)
    asking = batches()
    assert texts(asking.ask([ASKED])) == ["Told to another."]
    assert (desk.batches, asking.spending.cached) == ([], 1)


def test_a_run_that_is_killed_before_it_knows_its_batch_finds_it_again(
    desk: BatchEndpoint, process: list[subprocess.Popen[bytes]]
) -> None:
    held = threading.Event()
    desk.script, desk.lost = [Reply(held=held)], 1
    killed = _start(process)
    while not desk.batches:
        assert killed.poll() is None, killed.communicate()
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    held.set()
    assert [note["batch"] for note in notes()] == [""]
    assert texts(batches().ask(many(3))) == [f"How many, {n}?" for n in range(3)]
    assert (len(desk.batches), notes()) == (1, [])


def test_ctrl_c_says_that_the_batch_goes_on(desk: BatchEndpoint) -> None:
    desk.polls = 10**9
    with pytest.raises(KeyboardInterrupt, match=r"interrupted; msgbatch_1 will end at http://127\..*: run again"):
        batches(tell=lambda _: signal.raise_signal(signal.SIGINT)).ask(many(3))
    desk.batches[0].left = 0
    assert texts(batches().ask(many(3))) == [f"How many, {n}?" for n in range(3)]
    assert len(desk.batches) == 1


def test_what_could_cost_more_than_it_may_is_an_error_before_anything_is_sent(desk: BatchEndpoint) -> None:
    bounds = Bounds(Counter(tokenizer(), Framing()), {MODEL: price(MODEL)}, batched=True)
    most = sum(bounds.dollars(MODEL, bounds.usage(request)) or 0 for request in many(10))
    with pytest.raises(CostError, match=rf"a batch of 10 requests could cost \${most:.4f}, and pass --max-cost"):
        batches(limit=most * 0.99).ask(many(10))
    assert desk.batches == []
    model = batches(limit=most * 1.01)
    model.ask(many(10))
    assert model.spending.calls == 10


def test_an_open_batch_is_waited_for_where_another_may_not_fit_beside_it(desk: BatchEndpoint) -> None:
    desk.cuts = [0] * 3
    batches().ask(many(3))
    bounds = Bounds(Counter(tokenizer(), Framing()), {MODEL: price(MODEL)}, batched=True)
    most = sum(bounds.dollars(MODEL, bounds.usage(request)) or 0 for request in many(4))
    model = batches(limit=3 * HALF + most / 4 + 1e-9)
    assert texts(model.ask(many(4))) == [f"How many, {n}?" for n in range(4)]
    assert [len(batch.asked) for batch in desk.batches] == [3, 1]


def test_more_than_a_batch_takes_are_several(desk: BatchEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_wire, "MOST_REQUESTS", 3)
    assert texts(batches().ask(many(7))) == [f"How many, {n}?" for n in range(7)]
    assert [len(batch.asked) for batch in desk.batches] == [3, 3, 1]


def test_a_batch_is_no_larger_than_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (batch_wire.MOST_REQUESTS, batch_wire.MOST_BYTES) == (100_000, 256_000_000)
    monkeypatch.setattr(batch_wire, "MOST_BYTES", 256_000)
    asked = {str(n): replace(ASKED, prompt="é" * 3000) for n in range(100)}
    parts = list(batch_wire.chunks(asked))
    assert [name for part in parts for name in part] == list(asked)
    assert [len(part) for part in parts] == [40, 40, 20]


def test_its_body_is_written_a_request_at_a_time_and_can_be_written_again() -> None:
    asked = {str(n): replace(ASKED, prompt=f"{n}: é \ud83d") for n in range(3)}
    body = batch_wire.Body(asked)
    assert len(list(body.parts())) == len(asked) + 1
    for _ in range(2):
        found = json.loads(b"".join(body.parts()))
        assert found == {"requests": [{"custom_id": n, "params": params(one)} for n, one in asked.items()]}


def test_a_batch_comes_with_its_length(desk: BatchEndpoint) -> None:
    batches().ask(many(2))
    headers = desk.batches[0].received.headers
    assert int(headers["content-length"]) > 0
    assert "transfer-encoding" not in headers
    assert headers["content-type"] == "application/json"


def test_a_server_without_batches_is_asked_call_by_call(model_server: ModelServer) -> None:
    model_server.answer = lambda received: Reply(received.said)
    told: list[str] = []
    model, asked = batches(tell=told.append), [replace(request, model="local") for request in many(3)]
    assert texts(model.ask(asked[:2])) + texts(model.ask(asked)) == [f"How many, {n}?" for n in (0, 1, 0, 1, 2)]
    assert told == [f"{model_server.url} has no Message Batches: calls are made one by one"]
    assert (len(model_server.received), notes()) == (3, [])


def test_calls_that_would_be_charged_in_full_are_not_made_one_by_one(model_server: ModelServer) -> None:
    with pytest.raises(UsageError, match=r"has no Message Batches, and single calls of claude-haiku-5-5 cost"):
        batches().ask(many(2))
    assert model_server.received == []


@pytest.mark.parametrize("reply", [Reply("no", status=405), Reply("no", status=501), Reply("A message.")])
def test_a_server_that_says_something_else_has_no_batches(desk: BatchEndpoint, reply: Reply) -> None:
    desk.script = [reply]
    assert texts(batches().ask([replace(ASKED, model="local")])) == ["How many?"]
    assert desk.batches == []


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(f"invalid {KEY}", status=401), "the key is refused (401)"),
        (Reply("low balance", status=402), "the account cannot pay: low balance"),
    ],
)
def test_a_batch_that_is_refused_is_an_error_and_no_longer_noted(desk: BatchEndpoint, reply: Reply, said: str) -> None:
    desk.script = [reply]
    with pytest.raises(UsageError) as caught:
        batches().ask(many(2))
    assert said in str(caught.value)
    assert KEY not in str(caught.value)
    assert notes() == []


def test_an_endpoint_that_asks_for_a_day_of_patience_is_an_error(desk: BatchEndpoint) -> None:
    desk.script = [Reply("later", status=429, headers={"retry-after": "86400"})]
    (outcome,) = batches().ask([ASKED])
    assert isinstance(outcome, ModelError)
    assert "asks to wait for 86,400 seconds" in str(outcome)
    assert notes() == []


def test_no_key_is_an_error_that_says_what_to_set(desk: BatchEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(UsageError, match=r"there is no key for http://127.*Set ANTHROPIC_API_KEY"):
        batches().ask([ASKED])
    assert (desk.batches, notes()) == ([], [])


def test_a_cache_that_cannot_be_written_is_an_error_before_anything_is_paid_for(
    desk: BatchEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    with pytest.raises(UsageError, match="XDG_CACHE_HOME"):
        batches().ask([ASKED])
    assert desk.batches == []


def test_a_dry_run_reckons_with_half_the_prices_and_promises_nothing_of_the_endpoints_cache() -> None:
    counter, asked = Counter(tokenizer(), Framing()), [replace(r, context="word " * 1000) for r in many(2)]
    single, half = (
        DryRun(Answers(Path("/nowhere")), Account(Bounds(counter, {MODEL: price(MODEL)}, batched=batched)))
        for batched in (False, True)
    )
    single.ask(asked)
    half.ask(asked)
    assert half.spending.usage == single.spending.usage
    assert half.spending.dollars == pytest.approx((single.spending.dollars or 0) / 2)
    assert (single.spending.shared is None, half.spending.shared) == (False, None)
