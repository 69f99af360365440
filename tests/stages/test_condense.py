"""Condense: what is said in fewer tokens, how far, and what is left as it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from boildown.stages.condense import Condense
from boildown.transcript import Message, Text, ToolCall, ToolResult, Transcript
from strategies import chat, context

LOG = "\n".join(f"10:00:{n:02} INFO job {n} done" for n in range(30))
LOG_LEFT = "10:00:00 INFO job 0 done [and 29 like this, 10:00:01 to 10:00:29]"
ORDERS = [{"id": n, "state": "sent", "by": "Ada Lovelace"} for n in range(20)]
PRETTY = json.dumps(ORDERS, indent=2)
TABLE = "[20]{id,state=sent,by=Ada Lovelace}:\n" + "\n".join(f" {n}" for n in range(20))
LONG = json.dumps(ORDERS * 2, indent=2)
LONG_TABLE = TABLE.replace("[20]", "[40]") + TABLE.partition(":")[2]
SAMPLED = "[20]{id,state=sent,by=Ada Lovelace}:\n 0\n 1\n 2\n [... 15 more]\n 18\n 19"


def session(*results: str) -> Transcript:
    """A user's question, and a call with its result for each of `results`."""
    messages = [Message("u", "user", (Text("What does it say?"),))]
    for n, text in enumerate(results):
        messages += [
            Message(f"a{n}", "assistant", (ToolCall(f"c{n}", "run", "{}"),)),
            Message(f"r{n}", "tool", (ToolResult(f"c{n}", text),)),
        ]
    return Transcript(tuple(messages))


def left(transcript: Transcript, target: int = 0, stage: Condense | None = None, last: bool = True) -> list[str]:
    found = (stage or Condense())(transcript, context(target, last=last)).messages
    return [m.text for m in found if m.role == "tool" or len(found) == 1]


def test_while_above_the_target_results_lose_what_is_expected() -> None:
    assert left(session(LOG, PRETTY)) == [LOG_LEFT, SAMPLED]


def test_the_oldest_lose_first_and_no_more_than_needed() -> None:
    transcript = session(PRETTY, PRETTY.replace("Ada", "Bo"))
    tight = left(transcript, stage=Condense(lossless=True))
    size = context(0).count(Condense(lossless=True)(transcript, context(0)))
    assert left(transcript, target=size - 1) == [SAMPLED, tight[1]]
    assert left(transcript, target=size) == tight


def test_without_loss_is_said_whole() -> None:
    assert left(session(LOG, PRETTY), stage=Condense(lossless=True)) == [LOG, TABLE]


def test_an_error_is_only_said_without_loss() -> None:
    transcript = session(PRETTY)
    *others, result = transcript.messages
    (block,) = result.blocks
    assert isinstance(block, ToolResult)
    failed = transcript.with_messages([*others, result.with_blocks([replace(block, is_error=True)])])
    assert left(failed) == [TABLE]


FOUND = "\n".join(f"src/cart.py:{n}:    total()" for n in range(1, 40))
GROUPED = "src/cart.py\n" + "\n".join(f"{n}:    total()" for n in range(1, 40))


def test_matches_are_left_to_a_later_stage_to_choose_from() -> None:
    assert left(session(FOUND, LOG), last=False) == [GROUPED, LOG_LEFT]
    rows = GROUPED.split("\n")
    assert left(session(FOUND)) == ["\n".join([*rows[:5], "[... 34 more]", rows[-1]])]


def test_a_pinned_result_stays() -> None:
    transcript = session(PRETTY)
    pinned = transcript.with_messages(replace(m, pinned=True) for m in transcript.messages)
    assert Condense()(pinned, context(0)) == pinned


KEPT = {
    "another stage's mark": "[masked Bash ls: 2 lines]" + " " * 90 + "\n" * 9,
    "short results": "[1,  2]",
    "what would be no smaller": "\n".join(f"d/a{n}.c:{m}:x" for n in range(15) for m in (1, 2)),
    "a numbered file": "\n".join(f"{n:6}→{{ }}   " for n in range(40)),
    "code": "def f(x):\n    return 1\n\n" * 8,
}


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_left_as_it_is(text: str) -> None:
    assert left(session(text)) == [text]


SAID = {
    "the user's words": ("user", "Please look at this. " * 100, None),
    "a log in the user's words": ("user", f"It says:\n\n{LOG}\n{LOG}\n{LOG}", None),
    "short JSON": ("user", '{"a":  1}', None),
    "long JSON": ("user", LONG, LONG_TABLE),
    "long JSON in a fence": (
        "assistant",
        f"Here:\n\n```json\n{LONG}\n```\nSee?",
        f"Here:\n\n```json\n{LONG_TABLE}\n```\nSee?",
    ),
    "code in a fence": ("assistant", "Here:\n\n```python\n" + "x = {'a': 1}\n" * 200 + "```", None),
    "a fence that is not closed": ("user", "```json\n" + "[1,\n" * 500, None),
    "a system message": ("system", LONG, None),
}


@pytest.mark.parametrize(("role", "text", "expected"), SAID.values(), ids=SAID)
def test_of_what_was_written_only_long_json_is_touched_and_loses_nothing(
    role: str, text: str, expected: str | None
) -> None:
    assert left(chat((role, text))) == [expected or text]


def test_several_results_of_one_message_are_each_said_by_their_own_rules() -> None:
    results = (ToolResult("c0", LOG), ToolResult("c1", "fine"), ToolResult("c2", PRETTY))
    assert left(Transcript((Message("m", "user", results),))) == ["\n".join([LOG_LEFT, "fine", SAMPLED])]
