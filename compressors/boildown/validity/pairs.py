"""Rules on tool calls and their results, for every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from boildown.transcript import Message, ToolCall, ToolResult
from boildown.validity.session import Found, Session


@dataclass(slots=True)
class Pairing:
    """What became of the calls and results of one thread, in the order in which it showed."""

    orphan_results: list[Found] = field(default_factory=list)
    orphan_calls: list[Found] = field(default_factory=list)
    late_results: list[Found] = field(default_factory=list)
    repeated_results: list[Found] = field(default_factory=list)
    ambiguous_calls: list[Found] = field(default_factory=list)
    reused_calls: list[Found] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A call that waits for its result. `passed`: somebody has spoken since."""

    record: int
    at: int
    name: str
    passed: bool = False


def pairing(session: Session, thread: list[Message]) -> Pairing:
    """Go through a thread once. A call that is open when it ends is no orphan: its result may still come."""
    found = Pairing()
    waiting: dict[str, _Open] = {}
    answered: set[str] = set()
    for message in thread:
        for block in message.blocks:
            if isinstance(block, ToolResult):
                _answer(found, waiting, answered, block.call_id, session.place(message, block.at))
        if not message.blocks or any(not isinstance(block, ToolResult) for block in message.blocks):
            for call in waiting.values():
                call.passed = True
        for block in message.blocks:
            if isinstance(block, ToolCall):
                _call(found, waiting, answered, block, session.place(message, block.at))
    for name, call in waiting.items():
        if call.passed:
            _lose(found, name, call)
    return found


def _lose(found: Pairing, name: str, call: _Open) -> None:
    what = f"the call {name} of {call.name} has no result, and the conversation goes on"
    found.orphan_calls.append(Found(call.record, name, what, call.at))


def _answer(found: Pairing, waiting: dict[str, _Open], answered: set[str], name: str, place: tuple[int, int]) -> None:
    record, at = place
    if name in waiting:
        if waiting.pop(name).passed:
            what = f"the result of the call {name} comes after somebody else has spoken"
            found.late_results.append(Found(record, name, what, at))
        answered.add(name)
    elif name in answered:
        found.repeated_results.append(Found(record, name, f"the call {name} has a result already", at))
    else:
        found.orphan_results.append(
            Found(record, name, f"a result of the call {name}, which nothing before it made", at)
        )


def _call(
    found: Pairing, waiting: dict[str, _Open], answered: set[str], call: ToolCall, place: tuple[int, int]
) -> None:
    record, at = place
    open_ = waiting.get(call.id)
    if open_ and not open_.passed:
        what = f"two calls have the id {call.id} before either has a result"
        found.ambiguous_calls.append(Found(record, call.id, what, at))
        return
    if open_:
        _lose(found, call.id, open_)
    if open_ or call.id in answered:
        found.reused_calls.append(Found(record, call.id, f"two calls have the id {call.id}", at))
    waiting[call.id] = _Open(record, at, call.name)


def _each(session: Session) -> Iterator[Pairing]:
    return (pairing(session, thread) for thread in session.threads())


def orphan_results(session: Session) -> Iterator[Found]:
    """A result follows the call that it answers.

    Anthropic: https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls ("unexpected
    `tool_use_id` found in `tool_result` blocks").
    OpenAI: https://platform.openai.com/docs/guides/function-calling (a `tool` message answers a call of the message
    before; Responses: "No tool call found for function call output with call_id").
    """
    for found in _each(session):
        yield from found.orphan_results


def orphan_calls(session: Session) -> Iterator[Found]:
    """A call has its result before the conversation goes on; a call that is still open at the end may wait for it.

    Anthropic: https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls ("`tool_use` ids were
    found without `tool_result` blocks immediately after").
    OpenAI: https://platform.openai.com/docs/guides/function-calling ("An assistant message with 'tool_calls' must be
    followed by tool messages responding to each 'tool_call_id'"; Responses: "No tool output found for function call").
    """
    for found in _each(session):
        yield from found.orphan_calls


def late_results(session: Session) -> Iterator[Found]:
    """Nobody speaks between a call and its result. Not where results are found by their id wherever they stand.

    The sources of `orphan_calls`: results are in the very next message (Anthropic), or in the messages that directly
    follow (OpenAI Chat Completions). Gemini: https://ai.google.dev/gemini-api/docs/function-calling.
    """
    for found in _each(session):
        yield from found.late_results


def repeated_results(session: Session) -> Iterator[Found]:
    """A call has one result.

    Anthropic's API: "each tool_use must have a single result", quoted in
    https://github.com/vectorize-io/hindsight/pull/4250; OpenAI's, by way of
    https://docs.langchain.com/oss/python/langchain/errors/INVALID_TOOL_RESULTS.
    """
    for found in _each(session):
        yield from found.repeated_results


def ambiguous_calls(session: Session) -> Iterator[Found]:
    """Of two open calls, each has an id of its own: otherwise no result says which one it answers.

    https://platform.openai.com/docs/guides/function-calling: the id is what a result is matched by.
    """
    for found in _each(session):
        yield from found.ambiguous_calls


def reused_calls(session: Session) -> Iterator[Found]:
    """A call's id is unique in the conversation, also after it was answered. Anthropic only.

    https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls: "A unique identifier for this
    particular tool use block"; the API: "`tool_use` ids must be unique",
    https://github.com/anthropics/claude-code/issues/20901.
    """
    for found in _each(session):
        yield from found.reused_calls
