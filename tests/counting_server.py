"""A provider that counts: on the loopback, by a tokenizer whose counts are not boildown's."""

from __future__ import annotations

import json
from typing import Any

from boildown.tokens import tokenizer
from model_server import Received, Reply

ROUND = 90
"""What a call and its result take besides their texts, by records of real sessions"""


def texts(content: Any) -> list[str]:
    """Every text of a request's turns, arguments included; a call counts for its name."""
    if isinstance(content, str):
        return [content]
    if isinstance(content, dict):
        return [t for key, part in content.items() if key not in ("type", "id", "tool_use_id") for t in texts(part)]
    return [t for part in content for t in texts(part)] if isinstance(content, list) else []


def provider_tokens(turns: Any, times: float = 1.4) -> int:
    """1.4 times those of o200k_base, a twentieth up or down by the text, and what calls and turns take."""
    said = [text for turn in turns for text in texts(turn["content"])]
    counts = tokenizer().count(said)
    noisy = sum(n * times * (0.95 + len(text) % 11 / 100) for n, text in zip(counts, said, strict=True))
    calls = sum(part["type"] == "tool_use" for turn in turns for part in turn["content"])
    return int(noisy) + ROUND * calls + 3 * len(turns)


def counting(received: Received) -> Reply:
    """The answer of the endpoint that counts; nothing else is there."""
    if received.path != "/v1/messages/count_tokens":
        return Reply("no such thing", status=404)
    problem = refused(received.body["messages"])
    if problem:
        return Reply(problem, status=400)
    return Reply(body=json.dumps({"input_tokens": provider_tokens(received.body["messages"])}).encode())


def refused(turns: Any) -> str:
    """What Anthropic's API would refuse `turns` for, as far as what it says of it is known; "" for nothing."""
    if turns[0]["role"] != "user" or turns[-1]["role"] != "user":
        return "the first and the last message must be the user's"
    calls: list[str] = []
    known: set[str] = set()
    for turn in turns:
        results = [part["tool_use_id"] for part in turn["content"] if part["type"] == "tool_result"]
        if results != calls:
            return "each tool_use must have its tool_result in the next message"
        calls = [part["id"] for part in turn["content"] if part["type"] == "tool_use"]
        if not known.isdisjoint(calls):
            return "tool_use ids must be unique"
        known.update(calls)
        parts = [part for part in turn["content"] if part["type"] == "text"]
        if not turn["content"] or any(not part["text"].strip() for part in parts):
            return "text content blocks must contain non-whitespace text"
    return "each tool_use must have its tool_result" if calls else ""
