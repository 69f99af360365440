"""New records of a Gemini CLI session, for messages and conversations that were not read from one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from boildown.formats import gemini_parts
from boildown.formats.source import Json, as_object, as_text
from boildown.transcript import Block, Message, Text, Thinking, ToolCall, ToolResult, Transcript

NO_TIME = "1970-01-01T00:00:00.000Z"


def render(message: Message) -> list[Json]:
    """The record that says what `message` says, without what its calls gave back."""
    return [_record(message, {})] if message.blocks and message.role != "tool" else []


def _record(message: Message, results: Mapping[int, ToolResult]) -> Json:
    """The record of a message, `results` by the places of its calls among its blocks."""
    time = message.time if message.time and "T" in message.time else NO_TIME
    said = [b for b in message.blocks if not isinstance(b, Thinking | ToolCall)]
    plain = all(isinstance(b, Text) for b in said)
    rendered = [part for b in said for part in gemini_parts.rendered(b, {})]
    record: dict[str, Json] = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, as_text([message.id, rendered]).encode("utf-8", "replace").decode())),
        "timestamp": time,
        "type": "gemini" if message.role == "assistant" else "user",
        "content": "\n".join(b.text for b in said if isinstance(b, Text)) if plain else rendered,
    }
    thoughts = [b.text for b in message.blocks if isinstance(b, Thinking) and b.text]
    if thoughts:
        record["thoughts"] = [{"subject": "", "description": text, "timestamp": time} for text in thoughts]
    calls = [_call(b, results.get(n), time) for n, b in enumerate(message.blocks) if isinstance(b, ToolCall)]
    if calls:
        record["toolCalls"] = calls
    return record


def _call(call: ToolCall, result: ToolResult | None, time: str) -> Json:
    status = "cancelled" if result is None else "error" if result.is_error else "success"
    held = None if result is None else gemini_parts.rendered(result, {call.id: call.name})
    said = {"id": call.id, "name": call.name, "args": as_object(call.arguments), "result": held}
    return {**said, "status": status, "timestamp": time}


def new_session(transcript: Transcript) -> Json:
    """The session that says what a transcript says: each result stands with the last call before it that has its id."""
    caller: dict[str, tuple[int, int]] = {}
    results: dict[int, dict[int, ToolResult]] = {}
    left: list[list[Block]] = []
    for n, message in enumerate(transcript.messages):
        left.append([])
        for block in message.blocks:
            if isinstance(block, ToolResult) and block.call_id in caller:
                of, place = caller.pop(block.call_id)
                results.setdefault(of, {})[place] = block
                continue
            if isinstance(block, ToolCall):
                caller[block.id] = n, len(left[n])
            left[n].append(block)
    records = [
        _record(message.with_blocks(left[n]), results.get(n, {}))
        for n, message in enumerate(transcript.messages)
        if left[n]
    ]
    whole = as_text(records).encode("utf-8", "replace").decode()
    return {
        "sessionId": str(uuid.uuid5(uuid.NAMESPACE_OID, whole)),
        "projectHash": "0" * 64,
        "startTime": records[0]["timestamp"] if records else NO_TIME,
        "lastUpdated": records[-1]["timestamp"] if records else NO_TIME,
        "messages": records,
    }
