"""What is held of a stream: what the last compression left and what came since, and what became of the rest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from boildown.following.compression import Compressed, Held, bare, mended
from boildown.following.records import Record
from boildown.formats import Format
from boildown.policy import Policy

_CARRIED = 4 << 20
"""Bytes of records that are no message, above which they go"""
_GROWN = 0.05
"""The share of the window by which a state that no compression brings below the last level grows before the next"""


@dataclass(slots=True)
class Tally:
    """What became of all messages so far. `archived` are those that were put into a store, dropped ones among them."""

    messages: int = 0
    tokens: int = 0
    compressions: int = 0
    changed: int = 0
    stood_for: int = 0
    dropped: int = 0
    archived: int = 0
    bad: int = 0


@dataclass(slots=True)
class State:
    """The state of a stream, which takes no more memory than its window and what came while that was compressed.

    base    tokens of what is `held` since the last compression
    recent  the lines since then, each with its tokens, which are `added` together
    level   the index of the level that held after the last compression, when `settled` tokens were left
    offset  bytes of the input that were read, whose SHA-256 is `read`
    """

    policy: Policy
    held: Held = field(default_factory=Held)
    base: int = 0
    recent: list[tuple[bytes, int]] = field(default_factory=list)
    added: int = 0
    level: int = 0
    settled: int = 0
    carried: int = 0
    offset: int = 0
    read: hashlib._Hash = field(default_factory=hashlib.sha256)
    tally: Tally = field(default_factory=Tally)

    @property
    def tokens(self) -> int:
        return self.base + self.added

    @property
    def lines(self) -> list[bytes]:
        return [*self.held.lines, *(line for line, _ in self.recent)]

    @property
    def reached(self) -> str:
        """The name of the level that holds."""
        return self.policy.levels[self.policy.at(self.tokens)].name

    def add(self, record: Record) -> None:
        """Take in a record; in constant time."""
        self.recent.append((record.line, record.tokens))
        self.added += record.tokens
        self.tally.tokens += record.tokens
        if not record.messages:
            self.carried += len(record.line)
        elif not record.continues:
            self.tally.messages += len(record.messages)

    @property
    def due(self) -> bool:
        """Whether the window's use has passed a level anew since the last compression."""
        last = len(self.policy.levels) - 1
        if self.level == last and self.tokens - self.settled < _GROWN * self.policy.window:
            return False
        level = self.policy.at(self.tokens)
        return level > self.level or level == last > 0

    @property
    def next(self) -> float:
        """The tokens from which the next level holds; the window where that is the last one."""
        above = self.policy.levels[self.policy.at(self.tokens) + 1 :]
        return min([1.0, *(level.start for level in above)]) * self.policy.window

    @property
    def full(self) -> bool:
        """Whether no more may be taken in before it is compressed."""
        return self.tokens >= self.policy.window

    def snapshot(self) -> Held:
        """All that is held, to be compressed while more comes."""
        return replace(self.held, lines=tuple(self.lines))

    def settle(self, done: Compressed, before: Held, messages: int) -> None:
        """Take over what became of `before`, a snapshot at which `messages` had come."""
        del self.recent[: len(before.lines) - len(self.held.lines)]
        self.added = sum(tokens for _, tokens in self.recent)
        self.held = replace(done.held, first=messages + 1)
        self.base = self.settled = done.tokens
        self.level = self.policy.at(done.tokens)
        self.carried *= done.account.tokens_out == done.account.tokens_in
        fates = done.account.tally()
        self.tally.compressions += done.account.tokens_out < done.account.tokens_in
        self.tally.changed += fates["changed"]
        self.tally.stood_for += fates["stood for"]
        self.tally.dropped += fates["dropped"]

    def trim(self, format: Format) -> None:
        """Let go of records that are no message where they have become many."""
        if self.carried > _CARRIED:
            self.held = replace(self.held, lines=bare(b"".join(self.lines), format))
            self.base, self.added, self.carried = self.tokens, 0, 0
            self.recent.clear()

    def context(self, format: Format) -> bytes:
        """The conversation to go on with, as a file; what was never compressed is as it came."""
        return mended(self.lines, format) if self.held.lines else b"".join(self.lines)
