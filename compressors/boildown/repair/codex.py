"""Mending Codex's rollouts, line by line, as the client mends the history that it sends.

https://github.com/openai/codex/blob/main/codex-rs/core/src/context_manager/normalize.rs: an output without its call
goes, and a call without an output gets one that says "aborted".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from boildown.formats.codex import response_item
from boildown.formats.layout import LINES
from boildown.formats.source import Json, body, dump, ending, parse
from boildown.repair.messages import new_names
from boildown.repair.records import Edit, rebuilt
from boildown.validity.codex import OUTPUTS
from boildown.validity.session import Found, Session

ABORTED = "aborted"
Mend = Callable[[Session, Sequence[Found]], bytes]


def without_lines(session: Session, found: Sequence[Found]) -> bytes:
    """Without the lines that were found."""
    return _rebuilt(session, Edit(gone={one.record for one in found}))


def answered(session: Session, found: Sequence[Found]) -> bytes:
    """With an output behind each call that was found."""
    edit = Edit()
    for one in found:
        record = session.values[one.record]
        held = cast(dict[str, Json], response_item(record))
        made = {"type": OUTPUTS.get(str(held["type"]), OUTPUTS["function_call"]), "call_id": one.subject}
        output = {**made, "output": ABORTED}
        whole = output if held is record else {**record, "payload": output}
        edit.new[one.record] = [dump(whole, session.source.records[one.record])]
    return _rebuilt(session, edit)


def renamed(session: Session, found: Sequence[Found]) -> bytes:
    """With an id of its own for each call that was found, and for its output."""
    names = {record: name for (record, _), name in new_names(session, found).items()}
    return _rebuilt(session, Edit(changed={r: _with(session, r, "call_id", name) for r, name in names.items()}))


def matched(session: Session, found: Sequence[Found]) -> bytes:
    """With each output that was found as the kind that its call asks for."""
    kinds = {}
    for value in session.values:
        held = response_item(value) or {}
        if (kind := str(held.get("type"))) in OUTPUTS:
            kinds[str(held.get("call_id"))] = OUTPUTS[kind]
    changed = {one.record: _with(session, one.record, "type", kinds[one.subject]) for one in found}
    return _rebuilt(session, Edit(changed=changed))


def _with(session: Session, record: int, key: str, text: str) -> bytes:
    """A record whose item has `text` under `key`."""
    line = session.source.records[record]
    value = parse(body(line))
    cast(dict[str, Json], response_item(value))[key] = text
    return dump(value, line) + ending(line)


def _rebuilt(session: Session, edit: Edit) -> bytes:
    return rebuilt(session.source, LINES, edit)


MENDS: dict[str, Mend] = {
    "mismatched-output": matched,
    "ambiguous-call": renamed,
    "repeated-result": without_lines,
    "orphan-result": without_lines,
    "orphan-call": answered,
}
"""rule -> what mends it"""
