"""One line of a stream at a time: what format it is in, how many tokens it takes, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from boildown import formats
from boildown.errors import InputError
from boildown.formats import media
from boildown.formats.source import Json, parse
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Message

FOLLOWED = ("openai", "anthropic", "claude-code", "codex")
"""The formats that have a record a line, of which each can be read by itself"""
_UNTOLD = 64
"""Lines after which the format has to be known"""
_FRESH = 4_096
"""Messages after which counts are forgotten: texts seldom come again, and what is kept of them grows"""
_OPEN = 64
"""Messages of Claude Code that may still go on: other records stand between the parts of one"""


@dataclass(frozen=True, slots=True)
class Record:
    """A line with its ending, the messages that it says, and their tokens.

    continues  whether it goes on with the message before it, which is one with it
    """

    line: bytes
    tokens: int = 0
    messages: tuple[Message, ...] = ()
    continues: bool = False


class Reader:
    """Reads lines. `format` is None until it is known; lines before that wait, and come with the first that tells it.

    Attribute `bad`: lines that were no JSON, and passed over.
    """

    def __init__(self, where: str, encoding: str, read_as: str | None = None) -> None:
        self.where = where
        self.read_as = read_as
        self.encoding = encoding
        self.bad = 0
        self.format = followed(formats.load(read_as), where) if read_as else None
        self._waiting: list[bytes] = []
        self._open: dict[str, None] = {}
        self._counted = 0
        self._counter: Counter | None = None

    def records(self, line: bytes) -> Iterator[Record]:
        """What `line` makes known: itself as a record, after those that waited for the format; blank lines are none.

        Raises InputError where the format cannot be told, or has no record a line.
        """
        if not line.strip():
            return
        try:
            value = parse(line)
        except (ValueError, RecursionError):
            self.bad += 1
            return
        lines = [line if line.endswith(b"\n") else line + b"\n"]
        if self.format is None:
            lines = self._told(lines[0])
        elif self.format.INFO.name == "openai" and isinstance(value, dict) and media.is_anthropic_message(value):
            # Until a block tells them apart, Anthropic's messages look like OpenAI's.
            self.format, self._counter = formats.load("anthropic"), None
        yield from map(self._record, lines)

    def _told(self, line: bytes) -> list[bytes]:
        """The lines that waited, and this one, if they tell the format; none otherwise."""
        self._waiting.append(line)
        try:
            found = formats.detect(b"".join(self._waiting), self.where)
        except InputError:
            if len(self._waiting) < _UNTOLD:
                return []
            raise
        self.format = followed(found, self.where)
        value = parse(line)
        if found.INFO.name in ("openai", "anthropic") and isinstance(value, dict) and "role" not in value:
            raise InputError(
                f"{self.where}: each line holds a whole conversation. Follow one that is a message a line."
            )
        lines, self._waiting = self._waiting, []
        return lines

    def _record(self, line: bytes) -> Record:
        assert self.format is not None
        messages = next(iter(self.format.read(line))).messages
        counter = self._counting()
        tokens = sum(counter.messages(messages))
        shared = _shared(parse(line)) if self.format.INFO.name == "claude-code" else ""
        continues = shared in self._open
        if shared:
            self._open[shared] = None
            if len(self._open) > _OPEN:
                del self._open[next(iter(self._open))]
        return Record(line, tokens - (counter.framing.message if continues else 0), messages, continues)

    def _counting(self) -> Counter:
        assert self.format is not None
        self._counted += 1
        if self._counter is None or self._counted > _FRESH:
            self._counter, self._counted = Counter(tokenizer(self.encoding), self.format.INFO.framing), 0
        return self._counter


def followed(format: formats.Format, where: str) -> formats.Format:
    """`format`, if it can be followed. Raises InputError."""
    if format.INFO.name not in FOLLOWED:
        raise InputError(
            f"{where}: {format.INFO.name} has no message a line that could be followed. "
            f"There are: {', '.join(FOLLOWED)}. 'boildown compress --to openai' converts a whole file."
        )
    return format


def _shared(value: Json) -> str:
    """The id of the message that a Claude Code record is a part of, or nothing."""
    message = value.get("message") if isinstance(value, dict) and value.get("type") == "assistant" else None
    return cast(str, message["id"]) if isinstance(message, dict) and isinstance(message.get("id"), str) else ""
