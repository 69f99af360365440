"""Handing a session over: all of it into an archive, and a page for whoever goes on, with a ledger of what it did."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boildown import private
from boildown.archive.places import local

if TYPE_CHECKING:
    from boildown.formats import Format
    from boildown.memory.archiving import Put
    from boildown.report import Report
    from boildown.tokens import Counter
    from boildown.transcript import Message, Transcript

LEDGERS = "ledgers"
TOKENS = 2_400
CHARACTERS = 8_500
"""What a ledger may take. Of what a hook says, Claude Code shows its model no more than 10,000 characters."""
_FEWER = 0.8
_ODD = re.compile(r"[^\w.-]+")


def directory(place: str) -> str:
    """An archive's directory. Raises UsageError where it has none."""
    return local(place, "ledgers are kept")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a session of a project is handed over: the archive, as `--archive` names it, and what both are called."""

    place: str
    project: str
    session: str

    @property
    def folder(self) -> str:
        return directory(self.place)

    @property
    def pages(self) -> Path:
        """The directory of the project's pages."""
        return Path(self.folder) / LEDGERS / _file_name(self.project)

    @property
    def page(self) -> Path:
        return self.pages / f"{_file_name(self.session)}.md"

    def newest(self) -> Path | None:
        """The page that was written last in the project."""
        return max(self.pages.glob("*.md"), key=lambda path: path.stat().st_mtime_ns, default=None)


def pages(folder: str, session: str) -> list[Path]:
    """The pages of a session in the archive `folder`, and what a kill left of one that was being written."""
    name = f"{_file_name(session)}.md"
    found = Path(folder, LEDGERS).glob("*/*")
    return sorted(path for path in found if path.name == name or path.name.startswith(f".{name}."))


def _file_name(name: str) -> str:
    return _ODD.sub("_", name).lstrip(".")[:200] or "unnamed"


def remember(desk: Desk, data: bytes, where: str) -> Put:
    """Put the messages of the Claude Code session `data` where `boildown recall` finds them."""
    from boildown.memory.archiving import archive
    from boildown.memory.places import opened

    with opened(desk.place, write=True) as store:
        (put,) = archive(store, data, where, session=desk.session, read_as="claude-code")
    return put


def write_page(desk: Desk, data: bytes, where: str) -> Path:
    """Write the page of the session `data`, with placeholders for secrets: its file.

    `data` goes to the archive as the source of the page: `boildown expand` gives it back, `boildown show` any message.
    """
    from boildown.archive.originals import keep
    from boildown.archive.store import digest, opened
    from boildown.run import conversations, reader
    from boildown.tokens import Counter, tokenizer

    format, plain, _ = reader(data, where, "claude-code")
    (transcript,) = conversations(format, plain, where)
    counter = Counter(tokenizer("o200k_base"), format.INFO.framing)
    ledger = _ledger(transcript, counter)
    page = _page(desk, transcript, ledger, digest(data)).encode("utf-8", "replace")
    with opened(desk.folder, write=True) as archive:
        keep(archive, data, page, _report(where, format, counter, transcript, ledger))
    desk.pages.mkdir(parents=True, exist_ok=True)
    private.write(desk.page, page)
    return desk.page


def _ledger(transcript: Transcript, counter: Counter) -> tuple[Message, ...]:
    """One message that tells what the session did, or none where it used no tools."""
    from boildown.pipeline import Context
    from boildown.stages.ledger import Ledger
    from boildown.stages.redact import Redact

    (safe,) = Redact().together([transcript])
    tokens = TOKENS
    while True:
        context = Context(counter, tokens, source=safe)
        told = Ledger(share=0.999)(safe.with_messages(()), context).messages
        if sum(len(message.text) for message in told) <= CHARACTERS:
            return told
        tokens = int(tokens * _FEWER)


def _page(desk: Desk, transcript: Transcript, ledger: tuple[Message, ...], source: str) -> str:
    """`source` is the hash of the session's file: one that grew by no message has the same page otherwise."""
    folder = shlex.quote(desk.folder)
    shown, session = shlex.quote(str(desk.page)), shlex.quote(desk.session)
    return "\n".join(
        [
            f"The session {desk.session} had {len(transcript.messages):,} messages when it was archived by boildown.",
            *(message.text for message in ledger),
            "What was said word for word is in the archive:",
            f"  boildown show m12 --of {shown} --source {source[:12]} --archive {folder}",
            f'  boildown recall "QUESTION" --archive {folder} --session {session}',
            "",
        ]
    )


def _report(
    where: str, format: Format, counter: Counter, transcript: Transcript, ledger: tuple[Message, ...]
) -> Report:
    """How the session became its page: each message is told of there, or is not."""
    from boildown.report import ConversationReport, Fate, Report
    from boildown.stages.ledger import ID, Ledger

    told = {id for message in ledger for id in message.covers}
    sizes = counter.messages(transcript.messages)
    fates = (
        Fate(m.id, m.role, "stood for", n, 0, ID, Ledger.REASON)
        if m.id in told
        else Fate(m.id, m.role, "dropped", n, 0, ID, "the ledger has no room for it")
        for m, n in zip(transcript.messages, sizes, strict=True)
    )
    account = ConversationReport(
        title=transcript.title,
        budget=TOKENS,
        tokens_in=counter.total(transcript.messages),
        tokens_out=counter.total(ledger),
        steps=(),
        messages=tuple(fates),
    )
    return Report(
        input=where,
        output="",
        format_in=format.INFO.name,
        format_out="ledger",
        tokenizer="o200k_base",
        framing=format.INFO.framing.source,
        pipeline="redact,ledger",
        conversations=(account,),
    )
