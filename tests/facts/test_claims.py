"""A sentence that may supersede another is told at a glance, whichever of the words it has."""

from __future__ import annotations

import pytest

from boildown.facts.claims import may_change


@pytest.mark.parametrize(
    "sentence",
    [
        "They moved it to Friday.",
        "It was brought forward.",
        "It TURNS OUT that it is Friday.",
        "It is no longer so.",
        "It grew.",
        "up to nine",
        "down to nine",
        "a total of nine",
        "I have done nine so far.",
        "by now nine",
        "nine since May",
        "I don't go there any more.",
        "I don't go there anymore.",
        "He gave up.",
        "It was called off.",
        "It was canceled.",
        "It was cancelled.",
        "tea rather than coffee",
        "tea in place of coffee",
        "replacing Redis with Valkey",
        "swapped out Redis for Valkey",
        "I live in Leeds",
        "We are based in Leeds",
        "I'm employed at Acme",
        "my favorite tea is Assam",
        "my favourite tea is Assam",
        "my dog is called Rex",
        "my dog is named Rex",
    ],
)
def test_words_that_tell_of_a_change_are_seen(sentence):
    assert may_change(sentence)


@pytest.mark.parametrize("sentence", ["The deadline is Friday.", "nowhere", "I give more.", "the place of work"])
def test_others_are_passed_over(sentence):
    assert not may_change(sentence)
