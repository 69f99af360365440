"""What people see while a batch runs: the figures that there is room for."""

from __future__ import annotations

import pytest

from boildown_cli.batched import _fitting

FIGURES = ("76 of 202 files", "2 failed", "66.7% saved", "291,526 tokens")


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (80, "76 of 202 files, 2 failed, 66.7% saved, 291,526 tokens"),
        (54, "76 of 202 files, 2 failed, 66.7% saved, 291,526 tokens"),
        (53, "76 of 202 files, 2 failed, 66.7% saved"),
        (26, "76 of 202 files, 2 failed"),
        (9, "76 of 202 files"),
    ],
)
def test_a_narrow_terminal_shows_the_first_figures_whole(width: int, shown: str) -> None:
    assert _fitting(FIGURES, width) == shown
