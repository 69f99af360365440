"""Which pipeline a plan chooses, and what it was chosen from."""

from __future__ import annotations

import re

import pytest

from boildown import registry
from boildown.errors import BudgetError, ModelError
from boildown.pipeline import Pins
from boildown.planning.alternatives import Models, Subject, candidates, named, reckoned, subject
from boildown.planning.plan import Adviser, plan
from boildown.presets import shipped
from boildown.prices import price
from boildown.run import Job, conversations, reader
from boildown.summarizers.calls import MODEL
from boildown.summarizers.scripted import Scripted
from boildown.tokens import Counter, tokenizer
from roundtrip import SAMPLES

PRESETS = {"preset chat": "dedup,prioritize,prune", "preset code": "condense,dedup,prune,ledger"}


def about(name: str, **job: object) -> Subject:
    format, data, _ = reader((SAMPLES / name).read_bytes(), name)
    (transcript,) = conversations(format, data, name)
    counter = Counter(tokenizer(), format.INFO.framing)
    return subject(transcript, format.INFO, counter, Job([], "", **job))  # type: ignore[arg-type]


def advised(of: Subject, *replies: str | ModelError) -> tuple[Adviser, Scripted]:
    left = list(replies)

    def reply(_: object) -> str:
        said = left.pop(0)
        if isinstance(said, ModelError):
            raise said
        return said

    model = Scripted(reply)
    return Adviser(model, Models(MODEL, price(MODEL)), of.case.transcript), model


def test_the_one_that_keeps_most_is_chosen_and_all_are_within_the_budget():
    found = plan(about("openai.jsonl", budget=400), PRESETS)
    assert found.choice == found.best == max(found.found, key=lambda one: one.kept or 0)
    assert all(one.tokens <= 400 and one.kept is not None and one.calls == 0 for one in found.found)


def test_of_pipelines_that_do_the_same_to_it_one_is_measured():
    chat, agent = about("openai.jsonl", ratio=3), about("claude-code-edits.jsonl", ratio=2)
    assert list(candidates(named(PRESETS), chat).values()) == [
        "default, preset code, diffs for versions", "preset chat", "the newest turns only"
    ]  # fmt: skip
    assert len(candidates(named(PRESETS), agent)) > 3


def test_every_shipped_preset_is_one_of_them():
    presets = {name: str(table["pipeline"]) for name, table in shipped().tables.items()}
    which = named(presets)
    assert all(any(name in what for what in which.values()) for name in presets)
    assert next(iter(which)) == registry.DEFAULT


def test_where_all_fits_nobody_is_asked():
    of = about("openai.jsonl", budget=100_000)
    adviser, model = advised(of)
    found = plan(of, PRESETS, adviser)
    assert (model.asked, found.best.kept) == ([], 1)
    assert "it fits as it is" in found.notes[-1]


def test_a_system_message_without_room_may_be_cut_and_other_pins_may_not():
    of = about("openai-tools.json", budget=30)
    loose = plan(of, {})
    assert not loose.system
    assert "pin-system = false" in loose.notes[0]
    with pytest.raises(BudgetError):
        plan(about("openai-tools.json", budget=30, pins=Pins(first=3)), {})


def answer(pipeline: str, pins: str = "") -> str:
    return f"<kind>A chat.</kind><keep>names</keep><pipeline>{pipeline}</pipeline><pins>{pins}</pins><why>So.</why>"


def test_what_a_model_proposes_is_measured_and_taken_where_it_keeps_as_much():
    of = about("openai.jsonl", ratio=3)
    best = plan(of, PRESETS).best
    adviser, model = advised(of, answer(best.pipeline))
    found = plan(of, PRESETS, adviser)
    assert (found.choice.pipeline, found.choice.kept) == (best.pipeline, best.kept)
    assert found.proposal is not None
    assert found.proposal.kind == "A chat."
    assert len(model.asked) == 1


def test_what_keeps_clearly_less_is_shown_and_not_taken():
    of = about("openai.jsonl", ratio=3)
    adviser, _ = advised(of, answer("window", "Fell Lodge"))
    found = plan(of, PRESETS, adviser)
    assert found.choice == found.best
    assert found.choice.pipeline != "window"
    assert any(one.pipeline == "window" and MODEL in one.what for one in found.found)
    assert "keeps clearly less" in found.notes[-1]
    assert (found.pins, found.pin) == ((), None)


def test_phrases_pin_the_messages_they_stand_in_beside_what_was_pinned():
    of = about("openai.jsonl", ratio=2, pins=Pins(pattern=re.compile("nut")))
    best = plan(of, PRESETS).best
    adviser, _ = advised(of, answer(best.pipeline, "Decision: Fell Lodge\nnowhere to be found\n.*"))
    found = plan(of, PRESETS, adviser)
    assert found.pins == ("Decision: Fell Lodge",)
    assert found.pin == "nut|Decision:\\ Fell\\ Lodge"
    assert "with pins" in found.choice.what


@pytest.mark.parametrize("phrases", ["the ", "Fell Lodge"])
def test_phrases_never_pin_more_than_a_quarter_of_the_budget(phrases):
    of = about("openai.jsonl", ratio=3)
    adviser, _ = advised(of, answer(plan(of, PRESETS).best.pipeline, phrases))
    assert plan(of, PRESETS, adviser).pins == ()


def test_an_answer_of_no_use_is_asked_for_once_more():
    of = about("openai.jsonl", ratio=3)
    best = plan(of, PRESETS).best
    adviser, model = advised(of, answer("dedup,compact"), answer(best.pipeline))
    assert plan(of, PRESETS, adviser).proposal is not None
    assert "cannot be used: its pipeline has a stage or an option that there is not" in model.asked[1].prompt
    assert "compact" not in model.asked[1].prompt.partition("</transcript>")[2]


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ((answer("a"), answer("b")), "what claude-haiku-5-5 proposes is not used: its pipeline has a stage"),
        (("", "Sorry."), "is not used: it has no <pipeline>."),
        ((ModelError("overloaded."),), "no model decided this: overloaded."),
        ((answer("a"), ModelError("overloaded.")), "no model decided this: overloaded."),
    ],
)
def test_without_an_answer_of_use_what_was_measured_decides(replies, said):
    of = about("openai.jsonl", ratio=3)
    adviser, _ = advised(of, *replies)
    found = plan(of, PRESETS, adviser)
    assert found.choice == found.best == plan(of, PRESETS).best
    assert found.proposal is None
    assert said in found.notes[-1]


def test_stages_that_ask_a_model_are_reckoned_and_taken_without_a_call_for_them():
    of = about("openai.jsonl", ratio=3)
    adviser, model = advised(of, answer("dedup,rolling:threshold=500"))
    found = plan(of, PRESETS, adviser)
    assert found.choice.pipeline == "dedup,rolling:threshold=500"
    assert (found.choice.kept, found.choice.calls) == (None, 3)
    assert len(model.asked) == 1
    asked = {one.pipeline for one in found.found if one.kept is None}
    assert asked >= {"dedup,abstractive", "dedup,rolling"}
    assert not [one for one in plan(of, PRESETS).found if one.kept is None]


def test_what_they_may_cost_is_the_source_once_and_a_fifth_of_it_written():
    of = about("openai.jsonl", ratio=3)
    one = reckoned("abstractive", "", of, Models(MODEL, price(MODEL)))
    assert one.calls == 1
    assert one.dollars == pytest.approx(1303 * 1.7 * (0.10 + 0.2 * 0.50) / 1e6)
    assert reckoned("abstractive", "", of, Models("mine", None)).dollars is None
    assert reckoned("abstractive", "", of, Models("mine", price(MODEL))).dollars is None  # it asks another model


def test_a_summary_that_grows_is_read_and_written_anew_in_each_call():
    of = about("openai.jsonl", ratio=3)
    models = Models(MODEL, price(MODEL))
    rolling = reckoned("rolling:threshold=500", "", of, models)
    grown = (100, 200, 1303 / 5)
    assert rolling.calls == 3
    assert rolling.dollars == pytest.approx(1.7 * ((1303 + 100 + 200) * 0.10 + sum(grown) * 0.50) / 1e6)
    tree = reckoned("hierarchical:chunk=500", "", of, models)
    assert tree.dollars == pytest.approx(1303 * 1.7 * 1.25 * (0.10 + 0.2 * 0.50) / 1e6)


def test_stages_that_ask_a_model_ask_the_one_that_is_named():
    of = about("openai.jsonl", ratio=3)
    adviser, _ = advised(of, answer("rolling"))
    local = Adviser(adviser.model, Models("qwen2.5:7b", None), of.case.transcript)
    found = plan(of, PRESETS, local)
    assert found.choice.pipeline == "rolling:model=qwen2.5:7b"
    assert {one.dollars for one in found.found if one.kept is None} == {None}
