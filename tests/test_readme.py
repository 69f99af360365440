"""README's word is kept: its commands run, what it shows is what they print, and its tables leave nothing out."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from boildown_cli.app import app
from boildown_cli.exits import status
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


Done = tuple[int, str]
"""An exit code, and all that was printed on both streams, in its order"""


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**source_roots(ROOT), "PATH": path, "XDG_CACHE_HOME": str(folder / "cache")}


def shell(line: str, folder: Path, environment: dict[str, str], stdin: bytes = b"") -> Done:
    """What a line does in bash."""
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{line}\n"],
        cwd=folder,
        env=environment,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return result.returncode, result.stdout.decode()


class Sink(io.BytesIO):
    """A stream in memory that stays readable when what wraps it is let go."""

    def close(self) -> None:
        pass


def here(arguments: list[str], together: bool) -> tuple[int, bytes, bytes]:
    """What `boildown ARGUMENTS` does in this process; stdout and stderr as they come, or each by itself."""
    out = Sink()
    err = out if together else Sink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
        patch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding="utf-8"))
        patch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding="utf-8", write_through=True))
        code = status(lambda: get_command(app), arguments)
        sys.stdout.flush()
        return code, out.getvalue(), b"" if together else err.getvalue()


PLAIN = re.compile(r"""boildown(?P<words>(?: (?:[\w@%+=:,./-]|'[^']*'|"[^"$`\\]*")+)+)(?P<rest> *(?:[|>] .*)?)""")
"""A line that is boildown and its words, and after them at most a pipe or a file that its output goes to"""


def runs(line: str, folder: Path, environment: dict[str, str]) -> Done:
    """What a line does, with boildown in this process where a shell has no other part in it than where output goes."""
    plain = PLAIN.fullmatch(line)
    if plain is None:
        return shell(line, folder, environment)
    rest = plain["rest"].strip()
    code, out, err = here(shlex.split(plain["words"]), together=not rest)
    if not rest:
        return code, out.decode()
    after, printed = shell(f"cat {rest}", folder, environment, out)
    return code or after, err.decode() + printed


def assert_as_shown(block: str, run: Callable[[str], Done]) -> None:
    for line, code, shown in commands(block):
        found, printed = run(line)
        assert found == code, f"{line}\n{printed}"
        assert not shown or is_shown(shown, printed), f"{line}\n{printed}"


BASH = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash to run the README's commands with")
every_block = pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][2:60])


@BASH
@every_block
def test_commands_print_what_is_shown(
    block: str, folder: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in set(os.environ) - set(environment):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    assert_as_shown(block, lambda line: runs(line, folder, environment))


@BASH
def test_a_pipeline_of_commands_prints_what_is_shown_in_a_shell(folder: Path, environment: dict[str, str]) -> None:
    (block,) = (block for block in BLOCKS if "| cmp" in block)
    assert_as_shown(block, lambda line: shell(line, folder, environment))


@BASH
@pytest.mark.battery
@every_block
def test_commands_print_what_is_shown_in_a_shell(block: str, folder: Path, environment: dict[str, str]) -> None:
    assert_as_shown(block, lambda line: shell(line, folder, environment))


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


def test_the_reports_keys_are_those_of_the_schema(
    folder: Path, monkeypatch: pytest.MonkeyPatch, model_server: ModelServer
) -> None:
    # A broken line makes a note, a login a redaction; two copies of a message give `dedup` something to do. What the
    # server says is no summary, so that a span is cut.
    sample = (folder / "samples" / "openai.jsonl").read_bytes()
    login = (folder / "samples" / "openai-login.jsonl").read_bytes()
    (folder / "odd.jsonl").write_bytes(sample + sample + login + b'{"role": "user", "cont\n')
    stages = ("--pipeline", "redact,dedup,abstractive,prune,cache")
    options = ("--ratio", "4", "-o", "out.jsonl", "--report", "r.json", "--archive", "originals", *stages)
    monkeypatch.chdir(folder)
    code, out, _ = here(["compress", "odd.jsonl", *options], together=True)
    assert code == 0, out.decode()
    rows = re.findall(r"^\| (`[^|]+`) \|", README.partition("<!-- schema -->")[2].partition("\n\n")[0], re.MULTILINE)
    told = {key for row in rows for key in re.findall(r"`([^`]+)`", row)}
    assert told == set(keys(json.loads((folder / "r.json").read_bytes())))


def test_ci_takes_its_commands_from_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.findall(r"readme_command (\w+)\)", script) == ["run", "test"]
    assert "pytest -q" not in script
