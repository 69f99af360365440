"""The hooks for pre-commit: run by pre-commit itself, on a repository with conversations."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

pytest.importorskip("pre_commit", reason="pre-commit is not installed")
SITE = os.pathsep.join(path for path in sys.path if "site-packages" in path)
OFFLINE = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PYTHONPATH": SITE}
"""So that what pre-commit installs has this environment's dependencies, and no registry is needed"""


def run(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {"HOME": str(folder), **more}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@canal.local", "-c", "init.defaultBranch=main")
    done = run(folder, "git", *who, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository with what is shipped, for pre-commit to clone."""
    folder = tmp_path / "source"
    kept = shutil.ignore_patterns("__pycache__")
    for name in ("cli", "compressors", "man"):
        shutil.copytree(ROOT / name, folder / name, ignore=kept)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, folder)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "All")
    return folder


@pytest.mark.battery
@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_a_commit_is_held_up_by_a_large_conversation_and_a_broken_session(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("openai.jsonl", "claude-code.jsonl"):
        shutil.copy(ROOT / "samples" / name, folder)
    (folder / "package.json").write_text("{}")  # no conversation
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {source}\n  rev: {git(source, 'rev-parse', 'HEAD')}\n  hooks:\n"
        '  - id: boildown-check\n    args: [--max-tokens, "9000"]\n  - id: boildown-validate\n'
    )
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    command = (sys.executable, "-m", "pre_commit", "run", "--all-files")
    done = run(folder, *command, PRE_COMMIT_HOME=str(tmp_path / "cache"), **OFFLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Passed") == 2

    session = (folder / "claude-code.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "claude-code.jsonl").write_bytes(b"".join(line for line in session if b'"tool_result"' not in line))
    config = folder / ".pre-commit-config.yaml"
    config.write_text(config.read_text().replace('"9000"', '"1000"'))
    done = run(folder, *command, PRE_COMMIT_HOME=str(tmp_path / "cache"), **OFFLINE)
    assert done.returncode == 1
    assert done.stdout.count("Failed") == 2
    assert re.search(r"openai\.jsonl:1 +max-tokens +1,303 tokens, 303 over", done.stdout)
    assert "claude-code.jsonl:" in done.stdout
