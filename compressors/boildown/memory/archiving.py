"""Putting a file's conversations into a store of messages, each under the name of its session."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from boildown.archive.store import digest
from boildown.comparison import readable
from boildown.formats.source import Json, parse
from boildown.memory.messages import Kept, Memory, Origin, Said, Scope, Seat
from boildown.memory.times import moment
from boildown.run import conversations, reader
from boildown.transcript import Message, Transcript

if TYPE_CHECKING:
    from boildown.memory.embedders import Embedder

_IDS = ("sessionId", "session_id", "conversation_id", "uuid", "id")
_IDENTIFIED = ("claude-code", "codex", "gemini-cli", "pi", "chatgpt", "claude-ai")
"""The formats that give a session a name of its own, under one of _IDS in the first record that says what it is"""
_LOOKED_AT = 20
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Put:
    """What became of a conversation: its session, its messages, and how many of them are new."""

    session: str
    messages: int
    new: int


def archive(
    memory: Memory,
    data: bytes,
    where: str,
    user: str = "",
    session: str | None = None,
    read_as: str | None = None,
    newest: int = 0,
    called: str = "",
) -> list[Put]:
    """Put the conversations of the file `data` (its name is `where`) into `memory`, but for the `newest` of each.

    `called` as in `named`. Raises InputError. Each conversation is kept whole or not at all.
    """
    format, plain, _ = reader(data, where, read_as)
    transcripts = list(conversations(format, plain, where))
    names = named(transcripts, where, called, session)
    source, done = digest(data), []
    for transcript, name in zip(transcripts, names, strict=True):
        messages = transcript.messages[: max(len(transcript.messages) - newest, 0)]
        with memory.transaction():
            new = memory.put(Origin(name, user, transcript.title, source, os.path.basename(where)), said(messages))
        done.append(Put(name, len(messages), new))
    return done


def put_archived(
    place: str,
    found: Sequence[Transcript],
    where: str,
    source: str,
    user: str = "",
    session: str | None = None,
    called: str = "",
) -> None:
    """Put what stands in `archived` of a file's conversations into the archive `place`, where there is anything.

    `source` is the SHA-256 of the file, `where` its name, `called` as in `named`. All are kept, or none.
    """
    from boildown.memory.places import opened

    if not any(transcript.archived for transcript in found):
        return
    names = named(found, where, called, session)
    file = os.path.basename(where)
    with opened(place, write=True) as memory, memory.transaction():
        for name, transcript in zip(names, found, strict=True):
            if transcript.archived:
                memory.put(Origin(name, user, transcript.title, source, file), said(transcript.archived))


def said(messages: Iterable[Message]) -> list[Said]:
    """Messages as a store takes them: all that each says, as text."""
    return [
        Said(m.id, m.role, text, m.name or "", m.time or "", moment(m.time))
        for m in messages
        if (text := readable(m)).strip()
    ]


def named(transcripts: Sequence[Transcript], where: str, called: str = "", session: str | None = None) -> list[str]:
    """The name of each conversation's session: its id where the format has one, else the file's name and its title.

    `session`, where it is given, is the name of all.
    `called` stands for the file's name, where another file may have the same. Where a session's name comes again, its
    number is added: no two conversations of a file are one session.
    """
    if session is not None:
        return [session] * len(transcripts)
    found = [identified(t) or f"{called or stem(where)}/{t.title}".rstrip("/") for t in transcripts]
    often, seen, names = Counter(found), Counter[str](), list[str]()
    for name in found:
        seen[name] += 1
        names.append(f"{name} {seen[name]}" if often[name] > 1 else name)
    return names


def apart(paths: Sequence[str]) -> dict[str, str]:
    """What to call the sessions of each file, as in `named`: its path where another file has its name, else nothing."""
    often = Counter(stem(path) for path in paths)
    return {path: name if often[stem(path)] > 1 else "" for path, name in distinct(paths).items()}


def distinct(paths: Sequence[str]) -> dict[str, str]:
    """Each of different paths without the file's endings, but where another one differs in these alone."""
    beside = Counter(bare(path) for path in paths)
    return {path: path if beside[bare(path)] > 1 else bare(path) for path in paths}


def bare(path: str) -> str:
    """A path without its file's endings."""
    return path.removesuffix(os.path.basename(path)) + stem(path)


def stem(where: str) -> str:
    """A file's name without its endings."""
    return os.path.basename(where).partition(".")[0] or where


def identified(transcript: Transcript) -> str:
    """The id that the client gave the session, or nothing."""
    source = transcript.source
    if source is None or source.format not in _IDENTIFIED:
        return ""
    for record in source.records[:_LOOKED_AT]:
        for value in _said_of(record):
            if found := next((value[key] for key in _IDS if isinstance(value.get(key), str) and value[key]), ""):
                return str(found)
    return ""


def _said_of(record: bytes) -> Iterator[dict[str, Json]]:
    """The objects of a record that may name its session."""
    try:
        value = parse(record)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        yield value
        if value.get("type") == "session_meta" and isinstance(value.get("payload"), dict):
            yield value["payload"]


def embed_new(memory: Memory, embedder: Embedder, scope: Scope, show: Callable[[str], None] | None = None) -> int:
    """Have `embedder` embed what it has not of the scope's user and session: how many messages.

    What is done when it is stopped is kept.
    """
    done = 0
    while some := memory.unembedded(embedder.name, _BATCH, scope):
        made = _vectors(embedder, some)
        with memory.transaction():
            memory.embed(embedder.name, made)
        done += len(some)
        if show:
            show(f"embedding: {done:,} messages")
    return done


def embed_inside(memory: Memory, embedder: Embedder, scope: Scope) -> None:
    """As `embed_new`, inside of a transaction."""
    while some := memory.unembedded(embedder.name, _BATCH, scope):
        memory.embed(embedder.name, _vectors(embedder, some))


def _vectors(embedder: Embedder, some: Sequence[Kept]) -> dict[Seat, bytes]:
    import numpy as np

    rows = embedder.vectors([kept.said.text for kept in some]).astype(np.float16)
    return {kept.seat: row.tobytes() for kept, row in zip(some, rows, strict=True)}
