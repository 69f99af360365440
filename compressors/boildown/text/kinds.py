"""What a unit of text can be."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a unit is. ITEM is a list item or a quoted line; LINE is a line of logs or code, or a ruler.

    Long code, JSON and tables come apart: HEAD, the header of a table, and OPEN and CLOSE, fences and brackets, go
    with what is left of what they frame.
    """

    SENTENCE = "sentence"
    ITEM = "item"
    HEADING = "heading"
    CODE = "code"
    TABLE = "table"
    LINE = "line"
    HEAD = "head"
    OPEN = "open"
    CLOSE = "close"


Row = tuple[int, int, Kind]
"""Where a unit starts and ends, and what it is"""
