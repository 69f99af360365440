"""Rules on the records of Claude Code's sessions: uuids, the chain of parents, and records that are one message.

Claude Code's own documentation says of the files only where they are
(https://code.claude.com/docs/en/sessions). What resuming needs was taken from its behaviour as reported in the issues
named below, and from what is true of every record of the real sessions that were looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from boildown.formats.source import Json
from boildown.validity.session import Found, Session


def repeated_uuids(session: Session) -> Iterator[Found]:
    """A uuid names one record: resuming keeps records by their uuid.

    https://github.com/anthropics/claude-code/issues/22526, https://github.com/anthropics/claude-code/issues/24304.
    """
    seen: dict[str, int] = {}
    for record, value in enumerate(session.values):
        own = text(value, "uuid")
        if own in seen:
            yield Found(record, own, f"the uuid {own} is that of line {seen[own] + 1} as well")
        elif own:
            seen[own] = record


def dangling_parents(session: Session) -> Iterator[Found]:
    """A parent is in the file: resuming walks from the last record to the first and stops where one is missing.

    https://github.com/anthropics/claude-code/issues/24304, https://github.com/anthropics/claude-code/issues/22526.
    """
    known = {text(value, "uuid") for value in session.values}
    for record, value in enumerate(session.values):
        parent = text(value, "parentUuid")
        if parent and parent not in known:
            yield Found(record, text(value, "uuid"), f"the parent {parent} is not in the file")


def circular_parents(session: Session) -> Iterator[Found]:
    """Going from parent to parent ends. The record of a circle that stands first in the file is to blame.

    It follows from how resuming walks: see `dangling_parents`.
    """
    records = {text(v, "uuid"): n for n, v in reversed(list(enumerate(session.values))) if text(v, "uuid")}
    done: set[str] = set()
    for own in records:
        path: dict[str, None] = {}
        while own in records and own not in done and own not in path:
            path[own] = None
            own = text(session.values[records[own]], "parentUuid")
        if own in path:
            circle = list(path)[list(path).index(own) :]
            first = min(circle, key=records.__getitem__)
            yield Found(records[first], first, f"the parents of {first} lead back to it")
        done.update(path)


def dangling_sources(session: Session) -> Iterator[Found]:
    """`sourceToolAssistantUUID` names the record of the call that a result answers: so it is in every real session."""
    known = {text(value, "uuid") for value in session.values}
    for record, value in enumerate(session.values):
        source = text(value, "sourceToolAssistantUUID")
        if source and source not in known:
            yield Found(record, text(value, "uuid"), f"the call's record {source} is not in the file")


def split_messages(session: Session) -> Iterator[Found]:
    """Records that share a `message.id` are one message, between which only their results stand.

    Claude Code writes a record for each block of an answer as it comes, and joins them when it sends them:
    https://github.com/anthropics/claude-code/issues/21751. In between nobody else is sent.
    """
    open_: dict[bool, tuple[str, ...]] = {}
    broken: dict[str, bool] = {}
    seen: set[str] = set()
    for record, value in enumerate(session.values):
        own, side = text(value, "uuid"), is_side(value)
        if (own and own in seen) or not is_spoken(value) or is_result(value) or side:
            continue
        seen.add(own)
        name = message_id(value)
        for other in open_.get(side, ()):
            broken[other] = broken.get(other, False) or other != name
        if name and broken.get(name):
            yield Found(record, name, f"the message {name} goes on after somebody else has spoken")
        open_[side] = (*(n for n in open_.get(side, ()) if n != name), name) if name else open_.get(side, ())


def text(value: Json, key: str) -> str:
    """A record's string under `key`, empty where there is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def is_spoken(value: Json) -> bool:
    return isinstance(value, dict) and value.get("type") in ("user", "assistant") and "message" in value


def is_side(value: Json) -> bool:
    return isinstance(value, dict) and value.get("isSidechain") is True


def message_id(value: Json) -> str:
    """The id that the records of one answer of the model's share."""
    return text(value.get("message"), "id") if isinstance(value, dict) and value.get("type") == "assistant" else ""


def is_result(value: Json) -> bool:
    """Whether a record holds results of tools and nothing else."""
    message = value.get("message") if isinstance(value, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list) or not content:
        return False
    return all(isinstance(part, dict) and part.get("type") == "tool_result" for part in content)
