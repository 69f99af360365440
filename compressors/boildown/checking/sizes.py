"""Limits on how much there is: tokens of a conversation and of its messages."""

from __future__ import annotations

from collections.abc import Iterator

from boildown.checking.conversation import Conversation
from boildown.checking.findings import Finding
from boildown.provider.measure import shared


def over(tokens: int, limit: int) -> str:
    """How far `tokens` are above `limit`, in words."""
    return f"{tokens:,} tokens, {tokens - limit:,} over {limit:,}"


def conversation_tokens(conversation: Conversation, limit: int) -> Iterator[Finding]:
    """Whether the conversation is too large."""
    tokens = conversation.tokens
    if tokens > limit:
        yield conversation.found("max-tokens", over(tokens, limit), tokens, limit)


def message_tokens(conversation: Conversation, limit: int) -> Iterator[Finding]:
    """Each message that is too large, framing included. They add up to the conversation's tokens as measured."""
    counter, messages = conversation.counter, conversation.messages
    # What is charged once for all stands beside them, so that the parts are the whole.
    parts = {**dict(enumerate(counter.messages(messages))), -1: counter.framing.reply}
    sizes = shared(conversation.tokens, parts)
    for n, message in enumerate(messages):
        if sizes[n] > limit:
            said = f"{message.role}: {over(sizes[n], limit)}"
            yield conversation.found("max-message-tokens", said, sizes[n], limit, message)
