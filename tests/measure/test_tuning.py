"""The search for the smallest output that keeps what is asked for."""

from __future__ import annotations

import pytest

from boildown.formats import load
from boildown.measure import candidates, tuning
from boildown.measure.bench import Bench, Case, Trial
from boildown.measure.retention import Kept, Retention
from boildown.measure.tuning import best, front, split, tune
from boildown.pipeline import Pins
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Message, Text, Transcript

INFO = load("openai").INFO
COUNTER = Counter(tokenizer(), INFO.framing)
WORDS = "harbour violin glacier orchard lantern compass meadow falcon quarry timber".split()


def talk(count: int = 9) -> Transcript:
    """Messages of which no two are alike."""
    said = [" ".join(WORDS[(n * k + k) % 10] + str(n) for k in range(1, 10)) for n in range(count)]
    return Transcript(
        tuple(Message(f"m{n}", "user" if n % 2 else "assistant", (Text(t),)) for n, t in enumerate(said, 1))
    )


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Only few pipelines, for the tests' speed."""
    monkeypatch.setattr(candidates, "PIPELINES", ("dedup,window", "dedup,extractive"))
    monkeypatch.setattr(tuning, "CURVE", (3.0,))


def made(survives, name: str = "talk", file: str = "") -> Case:
    """A case of which `survives(original, compressed)` survives, 0 to 1."""
    original = talk()
    before = COUNTER.total(original.messages)

    def retention(compressed: Transcript) -> Retention:
        kept = Kept("numbers", 100_000, round(100_000 * survives(original, compressed)))
        return Retention((kept,), None, None, 1.0, 0.0, 0.0, before, COUNTER.total(compressed.messages))

    return Case(name, file or name, original, INFO, COUNTER, retention)


def tokens(original: Transcript, compressed: Transcript) -> float:
    """As much as there are tokens."""
    return COUNTER.total(compressed.messages) / COUNTER.total(original.messages)


def last(original: Transcript, compressed: Transcript) -> float:
    """The last message."""
    return float(original.messages[-1] in compressed.messages)


def trial(ratio: float, mean: float, pipeline: str = "a", kept: float | None = None) -> Trial:
    return Trial(pipeline, ratio, kept or 1 / ratio, mean, mean, "talk")


@pytest.fixture
def keeping(monkeypatch):
    """Lets a pipeline at a ratio keep what a function of both says, and leave 1 / ratio of the tokens."""

    def say(mean):
        def measured(self, pipeline, ratio):
            kept = mean(pipeline, ratio)
            return Trial(pipeline, ratio, 1 / ratio, kept, kept, "talk")

        monkeypatch.setattr(Bench, "_measured", measured)

    return say


@pytest.mark.parametrize("least", [0.02, 0.3, 0.5, 0.55, 0.8, 0.97])
def test_the_largest_ratio_that_keeps_what_is_asked_for_is_found_to_2_percent_in_few_trials(keeping, least):
    keeping(lambda pipeline, ratio: 1 / ratio)
    found = tune([made(tokens)], least)
    assert found.winner.ratio <= 1 / least < found.winner.ratio * 1.03
    assert len([t for t in found.trials if t.pipeline == found.winner.pipeline]) <= 16


def test_no_ratio_beyond_a_hundred_is_tried(keeping):
    keeping(lambda pipeline, ratio: 1.0)
    assert tune([made(tokens)], 0.5).winner.ratio == pytest.approx(100, rel=0.05)


def test_the_winner_is_the_pipeline_that_reaches_furthest_whichever_comes_first(keeping):
    reach = {"dedup,prune,ledger": 2.0, "dedup,window": 2.5, "dedup,extractive": 3.0, "dedup,extractive:share=3.0": 3.6}
    keeping(lambda pipeline, ratio: 0.9 - 0.1 * ratio / reach.get(pipeline, 1.5))
    found = tune([made(tokens)], 0.8)
    assert found.winner.pipeline == "dedup,extractive:share=3.0"
    assert found.winner.ratio == pytest.approx(3.6, rel=0.03)


def test_a_dip_in_what_is_kept_does_not_stop_the_search(keeping):
    keeping(lambda pipeline, ratio: 0.0 if 2.2 < ratio < 2.4 else 1 / ratio)
    assert tune([made(tokens)], 0.4).winner.ratio == pytest.approx(2.5, rel=0.03)


def test_the_pipeline_that_keeps_what_counts_wins():
    found = tune([made(last)], 1.0)
    assert "window" in found.winner.pipeline
    assert found.winner.kept < 0.2


def test_where_nothing_smaller_keeps_enough_there_is_no_winner(keeping):
    keeping(lambda pipeline, ratio: 0.5)
    found = tune([made(tokens)], 0.6)
    assert found.winner is None
    assert {t.mean for t in found.trials} == {0.5}


def test_where_all_is_pinned_nothing_is_measured():
    found = tune([made(tokens)], 0.5, pins=Pins(recent=100))
    assert (found.winner, found.trials) == (None, ())


def test_a_preset_is_tried(keeping):
    spec = "prioritize:recency=0.75"
    keeping(lambda pipeline, ratio: pipeline == spec)
    assert tune([made(tokens)], 0.5, [spec]).winner.pipeline.startswith("prioritize:")


def test_every_trial_is_told_in_its_order_and_again_the_same():
    told = []
    first = tune([made(tokens)], 0.5, watch=lambda what, trial: told.append(trial))
    assert tuple(t for t in told if t) == first.trials == tune([made(tokens)], 0.5).trials


def test_what_is_left_out_does_not_choose_and_is_told_beside():
    cases = [made(tokens, str(n)) for n in range(3)]
    found = tune([*cases, made(lambda original, compressed: 0.25, "odd")], 0.8)
    assert found.winner.mean >= 0.8
    assert found.winner.worst >= 0.8
    assert (found.held_out.mean, found.held_out.at) == (0.25, "odd")
    assert (found.split.on, found.split.left_out) == (("0", "1", "2"), ("odd",))


def test_the_mean_is_over_files_and_the_worst_is_named():
    cases = [
        made(lambda original, compressed: 1.0, "a"),
        *(made(lambda original, compressed: 0.5, name, "b") for name in ("b1", "b2")),
    ]
    found = Bench(cases, Pins()).trial("window", 2.0)
    assert (found.mean, found.worst, found.at) == (0.75, 0.5, "b")


@pytest.mark.parametrize(
    ("files", "left_out"),
    [
        ("a", ""),
        ("abc", ""),
        ("abcd", "d"),
        ("abcdefgh", "dh"),
        ("aabbccdd", "d"),
        ("aaaa", "3"),
        ("aaaaabbbb", "37"),
    ],
)
def test_every_fourth_file_or_else_conversation_is_left_out(files, left_out):
    parts = split([made(tokens, str(n), file) for n, file in enumerate(files)])
    assert parts.left_out == tuple(left_out)
    assert [c.file if left_out.isalpha() else c.name for c in parts.held] == [
        c for c in (files if left_out.isalpha() else "012345678") if c in left_out
    ]
    assert len(parts.chosen) + len(parts.held) == len(files)


def test_the_best_has_the_fewest_tokens_of_those_that_keep_enough():
    two, three, four = trial(2, 0.9), trial(3, 0.8), trial(4, 0.7)
    assert best([two, four, three], 0.8) == three
    assert best([two, trial(3, 0.85, "b"), three], 0.8) == trial(3, 0.85, "b")
    assert best([two], 0.95) is None
    assert best([trial(1, 1.0)], 0.5) is None


def test_the_front_is_what_no_other_beats():
    two, three, four = trial(2, 0.9), trial(3, 0.8), trial(4, 0.7)
    assert front([four, two, trial(2, 0.85), trial(3, 0.6), three]) == [two, three, four]
    assert front([trial(2, 0.8), three]) == [three]
    assert front([]) == []
