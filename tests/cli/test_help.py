"""Help says what there is, and starting costs no more than it must."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from boildown_cli.app import app
from boildown_cli.lazy import load
from conftest import source_roots

COMMANDS = (
    "compress", "batch", "expand", "show", "diff", "evaluate", "tune", "plan", "train", "count", "check", "validate",
    "repair", "stages", "presets", "formats", "archive", "recall", "context", "sessions", "facts", "forget", "follow",
    "resume", "hook",
)  # fmt: skip
HEAVY = {"tiktoken", "toktok", "sklearn", "numpy", "anthropic", "orjson", "rich", "pydantic", "sentencex"}
LOADED = """
import sys
from typer.main import get_command
from boildown_cli.app import app
from boildown_cli.exits import status
code = status(lambda: get_command(app), sys.argv[1:])
sys.stdout.write("\\nloaded: " + " ".join(sorted({m.partition(".")[0] for m in sys.modules})))
sys.exit(code)
"""


def loaded(root: Path, *arguments: object) -> set[str]:
    """The top-level packages that a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *map(str, arguments)], env=source_roots(root), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("loaded: ")[2].split())


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_all_commands_with_a_summary(ask, arguments):
    answer = ask(*arguments)
    assert answer.code == 0
    assert answer.err == ""
    listed = [
        line.split()[0] for line in answer.out.decode().partition("Commands:")[2].splitlines() if line[:3] == "  c"
    ]
    assert set(listed) <= set(COMMANDS)
    for command in COMMANDS:
        assert f"\n  {command} " in answer.out.decode()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_in_the_list_is_the_first_line_of_the_commands_own_help(name):
    (listed,) = [info for info in app.registered_commands if info.name == name]
    command = getattr(import_module(f"boildown_cli.commands.{name}"), name)
    assert listed.help == inspect.getdoc(command).partition("\n")[0]


def test_every_listed_command_is_a_file_and_every_file_is_listed():
    folder = Path(import_module("boildown_cli.commands").__file__).parent
    assert (
        {info.name for info in app.registered_commands} == {p.stem for p in folder.glob("[a-z]*.py")} == set(COMMANDS)
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_commands_help_has_an_example_and_explains_every_option(ask, name):
    answer = ask(name, "--help")
    assert answer.code == 0
    assert f"  boildown {name}" in answer.out.decode()
    assert all(p.help for p in load(name).params)


@pytest.mark.parametrize(
    "option",
    [
        "--budget", "-b", "--ratio", "-r", "--window", "--pipeline", "-p", "--keep-recent", "--keep-first", "--pin",
        "--pin-system", "--no-pin-system", "--from", "--to", "--output", "-o", "--report", "--quiet", "-q", "--strict",
        "--tokenizer", "--preset", "--config", "--no-config",
    ],
)  # fmt: skip
def test_compress_explains(ask, option):
    assert (
        f"{option} " in ask("compress", "--help").out.decode() or f"{option}," in ask("compress", "--help").out.decode()
    )


def test_version_is_said(ask):
    answer = ask("--version")
    assert answer.code == 0
    assert answer.out.startswith(b"boildown ")


def test_help_loads_nothing_heavy_and_no_command(root):
    assert not loaded(root, "--help") & (HEAVY | {"boildown"})


def test_a_commands_help_loads_nothing_heavy(root):
    assert not loaded(root, "compress", "--help") & (HEAVY - {"pydantic"})  # Typer's own, for any option


def test_count_loads_neither_scikit_learn_nor_anthropic(root, chat):
    assert not loaded(root, "count", chat) & {"sklearn", "numpy", "scipy", "anthropic"}


def test_quiet_compress_loads_no_tables(root, chat, tmp_path):
    found = loaded(root, "compress", chat, "--budget", 100_000, "-o", tmp_path / "out.jsonl", "-q")
    assert not found & {"rich", "sklearn", "anthropic", "zstandard", "sqlite3"}


def test_evaluate_loads_neither_models_nor_charts(root, chat):
    heavy = {"sklearn", "scipy", "numpy", "anthropic", "matplotlib", "uniplot"}
    assert not loaded(root, "evaluate", chat, chat, "--json") & heavy
