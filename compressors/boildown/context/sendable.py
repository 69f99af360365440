"""What a consumer takes of a conversation that is broken: each call with its one result, and the user first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from boildown.formats.convert import in_turn
from boildown.repair.messages import free
from boildown.transcript import Block, FormatInfo, Message, Opaque, Text, ToolCall, ToolResult, groups
from boildown.validity.rules import rules
from boildown.written import NOTHING

BEGIN = "begin"
_REQUESTS = ("openai", "anthropic", "gemini")
"""Formats of requests, in which nobody speaks between a call and its result; clients mend their own records"""


def sendable(messages: Sequence[Message], info: FormatInfo) -> tuple[list[Message], dict[str, str]]:
    """`messages` as the consumer `info` takes them when the conversation goes on, and why each of the others went.

    Each result stands behind its call, and answers it alone; calls without a result go, and results without a call.
    Where calls would share an id, the later one is named anew. Where the user has to begin, a word of theirs does.
    """
    strict = info.name in _REQUESTS
    gone = {m.id: "it is no message" for m in messages if strict and _is_unknown(m)}
    left = [m for m in messages if m.id not in gone]
    paired = _Pairing(strict, any(rule.name == "reused-call" for rule in rules(info.name)))
    said = [paired.taken(n, m) for n, m in enumerate(in_turn(left) if strict else left)]
    lost = paired.lost | {n for calls in paired.waiting.values() for n, _ in calls}
    cut = {i for members in groups(said) if not lost.isdisjoint(members) for i in members}
    gone |= {said[i].id: "its call has no result" for i in cut}
    gone |= {said[i].id: "nothing before it calls for it" for i in paired.emptied}
    return _begun([m for i, m in enumerate(said) if i not in cut | paired.emptied], info), gone


def _is_unknown(message: Message) -> bool:
    """Whether it is a line or a record that the format does not know."""
    blocks = message.blocks
    return bool(blocks) and all(isinstance(b, Opaque) and b.kind == "unknown record" for b in blocks)


def _begun(messages: list[Message], info: FormatInfo) -> list[Message]:
    place = next((i for i, m in enumerate(messages) if m.role != "system"), None)
    if not info.rules.user_first or place is None or messages[place].role == "user":
        return messages
    return [*messages[:place], Message(BEGIN, "user", (Text(NOTHING),)), *messages[place:]]


@dataclass(slots=True)
class _Pairing:
    """Goes through messages once, each with its number.

    waiting  id of a call -> the number of its message and the id that it has now, for each that has no result yet
    lost     messages with a call that the conversation went on without
    emptied  messages of which nothing is left without results that nobody called for
    """

    strict: bool
    unique: bool
    waiting: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    emptied: set[int] = field(default_factory=set)
    _used: set[str] = field(default_factory=set)

    def taken(self, number: int, message: Message) -> Message:
        answers = {i: self._answer(b) for i, b in enumerate(message.blocks) if isinstance(b, ToolResult)}
        if self.strict and len(answers) < max(len(message.blocks), 1):
            self._pass(self.waiting)
        blocks = list[Block]()
        for i, block in enumerate(message.blocks):
            if isinstance(block, ToolResult):
                blocks += [found] if (found := answers[i]) else []
            else:
                blocks.append(self._called(number, block) if isinstance(block, ToolCall) else block)
        if message.blocks and not blocks:
            self.emptied.add(number)
        return message if blocks == list(message.blocks) else message.with_blocks(blocks)

    def _pass(self, ids: Iterable[str]) -> None:
        for id in list(ids):
            self.lost.update(number for number, _ in self.waiting.pop(id))

    def _answer(self, result: ToolResult) -> ToolResult | None:
        """The result, for the call that it belongs to; None where nothing waits for it."""
        calls = self.waiting.get(result.call_id)
        if not calls:
            return None
        _, name = calls.pop(0)
        if not calls:
            del self.waiting[result.call_id]
        return result if name == result.call_id else replace(result, call_id=name)

    def _called(self, number: int, call: ToolCall) -> ToolCall:
        if any(caller != number for caller, _ in self.waiting.get(call.id, ())):
            self._pass([call.id])
        beside = self.waiting.setdefault(call.id, [])
        name = free(call.id, self._used) if beside or (self.unique and call.id in self._used) else call.id
        self._used.add(name)
        beside.append((number, name))
        return call if name == call.id else replace(call, id=name)
