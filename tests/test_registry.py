"""The registry: names to stages, specs to pipelines and back, and errors that say what there is."""

from __future__ import annotations

import pytest

from boildown import registry
from boildown.errors import UsageError
from boildown.registry import Option, parse, spec
from boildown.stages.dedup import Dedup
from boildown.stages.extractive import Extractive
from boildown.stages.prune import Prune
from boildown.stages.window import window

SPECS = {
    "prune": [Prune()],
    "prune,extractive": [Prune(), Extractive()],
    " dedup , prune ,": [Dedup(), Prune()],
    "dedup:threshold=0.9,extractive": [Dedup(threshold=0.9), Extractive()],
    "dedup,threshold=0.9,extractive": [Dedup(threshold=0.9), Extractive()],
    "extractive: share = 3 ,window": [Extractive(share=3.0), window],
    "dedup:threshold=0.9,threshold=0.7": [Dedup(threshold=0.7)],
    "dedup:by=meaning,embedder=lsa,dedup": [Dedup(by="meaning", embedder="lsa"), Dedup()],
    "prune,prune": [Prune(), Prune()],
}
WRONG = {
    "": "the pipeline is empty. Name at least one stage: ",
    " , ": "the pipeline is empty.",
    "prnue": "no stage is called 'prnue'; did you mean 'prune'?",
    "dedup,zzz": "no stage is called 'zzz'. There are: ",
    "threshold=0.9,dedup": "option 'threshold=0.9' comes before any stage. Write name:option=value.",
    "dedup:0.9": "'0.9' is no option. Write name:option=value",
    "dedup:": "'' is no option.",
    "dedup:=0.9": "'=0.9' is no option.",
    "dedup:threshold=much": "stage 'dedup': threshold='much' is no float.",
    "dedup:threshold=2": "stage 'dedup': threshold=2.0 is not above 0 and at most 1.",
    "dedup:by=sense": "stage 'dedup': by='sense' is neither 'words' nor 'meaning'.",
    "cluster:by=": "stage 'cluster': by='' is neither 'words' nor 'meaning'.",
    "dedup:treshold=0.9": "stage 'dedup' has no option 'treshold'. It has: threshold, by, embedder.",
    "window:size=3": "stage 'window' has no option 'size'. It has none.",
    "prune:size=3": "stage 'prune' has no option 'size'. It has: scorer.",
}


@pytest.mark.parametrize(("text", "stages"), SPECS.items())
def test_a_spec_names_stages_with_their_options(text: str, stages: list[object]) -> None:
    assert [named.stage for named in parse(text)] == stages


@pytest.mark.parametrize(("text", "message"), WRONG.items())
def test_a_wrong_spec_is_an_error_that_says_what_there_is(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", [*SPECS, registry.DEFAULT, *registry.names()])
def test_a_pipelines_spec_makes_the_same_pipeline(text: str) -> None:
    assert parse(spec(parse(text))) == parse(text)


def test_a_spec_leaves_out_what_is_the_default() -> None:
    assert spec(parse("dedup:threshold=0.85,extractive:share=3,window")) == "dedup,extractive:share=3.0,window"


@pytest.mark.parametrize("name", registry.names())
def test_every_stage_has_a_summary_and_a_reason_and_explains_its_options(name: str) -> None:
    assert registry.summary(name).endswith((".", ")", ":"))
    assert parse(name)[0].reason
    assert all(option.help and option.default is not None for option in registry.options(name))


def test_an_option_has_its_type_and_default() -> None:
    option, *_ = registry.options("dedup")
    assert option == Option("threshold", float, 0.85, option.help)


class Loud:
    """Stands for an entry point of an installed package."""

    name, value = "loud", "boildown.stages.window:window"


class Clash(Loud):
    """Stands for one that takes a built-in stage's name."""

    name = "prune"


def test_a_plug_in_adds_a_stage_and_takes_no_built_in_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: [Loud(), Clash()] if group == "boildown.stages" else [])
    registry.names.cache_clear()
    try:
        assert parse("loud")[0].stage is window
        assert parse("prune")[0].stage == Prune()
    finally:
        registry.names.cache_clear()


def test_options_given_besides_the_spec_hold_where_it_does_not_say_otherwise() -> None:
    given = {"cache": {"ttl": "1h", "model": "claude-opus-5"}, "prune": {}}
    (named,) = registry.parse("cache:model=claude-opus-5-5", given)
    assert registry.spec([named]) == "cache:model=claude-opus-5-5,ttl=1h"


def test_a_spec_is_split_before_anything_is_made_of_it():
    assert registry.split("nothing:a=1,b=x:y, dedup ,") == [("nothing", {"a": "1", "b": "x:y"}), ("dedup", {})]
