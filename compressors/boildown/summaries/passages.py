"""The sentences and lines of a conversation, and what stands in each that a summary should not lose."""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from boildown.facts.listing import speaks
from boildown.facts.superseding import outdated
from boildown.identifiers import NUMBERED, shown
from boildown.marks import is_mark
from boildown.measure import facts
from boildown.measure.content import words
from boildown.measure.facts import Fact, Kind
from boildown.measure.retention import Original
from boildown.text.kinds import Kind as UnitKind
from boildown.text.spans import Span, protected
from boildown.text.units import units
from boildown.text.words import WORD
from boildown.transcript import Message, Opaque, Text, ToolCall

LONGEST = 1200
"""Characters of a passage; what is longer, such as a line of data, is cut at blanks"""
_WIDEST = 60
_EXACT = frozenset({Kind.PATH, Kind.IDENTIFIER, Kind.URL})
"""Kinds that are understood as they are, without what stands beside them"""
_BESIDE = 3
_BREAK = re.compile(r"\s*\n\s*")
_LISTED = "-*+•‣◦▪ "


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence, a list item or a line, on one line.

    message    the index of the message it is from, `speaker` who says it
    facts      the facts in it and where each stands, names included
    statement  its place among the original's statements, -1 where it is none
    later      what a person said later that makes it stale, "" where nothing does
    """

    message: int
    speaker: str
    text: str
    facts: tuple[tuple[Fact, Span], ...] = ()
    statement: int = -1
    later: str = ""

    @property
    def whole(self) -> str:
        """The passage as it is told word for word: what holds no longer with what was said later."""
        return f"{self.text} (later: {self.later})" if self.later else self.text

    def spans(self, told: Set[Fact], around: bool) -> list[str]:
        """The facts `told` as they stand, with their units and the like; `around`: with some words beside them."""
        firm = protected(self.text)
        found = {
            span if fact[0] in _EXACT and not around else _widened(self.text, span, firm, around)
            for fact, span in self.facts
            if fact in told
        }
        return [self.text[start:end] for start, end in _joined(sorted(found), self.text)]


@dataclass(frozen=True, slots=True)
class Passages:
    """The distinct passages of some messages, in order; how often each fact is mentioned."""

    passages: list[Passage] = field(default_factory=list)
    mentions: Mapping[Fact, int] = field(default_factory=dict)


def read(messages: Sequence[Message], original: Original) -> Passages:
    """The passages of `messages`, which `original` was read from."""
    stated = original.stated()
    statements = {statement.words: n for n, statement in enumerate(original.statements)}
    found: dict[str, Passage] = {}
    often, last = Tally[str](), dict[str, int]()
    for n, message in enumerate(messages):
        for text, is_said in _texts(message):
            often[text] += 1
            if is_said and speaks(message):
                last[text] = n
            if text in found:
                continue
            speaker = message.name or message.role
            said = statements.get(tuple(words(text)), -1) if is_said else -1
            found[text] = Passage(n, speaker, text, tuple(_facts(text, stated)), said)
    mentions = Tally[Fact]()
    for text, passage in found.items():
        for fact in {fact for fact, _ in passage.facts}:
            mentions[fact] += often[text]
    spoken = [found[text] for text in last]
    for old, new in outdated([(p.speaker, p.text, last[p.text]) for p in spoken]).items():
        found[spoken[old].text] = replace(spoken[old], later=spoken[new].text)
    return Passages(list(found.values()), mentions)


def _texts(message: Message) -> Iterator[tuple[str, bool]]:
    """The passages of a message, and whether somebody says them in sentences."""
    for block in message.blocks:
        if isinstance(block, Opaque) or (not isinstance(block, ToolCall) and is_mark(block.text)):
            continue
        text, is_said = shown(block), isinstance(block, Text) and message.role != "tool"
        for start, end, kind in units(text) if is_said else ((0, len(text), UnitKind.LINE),):
            whole = is_said and kind in (UnitKind.SENTENCE, UnitKind.ITEM)
            for part in (text[start:end],) if whole else NUMBERED.sub("", text[start:end]).splitlines():
                line = _BREAK.sub(" ", part.strip()).lstrip(_LISTED if whole else "")
                yield from ((piece, whole) for piece in _pieces(line))


def _pieces(line: str) -> Iterator[str]:
    while len(line) > LONGEST:
        at = line.rfind(" ", 1, LONGEST)
        if at < 0:
            return
        yield line[:at]
        line = line[at + 1 :]
    if line:
        yield line


def _facts(text: str, stated: frozenset[Fact]) -> Iterator[tuple[Fact, Span]]:
    for fact, as_it_stands in facts.shown(text):
        if fact in stated and (at := text.find(as_it_stands)) >= 0:
            yield fact, (at, at + len(as_it_stands.rstrip(".,;:")))
    for match in WORD.finditer(text):
        if match[0][0].isupper() and (name := (Kind.NAME, match[0].lower())) in stated:
            yield name, match.span()


def _widened(text: str, span: Span, firm: Sequence[Span], around: bool) -> Span:
    """`span` with the words beside it where they are wanted, and with the protected spans that it would cut."""
    start, end = span
    if around:
        before, after = text[:start].split(" "), text[end:].split(" ")
        start -= len(" ".join(before[-_BESIDE - 1 :]))
        end += len(" ".join(after[: _BESIDE + 1]))
    for first, last in firm:
        if first < end and start < last and last - first <= _WIDEST:
            start, end = min(start, first), max(end, last)
    return start, end


def _joined(spans: Sequence[Span], text: str) -> list[Span]:
    """Spans in order, those that overlap or have only a blank between them made one."""
    out: list[Span] = []
    for start, end in spans:
        if out and (start <= out[-1][1] or not text[out[-1][1] : start].strip()):
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out
