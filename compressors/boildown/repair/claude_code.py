"""Mending Claude Code's sessions, record by record: the chain of parents is led past what goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from boildown.formats.claude_code import dressed, fresh, with_content
from boildown.formats.source import Json, dump
from boildown.repair import chain
from boildown.repair.chain import Chain
from boildown.repair.messages import NONE_RECORDED, new_names
from boildown.validity.claude_code import is_result, text
from boildown.validity.session import Found, Session

Mend = Callable[[Session, Sequence[Found]], bytes]
THOUGHTS = ("thinking", "redacted_thinking")


def without_blocks(session: Session, found: Sequence[Found]) -> bytes:
    """Without the blocks that were found, and without records that held nothing else."""
    blamed: dict[int, set[int]] = {}
    for one in found:
        blamed.setdefault(one.record, set()).add(one.at)
    mended = Chain(session)
    for record, places in blamed.items():
        content = _content(session.values[record])
        kept = [part for at, part in enumerate(content) if at not in places]
        _put(mended, record, kept, any(_kind(content[at]) == "tool_result" for at in places if at < len(content)))
    return mended.write()


def without_last_thoughts(session: Session, found: Sequence[Found]) -> bytes:
    """Without the thoughts that the messages that were found end in."""
    blamed = {one.record for one in found}
    mended = Chain(session)
    for message in session.messages:
        if blamed.isdisjoint(message.records):
            continue
        for record in reversed(message.records):
            kept = list(_content(session.values[record]))
            while kept and _kind(kept[-1]) in THOUGHTS:
                kept.pop()
            _put(mended, record, kept, False)
            if kept:
                break
    return mended.write()


def without_records(session: Session, found: Sequence[Found]) -> bytes:
    """Without the messages that were found."""
    mended = Chain(session)
    for one in found:
        mended.edit.gone.add(one.record)
    return mended.write()


def results_first(session: Session, found: Sequence[Found]) -> bytes:
    """With the results of each record that was found before what else it says."""
    mended = Chain(session)
    for record in {one.record for one in found}:
        content = sorted(_content(session.values[record]), key=lambda part: _kind(part) != "tool_result")
        _put(mended, record, content, False)
    return mended.write()


def renamed(session: Session, found: Sequence[Found]) -> bytes:
    """With an id of its own for each call that was found, and for its result."""
    mended = Chain(session)
    contents: dict[int, list[Json]] = {}
    for (record, at), name in new_names(session, found).items():
        content = contents.setdefault(record, list(_content(session.values[record])))
        key = "id" if _kind(content[at]) == "tool_use" else "tool_use_id"
        content[at] = {**content[at], key: name}
    for record, content in contents.items():
        _put(mended, record, content, False)
    return mended.write()


def answered(session: Session, found: Sequence[Found]) -> bytes:
    """With a result behind each call that was found, in the chain as well: an error that says that there is none."""
    mended = Chain(session)
    known = set(mended.index.uuids)
    for one in found:
        like, own = session.values[one.record], mended.own(one.record)
        part = {"type": "tool_result", "tool_use_id": one.subject, "content": NONE_RECORDED, "is_error": True}
        value = {"type": "user", "message": {"role": "user", "content": [part]}}
        made = fresh(f"{own}/{one.subject}", known)
        record = dressed(value, made, own or None, like, text(like, "timestamp"))
        record |= {"isSidechain": like.get("isSidechain") is True, "sourceToolAssistantUUID": own}
        mended.edit.new.setdefault(one.record, []).append(dump(record, session.source.records[one.record]))
        for child in mended.children(own):
            if not is_result(session.values[child]):
                mended.hang(child, made)
    return mended.write()


def _content(value: Json) -> list[Json]:
    """A record's content; a string stands for a block."""
    message = value.get("message") if isinstance(value, dict) else None
    content = message.get("content") if isinstance(message, dict) else message
    return content if isinstance(content, list) else [] if content is None else [content]


def _kind(part: Json) -> str:
    return text(part, "type")


def _put(mended: Chain, record: int, content: list[Json], stale: bool) -> None:
    """Give a record other content. `stale`: its `toolUseResult` told of a result that is gone."""
    if not content:
        mended.edit.gone.add(record)
    elif content != _content(mended.value(record)):
        mended.edit.changed[record] = with_content(mended.session.source.records[record], content, stale)


MENDS: dict[str, Mend] = {
    "repeated-uuid": chain.unique,
    "split-message": chain.gathered,
    "dangling-parent": chain.hung,
    "circular-parent": chain.hung,
    "dangling-source": chain.sourced,
    "hollow-thinking": without_blocks,
    "ending-in-thinking": without_last_thoughts,
    "empty-text": without_blocks,
    "empty-message": without_records,
    "reused-call": renamed,
    "ambiguous-call": renamed,
    "results-first": results_first,
    "repeated-result": without_blocks,
    "orphan-result": without_blocks,
    "late-result": chain.moved,
    "orphan-call": answered,
}
"""rule -> what mends it"""
