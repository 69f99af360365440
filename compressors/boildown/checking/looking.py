"""Looking at a file: each of its conversations, one after the other, held to the limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from boildown.checking import sizes, waste
from boildown.checking.conversation import Conversation
from boildown.checking.findings import Finding
from boildown.checking.limits import Limits
from boildown.formats import Format
from boildown.provider.measure import Measure, measured
from boildown.run import conversations, reader
from boildown.transcript import Note, Transcript
from boildown.validity.places import Places

if TYPE_CHECKING:
    from boildown.checking.retained import Comparison


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was looked at, and what it is held to. `counted` is what counted its tokens."""

    file: str
    format: str
    limits: Limits
    conversations: int
    tokens: int
    counted: str
    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Original:
    """The file that a compressed one was made of: its name, and its bytes."""

    name: str
    data: bytes


def look(
    data: bytes,
    where: str,
    limits: Limits,
    tokenizer: str,
    read_as: str | None = None,
    original: Original | None = None,
) -> Looked:
    """What of `limits` the file `data` breaks, `where` being its name; what is of several files together, aside.

    Raises InputError where the file, or its original, cannot be read.
    """
    format, plain, _ = reader(data, where, read_as)

    def found() -> Iterator[Transcript]:
        return conversations(format, plain, where)

    def work(measure: Measure) -> Looked:
        return _File(format, plain, where, limits, measure).looked(found, original)

    return measured(tokenizer, found, format.INFO.framing, work)


@dataclass(frozen=True, slots=True)
class _File:
    format: Format
    data: bytes
    name: str
    limits: Limits
    measure: Measure

    def looked(self, conversations: Callable[[], Iterator[Transcript]], original: Original | None) -> Looked:
        findings, known, tokens, number = list[Finding](), set[str](), 0, 0
        places, compared = Places(self.data), self._compared(original)
        for number, transcript in enumerate(conversations(), 1):
            lines = places.lines(transcript.source) if transcript.source else []
            total = self.measure.total(transcript)
            one = Conversation(self.name, transcript, number, lines, self.measure.counter, total)
            findings += self._of_one(one, known)
            if compared:
                compared.add(transcript)
            tokens += total
            self.measure.counter.forget()
        if number == 1:
            findings = [replace(finding, conversation=0) for finding in findings]
        findings += self._of_file(tokens, known)
        if compared and self.limits.min_retention is not None:
            findings += compared.findings(self.limits.min_retention)
        name, counted = self.format.INFO.name, self.measure.name
        return Looked(self.name, name, self.limits, number, tokens, counted, tuple(findings), tuple(self.measure.notes))

    def _compared(self, original: Original | None) -> Comparison | None:
        if original is None:
            return None
        from boildown.checking.retained import Comparison

        format, plain, _ = reader(original.data, original.name)
        return Comparison(self.name, original.name, conversations(format, plain, original.name), self.measure.counter)

    def _of_one(self, conversation: Conversation, known: set[str]) -> Iterator[Finding]:
        limits = self.limits
        if limits.max_tokens is not None:
            yield from sizes.conversation_tokens(conversation, limits.max_tokens)
        if limits.max_message_tokens is not None:
            yield from sizes.message_tokens(conversation, limits.max_message_tokens)
        if limits.max_duplicate_share is not None:
            yield from waste.duplicates(conversation, limits.max_duplicate_share)
        if limits.max_tool_share is not None:
            yield from waste.tool_output(conversation, limits.max_tool_share)
        if limits.max_base64_tokens is not None:
            yield from waste.base64(conversation, limits.max_base64_tokens)
        if limits.fail_on_secret:
            from boildown.checking import leaks

            yield from leaks.secrets(conversation, known)

    def _of_file(self, tokens: int, known: set[str]) -> Iterator[Finding]:
        limits = self.limits
        if limits.max_file_tokens is not None and tokens > limits.max_file_tokens:
            said = sizes.over(tokens, limits.max_file_tokens)
            yield Finding(self.name, "max-file-tokens", said, value=tokens, limit=limits.max_file_tokens)
        if limits.fail_on_secret:
            from boildown.checking import leaks

            yield from leaks.beside(self.name, self.data, self.format.INFO.plain, known)
        if limits.valid:
            from boildown.validity import violations

            for v in violations(self.format, self.data):
                yield Finding(self.name, v.rule, v.what, v.remedy, v.line, subject=v.subject)
