"""Mending messages, for every format that can be written: what is not mended keeps its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from boildown.formats.convert import join_turns
from boildown.transcript import Block, Message, Text, ToolCall, ToolResult, Transcript
from boildown.validity.anthropic import is_thought
from boildown.validity.session import Found, Session

NONE_RECORDED = "No result was recorded for this call."
Mend = Callable[[Session, Sequence[Found]], Transcript]


def without_blocks(session: Session, found: Sequence[Found]) -> Transcript:
    """Without the blocks that were found, and without messages that held nothing else."""
    gone = [(one.record, one.at, one.subject) for one in found]

    def keeps(message: Message, block: Block) -> bool:
        subject = block.call_id if isinstance(block, ToolResult) else ""
        place = (*session.place(message, block.at), subject)
        if place in gone:
            gone.remove(place)
            return False
        return True

    return _changed(session, lambda m: [b for b in reversed(m.blocks) if keeps(m, b)][::-1])


def without_last_thoughts(session: Session, found: Sequence[Found]) -> Transcript:
    """Without the thoughts that the messages that were found end in."""
    blamed = {one.record for one in found}

    def cut(message: Message) -> Sequence[Block]:
        kept = list(message.blocks)
        while blamed.intersection(message.records) and kept and is_thought(kept[-1]):
            kept.pop()
        return kept

    return _changed(session, cut)


def without_messages(session: Session, found: Sequence[Found]) -> Transcript:
    """Without the messages that were found."""
    blamed = {one.record for one in found}
    return session.transcript.with_messages(m for m in session.messages if not blamed.intersection(m.records))


def results_first(session: Session, found: Sequence[Found]) -> Transcript:
    """With the results of each message that was found before what else it says."""
    blamed = {one.record for one in found}

    def order(message: Message) -> Sequence[Block]:
        if not blamed.intersection(message.records):
            return message.blocks
        return sorted(message.blocks, key=lambda b: not isinstance(b, ToolResult))

    return _changed(session, order)


def without_last_blank(session: Session, found: Sequence[Found]) -> Transcript:
    """Without the blanks that end the last message."""
    *rest, last = session.messages
    *before, block = last.blocks
    assert isinstance(block, Text)
    text = block.text.rstrip()
    ended = last.with_blocks([*before, replace(block, text=text)] if text else before)
    return session.transcript.with_messages([*rest, ended] if ended.blocks else rest)


def joined(session: Session, found: Sequence[Found]) -> Transcript:
    """With neighbours of one role and name as one message."""
    return session.transcript.with_messages(join_turns(session.messages))


def answered(session: Session, found: Sequence[Found]) -> Transcript:
    """With a result for each call that was found: an error that says that there is none on record."""
    blamed = {(one.record, one.subject) for one in found}
    messages: list[Message] = []
    waiting: list[ToolResult] = []
    for message in session.messages:
        if waiting and not _is_results(message):
            messages.append(_made(messages, waiting))
            waiting = []
        messages.append(message)
        for block in message.blocks:
            if isinstance(block, ToolCall) and (session.place(message, block.at)[0], block.id) in blamed:
                waiting.append(ToolResult(block.id, NONE_RECORDED, is_error=True))
    return session.transcript.with_messages([*messages, _made(messages, waiting)] if waiting else messages)


def _is_results(message: Message) -> bool:
    return bool(message.blocks) and all(isinstance(block, ToolResult) for block in message.blocks)


def _made(messages: Sequence[Message], results: Sequence[ToolResult]) -> Message:
    return Message(f"made{len(messages)}", "tool", tuple(results))


def moved(session: Session, found: Sequence[Found]) -> Transcript:
    """With each result that was found behind the message that called for it, and behind what follows that already."""
    late = {(one.record, one.at, one.subject) for one in found}
    messages: list[Message] = []
    callers: dict[str, str] = {}
    for message in session.messages:
        callers |= {b.id: message.id for b in message.blocks if isinstance(b, ToolCall)}
        results = [b for b in message.blocks if isinstance(b, ToolResult)]
        ours = [b for b in results if (*session.place(message, b.at), b.call_id) in late and b.call_id in callers]
        rest = [b for b in message.blocks if b not in ours]
        if rest or not ours:
            messages.append(message.with_blocks(rest) if ours else message)
        for block in ours:
            one = message.with_blocks([block]) if not rest and len(ours) == 1 else _made(session.messages, [block])
            _put(messages, callers[block.call_id], replace(one, id=one.id if not rest else f"{one.id}-{block.call_id}"))
    return session.transcript.with_messages(messages)


def _put(messages: list[Message], caller: str, result: Message) -> None:
    place = next(n for n, m in enumerate(messages) if m.id == caller) + 1
    while place < len(messages) and _is_results(messages[place]):
        place += 1
    messages.insert(place, result)


def renamed(session: Session, found: Sequence[Found]) -> Transcript:
    """With an id of its own for each call that was found, and for its result."""
    names = new_names(session, found)

    def named(message: Message) -> Iterator[Block]:
        for block in message.blocks:
            name = names.get(session.place(message, block.at))
            if name and isinstance(block, ToolCall):
                yield replace(block, id=name)
            elif name and isinstance(block, ToolResult):
                yield replace(block, call_id=name)
            else:
                yield block

    return _changed(session, lambda message: list(named(message)))


def new_names(session: Session, found: Sequence[Found]) -> dict[tuple[int, int], str]:
    """(record, place in it) -> the new id, for calls that were found and for the results that belong to them.

    A result belongs to the last message before it that calls with its id, and there to the first call without one.
    """
    blamed = {(one.record, one.at) for one in found}
    blocks = [(m.id, session.place(m, b.at), b) for m in session.messages for b in m.blocks]
    taken = {block.id for _, _, block in blocks if isinstance(block, ToolCall)}
    open_: dict[str, list[tuple[str, str]]] = {}
    names: dict[tuple[int, int], str] = {}
    for message, place, block in blocks:
        if isinstance(block, ToolCall):
            name = free(block.id, taken) if place in blamed else block.id
            same = [one for one in open_.get(block.id, ()) if one[0] == message]
            open_[block.id] = [*same, (message, name)]
            if name != block.id:
                names[place] = name
        elif isinstance(block, ToolResult) and open_.get(block.call_id):
            _, name = open_[block.call_id].pop(0)
            if name != block.call_id:
                names[place] = name
    return names


def free(name: str, taken: set[str]) -> str:
    """An id like `name` that is not among those `taken`, which it is added to."""
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    taken.add(f"{name}_{number}")
    return f"{name}_{number}"


def _changed(session: Session, blocks: Callable[[Message], Iterable[Block]]) -> Transcript:
    """Each message with other blocks; one that loses all of them goes."""
    messages = []
    for message in session.messages:
        kept = tuple(blocks(message))
        if kept or not message.blocks:
            messages.append(message if kept == message.blocks else message.with_blocks(kept))
    return session.transcript.with_messages(messages)


MENDS: dict[str, Mend] = {
    "hollow-thinking": without_blocks,
    "ending-in-thinking": without_last_thoughts,
    "empty-text": without_blocks,
    "empty-message": without_messages,
    "reused-call": renamed,
    "ambiguous-call": renamed,
    "results-first": results_first,
    "repeated-result": without_blocks,
    "orphan-result": without_blocks,
    "late-result": moved,
    "orphan-call": answered,
    "alternation": joined,
    "trailing-blank": without_last_blank,
}
"""rule -> what mends it"""
