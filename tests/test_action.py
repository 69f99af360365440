"""The GitHub action: its steps are run as the runner would, and what a caller gives stays data."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import COMMAND, ROOT, source_roots

yaml = pytest.importorskip("yaml")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"] if "run" in step}
CHAT = ROOT / "samples" / "openai.jsonl"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


def run(
    name: str, runner: Path, extra: dict[str, str] | None = None, **inputs: str
) -> subprocess.CompletedProcess[str]:
    """Runs a step's script in the environment that its expressions make of `inputs`."""
    step = STEPS[name]
    given = {key: str(entry.get("default", "")) for key, entry in ACTION["inputs"].items()}
    values = {f"inputs.{key}": value for key, value in {**given, **inputs}.items()} | {"github.action_path": str(ROOT)}
    env = {key: re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda m: values[m[1]], text) for key, text in step["env"].items()}
    script = runner / "step.sh"
    script.write_text(step["run"])
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
    env = {**os.environ, "RUNNER_TEMP": str(runner), **(extra or source_roots(ROOT)), **env}
    return subprocess.run(command, cwd=runner, env=env, capture_output=True, text=True, check=False)


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A runner's directory in which the step before has installed boildown."""
    command = tmp_path / "boildown" / "bin" / "boildown"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{COMMAND}" "$@"\n')
    command.chmod(0o755)
    return tmp_path


def test_no_script_has_an_expression_in_it() -> None:
    assert set(STEPS) == {"Install", "Check"}
    assert [step["run"] for step in STEPS.values() if "${{" in step["run"]] == []


@pytest.mark.battery
@pytest.mark.parametrize(("limit", "code"), [("2000", 0), ("1000", 1)])
def test_it_fails_where_a_conversation_is_too_large(runner: Path, limit: str, code: int) -> None:
    done = run("Check", runner, **{"paths": f"{CHAT}\n", "max-tokens": limit})
    assert done.returncode == code, done.stderr
    assert ("303 over" in done.stdout) == bool(code)


def test_paths_and_arguments_are_one_a_line(runner: Path) -> None:
    shutil.copy(CHAT, runner / "with a blank.jsonl")
    (runner / "folder").mkdir()
    shutil.copy(CHAT, runner / "folder")
    paths = "with a blank.jsonl\n\nfolder\n"
    done = run("Check", runner, paths=paths, args="--tokenizer\ncl100k_base\n--max-tokens\n9000")
    assert (done.returncode, "2 conversations in 2 files checked" in done.stderr) == (0, True), done.stderr


@pytest.mark.parametrize("name", ["paths", "args", "max-tokens"])
def test_nothing_that_is_given_is_run(runner: Path, name: str) -> None:
    evil = "\"; touch pwned; \" $(touch pwned) `touch pwned` ' ; touch pwned; ' && touch pwned"
    assert run("Check", runner, **{"paths": str(CHAT), "max-tokens": "9", name: evil}).returncode == 2
    assert not (runner / "pwned").exists()


def test_a_path_is_never_an_option(runner: Path) -> None:
    assert "--help: there is no such file" in run("Check", runner, **{"paths": "--help", "max-tokens": "9"}).stderr


@pytest.mark.battery
def test_what_it_installs_runs(tmp_path: Path) -> None:
    """With this environment's dependencies, so that no registry is needed."""
    site = os.pathsep.join(path for path in sys.path if "site-packages" in path)
    extra = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PYTHONPATH": site}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = run("Install", tmp_path, {**extra, "PATH": path})
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "boildown" / "bin" / "boildown").exists()
    assert (tmp_path / "boildown" / "share" / "man" / "man1" / "boildown.1").exists()
    done = run("Check", tmp_path, {"PYTHONPATH": site}, **{"paths": str(CHAT), "max-tokens": "9000"})
    assert done.returncode == 0, done.stderr
