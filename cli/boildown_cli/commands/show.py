"""`boildown show`: one message, of a file or of the source that it was made from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import ArchiveFolder, Conversation, ReadAs, SourceHash

if TYPE_CHECKING:
    from boildown.transcript import Transcript

_MESSAGE = re.compile(r"m[0-9]+")
_HASH = re.compile(r"[0-9a-f]{4,64}")


def show(
    ids: Annotated[
        list[str], typer.Argument(metavar="ID", help="Messages (m12), or the beginning of an archived record's hash.")
    ],
    of: Annotated[
        str | None, typer.Option("--of", metavar="FILE", help="The file with the messages, or - for stdin.")
    ] = None,
    archive: ArchiveFolder = None,
    conversation: Conversation = None,
    source: SourceHash = "",
    read_as: ReadAs = None,
    as_json: Annotated[bool, typer.Option("--json", help="The records as they stand in the file.")] = False,
) -> None:
    """Print one message of a file, or of the file that it was made from.

    Message ids are those of reports: m1, m2, ... by place in the conversation. With --archive, they are the messages
    of the source of --of, whatever became of them.

    \b
    boildown show m12 --of session.jsonl
    boildown show m12 --of small.jsonl --archive originals
    boildown show 3fa94c --archive originals --json
    """
    from boildown.errors import UsageError
    from boildown_cli.files import STDOUT, write
    from boildown_cli.terminal import tell

    for id in ids:
        if not (_MESSAGE.fullmatch(id) or _HASH.fullmatch(id)):
            raise UsageError(f"{id}: neither a message's id (m12) nor the beginning of a hash (four digits or more).")
    messages = [id for id in ids if _MESSAGE.fullmatch(id)]
    if archive:
        found = _of_archive(of, archive, source, messages, conversation, as_json)
    else:
        found = _of_file(of, read_as, messages, conversation, as_json)
    for id in ids:
        if id not in found:
            found[id] = _record(id, archive, as_json)
    if as_json:
        write([(STDOUT, b"".join(_ended(found[id]) for id in ids))])
    else:
        tell("\n\n".join(found[id].decode("utf-8", "replace") for id in ids))


def _ended(record: bytes) -> bytes:
    return record if record.endswith(b"\n") else record + b"\n"


def _of_file(of: str | None, read_as: str | None, ids: Sequence[str], n: int | None, raw: bool) -> dict[str, bytes]:
    """What to print of each message of the file itself."""
    from boildown.run import conversations, reader
    from boildown_cli.files import read, title

    if not ids:
        return {}
    where = _named(of, ids)
    format, data, _ = reader(read(where), title(where), read_as)
    transcripts = list(conversations(format, data, title(where)))
    place = _chosen(len(transcripts), n, title(where))

    transcript = transcripts[place]
    _check(ids, {m.id for m in transcript.messages}, title(where))
    return {id: _raw(transcript, id) if raw else _text(transcript, id) for id in ids}


def _raw(transcript: Transcript, id: str) -> bytes:
    """A message's records, a line break after each."""
    message = next(m for m in transcript.messages if m.id == id)
    return b"".join(_ended(transcript.source.records[i]) for i in message.records) if transcript.source else b""


def _of_archive(
    of: str | None, folder: str, source: str, ids: Sequence[str], n: int | None, raw: bool
) -> dict[str, bytes]:
    """What to print of each message of the source that `of` was made from."""
    from boildown.archive.originals import find, message_records, restore, transcripts
    from boildown.archive.store import opened
    from boildown_cli.files import read, title

    if not ids:
        return {}
    where = _named(of, ids)
    with opened(folder) as archive:
        manifest = find(archive, read(where), title(where), source)
        place = _chosen(len(manifest.conversations), n, manifest.name)
        _check(ids, {e.fate.id for e in manifest.conversations[place].messages}, manifest.name)
        if raw:
            return {id: b"".join(map(_ended, message_records(archive, manifest, place, id))) for id in ids}
        read_back = list(transcripts(manifest, restore(archive, manifest)))
        return {id: _text(read_back[place], id) for id in ids}


def _named(of: str | None, ids: Sequence[str]) -> str:
    from boildown.errors import UsageError

    if of is None:
        raise UsageError(f"{ids[0]}: of which file? Name it with --of.")
    return of


def _chosen(count: int, n: int | None, where: str) -> int:
    from boildown.errors import UsageError

    if count == 1 and n is None:
        return 0
    if n is None or n > count:
        raise UsageError(f"{where}: it has {count} conversations. Say which with --conversation 1 to {count}.")
    return n - 1


def _check(ids: Sequence[str], have: set[str], where: str) -> None:
    from boildown.errors import UsageError

    for id in ids:
        if id not in have:
            raise UsageError(f"{where}: it has no message {id}; there are {len(have)}, from m1 on.")


def _text(transcript: Transcript, id: str) -> bytes:
    """A message for people: who and when, then what."""
    from boildown.comparison import readable

    message = next(m for m in transcript.messages if m.id == id)
    head = "  ".join(filter(None, (id, message.role, message.name, message.time)))
    return f"{head}\n{readable(message)}".encode("utf-8", "replace")


def _record(prefix: str, folder: str | None, raw: bool) -> bytes:
    """The archived record whose hash begins with `prefix`."""
    from boildown.archive.store import opened
    from boildown.errors import ArchiveError, UsageError

    if folder is None:
        raise UsageError(f"{prefix}: where is this record kept? Give --archive DIR.")
    with opened(folder) as archive:
        found = archive.find(prefix)
        if not found:
            raise ArchiveError(f"{prefix}: the archive in {folder} has no record whose hash begins so.")
        if len(found) > 1:
            raise UsageError(f"{prefix}: several records' hashes begin so. Give more digits.")
        return archive.get(found[0])
