"""Rules on the fields of Chat Completions messages."""

from __future__ import annotations

from collections.abc import Iterator

from boildown.formats.source import Json
from boildown.transcript import Message
from boildown.validity.session import Found, Session


def _each(session: Session, *roles: str) -> Iterator[tuple[Message, dict[str, Json]]]:
    for message in session.messages:
        value = session.value(message)
        if isinstance(value, dict) and value.get("role") in roles:
            yield message, value


def missing_content(session: Session) -> Iterator[Found]:
    """A message has content; an assistant's may have calls, a refusal or audio instead.

    https://platform.openai.com/docs/api-reference/chat/create: `content` is required "unless `tool_calls` or
    `function_call` is specified".
    """
    for message, value in _each(session, "system", "developer", "user", "tool", "assistant"):
        instead = ("tool_calls", "function_call", "refusal", "audio") if value["role"] == "assistant" else ()
        if value.get("content") is None and not any(value.get(key) for key in instead):
            yield Found(message.records[0], "", f"a message of the {value['role']}'s has no content")


def empty_calls(session: Session) -> Iterator[Found]:
    """A list of calls holds one at least: https://platform.openai.com/docs/api-reference/chat/create.

    The API: "[] is too short - 'messages.1.tool_calls'".
    """
    for message, value in _each(session, "assistant"):
        if value.get("tool_calls") == []:
            yield Found(message.records[0], "", "an assistant's list of calls is empty")


def unreadable_calls(session: Session) -> Iterator[Found]:
    """A call has an id and a name, and its arguments are JSON as text.

    https://platform.openai.com/docs/api-reference/chat/create: `id` and `function.name` are required, and
    `function.arguments` is a string. That the string is good JSON is not demanded: the model need not write such.
    """
    for message, value in _each(session, "assistant"):
        calls = value.get("tool_calls")
        for at, call in enumerate(calls if isinstance(calls, list) else ()):
            what = _fault(call)
            if what:
                name = str(call.get("id", "")) if isinstance(call, dict) else ""
                yield Found(message.records[0], name, what, at)


def _fault(call: Json) -> str:
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(call, dict) and isinstance(call.get("custom"), dict):
        return ""
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        return "a call names no function"
    if not call.get("id"):
        return f"a call of {function['name']} has no id"
    if not isinstance(function.get("arguments"), str):
        return f"the arguments of a call of {function['name']} are no text"
    return ""


def results_without_id(session: Session) -> Iterator[Found]:
    """A `tool` message says which call it answers: https://platform.openai.com/docs/api-reference/chat/create."""
    for message, value in _each(session, "tool"):
        if not isinstance(value.get("tool_call_id"), str):
            yield Found(message.records[0], "", "a tool's message has no tool_call_id")
