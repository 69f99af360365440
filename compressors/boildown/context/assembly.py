"""Making a context: what does not hang on the question first, then what fits the question, up to the budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from boildown.context.account import Account, Shares
from boildown.context.allocation import USUAL, Allocation
from boildown.context.conversation import Conversation, Stable
from boildown.context.quotation import ID, quotation
from boildown.context.retrieval import Found, archived
from boildown.context.shortening import fitting
from boildown.errors import BudgetError, UsageError
from boildown.formats.convert import join_turns
from boildown.memory.messages import Kept, Memory, Scope
from boildown.pipeline import Context, Named, Step
from boildown.report import Fate, fates
from boildown.stages.cache import Cache
from boildown.summarizers.calls import Model
from boildown.tokens import Counter
from boildown.transcript import END, Breakpoint, FormatInfo, Message, Text, Transcript, groups

if TYPE_CHECKING:
    from boildown.memory.embedders import Embedder

QUERY = "query"
QUERIED = "context"
"""The step that adds what was retrieved, and the question"""
_ASKED = "what fits the question is quoted before it"
_NOT_READ = "the question is put last, and what cannot be told goes"
FULL = 0.97
"""The least that a context fills of its budget, where there is anything left to fill it with"""
_ROUNDS = 4
_MOST = 400
"""Pieces that are looked at, in the order in which they fit"""


def context(
    conversation: Conversation, query: str, budget: int, store: Memory | None = None, scope: Scope | None = None
) -> tuple[Transcript, Account]:
    """The best context of at most `budget` tokens in which to answer `query`, which comes last in it.

    Older messages that fit come from the conversation and, with a `store`, from the `scope` there. Raises BudgetError
    where the system's messages and the query alone are larger, UsageError for an empty query.
    """
    if not query.strip():
        raise UsageError("--query is empty. Say what is to be asked next.")
    return _Assembly(conversation, query, budget).made(store, scope or Scope())


def assembled(
    transcript: Transcript,
    query: str,
    budget: int,
    counter: Counter,
    info: FormatInfo,
    store: Memory | None = None,
    scope: Scope | None = None,
    allocation: Allocation = USUAL,
    stages: Sequence[Named] | None = None,
    model: Model | None = None,
    embedder: Embedder | None = None,
) -> tuple[Transcript, Account]:
    """As `context`, for a single question about a transcript."""
    made = Conversation(transcript, info, counter, allocation, stages, model, embedder)
    return context(made, query, budget, store, scope)


class _Assembly:
    """One context in the making."""

    def __init__(self, conversation: Conversation, query: str, budget: int) -> None:
        self.conversation, self.query, self.budget = conversation, query, budget
        self.counter = conversation.counter
        messages = conversation.transcript.messages
        last = messages[-1] if messages else None
        asked = last is not None and last.role == "user" and last.text.strip() == query.strip()
        self.end = len(messages) - asked
        plain = conversation.info.plain or not asked
        self.last = messages[-1] if asked else Message(QUERY, "user", (Text(query.strip() if plain else query),))
        self.sizes = self.counter.messages(messages[: self.end])
        self.system = sum(n for m, n in zip(messages, self.sizes, strict=False) if m.role == "system")
        self.asked = sum(self.counter.messages([self.last]))
        reply = self.counter.total([self.last]) - self.asked
        self.room = budget - self.system - self.asked - reply
        if self.room < 0:
            needed = budget - self.room
            error = BudgetError(needed, budget, "what the system says, with the question,")
            error.args = (f"{error.args[0].partition(', or pin')[0]}.",)
            raise error

    def made(self, store: Memory | None, scope: Scope) -> tuple[Transcript, Account]:
        whole = sum(self.sizes) - self.system <= self.room
        others = archived(store, self.query, scope, self.conversation.embedder) if store is not None else []
        if whole:
            stable = self._stable(sum(self.sizes) + self.budget, 0)
            found = [f for f in self._found(others) if f.message < 0]
            return self._finished(stable, self._fitting(stable, found), True)
        room = self.room * (1 - self.conversation.allocation.retrieved)
        stable = self._shared(room)
        chosen = self._fitting(stable, self._found(others))
        for _ in range(_ROUNDS):
            if self.budget - self._size(stable, chosen) <= (1 - FULL) * self.budget:
                break
            # What was not used goes to the others; what they now hold as it was is no longer quoted.
            room = self.room - (self._size(stable, chosen) - self._size(stable, ()))
            stable = self._shared(room)
            chosen = self._not_in(stable, chosen)
        return self._finished(stable, chosen, False)

    def _shared(self, room: float) -> Stable:
        """Summary and newest messages within `room`, in the proportion of their shares."""
        shares = self.conversation.allocation
        first = self._first(room * _of(shares.recent, shares.summary))
        return self._kept(int(room), first)

    def _found(self, others: Sequence[Kept]) -> list[Found]:
        return self.conversation.index(self.end).find(self.query, _MOST, others)

    def _first(self, room: float) -> int:
        """The index of the first of the newest messages that fit into `room`, calls with their results."""
        messages = self.conversation.transcript.messages[: self.end]
        starts = _starts(messages)
        first = at = self.end
        while at > 0:
            at -= 1
            room -= 0 if messages[at].role == "system" else self.sizes[at]
            if room < 0:
                break
            first = at if at in starts else first
        return first

    def _kept(self, room: int, first: int) -> Stable:
        """Summary and newest messages within `room`; where there is no room for how one begins, with fewer of these."""
        try:
            return self._stable(self._target(room), first)
        except BudgetError:
            if first == self.end:
                raise
            return self._kept(room, self.end)

    def _stable(self, target: int, first: int) -> Stable:
        return self.conversation.stable(self.end, target, first)

    def _target(self, room: int) -> int:
        return self.system + room + self.counter.framing.reply

    def _fitting(self, stable: Stable, found: Sequence[Found]) -> list[Found]:
        """As much of `found` as there is room for, but for what stands in the context as it was."""
        free = self._not_in(stable, found)
        held = self._size(stable, ())
        return fitting(free, self.budget - held, self.counter, lambda some: self._size(stable, some) - held)

    def _not_in(self, stable: Stable, found: Sequence[Found]) -> list[Found]:
        """Those of `found` that do not stand in the context as they were."""
        messages = self.conversation.transcript.messages
        was = {m.id: m.blocks for m in messages}
        there = {m.id for m in stable.transcript.messages if was.get(m.id) == m.blocks}
        return [f for f in found if f.message < 0 or messages[f.message].id not in there]

    def _size(self, stable: Stable, chosen: Sequence[Found]) -> int:
        return self.counter.total(self._messages(stable, quotation(chosen) if chosen else None))

    def _messages(self, stable: Stable, quoted: Message | None) -> list[Message]:
        messages = [*stable.transcript.messages, *([quoted] if quoted else []), self.last]
        return join_turns(messages) if self.conversation.info.rules.alternate else messages

    def _finished(self, stable: Stable, chosen: Sequence[Found], whole: bool) -> tuple[Transcript, Account]:
        conversation, transcript = self.conversation, stable.transcript
        source = conversation.transcript.messages
        there = {i for m in transcript.messages for i in (m.id, *m.covers)}
        quoted = dict.fromkeys(source[f.message].id for f in chosen if f.message >= 0)
        message = quotation(chosen, [i for i in quoted if i not in there]) if chosen else None
        points = self._breakpoints(transcript)
        messages = self._messages(stable, message)
        result = replace(transcript, messages=tuple(messages), breakpoints=points)
        account = Account(
            self.budget,
            self.counter.total(messages),
            self._shares(stable, message),
            whole,
            tuple(chosen),
            tuple(self._fates(stable, message)),
            tuple(p.after for p in points),
            conversation.notes,
            self.counter.total(conversation.read),
            tuple(self._steps(stable, message, self.counter.total(messages))),
        )
        return result, account

    def _steps(self, stable: Stable, message: Message | None, size: int) -> Iterator[Step]:
        """What made a context of `size` tokens of what was read, each step beginning with what the one before left."""
        conversation = self.conversation
        before = self.counter.total(conversation.read)
        first = self.counter.total(conversation.transcript.messages[: self.end])
        end = tuple(m.id for m in conversation.transcript.messages[self.end :])
        there = dict.fromkeys(m.id for m in conversation.transcript.messages)
        read = {m.id for m in conversation.read}
        gone = tuple(m.id for m in conversation.read if m.id not in there)
        new = tuple(i for i in there if i not in read)
        if before != first:
            yield Step("convert", before, first, 0.0, _NOT_READ, len(there) - len(new), end, dropped=gone, added=new)
        yield from stable.steps
        held = stable.steps[-1].after if stable.steps else first
        added = [m.id for m in (message, self.last) if m is not None and m.id not in there]
        yield Step(QUERIED, held, size, 0.0, _ASKED, len(stable.transcript.messages), added=tuple(added))

    def _shares(self, stable: Stable, message: Message | None) -> Shares:
        newest = {m.id for m in self.conversation.transcript.messages[stable.first : self.end]}
        sizes = zip(stable.transcript.messages, self.counter.messages(stable.transcript.messages), strict=True)
        by = {"system": 0, "summary": 0, "recent": 0}
        for one, size in sizes:
            by["system" if one.role == "system" else "recent" if one.id in newest else "summary"] += size
        return Shares(**by, retrieved=sum(self.counter.messages([message])) if message else 0, query=self.asked)

    def _fates(self, stable: Stable, message: Message | None) -> Iterator[Fate]:
        messages = self.conversation.transcript.messages
        sizes = self.counter.messages(stable.transcript.messages)
        known = {f.id: f for f in fates(messages[: self.end], self.sizes, stable.transcript, sizes, stable.steps)}
        known |= {m.id: Fate(m.id, m.role, "kept", self.asked, self.asked) for m in messages[self.end :]}
        told = set(message.covers) if message else set()
        for one in self.conversation.read:
            fate = known.get(one.id)
            if fate is None:
                size = sum(self.counter.messages([one]))
                yield Fate(one.id, one.role, "dropped", size, 0, QUERIED, self.conversation.gone[one.id])
            elif fate.fate == "dropped" and one.id in told:
                yield replace(fate, fate="stood for", by=ID, reason="it was retrieved for the question")
            else:
                yield fate

    def _breakpoints(self, stable: Transcript) -> tuple[Breakpoint, ...]:
        """Where the provider is to cache what the next context begins with, too: before what was retrieved."""
        if "breakpoint" not in self.conversation.info.says or not stable.messages:
            return ()
        context = Context(self.counter, self.budget, source=self.conversation.transcript)
        end = stable.messages[-1].id
        return tuple(
            replace(point, after=end) if point.after == END else point for point in Cache()(stable, context).breakpoints
        )


def _of(one: float, other: float) -> float:
    return one / (one + other) if one + other else 0.0


def _starts(messages: Sequence[Message]) -> set[int]:
    """The indexes at which messages can be cut apart without parting a call from its results."""
    starts, reached = set[int](), 0
    for members in groups(messages):
        if members[0] >= reached:
            starts.add(members[0])
        reached = max(reached, members[-1] + 1)
    return starts
