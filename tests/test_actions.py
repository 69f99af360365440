"""What tool calls did, whatever agent made them."""

from __future__ import annotations

import json

import pytest

from boildown.actions import LAST, Action, Kind, actions
from boildown.transcript import Message, ToolCall, ToolResult

PATCH = (
    "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n+y\n*** Add File: b.py\n+z\n*** Delete File: c.py\n*** End Patch"
)


def did(name: str, arguments: object, result: str = "fine", error: bool = False) -> list[Action]:
    given = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = Message("m1", "assistant", (ToolCall("c", name, given),))
    return actions([call, Message("m2", "tool", (ToolResult("c", result, is_error=error),))])


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("Read", {"file_path": "/r/a.py"}, [("read", "/r/a.py")]),
        ("read_file", {"path": "a.py"}, [("read", "a.py")]),
        ("Edit", {"file_path": "/r/a.py", "old_string": "x", "new_string": "y"}, [("edited", "/r/a.py")]),
        ("Write", {"file_path": "/r/a.py", "content": "x"}, [("created", "/r/a.py")]),
        ("str_replace_editor", {"command": "view", "path": "/r/a.py"}, [("read", "/r/a.py")]),
        ("str_replace_editor", {"command": "str_replace", "path": "/r/a.py"}, [("edited", "/r/a.py")]),
        ("apply_patch", PATCH, [("edited", "a.py"), ("created", "b.py"), ("deleted", "c.py")]),
        ("apply_patch", {"input": PATCH}, [("edited", "a.py"), ("created", "b.py"), ("deleted", "c.py")]),
        ("Bash", {"command": "go test ./..."}, [("ran", "go test ./...")]),
        ("shell", {"command": ["bash", "-lc", "cat a.py"], "workdir": "/r"}, [("read", "a.py")]),
        ("exec_command", {"cmd": "rg total", "workdir": "/r"}, [("searched", "rg total")]),
        ("Grep", {"pattern": "total", "path": "src"}, [("searched", "total in src")]),
        ("WebFetch", {"url": "https://example.org/a"}, [("fetched", "https://example.org/a")]),
        ("TodoWrite", {"todos": []}, [("planned", "TodoWrite")]),
        ("mcp__linear__get_issue", {"id": "ENT-250"}, [("called", "mcp__linear__get_issue id=ENT-250")]),
        ("ping", "", [("called", "ping")]),
        ("ping", "no JSON {", [("called", "ping no JSON {")]),
    ],
)
def test_a_call_is_known_by_its_name_and_arguments(
    name: str, arguments: object, expected: list[tuple[str, str]]
) -> None:
    assert [(str(a.kind), a.target) for a in did(name, arguments)] == expected


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        ({"file_path": "a"}, None),
        ({"file_path": "a", "offset": 10, "limit": 5}, (10, 14)),
        ({"file_path": "a", "limit": 5}, (1, 5)),
        ({"file_path": "a", "offset": 10}, (10, LAST)),
    ],
)
def test_a_read_says_which_lines(arguments: object, lines: tuple[int, int] | None) -> None:
    assert [a.lines for a in did("Read", arguments)] == [lines]


def test_a_file_is_the_same_by_its_path_from_the_root() -> None:
    shell = did("exec_command", {"cmd": "cat ./src/../a.py", "workdir": "/r"})
    assert [(a.target, a.file) for a in shell] == [("./src/../a.py", "/r/a.py")]


@pytest.mark.parametrize(
    ("name", "result", "error", "failed"),
    [
        ("Bash", "fine", False, False),
        ("Bash", "fine", True, True),
        ("Bash", "Exit code 2\nundefined: total", False, True),
        ("exec_command", "Chunk ID: 1\nProcess exited with code 1\nOutput:", False, True),
        ("exec_command", "Chunk ID: 1\nProcess exited with code 0\nOutput:", False, False),
        ("Read", "<tool_use_error>File does not exist.</tool_use_error>", False, True),
    ],
)
def test_a_failure_is_seen(name: str, result: str, error: bool, failed: bool) -> None:
    assert [a.failed for a in did(name, {"command": "x"}, result, error)] == [failed]


def test_a_search_without_a_match_is_no_failure() -> None:
    assert [a.failed for a in did("exec_command", {"cmd": "rg total"}, "Process exited with code 1")] == [False]


def test_a_call_without_a_result_is_there() -> None:
    found = actions([Message("m1", "assistant", (ToolCall("c", "Read", '{"file_path": "a.py"}'),))])
    assert found == [Action(Kind.READ, "a.py", (0, 0), "a.py")]
