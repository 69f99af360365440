"""The to-do list that a session keeps by way of its tools, as it stands at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from boildown.actions import arguments
from boildown.transcript import Message, ToolCall, ToolResult

DONE = frozenset({"completed", "done", "cancelled", "deleted"})
TEXTS = ("content", "step", "title", "text")
_CREATED = re.compile(r"#(\w+)")


@dataclass(frozen=True, slots=True)
class Todo:
    """A to-do: `id` and `last` are the id and the index of the message that last changed it."""

    text: str
    done: bool
    id: str
    last: int


def todos(messages: Sequence[Message]) -> list[Todo]:
    """The to-dos as the last call left them: of tools that write the whole list, and of those that update tasks."""
    whole: list[Todo] = []
    tasks: dict[str, Todo] = {}
    results = {b.call_id: b.text for m in messages for b in m.blocks if isinstance(b, ToolResult)}
    for i, message in enumerate(messages):
        for block in message.blocks:
            if not isinstance(block, ToolCall):
                continue
            given = arguments(block)
            fields = given if isinstance(given, dict) else {}
            listed = fields.get("todos", fields.get("plan"))
            if isinstance(listed, list) and (items := _items(listed, message.id, i)):
                whole = items
            elif block.name == "TaskCreate" and isinstance(fields.get("subject"), str):
                number = _CREATED.search(results.get(block.id, ""))
                key = number[1] if number else f"call {block.id}"
                tasks[key] = Todo(fields["subject"], False, message.id, i)
            elif block.name == "TaskUpdate" and (task := tasks.get(str(fields.get("taskId")))):
                done = fields.get("status", "done" if task.done else "") in DONE
                tasks[str(fields["taskId"])] = replace(task, done=done, id=message.id, last=i)
    return [*whole, *tasks.values()]


def _items(listed: list[Any], id: str, last: int) -> list[Todo]:
    found = []
    for item in listed:
        texts = [item[k] for k in TEXTS if isinstance(item.get(k), str)] if isinstance(item, dict) else []
        if texts:
            found.append(Todo(texts[0], item.get("status") in DONE, id, last))
    return found
