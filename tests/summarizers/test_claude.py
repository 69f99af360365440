"""The client, with the real SDK against a server on the loopback: what is sent, what comes back, what it costs."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import anthropic
import httpx2
import pytest

from boildown.errors import AnswerError, CostError, ModelError, UsageError
from boildown.prices import price
from boildown.summarizers.account import MORE, Account, Bounds
from boildown.summarizers.answers import Answers, folder, key
from boildown.summarizers.calls import MODEL, Answer, Request, Spending, Usage
from boildown.summarizers.claude import Claude, endpoint
from boildown.summarizers.dry import DryRun
from boildown.summarizers.failures import translated
from boildown.summarizers.wire import Wire
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing
from model_server import KEY, ModelServer, Received, Reply

ASKED = Request(MODEL, "You count.", "How many?", 100)
SOON = {"retry-after-ms": "1"}


def claude(limit: float | None = None, **options: float) -> Claude:
    account = Account(Bounds(Counter(tokenizer(), Framing()), {MODEL: price(MODEL)}), limit)
    return Claude(Answers(folder(), endpoint()), account, **options)  # type: ignore[arg-type]


def many(count: int) -> list[Request]:
    return [replace(ASKED, prompt=f"How many, {n}?") for n in range(count)]


def slowly(reply: Reply) -> Reply:
    """`reply`, late enough for calls to overlap where they may."""
    time.sleep(0.02)
    return reply


def test_what_goes_over_the_wire(model_server: ModelServer) -> None:
    claude().ask([replace(ASKED, context="A long text.")])
    (received,) = model_server.received
    lasting = {"cache_control": {"type": "ephemeral"}}
    assert received.path == "/v1/messages"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert "x-api-key" not in received.headers
    assert received.body == {
        "model": MODEL,
        "max_tokens": 100,
        "temperature": 0,
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


def test_answers_come_in_the_order_of_the_requests_however_they_arrive(model_server: ModelServer) -> None:
    late = threading.Event()

    def answer(received: Received) -> Reply:
        if received.said == "How many, 3?":
            late.set()
        return Reply(received.said, held=late if received.said == "How many, 0?" else None)

    model_server.answer = answer
    outcomes = claude().ask(many(4))
    assert [o.text for o in outcomes if isinstance(o, Answer)] == [f"How many, {n}?" for n in range(4)]


def test_no_more_calls_are_under_way_than_may_be(model_server: ModelServer) -> None:
    together = threading.Barrier(3)

    def answer(_: Received) -> Reply:
        together.wait(10)
        return Reply()

    model_server.answer = answer
    claude(at_once=3).ask(many(12))
    assert (len(model_server.received), model_server.most) == (12, 3)


def test_a_second_run_makes_no_call_and_says_the_same(model_server: ModelServer) -> None:
    first, second = claude(), claude()
    said = first.ask(many(3))
    again = second.ask(many(3))
    assert [a.text for a in again if isinstance(a, Answer)] == [a.text for a in said if isinstance(a, Answer)]
    assert len(model_server.received) == 3
    assert second.spending == Spending(calls=0, cached=3)


@pytest.mark.parametrize(
    "change", [{"model": "other"}, {"system": "?"}, {"context": "?"}, {"prompt": "?"}, {"max_tokens": 99}]
)
def test_what_is_asked_in_another_way_is_another_call(model_server: ModelServer, change: dict[str, object]) -> None:
    claude().ask([ASKED])
    claude().ask([replace(ASKED, **change)])  # type: ignore[arg-type]
    assert len(model_server.received) == 2


def test_an_answer_with_half_a_character_is_kept_and_a_prompt_with_one_is_sent(model_server: ModelServer) -> None:
    body = Reply("half").bytes(MODEL).replace(b"half", rb"half \ud83d")
    model_server.script = [Reply(body=body)]
    asked = [replace(ASKED, prompt="half \ud83d")]
    first, second = claude().ask(asked), claude().ask(asked)
    assert [o.text for o in (*first, *second) if isinstance(o, Answer)] == ["half \ud83d"] * 2
    assert [r.said for r in model_server.received] == ["half ?"]


def test_one_request_that_is_there_twice_is_one_call(model_server: ModelServer) -> None:
    assert len(claude().ask([ASKED, ASKED])) == 2
    assert len(model_server.received) == 1


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"text": "x"}', b'{"text": "x", "usage": {"input": "y"}}'])
def test_a_damaged_answer_is_asked_for_again(model_server: ModelServer, damage: bytes) -> None:
    claude().ask([ASKED])
    (path,) = folder().rglob("*.json")
    assert all(p.stat().st_mode & 0o077 == 0 for p in folder().rglob("*"))
    path.write_bytes(damage)
    claude().ask([ASKED])
    assert len(model_server.received) == 2


def test_a_cache_that_cannot_be_written_is_an_error_before_anything_is_paid_for(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    with pytest.raises(UsageError, match="XDG_CACHE_HOME"):
        claude().ask([ASKED])
    assert model_server.received == []


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
def test_what_may_pass_is_tried_again(model_server: ModelServer, status: int) -> None:
    model_server.script = [Reply("busy", status=status, headers=SOON)]
    assert claude().ask([ASKED]) == [Answer("Fine.", Usage(1000, 100))]
    assert [r.headers["x-stainless-retry-count"] for r in model_server.received] == ["0", "1"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("slow down", status=429, headers=SOON), "too many requests, also after waiting (429: slow down)"),
        (Reply("busy", status=529, headers=SOON), "overloaded, also after waiting (529)"),
        (Reply("oh no", status=500, headers=SOON), "it fails, also when asked again (500: oh no)"),
        (Reply("later", status=429, headers={"retry-after": "86400"}), "asks to wait for 86,400 seconds (429)"),
        (Reply(cut=20, headers=SOON), "no connection"),
        (Reply(body=b"<html>", headers={"content-type": "text/html"}), "no message of Anthropic's Messages API"),
        (Reply(body=b'{"broken'), "no message of Anthropic's Messages API"),
        (Reply(body=b'{"choices": []}'), "no message of Anthropic's Messages API"),
        (Reply(body=b"[1]"), "no message of Anthropic's Messages API"),
    ],
)
def test_a_call_that_fails_for_good_leaves_its_error_in_its_place(
    model_server: ModelServer, reply: Reply, said: str
) -> None:
    model_server.answer = lambda received: reply if "0" in received.said else Reply()
    failed, fine = claude(retries=0 if reply.cut else 1).ask(many(2))
    assert isinstance(fine, Answer)
    assert isinstance(failed, ModelError)
    assert not isinstance(failed, AnswerError)
    assert said in str(failed)


def test_an_answer_that_does_not_come_in_time_is_an_error(model_server: ModelServer) -> None:
    held = threading.Event()
    model_server.answer = lambda _: Reply(held=held)
    (outcome,) = claude(timeout=0.2, retries=0).ask([ASKED])
    held.set()
    assert isinstance(outcome, ModelError)
    assert "no answer in time" in str(outcome)


def test_a_server_that_is_not_there_is_an_error_that_names_it(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://user:secret@127.0.0.1:9")
    (outcome,) = claude(retries=0).ask([ASKED])
    assert str(outcome).startswith("http://127.0.0.1:9: no connection")
    assert "proxy" not in str(outcome)
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    (outcome,) = claude(retries=0).ask([ASKED])
    assert "and the proxy http://127.0.0.1:9 that the environment names (NO_PROXY=127.0.0.1 " in str(outcome)
    assert "secret" not in str(outcome)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(stop="refusal"), "claude-haiku-5-5 refused to answer"),
        (Reply(stop="max_tokens"), "claude-haiku-5-5 was cut off at 100 tokens"),
        (Reply("word " * 400), "claude-haiku-5-5 said more than the 100 tokens that it may"),
        (Reply(stop="model_context_window_exceeded"), "the input fills the window"),
        (Reply(""), "claude-haiku-5-5 gave an empty answer"),
        (Reply(" \n"), "claude-haiku-5-5 gave an empty answer"),
    ],
)
def test_an_answer_of_no_use_is_paid_for_and_kept_as_such(model_server: ModelServer, reply: Reply, said: str) -> None:
    model_server.script = [reply]
    first = claude()
    (outcome,) = first.ask([ASKED])
    assert isinstance(outcome, AnswerError)
    assert said in str(outcome)
    assert first.spending.usage == Usage(1000, 100)
    (again,) = claude().ask([ASKED])
    assert str(again) == str(outcome)
    assert len(model_server.received) == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(f"invalid x-api-key {KEY}", status=401), "the key is refused (401). Check ANTHROPIC_API_KEY"),
        (Reply("no", status=403), "that is not allowed (403: no). Check ANTHROPIC_API_KEY, and whether it may"),
        (Reply("Your credit balance is too low to go on.", status=400), "the account cannot pay: Your credit balance"),
        (Reply("low balance", status=402), "the account cannot pay: low balance"),
        (Reply("model: x", status=404), "there is no model 'claude-haiku-5-5', or no /v1/messages (404: model: x)"),
        (Reply("prompt is too long: 9 > 8", status=400), "the input is longer than claude-haiku-5-5 takes: prompt is"),
        (Reply(f"what is {KEY}?", status=400), "it refuses the request (400: what is [key]?)"),
    ],
)
def test_what_would_fail_for_every_call_stops_them_all(model_server: ModelServer, reply: Reply, said: str) -> None:
    model_server.answer = lambda _: reply
    with pytest.raises(UsageError) as caught:
        claude(at_once=2).ask(many(20))
    assert said in str(caught.value)
    assert KEY not in str(caught.value)
    assert len(model_server.received) <= 4


def test_calls_that_wait_for_room_are_not_made_after_one_that_stops_them_all(model_server: ModelServer) -> None:
    model_server.answer = lambda _: slowly(Reply("no", status=403))
    with pytest.raises(UsageError, match="not allowed"):
        claude(limit=0.00007, at_once=4).ask(many(10))
    assert len(model_server.received) == 1


def test_no_key_is_an_error_that_says_what_to_set(model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(UsageError, match=r"there is no key for http://127.*Set ANTHROPIC_API_KEY"):
        claude().ask([ASKED])
    assert model_server.received == []


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
@pytest.mark.parametrize("key", ["sk-ant-0815\n", " sk-ant-0815", "sk-ant\n0815", "  "])
def test_a_key_that_cannot_be_sent_is_an_error_that_does_not_tell_it(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch, key: str, name: str
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv(name, key)
    with pytest.raises(UsageError, match=f"{name} begins or ends with blanks, or has a line break") as told:
        claude().ask([ASKED])
    assert "0815" not in str(told.value)
    assert model_server.received == []


def test_no_form_of_a_key_is_told() -> None:
    said = RuntimeError("Illegal header value b'Bearer sk-ant-0815\\n', sk-ant-0815")
    failed = anthropic.APIConnectionError(message="", request=httpx2.Request("POST", "http://127.0.0.1"))
    failed.__cause__ = said
    assert "0815" not in str(translated(failed, MODEL, "http://127.0.0.1", ("sk-ant-0815\n",)))


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "http://", "http://[::1"])
def test_an_address_that_is_none_is_an_error_before_anything_is_sent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", url)
    with pytest.raises(UsageError, match="ANTHROPIC_BASE_URL is no address"):
        endpoint()


def test_an_endpoint_that_takes_no_temperature_is_asked_without(model_server: ModelServer) -> None:
    together = threading.Barrier(2)

    def answer(received: Received) -> Reply:
        if "temperature" not in received.body:
            return Reply()
        together.wait(10)
        return Reply("temperature is not supported", status=400)

    model_server.answer = answer
    assert [o.text for o in claude(at_once=2).ask(many(4)) if isinstance(o, Answer)] == ["Fine."] * 4
    assert len(model_server.received) == 6


def test_of_calls_that_share_a_context_one_goes_ahead(model_server: ModelServer) -> None:
    shared = [replace(r, context="A long text.") for r in many(4)]
    claude(at_once=4).ask([*shared, ASKED])
    assert len(model_server.received) == 5
    assert {r.said for r in model_server.received[:2]} == {"A long text.How many, 0?", "How many?"}


def test_thoughts_are_no_part_of_an_answer(model_server: ModelServer) -> None:
    content = b'[{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "text", "text": "4"}]'
    body = Reply("x").bytes(MODEL).replace(b'[{"type": "text", "text": "x"}]', content)
    model_server.script = [Reply(body=body)]
    assert claude().ask([ASKED]) == [Answer("4", Usage(1000, 100))]


def test_what_is_spent_is_what_the_endpoint_says(model_server: ModelServer) -> None:
    usage = {"input_tokens": 10, "output_tokens": 20, "cache_read_input_tokens": 300, "cache_creation_input_tokens": 40}
    model_server.answer = lambda _: Reply(usage=usage)
    model = claude()
    model.ask(many(2))
    dollars = 2 * (10 * 0.10 + 20 * 0.50 + 300 * 0.01 + 40 * 0.125) / 1e6
    assert model.spending == Spending(2, 0, Usage(20, 40, 600, 80), pytest.approx(dollars))


def test_a_model_without_prices_costs_nobody_knows_what(model_server: ModelServer) -> None:
    model = claude()
    model.ask([replace(ASKED, model="local")])
    assert model.spending.dollars is None
    with pytest.raises(UsageError, match=r"--max-cost needs the prices of 'other'"):
        claude(limit=1.0).ask([replace(ASKED, model="other")])


def test_the_limit_is_never_passed_and_what_was_answered_is_kept(model_server: ModelServer) -> None:
    model_server.answer = lambda _: slowly(Reply(usage={"input_tokens": 0, "output_tokens": 100}))
    model = claude(limit=0.00042, at_once=4)  # an answer of 100 tokens costs $0.00005
    with pytest.raises(CostError, match=r"stopped after \d calls .* --max-cost 0.00042"):
        model.ask(many(20))
    assert 0 < (model.spending.dollars or 0) <= 0.00042
    rest = claude(limit=1.0)
    rest.ask(many(20))
    assert rest.spending.cached == model.spending.calls == 20 - rest.spending.calls


def test_calls_wait_for_room_where_those_under_way_may_cost_less(model_server: ModelServer) -> None:
    # Each could cost $0.00005, and costs a hundredth of that: all ten fit, but no two of them at a time.
    model_server.answer = lambda _: slowly(Reply(usage={"input_tokens": 0, "output_tokens": 1}))
    model = claude(limit=0.00007, at_once=4)
    model.ask(many(10))
    assert (model.spending.calls, model_server.most) == (10, 1)


def test_it_works_where_a_loop_runs_already(model_server: ModelServer) -> None:
    async def notebook() -> list[object]:
        return list(claude().ask([ASKED]))

    assert asyncio.run(notebook()) == [Answer("Fine.", Usage(1000, 100))]


def test_a_dry_run_reckons_with_the_longest_answers_and_with_and_without_the_endpoints_cache() -> None:
    bounds = Bounds(Counter(tokenizer(), Framing()), {MODEL: price(MODEL)})
    model = DryRun(Answers(Path("/nowhere")), Account(bounds))
    asked = [replace(ASKED, context="word " * 1000, system="", prompt="", max_tokens=n) for n in (100, 200)]
    assert [o.text for o in model.ask(asked) if isinstance(o, Answer)] == ["", ""]
    found, context = model.spending, bounds.usage(asked[0]).cache_write
    assert (found.calls, found.usage) == (2, Usage(output=300, cache_write=2 * context))
    assert found.dollars == pytest.approx((300 * 0.5 + 2 * context * 0.125) / 1e6)
    assert found.shared == pytest.approx((300 * 0.5 + context * (0.125 + 0.01)) / 1e6)
    assert 1000 * MORE <= context <= 1001 * MORE


THOUGHT = replace(ASKED, max_tokens=4000, thinking=2000)


def test_a_model_is_asked_to_think_within_a_budget_and_without_a_temperature(model_server: ModelServer) -> None:
    claude().ask([THOUGHT])
    (received,) = model_server.received
    assert received.body["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert received.body["max_tokens"] == 4000
    assert "temperature" not in received.body


def test_anthropics_own_models_think_as_long_as_they_like(model_server: ModelServer) -> None:
    import anthropic

    async def said() -> str:
        async with anthropic.AsyncAnthropic(base_url=model_server.url) as sdk:
            return (await Wire(sdk, "https://api.anthropic.com").said(THOUGHT)).text

    assert asyncio.run(said()) == "Fine."
    assert [r.body["thinking"] for r in model_server.received] == [{"type": "adaptive"}]


@pytest.mark.parametrize(
    ("refused", "sent"),
    [
        (("enabled",), ["enabled", "adaptive", "adaptive"]),
        (("enabled", "adaptive"), ["enabled", "adaptive", None, None]),
    ],
)
def test_an_endpoint_that_refuses_one_way_to_think_is_asked_in_another_and_then_without(
    model_server: ModelServer, refused: tuple[str, ...], sent: list[str | None]
) -> None:
    def form(received: Received) -> str | None:
        return received.body.get("thinking", {}).get("type")

    def answer(received: Received) -> Reply:
        wrong = form(received) in refused
        return Reply(f'"thinking.type.{form(received)}" is not supported', status=400) if wrong else Reply()

    model_server.answer = answer
    outcomes = claude(at_once=1).ask([THOUGHT, replace(THOUGHT, prompt="How few?")])
    assert [o.text for o in outcomes if isinstance(o, Answer)] == ["Fine."] * 2
    assert [form(received) for received in model_server.received] == sent
    assert [r.body.get("temperature") for r in model_server.received if not form(r)] == [0] * sent.count(None)


def test_with_thoughts_it_is_another_call_and_without_any_the_same_as_ever(model_server: ModelServer) -> None:
    asked = replace(ASKED, max_tokens=4000)
    claude().ask([asked, THOUGHT, replace(THOUGHT, thinking=3000), replace(asked, thinking=0)])
    assert len(model_server.received) == 3
    assert key(ASKED, "") == "c9160c9bfa9d7639c3eb3c375c98ff77b5b40f2fdea87c971c70f138a6ebae88"


@pytest.mark.parametrize("thinking", [1000, 4000, 5000])
def test_thoughts_are_a_part_of_the_answers_tokens(thinking: int) -> None:
    with pytest.raises(ValueError, match="less than max_tokens"):
        replace(THOUGHT, thinking=thinking)


def test_where_nobody_was_there_no_further_call_is_tried(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = taken.getsockname()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"http://127.0.0.1:{address[1]}")
    model = claude(retries=0, timeout=1)
    (failed,) = model.ask([ASKED])
    with socket.create_server(address) as late:
        late.settimeout(0.1)
        assert model.ask(many(2)) == [failed, failed]
        with pytest.raises(TimeoutError):
            late.accept()


def test_an_endpoint_that_has_answered_is_tried_again_though_it_was_gone(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ModelServer()
    monkeypatch.setenv("ANTHROPIC_BASE_URL", first.url)
    model = claude(retries=0)
    with first.running():
        assert isinstance(model.ask([ASKED])[0], Answer)
    assert isinstance(model.ask(many(1))[0], ModelError)
    with ModelServer(int(first.url.rsplit(":", 1)[1])).running():
        assert isinstance(model.ask(many(1))[0], Answer)
