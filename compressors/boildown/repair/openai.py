"""Mending the fields of Chat Completions messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from boildown.formats.layout import Frame
from boildown.formats.source import body, dump, ending
from boildown.repair.records import Edit, rebuilt
from boildown.validity.session import Found, Session

Mend = Callable[[Session, Sequence[Found]], bytes]


def without_empty_calls(session: Session, found: Sequence[Found]) -> bytes:
    """Without the list of calls in messages where it is empty."""
    edit = Edit()
    for one in found:
        line = session.source.records[one.record]
        kept = {key: item for key, item in session.values[one.record].items() if key != "tool_calls"}
        edit.changed[one.record] = dump(kept, body(line)) + ending(line)
    return rebuilt(session.source, cast(Frame, session.source.layout), edit)


MENDS: dict[str, Mend] = {"empty-calls": without_empty_calls}
"""rule -> what mends it"""
