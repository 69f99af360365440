"""What is left out of the default run: marked by one name, run by `just batteries`, and whole in CI."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

battery = pytest.mark.battery


def sampled(values: Iterable[Any], every: int) -> list[Any]:
    """The values as parameters, of which each `every`-th, from the first on, is in the default run."""
    return [value if n % every == 0 else in_battery(value) for n, value in enumerate(values)]


def in_battery(value: Any) -> Any:
    """A parameter of tests that are left out of the default run."""
    if hasattr(value, "marks") and hasattr(value, "values"):
        return pytest.param(*value.values, id=value.id, marks=[*value.marks, battery])
    return pytest.param(*value if isinstance(value, tuple) else (value,), marks=battery)
