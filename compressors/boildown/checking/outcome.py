"""What came of looking at many files, and what their limits are together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from boildown.checking.findings import UNREADABLE, Finding
from boildown.checking.looking import Looked
from boildown.checking.sizes import over
from boildown.errors import InputError, NotMetError


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was found. `skipped` are files of directories that are no conversations."""

    looked: Sequence[Looked]
    others: Sequence[Finding] = ()
    skipped: Sequence[str] = ()

    @property
    def findings(self) -> list[Finding]:
        """What could not be looked at, what is broken, and what people should know, each in the order of the files."""
        found = [*self.others, *(finding for one in self.looked for finding in one.findings)]
        place = {one.file: n for n, one in enumerate(self.looked)}

        def order(one: Finding) -> tuple[bool, bool, int]:
            return one.severity == "note", one.rule != UNREADABLE, place.get(one.file, -1)

        return sorted(found, key=order)

    @property
    def unread(self) -> list[Finding]:
        return [one for one in self.others if one.rule == UNREADABLE]

    @property
    def broken(self) -> list[Finding]:
        """The limits that are broken."""
        return [one for one in self.findings if one.severity == "error" and one.rule != UNREADABLE]

    @property
    def tokens(self) -> int:
        return sum(one.tokens for one in self.looked)

    @property
    def conversations(self) -> int:
        return sum(one.conversations for one in self.looked)

    @property
    def code(self) -> int:
        """The exit code: 2 where something could not be looked at, else 1 where a limit is broken, else 0."""
        return InputError.exit_code if self.unread else NotMetError.exit_code if self.broken else 0


def total(looked: Sequence[Looked], limit: int) -> Iterator[Finding]:
    """Whether all files together are too large; the place is that of the largest one."""
    tokens = sum(one.tokens for one in looked)
    if tokens > limit:
        largest = max(looked, key=lambda one: one.tokens)
        said = f"all files together: {over(tokens, limit)}; this one is the largest, with {largest.tokens:,}"
        yield Finding(largest.file, "max-total-tokens", said, subject="all", value=tokens, limit=limit)
