"""Shells are offered commands, options and values, without waiting for what completing does not need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from battery import sampled
from boildown.registry import STAGES
from cli.test_help import COMMANDS, HEAVY
from conftest import COMMAND, ROOT, Run, source_roots

LOADED = f"""
import atexit, sys
atexit.register(lambda: sys.stderr.write(" ".join({{m.partition(".")[0] for m in sys.modules}})))
{COMMAND}
"""


def offered(line: str, shell: str = "bash", cwd: Path | None = None) -> tuple[list[str], set[str]]:
    """What is offered at the end of `line`, and the top-level packages that this took."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" ")), "_TYPER_COMPLETE_ARGS": line}
    env = {
        **source_roots(ROOT),
        **words,
        "_BOILDOWN_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run([sys.executable, "-c", LOADED], env=env, cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1], set(done.stderr.split())


@pytest.mark.parametrize(
    ("line", "some"),
    sampled([
        ("boildown ", COMMANDS),
        ("boildown comp", {"compress"}),
        ("boildown compress --pre", {"--preset"}),
        ("boildown compress --preset t", {"tutor"}),
        ("boildown compress --pipeline ", STAGES),
        ("boildown compress -p dedup,pr", {"dedup,prune", "dedup,prioritize"}),
        ("boildown compress --from cl", {"claude-code", "claude-ai"}),
        ("boildown compress --to oasst", {"oasst"}),
        ("boildown compress --model claude-haiku", {"claude-haiku-5-5"}),
        ("boildown check --tokenizer anth", {"anthropic"}),
        ("boildown hook cl", {"claude-code"}),
        ("boildown count samples/", set()),
    ], every=3),
)  # fmt: skip
def test_what_fits_is_offered_and_nothing_heavy_imported(line: str, some: set[str]) -> None:
    found, loaded = offered(line)
    assert set(some) <= set(found)
    assert all(one.startswith(line.rpartition(" ")[2]) for one in found if one)
    assert not loaded & (HEAVY - {"pydantic", "orjson"})  # Typer's own, for any option; and that of formats


def test_presets_of_ones_own_are_offered_and_a_broken_file_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "boildown.toml").write_text('[presets.mine]\npipeline = "dedup"\n')
    assert offered("boildown compress --preset mi", cwd=tmp_path)[0] == ["mine"]
    (tmp_path / "boildown.toml").write_text("[")
    assert offered("boildown compress --preset tu", cwd=tmp_path)[0] == ["tutor"]


@pytest.mark.parametrize(("shell", "answer"), [("zsh", '"tutor"'), ("fish", "tutor")])
def test_other_shells_are_answered_in_their_own_way(shell: str, answer: str) -> None:
    assert answer in "\n".join(offered("boildown compress --preset tu", shell)[0])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(boildown: Run, shell: str) -> None:
    done = boildown(env={"_BOILDOWN_COMPLETE": f"source_{shell}"})
    assert (done.returncode, f"_BOILDOWN_COMPLETE=complete_{shell}" in done.stdout.decode()) == (0, True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_by_the_script(boildown: Run, tmp_path: Path) -> None:
    command = tmp_path / "boildown"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{COMMAND}" "$@"\n')
    command.chmod(0o755)
    (tmp_path / "script").write_bytes(boildown(env={"_BOILDOWN_COMPLETE": "source_bash"}).stdout)
    line = (
        "source ./script; COMP_WORDS=(boildown compress --preset tu); COMP_CWORD=3; _boildown_completion ./boildown; "
        'echo "${COMPREPLY[@]}"'
    )
    env = {**source_roots(ROOT), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.stdout == "tutor\n", done.stderr
