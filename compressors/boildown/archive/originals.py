"""Putting source files into an archive beside their outputs, and getting them back byte for byte."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from boildown import formats
from boildown.archive.manifest import Conversation, Entry, Manifest, dump, load
from boildown.archive.store import Archive, Filed, digest
from boildown.errors import ArchiveError, LostError, UsageError
from boildown.formats.source import Encoding, encoding
from boildown.report import Archived, Report
from boildown.run import conversations
from boildown.transcript import Transcript

_FAR = 1 << 20
"""Bytes between one record and the next within which the next is looked for."""
_NAMED = 8
"""Lost records that an error names. It names all messages."""


def keep(archive: Archive, data: bytes, written: bytes, report: Report) -> Archived:
    """Keep the source file `data`, of which `report` says how it became the output `written`.

    The source is read back from the archive before anything is final. Raises ArchiveError where it is not the same.
    """
    code = encoding(data)
    plain = code.decode(data)
    if code.bom + code.encode(plain) != data:
        code, plain = Encoding(), data
    with archive.transaction():
        objects = _Objects(archive)
        kept, spans = _messages(objects, plain, report)
        pieces = tuple(objects.add(piece) for piece in _cut(plain, spans))
        manifest = Manifest(
            name=report.input,
            format=report.format_in,
            pipeline=report.pipeline,
            codec=code.codec,
            bom=code.bom.hex(),
            source=digest(data),
            objects=tuple(objects.names),
            pieces=pieces,
            conversations=kept,
        )
        if restore(archive, manifest) != data:
            raise ArchiveError(f"{report.input}: the archive in {archive.folder} does not give it back.")
        packed, output = dump(manifest), digest(written)
        archive.put(packed)
        archive.file(output, manifest.source, digest(packed), manifest.name)
    return Archived(archive.folder, output, manifest.source, len(objects.names), objects.new)


@dataclass(slots=True)
class _Objects:
    """The objects of one manifest, each put once."""

    archive: Archive
    names: dict[str, int] = field(default_factory=dict)
    new: int = 0

    def add(self, data: bytes) -> int:
        """Keep `data`: its index among the names."""
        name = digest(data)
        if name not in self.names:
            self.new += self.archive.put(data)
            self.names[name] = len(self.names)
        return self.names[name]


def _messages(
    objects: _Objects, plain: bytes, report: Report
) -> tuple[tuple[Conversation, ...], list[tuple[int, int]]]:
    """Every conversation's messages with their records kept, and where the records stand in the file."""
    kept, spans, place = [], list[tuple[int, int]](), 0
    read = conversations(formats.load(report.format_in), plain, report.input)
    for transcript, account in zip(read, report.conversations, strict=True):
        records = transcript.source.records if transcript.source else ()
        spans += _places(plain, records, place)
        place = max(place, spans[-1][1] if spans else 0)
        indexes = [objects.add(record) for record in records]
        entries = (
            Entry(fate, tuple(indexes[i] for i in message.records))
            for fate, message in zip(account.messages, transcript.messages, strict=True)
        )
        kept.append(Conversation(transcript.title, tuple(entries), account.tokens_in, account.tokens_out))
    return tuple(kept), spans


def _places(plain: bytes, records: Sequence[bytes], start: int) -> list[tuple[int, int]]:
    """Where `records` stand behind `start`, ascending. One that is not found is left out.

    They stand in their order, but for one that a format counts last and the file has before the others.
    """
    found: list[tuple[int, int]] = []
    early: list[tuple[int, int]] = []
    place = first = start
    for record in filter(None, records):
        at = plain.find(record, start, first)
        if at >= 0 and not early:
            early.append((at, at + len(record)))
            continue
        at = plain.find(record, place, place + len(record) + _FAR)
        if at >= 0:
            first = first if found else at
            place = at + len(record)
            found.append((at, place))
    return early + found


def _cut(plain: bytes, spans: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    """The file in pieces, those at `spans` and those between. Joined, they are the file."""
    borders = sorted({0, len(plain), *(border for span in spans for border in span)})
    return (plain[start:end] for start, end in pairwise(borders))


def find(archive: Archive, small: bytes, where: str, source: str = "") -> Manifest:
    """The manifest of the output `small`, whose name is `where`.

    Where several sources became this output, `source` is the beginning of one's hash. An output that is its own
    source, since it fitted, is only meant where there is no other. Raises ArchiveError or UsageError.
    """
    filed = archive.filed(digest(small))
    if not filed:
        raise ArchiveError(
            f"{where}: the archive in {archive.folder} has no file that became this one: it was edited since it was "
            "written, or archived elsewhere. Give the file as 'boildown compress --archive' wrote it."
        )
    others = [f for f in filed if f.source != f.output] or filed
    chosen = [f for f in (filed if source else others) if f.source.startswith(source)]
    if len(chosen) != 1:
        raise UsageError(f"{where}: {_choice(filed, source)}")
    try:
        return load(archive.get(chosen[0].manifest))
    except LostError as error:
        raise ArchiveError(
            f"the archive in {archive.folder}: the manifest of {chosen[0].name} is {error.why}, so all its messages "
            "are lost; nothing was written. Restore the archive from a copy, or archive the source again."
        ) from None


def _choice(filed: Sequence[Filed], source: str) -> str:
    several = ", ".join(f"{f.source[:12]} ({f.name}, {f.made} UTC)" for f in filed)
    asked = f"no one source's hash begins with {source!r}" if source else f"{len(filed)} sources became this output"
    return f"{asked}. Say which with --source: {several}."


def restore(archive: Archive, manifest: Manifest) -> bytes:
    """The source file. Raises ArchiveError that names the messages of which something is lost."""
    needed: dict[int, bytes] = {}
    lost: dict[int, str] = {}
    for index in dict.fromkeys(manifest.pieces):
        try:
            needed[index] = archive.get(manifest.objects[index])
        except LostError as error:
            lost[index] = error.why
    if lost:
        raise ArchiveError(_lost(archive, manifest, lost))
    code = Encoding(manifest.codec, bytes.fromhex(manifest.bom))
    data = code.bom + code.encode(b"".join(needed[index] for index in manifest.pieces))
    if digest(data) != manifest.source:
        raise ArchiveError(f"the archive in {archive.folder}: its pieces of {manifest.name} make another file.")
    return data


def _lost(archive: Archive, manifest: Manifest, lost: dict[int, str]) -> str:
    """Which messages are lost, and which records."""
    named, owned = [], set[int]()
    for n, conversation in enumerate(manifest.conversations, 1):
        gone = [e for e in conversation.messages if not lost.keys().isdisjoint(e.records)]
        owned.update(i for e in gone for i in e.records)
        if gone:
            place = f" of conversation {n}" if len(manifest.conversations) > 1 else ""
            named.append(f"{ranges([e.fate.id for e in gone])}{place}")
    if not lost.keys() <= owned:
        named.append("what stands between messages")
    records = ", ".join(f"{manifest.objects[i][:12]} {why}" for i, why in list(lost.items())[:_NAMED])
    records += f" and {len(lost) - _NAMED:,} more" if len(lost) > _NAMED else ""
    return (
        f"the archive in {archive.folder} has lost parts of {manifest.name}: {'; '.join(named)} (records: {records}). "
        "Nothing was written. Restore the archive from a copy, or archive the source again, which mends it."
    )


def ranges(ids: Sequence[str]) -> str:
    """`m1 to m3, m7` for message ids in order."""
    runs: list[list[str]] = []
    for id in ids:
        last = runs[-1][-1][1:] if runs else ""
        if last.isdecimal() and id == f"m{int(last) + 1}":
            runs[-1].append(id)
        else:
            runs.append([id])
    return ", ".join(run[0] if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def message_records(archive: Archive, manifest: Manifest, conversation: int, id: str) -> list[bytes]:
    """The source records of a message, as they stand. Raises LostError."""
    entries = manifest.conversations[conversation].messages
    entry = next(e for e in entries if e.fate.id == id)
    return [archive.get(manifest.objects[i]) for i in entry.records]


def transcripts(manifest: Manifest, data: bytes) -> Iterator[Transcript]:
    """The conversations of a restored source."""
    code = Encoding(manifest.codec, bytes.fromhex(manifest.bom))
    return conversations(formats.load(manifest.format), code.decode(data), manifest.name)
