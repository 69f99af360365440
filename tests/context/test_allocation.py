"""Shares of the budget: as they are written, adding up to one."""

from __future__ import annotations

import pytest

from boildown.context.allocation import Allocation, allocation
from boildown.errors import UsageError


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("summary=0.2,recent=0.5,retrieved=0.3", Allocation()),
        ("recent=1", Allocation(0, 1, 0)),
        (" retrieved = 0.25 , summary=.75", Allocation(0.75, 0, 0.25)),
    ],
)
def test_a_share_that_is_not_named_is_none(text: str, shares: Allocation) -> None:
    assert allocation(text) == shares


@pytest.mark.parametrize("text", ["", "recent=0.5", "recent=2,summary=-1", "latest=1", "recent=half", "recent"])
def test_shares_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--allocation"):
        allocation(text)
