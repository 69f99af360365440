"""The best window is the one that looking at all of them finds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.measure.windows import Index

WORDS = st.lists(st.sampled_from("abcdefg"), max_size=40)
PARTS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0.1, 5), max_size=5)


def share(held: set[str], part: dict[str, float]) -> float:
    return sum(w for word, w in part.items() if word in held) / sum(part.values()) if part else 1.0


@given(WORDS, PARTS.filter(bool), PARTS, st.integers(1, 12), st.sampled_from([0.0, 0.5, 0.8, 1.0]))
def test_no_window_is_better_and_what_it_has_is_reached(
    words: list[str], wanted: dict[str, float], also: dict[str, float], width: int, least: float
) -> None:
    windows = [set(words[n : n + width]) for n in range(len(words))]
    best = max((min(share(held, wanted), share(held, also)) for held in windows), default=0.0)
    index = Index(words)
    assert index.best(wanted, also, width) == pytest.approx(best, abs=1e-6)
    assert index.reaches(wanted, also, width, least) == (best >= least - 1e-6)


def test_words_apart_do_not_stand_together() -> None:
    index = Index(["gate", *["filler"] * 20, "closed"])
    assert index.best({"gate": 1.0, "closed": 1.0}, {}, 8) == 0.5
    assert index.best({"gate": 1.0, "closed": 1.0}, {}, 22) == 1.0
