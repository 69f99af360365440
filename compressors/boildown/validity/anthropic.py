"""Rules on the content of messages to Claude, for request bodies and Claude Code's sessions alike."""

from __future__ import annotations

from collections.abc import Iterator

from boildown.transcript import Block, Message, Opaque, Text, Thinking, ToolCall, ToolResult
from boildown.validity.session import Found, Session

THOUGHT = "redacted_thinking"


def hollow_thinking(session: Session) -> Iterator[Found]:
    """A thinking block carries its signature: without one it is no thought of the model's that the API can check.

    https://platform.claude.com/docs/en/build-with-claude/extended-thinking ("Preserving thinking blocks": passed back
    complete and unmodified; the API: "Invalid `signature` in `thinking` block", as in
    https://github.com/anthropics/claude-code/issues/21726). Newer models give a signature without words: that is whole.
    """
    for message in session.messages:
        for block in message.blocks:
            if isinstance(block, Thinking) and not block.signature:
                what = "a thinking block has no signature" + ("" if block.text else " and no text")
                yield _found(session, message, block.at, what)


def ending_in_thinking(session: Session) -> Iterator[Found]:
    """A message of the assistant's does not end in a thought, unless it is the last one and still being written.

    The API: "The final block in an assistant message cannot be `thinking`",
    https://github.com/anthropics/claude-code/issues/11514. It is what an interrupted answer leaves behind.
    """
    for thread in session.threads():
        for message in thread[:-1]:
            if message.role == "assistant" and message.blocks and is_thought(message.blocks[-1]):
                what = "a message of the assistant's ends in a thinking block"
                yield _found(session, message, message.blocks[-1].at, what)


def is_thought(block: Block) -> bool:
    """Whether a block is a thought, in words or encrypted."""
    return isinstance(block, Thinking) or (isinstance(block, Opaque) and block.kind == THOUGHT)


def thinking_behind_call(session: Session) -> Iterator[Found]:
    """What was thought before a call stands before it: a message's calls are the last that it says.

    https://platform.claude.com/docs/en/build-with-claude/extended-thinking ("thinking blocks ... precede the tool_use
    blocks"): the sequence must match what the model put out, and it stops at its calls.
    """
    for message in session.messages:
        called = False
        for n, block in enumerate(message.blocks):
            called = called or isinstance(block, ToolCall)
            if called and is_thought(block) and n + 1 < len(message.blocks):
                yield _found(session, message, block.at, "a thinking block stands behind a call in its message")


def empty_texts(session: Session) -> Iterator[Found]:
    """A block of text has text. A lone line break is what the model itself gives between thoughts, and passes.

    The API: "text content blocks must be non-empty", https://platform.claude.com/docs/en/api/messages and
    https://github.com/anthropics/claude-code/issues/41992.
    """
    for message in session.messages:
        for block in message.blocks:
            if isinstance(block, Text) and not block.text:
                yield _found(session, message, block.at, "a block of text is empty")


def empty_messages(session: Session) -> Iterator[Found]:
    """A message has content, the last one of the assistant's excepted.

    The API: "all messages must have non-empty content except for the optional final assistant message",
    https://platform.claude.com/docs/en/api/messages.
    """
    last = session.messages[-1] if session.messages else None
    for message in session.messages:
        if not message.blocks and not (message is last and message.role == "assistant"):
            yield _found(session, message, -1, f"a message of the {message.role}'s has no content")


def results_first(session: Session) -> Iterator[Found]:
    """In a user's message, results come before all else.

    https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls: "tool_result blocks must come
    first in the content array. Any text must come after all tool results".
    """
    for message in session.messages:
        other = False
        for block in message.blocks:
            other = other or not isinstance(block, ToolResult)
            if other and isinstance(block, ToolResult):
                record, at = session.place(message, block.at)
                yield Found(
                    record, block.call_id, f"the result of the call {block.call_id} stands behind other content", at
                )


def trailing_blanks(session: Session) -> Iterator[Found]:
    """An assistant's text that ends the request, to be gone on with, ends in no blank.

    The API: "final assistant content cannot end with trailing whitespace",
    https://platform.claude.com/docs/en/build-with-claude/prompt-engineering/prefill-claudes-response.
    """
    last = session.messages[-1] if session.messages else None
    if last is None or last.role != "assistant" or not last.blocks:
        return
    block = last.blocks[-1]
    if isinstance(block, Text) and block.text != block.text.rstrip():
        yield _found(session, last, block.at, "the assistant's text that ends the conversation ends in a blank")


def _found(session: Session, message: Message, at: int, what: str) -> Found:
    record, place = session.place(message, at)
    return Found(record, "", what, place)
