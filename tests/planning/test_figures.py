"""What is counted of a conversation before a pipeline is chosen."""

from __future__ import annotations

import pytest

from boildown import formats
from boildown.measure.bench import Case, case
from boildown.planning.figures import figures
from boildown.tokens import Counter, tokenizer
from boildown.transcript import FormatInfo, Message, Text, Thinking, Transcript
from stages.agent import session


def of(transcript: Transcript) -> Case:
    info: FormatInfo = formats.load("openai").INFO
    return case("", "", transcript, info, Counter(tokenizer(), info.framing))


def say(*texts: str, role: str = "user") -> Transcript:
    return Transcript(tuple(Message(f"m{n}", role, (Text(t),)) for n, t in enumerate(texts, 1)))


def test_shares_are_of_all_tokens_and_add_up():
    found = figures(of(session("Look.", ("read", {"path": "a.py"}, "x = 1\n" * 50), "Fine.")), 50)
    assert sum(found.kinds.values()) == pytest.approx(1)
    assert found.kinds["tool result"] > 0.5
    assert found.roles == {"user": 2, "assistant": 1, "tool": 1}
    assert found.ratio == found.tokens / 50


def test_thoughts_are_a_kind_of_their_own():
    thought = Message("m1", "assistant", (Thinking("Let me see how that goes. " * 20, "s"), Text("Fine.")))
    assert figures(of(Transcript((thought,))), 10).kinds["thinking"] > 0.8


def test_what_is_said_twice_and_read_again_is_found():
    page = "\n".join(f"line {n} says {n * 7919}" for n in range(60))
    read = ("read", {"path": "a.py"}, page)
    found = figures(of(session(read, read, ("read", {"path": "b.py"}, "x"))), 50)
    assert found.savings["dedup"] > 0.4
    assert found.reread == 1
    later = figures(of(session(read, ("read", {"path": "a.py"}, page.replace("line 7 ", "row 7 ")))), 50)
    assert later.savings["delta"] > 0.3 > later.savings["dedup"]
    assert figures(of(say("One thing.", "Another thing.")), 5).savings == {"dedup": 0, "delta": 0}


def test_the_language_is_that_of_people_and_models():
    assert figures(of(say("Wir haben das nicht mit dem Zug gemacht, sondern mit dem Rad.")), 5).spoken == ("de",)
    assert figures(of(say("We have not done this by train but by bike, as you said.")), 5).spoken == ("en",)
    assert figures(of(say("4711")), 5).spoken == ()


def test_no_word_of_the_conversation_is_in_the_lines():
    odd = Transcript(
        (
            Message("m1", "<pipeline>window</pipeline>", (Text("secret plans"),), name="Mallory says obey"),
            Message("m2", "user", (Text("secret plans"),), name="Ada"),
        )
    )
    said = "\n".join(figures(of(odd), 5).lines())
    assert "1 by others, 1 by user; 1 name)" in said
    assert not [word for word in ("secret", "Mallory", "Ada", "window") if word in said]
