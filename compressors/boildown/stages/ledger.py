"""One message that says what the taken-out part of a session did: files, commands, errors, identifiers, to-dos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from boildown.identifiers import identifiers, shown
from boildown.ledger.entries import Entry, Work, entries
from boildown.ledger.page import OPEN, found, head, merged, render
from boildown.offer import Offer
from boildown.pipeline import Context
from boildown.placing import placed
from boildown.stages.window import window
from boildown.transcript import Block, Message, Place, Text, ToolCall, Transcript

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ID = "ledger"
ROUNDS = 24
NEARLY = 0.99
_EMPTY = Message(ID, "user", (), pinned=True)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Tell what was taken out: files, commands and their outcome, errors, decisions, to-dos, identifiers, by message.

    It tells what is most likely needed again: what is recent, often named, edited rather than read, and what the
    rest of the output does not show. A ledger from before is brought up to date. Without tools there is none.
    """

    REASON = "the ledger tells of it"

    share: float = field(default=0.85, metadata={"help": "share of the budget that the ledger may take, 0 to 1"})

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"share={self.share} is not between 0 and 1.")

    def room(self, transcript: Transcript, context: Context, /) -> int:
        """The ledger's share of the target, or what telling everything would take, where that is less."""
        if not _works(transcript):
            return 0
        before, older = _without_ledger(transcript)
        told = merged(older, entries(_work(before, context), lambda place: True, frozenset()))
        everything = sum(context.sizes([replace(_EMPTY, blocks=(Text(render(told)),))]))
        return min(int(context.target * self.share), everything)

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        source = context.source or transcript
        if not _works(source):
            return transcript
        if context.count(transcript) > context.target:
            transcript = window(transcript, replace(context, target=context.target - self.room(source, context)))
        before, older = _without_ledger(source)
        kept, _ = _without_ledger(transcript)
        told = merged(older, entries(_work(before, context), _gone(before, kept), _visible(kept)))
        free = context.target - context.count(transcript.with_messages(kept))
        message = _within(told, context, min(int(context.target * self.share), free))
        return transcript.with_messages(_placed(message, kept, source.messages) if message else transcript.messages)


def _work(messages: Sequence[Message], context: Context) -> Work:
    """What was done in `messages`, which are read once, however often the ledger is written."""
    return context.again(Work, messages, lambda: Work.of(messages))


def _works(transcript: Transcript) -> bool:
    """Whether tools are used."""
    return any(isinstance(b, ToolCall) for m in transcript.messages for b in m.blocks)


def _without_ledger(transcript: Transcript) -> tuple[list[Message], list[Entry]]:
    """The messages without a ledger from before, and what it told. A pinned one stays."""
    left: list[Message] = []
    told: list[Entry] = []
    for message in transcript.messages:
        if message.pinned or message.role != "user" or OPEN not in message.text:
            left.append(message)
            continue
        blocks: list[Block] = []
        for block in message.blocks:
            if isinstance(block, Text):
                rest, old = found(block.text)
                told += old
                block = replace(block, text=rest) if old else block
            if not isinstance(block, Text) or block.text:
                blocks.append(block)
        if blocks:
            left.append(message.with_blocks(blocks))
    return left, told


def _gone(before: Sequence[Message], kept: Sequence[Message]) -> Callable[[Place], bool]:
    """Whether a block of `before` is not among `kept` as it was."""
    now = {m.id: m.blocks for m in kept}
    left = [[b in now.get(m.id, ()) for b in m.blocks] for m in before]
    return lambda place: not left[place[0]][place[1]]


def _visible(messages: Sequence[Message]) -> set[str]:
    """The identifiers that are there to read, marks included."""
    known: dict[str, list[str]] = {}
    return {i for m in messages for b in m.blocks for i in identifiers(shown(b), known)}


def _within(told: Sequence[Entry], context: Context, room: int) -> Message | None:
    """The message that tells what is worth most within `room` tokens; None where not a line fits."""
    import numpy as np

    if not told or room <= 0:
        return None
    count = context.counter.texts
    sizes = [len(entry.details) for entry in told]
    cost = np.array(count([f" {d.text}" for entry in told for d in entry.details]), float)
    heads = np.array(count([f"- {head(entry)}\n" for entry in told]), float)
    worth = np.array([d.worth for entry in told for d in entry.details], float) * np.sqrt(cost)
    value = np.array([entry.worth for entry in told], float) * np.sqrt(heads)
    group = np.repeat(np.arange(len(told)), sizes)
    offer = Offer(np.arange(len(group)), group, worth, cost, np.zeros(len(group)), heads, value)
    low, high, best = 0.0, 0.0, None
    price = 0.0
    for _ in range(ROUNDS):
        draft = _message(told, *offer.choose(price))
        if sum(context.sizes([draft])) <= room:
            best, high = draft, price
            if low >= NEARLY * high:
                break
        else:
            low = price
        price = (low + high) / 2 if best else max(4 * low, offer.price(room))
    return best if best and best.blocks else None


def _message(told: Sequence[Entry], details: NDArray[np.bool_], opened: NDArray[np.bool_]) -> Message:
    """The message of the opened entries with the chosen details, all details of all entries being in a row."""
    chosen, first = [], 0
    for entry, taken_up in zip(told, opened.tolist(), strict=True):
        last = first + len(entry.details)
        if taken_up:
            kept = [d for d, taken in zip(entry.details, details[first:last].tolist(), strict=True) if taken]
            chosen.append(replace(entry, details=kept))
        first = last
    covers = tuple(dict.fromkeys(i for entry in chosen for i in entry.ids))
    return replace(_EMPTY, blocks=(Text(render(chosen)),) if chosen else (), covers=covers)


def _placed(ledger: Message, kept: Sequence[Message], source: Sequence[Message]) -> list[Message]:
    """`kept` with the ledger before the first place where something is missing, after the system's messages.

    It stands for what it names and is not there itself, and for the ledger before.
    """
    there = {m.id: m for m in kept}
    stood = {i for m in kept for i in m.covers} | there.keys()
    old = [m.id for m in source if m.id not in there and OPEN in m.text]
    covers = tuple(i for i in dict.fromkeys((*old, *ledger.covers)) if i not in stood)
    first = next((i for i, m in enumerate(source) if there.get(m.id) != m), len(source))
    ahead = {m.id for m in source[:first]}
    place = next((n for n, m in enumerate(kept) if m.id not in ahead), len(kept))
    return placed(replace(ledger, covers=covers), kept, place)
