"""Agent sessions for the tests of stages: a call and its result in two messages, in few words."""

from __future__ import annotations

import json

from boildown.transcript import Message, Text, ToolCall, ToolResult, Transcript

Turn = tuple[str, dict[str, object], str] | str
"""(tool, arguments, result), or what the user says"""


def session(*turns: Turn) -> Transcript:
    """Messages m1, m2, ...: two for a call, one for what the user says. A result that begins with ! is an error."""
    messages: list[Message] = []
    for n, turn in enumerate(turns):
        if isinstance(turn, str):
            messages.append(Message("", "user", (Text(turn),)))
            continue
        name, arguments, result = turn
        call = ToolCall(f"c{n}", name, json.dumps(arguments))
        back = ToolResult(f"c{n}", result.removeprefix("!"), is_error=result.startswith("!"))
        messages += [Message("", "assistant", (call,)), Message("", "tool", (back,))]
    named = (Message(f"m{n}", m.role, m.blocks) for n, m in enumerate(messages, 1))
    return Transcript(tuple(named))


def results(transcript: Transcript) -> list[str]:
    """The text of each tool result."""
    return [b.text for m in transcript.messages for b in m.blocks if isinstance(b, ToolResult)]
