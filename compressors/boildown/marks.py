"""boildown's own words inside a message, such as `[masked ...]`: a mark stays as it is or goes with its message."""

from __future__ import annotations

import re

KINDS = ("masked", "stale", "same as", "delta from")
_MARK = re.compile(rf"\[(?:{'|'.join(KINDS)}) ")


def is_mark(text: str) -> bool:
    """Whether a block's text is boildown's own: it begins with a bracket and one of `KINDS`."""
    return _MARK.match(text) is not None
