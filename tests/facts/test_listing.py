"""Facts as they are listed."""

from __future__ import annotations

import pytest

from boildown.facts.kinds import Kind, stated
from boildown.facts.listing import entities, facts
from boildown.memory.archiving import said
from boildown.memory.messages import Said
from boildown.run import conversations, reader
from conftest import ROOT


def ada(*texts: str, time: str = "2027-05-11T09:00:00") -> list[Said]:
    return [Said(f"m{n}", "user", text, "Ada", time) for n, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    ("text", "kinds", "values"),
    [
        ("I really love black coffee.", [Kind.PREFERENCE], ()),
        ("We decided to go with the second draft.", [Kind.DECISION], ()),
        ("I adopted a dog last Friday.", [Kind.ABOUT, Kind.DATE], ("2027-05-07",)),
        ("The lodge costs £5,340 for two nights.", [Kind.NUMBER], ("£5,340",)),
        ("The review is on 14 May 2027 at 9:30.", [Kind.DATE], ("2027-05-14", "09:30")),
        ("I have 12 problems left, can you help me with them?", [Kind.ABOUT, Kind.NUMBER], ("12",)),
        ("[3:18 pm on 4 May, 2023] I bought a boat.", [Kind.ABOUT], ()),
    ],
)
def test_a_sentence_states(text, kinds, values):
    (fact,) = [fact for fact in facts(ada(text)) if fact.kinds != (Kind.ENTITY,)]
    assert (list(fact.kinds), fact.values, fact.ids, fact.by) == (kinds, values, ("m1",), "Ada")


@pytest.mark.parametrize(
    "text", ["Agreed, Ada!", "How are you?", "Thanks a lot.", "", "Do you like it?", "Sounds like fun."]
)
def test_a_sentence_states_nothing(text):
    assert facts(ada(text)) == []


def test_the_newest_comes_first_and_what_it_superseded_behind_it():
    found = facts(ada("I live in Berlin.", "I adopted a cat.", "I moved from Berlin to Porto."))
    assert [(f.ids[0], f.superseded_by) for f in found if f.kinds[0] is Kind.ABOUT] == [
        ("m3", ""),
        ("m1", "m3"),
        ("m2", ""),
    ]


def test_of_a_model_and_of_tools_only_decisions_are_facts():
    texts = "I have 12 files.", "We decided to keep the cache."
    rows = [Said(f"m{n}", "assistant", text) for n, text in enumerate(texts, 1)]
    assert [fact.ids for fact in facts(rows)] == [("m2",)]
    assert facts([Said("m1", "tool", "We decided to keep the 12 files.")]) == []


@pytest.mark.parametrize("role", ["system", "developer"])
def test_instructions_to_a_model_are_nobodys_preferences(role):
    told = [Said("m1", role, "I really love black coffee. The review is on 14 May 2027.")]
    assert facts(told) == []


def test_names_are_listed_with_all_their_messages():
    found = entities(ada("We met Dana Reed in Leeds.", "Then Dana Reed left.", "I like Leeds."))
    assert {fact.values[0]: fact.ids for fact in found} == {"Dana Reed": ("m1", "m2"), "Leeds": ("m1", "m3")}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It is 5.", "It is 5."),
        ("I have 5 left, can you help?", "I have 5 left"),
        ("How many are left?", ""),
        ("I moved, and bought a boat, so what now?", "I moved, and bought a boat"),
    ],
)
def test_a_question_at_the_end_states_nothing(sentence, expected):
    assert stated(sentence) == expected


def test_a_real_chat_yields_what_it_decided():
    data = (ROOT / "samples" / "openai.jsonl").read_bytes()
    format, plain, _ = reader(data, "openai.jsonl")
    (transcript,) = conversations(format, plain, "openai.jsonl")
    found = facts(said(transcript.messages))
    assert ("m9", "Decision: Fell Lodge.") in [(f.ids[0], f.text) for f in found if Kind.DECISION in f.kinds]
    assert all(value.strip() and fact.text for fact in found for value in fact.values)
