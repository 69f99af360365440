"""What the tool calls of a session did: the file, command or query that each was about, and how it ended."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from boildown.shell import LAST, Deed, deeds
from boildown.transcript import Message, Place, ToolCall, ToolResult


class Kind(StrEnum):
    READ = "read"
    EDIT = "edited"
    CREATE = "created"
    DELETE = "deleted"
    RUN = "ran"
    SEARCH = "searched"
    FETCH = "fetched"
    PLAN = "planned"
    OTHER = "called"


FILE = frozenset({Kind.READ, Kind.EDIT, Kind.CREATE, Kind.DELETE})
CHANGES = FILE - {Kind.READ}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a call did; a patch of two files is two.

    target   the path, the command, the query or the URL as the call has it, or the call's name and first argument
    file     the file's path from its root, as far as that is known; empty where it is about none
    call     where the call stands          result   where its result does, None where there is none
    lines    the first and the last line that a read asked for; None for the whole file
    failed   whether the result is an error
    """

    kind: Kind
    target: str
    call: Place
    file: str = ""
    result: Place | None = None
    lines: tuple[int, int] | None = None
    failed: bool = False


LONGEST = 80
"""Characters of an argument that a target repeats"""
PATHS = ("file_path", "filepath", "notebook_path", "absolute_path", "target_file", "path", "filename", "file")
COMMANDS = ("command", "cmd", "script", "code", "keystrokes")
QUERIES = ("pattern", "query", "q", "regex", "glob", "search_term")
_NAMES = (
    (Kind.READ, re.compile(r"read|view|cat|open|show_file|get_file")),
    (Kind.EDIT, re.compile(r"edit|replace|patch|insert|update_file|modify")),
    (Kind.CREATE, re.compile(r"write|create|new_file|save")),
    (Kind.DELETE, re.compile(r"delete|remove|unlink")),
    (Kind.SEARCH, re.compile(r"grep|glob|search|find|list|(?:^|_)ls(?:$|_)|tree")),
)
_EDITOR = {"view": Kind.READ, "create": Kind.CREATE, "str_replace": Kind.EDIT, "insert": Kind.EDIT}
_PATCHED = re.compile(r"^\*\*\* (Add|Update|Delete) File: (.+?)\s*$|^\*\*\* Move to: (.+?)\s*$", re.MULTILINE)
_PATCHES = {"Add": Kind.CREATE, "Update": Kind.EDIT, "Delete": Kind.DELETE}
_FAILED = re.compile(r"\s*(?:<tool_use_error>|Error\b|Traceback \()|[\s\S]{0,200}?\b[Ee]xit(?:ed with)? code:? [1-9]")


def actions(messages: Sequence[Message]) -> list[Action]:
    """What every call did, in order. A result belongs to the last call before it with its id."""
    calls: list[tuple[Place, ToolCall]] = []
    last: dict[str, int] = {}
    results: dict[int, Place] = {}
    for i, message in enumerate(messages):
        for j, block in enumerate(message.blocks):
            if isinstance(block, ToolCall):
                last[block.id] = len(calls)
                calls.append(((i, j), block))
            elif isinstance(block, ToolResult) and block.call_id in last:
                results.setdefault(last[block.call_id], (i, j))
    return [a for n, (place, call) in enumerate(calls) for a in _of(call, place, results.get(n), messages)]


def _of(call: ToolCall, place: Place, result: Place | None, messages: Sequence[Message]) -> Iterator[Action]:
    found = messages[result[0]].blocks[result[1]] if result else None
    failed = isinstance(found, ToolResult) and (found.is_error or _FAILED.match(found.text) is not None)
    for deed in _deeds(call):
        kind, target, lines = Kind(deed.kind), deed.target, deed.lines
        nothing = kind is Kind.SEARCH and isinstance(found, ToolResult) and not found.is_error
        file = posixpath.normpath(posixpath.join(deed.folder, target)) if kind in FILE else ""
        yield Action(kind, target, place, file, result, lines, failed and not nothing)


def _deeds(call: ToolCall) -> list[Deed]:
    given = arguments(call)
    fields = given if isinstance(given, dict) else {}
    if "*** Begin Patch" in call.arguments:
        found = _PATCHED.findall("\n".join(texts(given)))
        return [Deed(_PATCHES[verb] if verb else Kind.CREATE, path or moved) for verb, path, moved in found]
    path, command = _first(fields, PATHS), _command(fields)
    if path and command in _EDITOR:
        return [Deed(_EDITOR[command], path, _lines(fields))]
    if command:
        return deeds(command, str(fields.get("workdir") or fields.get("cwd") or ""))
    name = call.name.rpartition("__")[2].lower()
    if "todos" in fields or "plan" in fields or name in ("taskcreate", "taskupdate"):
        return [Deed(Kind.PLAN, call.name)]
    kind = next((kind for kind, words in _NAMES if words.search(name)), Kind.OTHER)
    if url := _first(fields, ("url", "uri")):
        return [Deed(Kind.FETCH, url)]
    if query := _first(fields, QUERIES):
        return [Deed(Kind.SEARCH, f"{query} in {path}" if path else query)]
    if path and kind in FILE:
        return [Deed(kind, path, _lines(fields) if kind is Kind.READ else None)]
    return [Deed(Kind.OTHER, " ".join(filter(None, [call.name, _shown(given)])))]


def _shown(given: Any) -> str:
    """A call's arguments in a few words: the first that has any, with its name."""
    named = given.items() if isinstance(given, dict) else [("", given)]
    for name, value in named:
        said = " ".join(" ".join(texts(value)).split())
        if said:
            short = said if len(said) <= LONGEST else f"{said[:LONGEST]}…"
            return f"{name}={short}" if name else short
    return ""


def _command(fields: dict[str, Any]) -> str:
    for key in COMMANDS:
        value = fields.get(key)
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return value[-1] if value[:2] in (["bash", "-lc"], ["sh", "-c"], ["bash", "-c"]) else " ".join(value)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _first(fields: dict[str, Any], keys: Sequence[str]) -> str:
    return next((v for k in keys if isinstance(v := fields.get(k), str) and v.strip()), "")


def _lines(fields: dict[str, Any]) -> tuple[int, int] | None:
    """The lines that a read asks for, by Claude Code's `offset` and `limit` or an editor's `view_range`."""
    view = fields.get("view_range")
    if isinstance(view, list) and len(view) == 2 and all(isinstance(v, int) for v in view):
        return view[0], view[1] if view[1] > 0 else LAST
    start, limit = fields.get("offset"), fields.get("limit")
    if not isinstance(start, int) and not isinstance(limit, int):
        return None
    first = start if isinstance(start, int) else 1
    return first, first + limit - 1 if isinstance(limit, int) else LAST


def arguments(call: ToolCall) -> Any:
    """The call's arguments as JSON says them; their text where they are none."""
    try:
        return json.loads(call.arguments)
    except (ValueError, RecursionError):
        return call.arguments


def texts(value: Any) -> list[str]:
    """All strings and numbers in a JSON value, without its keys."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += reversed(list(item.values()))
        elif isinstance(item, list):
            waiting += reversed(item)
        elif isinstance(item, str):
            found.append(item)
        elif isinstance(item, int | float) and not isinstance(item, bool):
            found.append(str(item))
    return found
