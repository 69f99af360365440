"""Hierarchical: a tree of summaries stands for older turns, and the newest stay as they are."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from boildown import registry
from boildown.errors import UsageError
from boildown.pipeline import compress
from boildown.run import Job, run
from boildown.summaries.carrier import ID
from boildown.summarizers.account import Account, Bounds
from boildown.summarizers.answers import Answers, folder
from boildown.summarizers.calls import Request
from boildown.summarizers.claude import Claude, endpoint
from boildown.summarizers.scripted import Scripted
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Framing, Text
from model_server import ModelServer, Received, Reply
from quoting import quoted
from strategies import WORDS, chat, context

TALK = chat(
    *(
        (
            "assistant" if n % 2 else "user",
            f"Point {n:03} is about the {WORDS[n % 36]} and the {WORDS[n * 7 % 36]} at noon.",
        )
        for n in range(240)
    )
)


def answering(received: Received) -> Reply:
    time.sleep(0.02)
    return Reply(quoted(Request("m", received.system, received.said, 1)) or "<facts>\n- A talk.\n</facts>")


def test_the_newest_turns_stay_and_a_summary_stands_for_the_others() -> None:
    result, (step, *_) = compress(TALK, registry.parse("hierarchical:chunk=600"), context(900))
    carrier, *rest = result.messages
    assert (carrier.id, carrier.role) == (ID, "user")
    assert step.name == "hierarchical"
    assert [m for m in rest if m.id not in carrier.covers][-10:] == list(TALK.messages[-10:])
    (account,) = result.summaries
    assert account.spans > 5
    assert account.covered < account.read <= 1.25 * account.covered


def test_where_nothing_is_answered_no_more_spans_are_cut_than_there_are() -> None:
    silent = replace(context(900), model=Scripted(lambda _: ""))
    result, _ = compress(TALK, registry.parse("hierarchical:chunk=600"), silent)
    (account,) = result.summaries
    assert account.spans_cut == account.spans < len(account.cut)
    (block,) = result.messages[0].blocks
    assert isinstance(block, Text)
    assert " of them, cut offline, for want of an answer]" in block.text.partition("\n")[0]


NONSENSE = {
    "hierarchical": ["ratio=1", "chunk=100", "recent=1", "group=1", "model="],
    "rolling": ["threshold=100", "window=-1", "model="],
    "abstractive": ["chunk=100", "recent=1", "model="],
}


@pytest.mark.parametrize(("stage", "option"), [(stage, option) for stage, held in NONSENSE.items() for option in held])
def test_options_that_make_no_sense_are_refused(stage: str, option: str) -> None:
    with pytest.raises(UsageError, match=f"stage '{stage}': {option.partition('=')[0]}="):
        registry.parse(f"{stage}:{option}")


def test_without_a_model_it_says_so() -> None:
    with pytest.raises(UsageError, match="asks a model"):
        compress(TALK, registry.parse("hierarchical"), replace(context(900), model=None))


def test_a_second_run_makes_no_call_and_one_with_more_messages_a_few(model_server: ModelServer) -> None:
    model_server.answer = answering
    pipeline = "hierarchical:chunk=300"

    def ran(messages: int) -> tuple[bytes, int]:
        lines = [json.dumps({"role": m.role, "content": m.text}) for m in TALK.messages[:messages]]
        model = Claude(Answers(folder(), endpoint()), Account(Bounds(Counter(tokenizer(), Framing()), {})))
        before = len(model_server.received)
        job = Job(registry.parse(pipeline), pipeline, budget=500, model=model)
        return run("\n".join(lines).encode(), "talk.jsonl", job)[0], len(model_server.received) - before

    first, calls = ran(220)
    assert calls > 10
    assert model_server.most > 1
    assert ran(220) == (first, 0)
    assert 0 < ran(226)[1] <= 6


def test_a_real_conversation_of_several_sessions_names_their_days(shared: Path) -> None:
    talk = json.loads((shared / "data/locomo/locomo_open_5.json").read_text())[0]["conversation"]
    spoken = list[tuple[str, str]]()
    for n in range(1, 20):
        for turn in talk.get(f"session_{n}", []):
            when = "" if spoken and turn is not talk[f"session_{n}"][0] else f"[{talk[f'session_{n}_date_time']}] "
            spoken.append(("user" if turn["speaker"] == talk["speaker_a"] else "assistant", when + turn["text"]))
    result, _ = compress(chat(*spoken), registry.parse("hierarchical:chunk=6000"), context(3000))
    assert "\n- From 2023-05-08 to " in result.messages[0].text
