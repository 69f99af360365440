"""What tuning tries."""

from __future__ import annotations

import pytest

from boildown import registry
from boildown.measure.candidates import OPTIONS, PIPELINES, SEEKING, candidates, distinct, variants, varied


def busy(named):
    return False


def test_the_default_is_the_first_and_each_comes_once():
    found = candidates(["window", "dedup,prune,ledger", "window"], busy)
    assert found[:2] == ["dedup,prune,ledger", "window"]
    assert len(set(found)) == len(found)
    assert {registry.spec(registry.parse(spec)) for spec in PIPELINES} <= set(found)


def test_pipelines_that_differ_in_idle_stages_are_one_and_the_first_keeps_them():
    found = candidates([], lambda named: True)
    assert found == [
        "dedup,prune,ledger",
        "condense,dedup,mask,window,ledger",
        "dedup,extractive,prune",
        "dedup,extractive",
        "dedup,prioritize",
        "dedup,cluster,prune",
    ]


def test_every_option_that_is_tried_is_one():
    for stage, options in OPTIONS.items():
        for option in options:
            assert varied(stage, stage, option) != stage
    assert registry.STAGES.keys() >= SEEKING


@pytest.mark.parametrize(
    ("spec", "stage", "option", "expected"),
    [
        ("dedup,prune", "dedup", "threshold=0.7", "dedup:threshold=0.7,prune"),
        ("prioritize:share=3,recency=1,prune", "prioritize", "share=1.5", "prioritize:recency=1.0,share=1.5,prune"),
        ("condense,prune", "condense", "lossless=true", "condense:lossless=True,prune"),
        ("mask:keep=3", "mask", "keep=10", "mask"),
    ],
)
def test_an_option_takes_the_place_of_what_it_was(spec, stage, option, expected):
    assert varied(spec, stage, option) == expected


def test_variants_are_those_of_the_stages_that_work():
    assert list(variants("dedup,extractive,prune", lambda named: named.name == "dedup")) == [
        ("extractive", "share=1.5"),
        ("extractive", "share=3"),
    ]


def test_a_pipeline_stands_for_those_that_differ_from_it_in_idle_stages():
    found = distinct(["dedup,prune", "prune", "delta,dedup,prune", "window"], lambda named: named.name != "dedup")
    assert found == {"dedup,prune": ["dedup,prune", "delta,dedup,prune"], "prune": ["prune"], "window": ["window"]}
