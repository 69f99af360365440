"""README's word is kept: its commands run, what it shows is what they print, and its tables leave nothing out."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import COMMAND, ROOT, Run, source_roots
from model_server import ModelServer

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"\s+# exit (\d+)$")


def commands(block: str) -> Iterator[tuple[str, int, list[str]]]:
    """Each `$` line of a console block, the exit code that it promises, and the lines shown under it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, *shown = part.rstrip("\n").split("\n")
        promised = EXIT.search(line)
        yield EXIT.sub("", line), int(promised[1]) if promised else 0, shown


def is_shown(shown: list[str], printed: str) -> bool:
    """Whether the lines shown are the lines printed, `...` standing for any text, or alone for any lines."""
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else _line(line.rstrip()) for line in shown)
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed.splitlines())) is not None


def _line(text: str) -> str:
    return ".*".join(map(re.escape, text.split("..."))) + r"\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the samples in it, and `boildown` as a command of the running environment."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    command = tmp_path / "bin" / "boildown"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(COMMAND)} "$@"\n')
    command.chmod(0o755)
    return tmp_path


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to run the README's commands with")
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][2:60])
def test_commands_run_and_print_what_is_shown(block: str, folder: Path) -> None:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    for line, code, shown in commands(block):
        result = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{line}\n"],
            cwd=folder,
            env={**source_roots(ROOT), "PATH": path, "XDG_CACHE_HOME": str(folder / "cache")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert result.returncode == code, f"{line}\n{result.stdout}"
        assert not shown or is_shown(shown, result.stdout), f"{line}\n{result.stdout}"


@pytest.mark.parametrize(("marker", "ending"), [("run", "boildown compress samples/"), ("test", "-m pytest -q")])
def test_each_set_up_command_is_one_line_that_installs_what_it_needs(marker: str, ending: str) -> None:
    (block,) = re.findall(rf"^<!-- {marker} -->\n```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert block.count("\n") == 1
    assert block.startswith("python3 -m venv .venv && .venv/bin/pip install -q ")
    assert ending in block


def test_the_sample_of_the_first_command_is_compressed(folder: Path, boildown: Run) -> None:
    line = re.findall(r"^<!-- run -->\n```sh\n.*/boildown (.*)\n", README, re.MULTILINE)[0]
    result = boildown(*shlex.split(line), cwd=folder)
    assert (result.returncode, bool(result.stdout)) == (0, True), result.stderr.decode()


@pytest.mark.parametrize("code", re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))
def test_python_runs(code: str, folder: Path) -> None:
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=folder, env=source_roots(ROOT), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_command_is_shown(boildown: Run) -> None:
    listed = boildown("--help").stdout.decode().partition("Commands:\n")[2]
    names = re.findall(r"^  (\w[\w-]*)", listed, re.MULTILINE)
    used = set(re.findall(r"\bboildown ([\w-]+)", "\n".join(BLOCKS)))
    assert names
    assert set(names) <= used


def test_every_option_of_compress_is_explained(boildown: Run) -> None:
    text = boildown("compress", "--help").stdout.decode()
    options = set(re.findall(r"(--[a-z][a-z-]+)", text.partition("Options:")[2])) - {"--help"}
    assert {option for option in options if f"`{option}" not in README} <= {"--pin-system"}


@pytest.mark.parametrize(("module", "table"), [("boildown.formats", "FORMATS"), ("boildown.registry", "STAGES")])
def test_the_tables_of_stages_and_formats_are_whole(module: str, table: str) -> None:
    names = getattr(__import__(module, fromlist=[table]), table)
    assert [name for name in names if f"\n| `{name}` |" not in README] == []


def keys(value: object, place: str = "") -> Iterator[str]:
    """The places of a JSON value's keys: `a`, `a[]`, `a[].b`."""
    if isinstance(value, dict) and place != "conversations[].fates":
        for key, item in value.items():
            holds = isinstance(item, list) and any(isinstance(i, dict) for i in item)
            name = f"{place}{'.' if place else ''}{key}{'[]' if holds else ''}"
            yield name
            yield from (k for i in item for k in keys(i, name)) if holds else keys(item, name)


def test_the_reports_keys_are_those_of_the_schema(folder: Path, boildown: Run, model_server: ModelServer) -> None:
    # A broken line makes a note, a login a redaction; two copies of a message give `dedup` something to do. What the
    # server says is no summary, so that a span is cut.
    sample = (folder / "samples" / "openai.jsonl").read_bytes()
    login = (folder / "samples" / "openai-login.jsonl").read_bytes()
    (folder / "odd.jsonl").write_bytes(sample + sample + login + b'{"role": "user", "cont\n')
    stages = ("--pipeline", "redact,dedup,abstractive,prune,cache")
    options = ("--ratio", "4", "-o", "out.jsonl", "--report", "r.json", "--archive", "originals", *stages)
    result = boildown("compress", "odd.jsonl", *options, cwd=folder)
    assert result.returncode == 0, result.stderr.decode()
    rows = re.findall(r"^\| (`[^|]+`) \|", README.partition("<!-- schema -->")[2].partition("\n\n")[0], re.MULTILINE)
    told = {key for row in rows for key in re.findall(r"`([^`]+)`", row)}
    assert told == set(keys(json.loads((folder / "r.json").read_bytes())))


def test_ci_takes_its_commands_from_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"readme_command (\w+)\)", script) == ["run", "test"]
    assert "pytest -q" not in script
