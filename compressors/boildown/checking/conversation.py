"""One conversation of a file as the checks see it: counted, with the lines of its messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from boildown.checking.findings import Finding
from boildown.tokens import Counter
from boildown.transcript import Message, Transcript


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation and its place.

    number  in its file, from 1                       lines   of each of its source's records
    tokens  as they are measured; `counter` counts parts, which may be in tokens of its own
    """

    file: str
    transcript: Transcript
    number: int
    lines: Sequence[int]
    counter: Counter
    tokens: int

    @property
    def messages(self) -> Sequence[Message]:
        return self.transcript.messages

    @property
    def title(self) -> str:
        """What it is called; nothing where that tells a secret, for it stands in every finding."""
        from boildown.secrets.search import find, rules

        title = self.transcript.title
        return "" if find(title, rules()) else title

    def line(self, message: Message | None = None) -> int:
        """Where a message begins, or the conversation."""
        one = message or next(iter(self.messages), None)
        return self.lines[one.records[0]] if one and one.records else 0

    def found(
        self,
        rule: str,
        what: str,
        value: float | None = None,
        limit: float | None = None,
        message: Message | None = None,
        subject: str = "",
    ) -> Finding:
        """A finding in this conversation, or in one of its messages."""
        return Finding(
            self.file,
            rule,
            what,
            line=self.line(message),
            conversation=self.number,
            title=self.title,
            message=message.id if message else "",
            subject=subject,
            value=value,
            limit=limit,
        )

    def texts(self, texts: Iterable[str]) -> int:
        """The tokens of some texts, in the counter's own."""
        return sum(self.counter.texts(texts))

    @property
    def size(self) -> int:
        """The tokens of all messages, in the counter's own."""
        return self.counter.total(self.messages)
