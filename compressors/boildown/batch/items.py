"""The work of a batch as values that travel: an item to be done, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from boildown.batch.inputs import Input
from boildown.batch.places import Stamp

Status = Literal["done", "unchanged", "skipped", "not met", "unreadable", "lost", "bug"]
"""What became of a file.

done        it was compressed, and its output written
unchanged   its output was there from an earlier run
skipped     it was found in a directory, and is no conversation
not met     its budget could not be met, or what else was demanded
unreadable  it could not be read, or its output not written
lost        the process that worked on it died, twice
bug         a failure that nobody foresaw
"""


@dataclass(frozen=True, slots=True)
class Todo:
    """An input that has to be read. `known` is the hash of the content that made what is at `target`, or ""."""

    input: Input
    stamp: Stamp
    target: str
    known: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A file or a slice of one, and where its output goes: all that a process on any machine needs besides the job.

    name     the output's name below the output's directory; of a slice what the journal calls it
    where    how the input is called in messages
    named    whether a user named it, so that it must be a conversation
    known    the hash of the content that made what is at `target` already; "" where nothing that is of use is
    data     the content of a slice; None where it is all that is at `source`
    read_as  the format of a slice
    called   what the archive calls its conversations that have no id, besides their titles
    weight   bytes of the source as it stands, for progress
    """

    name: str
    source: str
    target: str
    where: str
    named: bool
    weight: int
    known: str = ""
    data: bytes | None = None
    read_as: str | None = None
    called: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file: a row of the report. Bytes are of the unpacked content, hashes SHA-256 in hex.

    stamp  of the output, as it was just written
    """

    source: str
    target: str
    status: Status
    error: str = ""
    format_in: str = ""
    format_out: str = ""
    conversations: int = 0
    messages: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cut: int = 0
    seconds: float = 0.0
    content: str = ""
    output: str = ""
    stamp: Stamp | None = None

    @property
    def saving(self) -> float:
        """The share of the input's tokens that is gone, 0 to 1."""
        return 1 - self.tokens_out / self.tokens_in if self.tokens_in else 0.0
