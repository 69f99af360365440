"""What is stale among messages that were found stands behind what is newer, and nothing else moves."""

from __future__ import annotations

import pytest

from boildown.facts.recalled import ranked


@pytest.mark.parametrize(
    ("stale", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({0: 2}, [2, 0, 1, 3]),
        ({2: 0}, [0, 1, 2, 3]),
        ({0: 1, 1: 3}, [3, 1, 0, 2]),
        ({0: 9}, [0, 1, 2, 3]),
    ],
)
def test_a_stale_one_stands_behind_what_is_newer(stale, expected):
    assert ranked(stale, 4) == expected
