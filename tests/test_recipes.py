"""The README's Makefile and lines for a shell do what they are said to do."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import COMMAND, ROOT, source_roots

pytestmark = pytest.mark.battery

README = (ROOT / "README.md").read_text(encoding="utf-8")
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


def block(name: str) -> str:
    (found,) = re.findall(rf"^<!-- {name} -->\n```\w+\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two conversations under `transcripts`, and `boildown` as a command."""
    command = tmp_path / "bin" / "boildown"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(COMMAND)} "$@"\n')
    command.chmod(0o755)
    (tmp_path / "transcripts").mkdir()
    for name in ("openai.jsonl", "openai-agent.jsonl"):
        shutil.copy(ROOT / "samples" / name, tmp_path / "transcripts")
    return tmp_path


@pytest.fixture
def shell(folder: Path) -> Shell:
    """Runs a line in bash."""

    def run(line: str) -> subprocess.CompletedProcess[str]:
        path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        env = {k: v for k, v in source_roots(ROOT).items() if not k.startswith("GIT_")} | {"PATH": path}
        command = ["bash", "-o", "pipefail", "-c", line]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)

    return run


def line_with(word: str) -> str:
    (found,) = (line for line in block("shell").splitlines() if word in line)
    if missing := [tool for tool in ("bash", "jq", "git") if f"{tool} " in f"bash {found}" and not shutil.which(tool)]:
        pytest.skip(f"there is no {missing[0]}")
    return found


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_compresses_only_what_changed(folder: Path, shell: Shell) -> None:
    (folder / "Makefile").write_text(block("make"))
    done = shell("make check small")
    assert (done.returncode, done.stdout.count("boildown compress")) == (0, 2), done.stderr
    assert shell("make small").stdout == "make: Nothing to be done for 'small'.\n"
    assert len(list((folder / "small").iterdir())) == 2


def test_xargs_compresses_several_at_a_time(folder: Path, shell: Shell) -> None:
    done = shell(f"mkdir small && {line_with('find ')}")
    assert (done.returncode, done.stderr) == (0, "")
    assert {path.name for path in (folder / "small").iterdir()} == {"openai.jsonl", "openai-agent.jsonl"}


def test_git_names_what_changed(folder: Path, shell: Shell) -> None:
    line = line_with("git diff")
    who = "git -c user.name=Ada -c user.email=ada@canal.local"
    assert shell(f"git init -q && git add transcripts && {who} commit -qm All").returncode == 0
    assert shell(line).returncode == 0
    (folder / "transcripts" / "openai.jsonl").open("a").write('{"role": "user", "content": "And then?"}\n')
    assert "1 conversation in 1 file checked" in shell(line).stderr


def test_jq_reads_the_report_and_the_counts(folder: Path, shell: Shell) -> None:
    dropped = shell(f"{line_with('--report report.json')} && {line_with('.conversations[]')}")
    assert dropped.returncode == 0, dropped.stderr
    sizes = [int(row.split("\t")[2]) for row in dropped.stdout.splitlines()]
    assert sizes == sorted(sizes, reverse=True) != []
    assert shell(line_with("boildown count transcripts")).stdout.split("\n")[0] == "transcripts/openai.jsonl\t1303"
