"""Vectors near each other, found without comparing all with all: signatures of random hyperplanes, sorted."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boildown.arrays import Ints, Singles

TABLES = 48
"""How often all are sorted, each time by another signature"""
BITS = 32
REACH = 8
"""Places in the sorted order up to which two are compared"""
_AT_ONCE = 1 << 14


def near(rows: Singles, least: float, seed: int) -> Ints:
    """Pairs (i, j), i < j, of rows of length 1 with a cosine of at least `least`, in ascending order.

    Most such pairs, not all: two rows whose angle is a share of half a turn differ in that share of the signs of their
    products with random vectors (Charikar 2002), and so stand near each other in one of the sorted orders. The work is
    that of sorting, whatever the rows are like: a row is compared with TABLES * REACH others at most on each side.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    if len(rows) < 2:
        return np.zeros((0, 2), np.int64)
    drawn, found = np.random.default_rng(seed), []
    with threadpool_limits(1):  # Several threads add up in no fixed order.
        for _ in range(TABLES):
            planes = drawn.standard_normal((rows.shape[1], BITS), np.float32)
            signs = (rows @ planes > 0) @ (1 << np.arange(BITS, dtype=np.int64))
            order = np.argsort(signs, kind="stable")
            for away in range(1, min(REACH, len(rows) - 1) + 1):
                found.append(_alike(rows, order[:-away], order[away:], least))
    return np.unique(np.concatenate(found), axis=0)


def _alike(rows: Singles, one: Ints, other: Ints, least: float) -> Ints:
    """Those of the pairs of `one` and `other`, indexes of rows, that are near each other."""
    import numpy as np

    kept = []
    for start in range(0, len(one), _AT_ONCE):
        a, b = one[start : start + _AT_ONCE], other[start : start + _AT_ONCE]
        near_ones = np.einsum("ij,ij->i", rows[a], rows[b]) >= least
        kept.append(np.sort(np.stack([a[near_ones], b[near_ones]], axis=1), axis=1))
    return np.concatenate(kept)
