"""A cut: what the rest of a conversation used, and what of it the compressed front still states."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from boildown.measure.content import said, text, words
from boildown.measure.facts import Fact, Kind, all_concrete, names
from boildown.measure.retention import Kept
from boildown.tokens import Counter
from boildown.transcript import Message, ToolCall, Transcript, groups

CUT = 0.7
"""The share of a conversation's tokens that lies before the cut"""
NAME = "future references"


@dataclass(frozen=True, slots=True)
class Cut:
    """The front of a conversation, and the concrete facts that the rest used and the front had stated."""

    front: Transcript
    needed: frozenset[Fact]

    def kept(self, compressed: Transcript) -> Kept:
        """What of `needed` the compressed front still states."""
        left = _facts(map(text, compressed.messages), {name for kind, name in self.needed if kind is Kind.NAME})
        return Kept(NAME, len(self.needed), len(self.needed & left))


def cut(transcript: Transcript, counter: Counter) -> Cut | None:
    """`transcript` cut where `CUT` of its tokens are behind; None where that leaves nothing that the rest needs.

    What the rest used is what its tool calls say, or, where it has none, what is said in it. A tool call stays on the
    side of its results.
    """
    messages = transcript.messages
    place = _place(messages, counter)
    front, rest = messages[:place], messages[place:]
    stated = _facts(map(text, front), names(map(said, front)))
    used = _facts(_used(rest), {name for kind, name in stated if kind is Kind.NAME})
    needed = frozenset(stated & used)
    return Cut(transcript.with_messages(front), needed) if needed else None


def _place(messages: tuple[Message, ...], counter: Counter) -> int:
    """How many messages are before the cut."""
    sizes = counter.messages(messages)
    limit = CUT * sum(sizes)
    place = sum(behind <= limit for behind in accumulate(sizes))
    for members in sorted(groups(messages), reverse=True):
        if members[0] < place <= members[-1]:
            place = members[0]
    return place


def _used(rest: Iterable[Message]) -> list[str]:
    called = [text(m.with_blocks([b])) for m in rest for b in m.blocks if isinstance(b, ToolCall)]
    return called or [said(m) for m in rest]


def _facts(texts: Iterable[str], known: set[str]) -> set[Fact]:
    """The facts of some texts, and which of the names `known` they hold."""
    texts = list(texts)
    return {*all_concrete(texts), *((Kind.NAME, n) for n in known.intersection(w for t in texts for w in words(t)))}
