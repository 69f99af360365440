"""Neighbours: nearly all near pairs are found, no others, the same each time, with work that grows as the rows do."""

from __future__ import annotations

import numpy as np
import pytest

from boildown import neighbours
from boildown.neighbours import REACH, TABLES, near


def drawn(count: int, twins: int, cosine: float, seed: int = 1) -> np.ndarray:
    """`count` rows of length 1, and of the first `twins` another each, at `cosine`."""
    random = np.random.default_rng(seed)
    rows = random.standard_normal((count, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    aside = random.standard_normal((twins, 64)).astype(np.float32)
    aside -= (aside * rows[:twins]).sum(axis=1, keepdims=True) * rows[:twins]
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    return np.concatenate([rows, cosine * rows[:twins] + np.sqrt(1 - cosine**2) * aside])


@pytest.mark.parametrize(("cosine", "share"), [(0.999, 1.0), (0.98, 1.0), (0.95, 0.97), (0.9, 0.7)])
def test_near_pairs_are_found_and_no_others(cosine: float, share: float) -> None:
    found = near(drawn(4000, 100, cosine), cosine - 1e-3, 0).tolist()
    assert all((i, i + 4000) == (i, j) for i, j in found)
    assert len(found) >= share * 100


def test_of_few_rows_all_pairs_are_looked_at() -> None:
    assert near(drawn(4, 4, 0.6), 0.59, 0).tolist() == [[0, 4], [1, 5], [2, 6], [3, 7]]


@pytest.mark.parametrize("count", [0, 1])
def test_less_than_two_rows_make_no_pair(count: int) -> None:
    assert near(drawn(count, 0, 1.0), 0.5, 0).tolist() == []


def test_the_same_rows_give_the_same_pairs() -> None:
    rows = drawn(500, 50, 0.9)
    assert near(rows, 0.85, 0).tolist() == near(rows, 0.85, 0).tolist()


def test_equal_rows_are_no_more_work_than_others(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    whole = neighbours._alike
    monkeypatch.setattr(neighbours, "_alike", lambda r, a, b, least: compared.append(len(a)) or whole(r, a, b, least))
    near(np.ones((300, 4), np.float32) / 2, 0.99, 0)
    assert sum(compared) <= 300 * TABLES * REACH
