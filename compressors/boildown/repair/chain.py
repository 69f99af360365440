"""Mending how the records of Claude Code's sessions hang together: uuids, parents, and the order of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from boildown.formats.claude_code import Index, Links, fresh, linked, links_without
from boildown.formats.source import Json
from boildown.repair.records import Edit, rebuilt
from boildown.validity.claude_code import is_result, is_side, is_spoken, message_id, text
from boildown.validity.session import Found, Session

CHAINED = ("user", "assistant", "system", "attachment")
"""Records that others hang on. Progress is no part of the talk, and newer versions do not write it at all."""
OWN = {"uuid", "parentUuid", "timestamp", "sessionId", "version", "gitBranch", "cwd", "isSidechain", "userType"}
"""Keys in which the copy of a record may differ from it."""


@dataclass(slots=True)
class Chain:
    """A session whose records are being mended: `edit` of records, and `links`, keys that come to name other uuids."""

    session: Session
    edit: Edit = field(default_factory=Edit)
    links: Links = field(default_factory=dict)

    @property
    def index(self) -> Index:
        return cast(Index, self.session.source.layout)

    def value(self, record: int) -> Json:
        return self.session.values[record]

    def own(self, record: int) -> str:
        return self.index.uuids[record]

    def parent(self, record: int) -> str | None:
        """The record's parent, as it has come to be."""
        return self.links.get(record, {}).get("parentUuid", self.index.parents[record] or None)

    def children(self, own: str) -> list[int]:
        """The records whose parent has come to be `own`, progress left out."""
        found = [n for n in range(len(self.index.parents)) if own and self.parent(n) == own]
        return [n for n in found if text(self.value(n), "type") != "progress"]

    def hang(self, record: int, parent: str | None) -> None:
        self.links.setdefault(record, {})["parentUuid"] = parent

    def write(self) -> bytes:
        """The conversation's part of the file."""
        for record, keys in links_without(self.index, self.edit.gone).items():
            self.links[record] = keys | self.links.get(record, {})
        for record, keys in self.links.items():
            whole = self.edit.changed.get(record, self.session.source.records[record])
            self.edit.changed[record] = linked(whole, keys)
        return rebuilt(self.session.source, self.index.frame, self.edit)


def unique(session: Session, found: Sequence[Found]) -> bytes:
    """Without the copies of records; a record that only shares another's uuid gets one of its own."""
    chain = Chain(session)
    first: dict[str, int] = {}
    for record, own in enumerate(chain.index.uuids):
        first.setdefault(own, record)
    known = set(chain.index.uuids)
    for one in found:
        if _said(session.values[one.record]) == _said(session.values[first[one.subject]]):
            chain.edit.gone.add(one.record)
            continue
        new = fresh(f"{one.subject}/{one.record}", known)
        chain.links.setdefault(one.record, {})["uuid"] = new
        for child in chain.children(one.subject):
            if child > one.record:
                chain.hang(child, new)
    return chain.write()


def _said(value: Json) -> Json:
    return {key: item for key, item in value.items() if key not in OWN}


def hung(session: Session, found: Sequence[Found]) -> bytes:
    """With the nearest record before it as the parent of each record that was found; the first one has none."""
    chain = Chain(session)
    for one in found:
        chain.hang(one.record, _nearest(chain, one.record))
    return chain.write()


def _nearest(chain: Chain, record: int) -> str | None:
    """The nearest record before `record` that others hang on, in the same talk: the main one, or that sub-agent's."""
    value = chain.value(record)
    for near in range(record - 1, -1, -1):
        other = chain.value(near)
        same = is_side(other) == is_side(value) and text(other, "agentId") == text(value, "agentId")
        if chain.own(near) not in ("", chain.own(record)) and same and text(other, "type") in CHAINED:
            return chain.own(near)
    return None


def sourced(session: Session, found: Sequence[Found]) -> bytes:
    """With the record of its call as the source of each result that was found."""
    chain = Chain(session)
    callers = calls(session)
    for one in found:
        names = [str(part.get("tool_use_id")) for part in parts(session.values[one.record])]
        caller = next((callers[name] for name in names if name in callers), None)
        if caller is not None:
            chain.links[one.record] = {"sourceToolAssistantUUID": chain.own(caller)}
    return chain.write()


def gathered(session: Session, found: Sequence[Found]) -> bytes:
    """With the records of a message that were found behind its other ones; what only repeats one of those goes."""
    chain = Chain(session)
    blamed = {one.record for one in found}
    groups: dict[str, list[int]] = {}
    for record, value in enumerate(session.values):
        if message_id(value) and record not in blamed:
            groups.setdefault(message_id(value), []).append(record)
    for one in found:
        held = groups[one.subject]
        if any(parts(session.values[one.record]) == parts(session.values[other]) for other in held):
            chain.edit.gone.add(one.record)
        else:
            move(chain, one.record, _last_result(chain, held[-1]))
            held.append(one.record)
    return chain.write()


def _last_result(chain: Chain, record: int) -> int:
    """The last of the results that directly follow a record, or the record."""
    last = record
    for near in range(record + 1, len(chain.session.values)):
        value = chain.value(near)
        if is_result(value) and not is_side(value):
            last = near
        elif is_spoken(value) and not is_side(value):
            break
    return last


def moved(session: Session, found: Sequence[Found]) -> bytes:
    """With each result that was found behind the record of its call."""
    chain = Chain(session)
    callers = calls(session)
    for one in found:
        if one.record not in chain.edit.moved:
            move(chain, one.record, callers[one.subject])
    return chain.write()


def move(chain: Chain, record: int, leader: int) -> None:
    """Bring a record behind `leader` in the file, and in the chain where somebody else stands between them there."""
    chain.edit.moved[record] = leader
    above, own = chain.own(leader), chain.own(record)
    if not own or not above or _follows(chain, record, leader):
        return
    for child in chain.children(own):
        chain.hang(child, chain.parent(record))
    for child in chain.children(above):
        if child != record:
            chain.hang(child, own)
    chain.hang(record, above)


def _follows(chain: Chain, record: int, leader: int) -> bool:
    """Whether the parents of a record lead to `leader` past nothing but results and records of the same message."""
    places = {own: n for n, own in enumerate(chain.index.uuids) if own}
    same = {message_id(chain.value(record)), message_id(chain.value(leader))} - {""}
    place, seen = places.get(chain.parent(record) or ""), set[int]()
    while place is not None and place not in seen:
        if place == leader:
            return True
        value = chain.value(place)
        if not is_result(value) and text(value, "type") != "progress" and message_id(value) not in same:
            return False
        seen.add(place)
        place = places.get(chain.parent(place) or "")
    return False


def calls(session: Session) -> dict[str, int]:
    """A call's id -> the record that makes it."""
    return {
        str(part.get("id")): record
        for record, value in enumerate(session.values)
        for part in parts(value)
        if part.get("type") == "tool_use"
    }


def parts(value: Json) -> list[dict[str, Json]]:
    """The blocks of a record's content that are objects."""
    message = value.get("message") if isinstance(value, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
