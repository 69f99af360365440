"""What shell commands do to files, as far as one look tells."""

from __future__ import annotations

import pytest

from boildown.shell import LAST, Deed, deeds


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("cat src/a.py", [Deed("read", "src/a.py")]),
        ("sed -n '10,40p' src/a.py", [Deed("read", "src/a.py", (10, 40))]),
        ("sed -n '10,$p' src/a.py", [Deed("read", "src/a.py", (10, LAST))]),
        ("nl -ba src/a.py | sed -n '70,120p'", [Deed("read", "src/a.py", (70, 120))]),
        ("awk 'NR>=430 && NR<=670 {print}' src/a.py", [Deed("read", "src/a.py", (430, 670))]),
        ("head -n 20 src/a.py", [Deed("read", "src/a.py", (1, 20))]),
        ("tail -n 20 src/a.py", [Deed("read", "src/a.py", (LAST - 20, LAST))]),
        ("cd /repo && cat a.py", [Deed("read", "a.py", None, "/repo")]),
        ("cat a.py b.py", [Deed("ran", "cat a.py b.py")]),
        ("cat a.py && cat b.py", [Deed("ran", "cat a.py && cat b.py")]),
        ("cat src/*.py", [Deed("ran", "cat src/*.py")]),
        ("cat a.py | python3 -m json.tool", [Deed("ran", "cat a.py | python3 -m json.tool")]),
        ("rg -n 'def total' src", [Deed("searched", "rg -n 'def total' src")]),
        ("git grep total", [Deed("searched", "git grep total")]),
        ("rm -rf build/out.txt", [Deed("deleted", "build/out.txt")]),
        ("git rm old.py", [Deed("deleted", "old.py")]),
        ("mv a.py b.py", [Deed("deleted", "a.py"), Deed("created", "b.py")]),
        ("cat > notes.md <<'EOF'\nrm -rf /\nEOF", [Deed("created", "notes.md")]),
        ("echo x >> notes.md", [Deed("edited", "notes.md")]),
        ("sed -i 's/a/b/' src/a.py", [Deed("edited", "src/a.py")]),
        ("go test ./... 2>/dev/null", [Deed("ran", "go test ./... 2>/dev/null")]),
        ("make 2> errors.txt", [Deed("ran", "make 2> errors.txt")]),
        ("rm *.pyc", [Deed("ran", "rm *.pyc")]),
        ("echo 'never closed", [Deed("ran", "echo 'never closed")]),
        ("", [Deed("ran", "")]),
    ],
)
def test_a_command_reads_writes_searches_or_runs(command: str, expected: list[Deed]) -> None:
    assert deeds(command) == expected


def test_a_folder_goes_with_what_is_done_in_it() -> None:
    assert deeds("cat a.py", "/repo") == [Deed("read", "a.py", None, "/repo")]
