"""A conversation as the rules see it: its messages, its records as JSON, and the threads that it runs in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from boildown.formats import Format
from boildown.formats.source import Json, body, parse
from boildown.transcript import FormatInfo, Message, Source, Transcript


@dataclass(frozen=True, slots=True)
class Found:
    """A place where a rule is broken.

    record   index in `Source.records`, -1 where none is to blame
    subject  what names it also when the file is written anew: a call's id, a uuid, a `message.id`, or nothing
    at       the place in the record's content, -1 where the record as a whole is meant
    """

    record: int
    subject: str
    what: str
    at: int = -1


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation that was read, and its format. `values` are its records; None for one that is no JSON."""

    format: Format
    transcript: Transcript
    values: tuple[Json, ...]

    @property
    def info(self) -> FormatInfo:
        return self.format.INFO

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.transcript.messages

    @property
    def source(self) -> Source:
        return cast(Source, self.transcript.source)

    def value(self, message: Message) -> Json:
        """The message's first record."""
        return self.values[message.records[0]] if message.records else None

    def place(self, message: Message, at: int = -1) -> tuple[int, int]:
        """The record that place `at` of a message's content is in, and the place in that record."""
        if not message.records:
            return -1, -1
        for record in message.records[:-1]:
            size = _size(self.values[record])
            if at < size:
                return record, at
            at -= size
        return message.records[-1], at

    def threads(self) -> Iterator[list[Message]]:
        """The messages of each line of talk: the main one, and each sub-agent's where the file holds those as well."""
        found: dict[str, list[Message]] = {}
        parents = _parents(self.values)
        for message in self.messages:
            value = self.value(message)
            side = isinstance(value, dict) and value.get("isSidechain") is True
            found.setdefault(_root(str(value.get("uuid")), parents) if side else "", []).append(message)
        yield from found.values()


def _size(value: Json) -> int:
    """How many places a record's content takes among those of its message."""
    message = value.get("message") if isinstance(value, dict) else None
    content = message.get("content") if isinstance(message, dict) else message
    return len(content) if isinstance(content, list) else int(content is not None)


def _parents(values: Sequence[Json]) -> dict[str, str]:
    """uuid -> parentUuid of the sub-agents' records."""
    side = [v for v in values if isinstance(v, dict) and v.get("isSidechain") is True]
    return {v["uuid"]: v["parentUuid"] for v in side if {type(v.get("uuid")), type(v.get("parentUuid"))} == {str}}


def _root(own: str, parents: dict[str, str]) -> str:
    """The first record above `own`. `parents` is led there, so that no path is walked twice."""
    path = [own]
    while path[-1] in parents and len(path) <= len(parents):
        path.append(parents[path[-1]])
    parents.update(dict.fromkeys(path[:-1], path[-1]))
    return path[-1]


def sessions(format: Format, data: bytes) -> Iterator[Session]:
    """The conversations of a file, `data` being plain UTF-8. Raises ValueError as the format's `read` does."""
    for transcript in format.read(data):
        source = cast(Source, transcript.source)
        yield Session(format, transcript, tuple(_parsed(record) for record in source.records))


def _parsed(record: bytes) -> Json:
    try:
        return parse(body(record)) if record.strip() else None
    except (ValueError, RecursionError):
        return None
