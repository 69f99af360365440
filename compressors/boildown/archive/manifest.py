"""A manifest: which objects, in which order, are a source file, and what became of each of its messages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import orjson

from boildown.errors import ArchiveError
from boildown.formats.source import Json, parse
from boildown.report import Fate

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A source message: what became of it, and its records as indexes into `Manifest.objects`."""

    fate: Fate
    records: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation of the source, and its tokens before and after; 0 where an earlier version did not note them."""

    title: str
    messages: tuple[Entry, ...]
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What it takes to give a source file back.

    name      the source's file name
    format    how boildown read it
    codec     and `bom` (hexadecimal): how its bytes stand for the UTF-8 of its pieces
    source    the hash of the file's bytes
    objects   hashes of records, and of what stands between them; each once
    pieces    indexes into `objects`; joined in this order, they are the file
    """

    name: str
    format: str
    pipeline: str
    codec: str
    bom: str
    source: str
    objects: tuple[str, ...]
    pieces: tuple[int, ...]
    conversations: tuple[Conversation, ...]
    schema: int = SCHEMA


def dump(manifest: Manifest) -> bytes:
    """As JSON; also with lone surrogates in names, which orjson refuses."""
    try:
        return orjson.dumps(manifest)
    except TypeError:
        return json.dumps(asdict(manifest)).encode()


def load(data: bytes) -> Manifest:
    """The inverse of `dump`. Raises ArchiveError for what a newer version wrote."""
    value: dict[str, Json] = parse(data)
    if value["schema"] != SCHEMA:
        raise ArchiveError(f"a newer boildown wrote this manifest (schema {value['schema']}). Install that version.")
    conversations = (
        Conversation(
            c["title"],
            tuple(Entry(Fate(**e["fate"]), tuple(e["records"])) for e in c["messages"]),
            c.get("tokens_in", 0),
            c.get("tokens_out", 0),
        )
        for c in value["conversations"]
    )
    tables = {key: tuple(value[key]) for key in ("objects", "pieces")}
    return Manifest(**{**value, **tables, "conversations": tuple(conversations)})
