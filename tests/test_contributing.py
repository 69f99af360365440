"""CONTRIBUTING's recipes work: written into a copy of the tree as they stand, their tests pass and they run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import COMMAND, ROOT, source_roots

PIECE = re.compile(r"^<!-- (file|line): (\S+)(?: (\S+))? -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("cli", "compressors", "samples", "tests", "pyproject.toml")


def follow(recipes: str, tree: Path) -> None:
    """Write the recipes' files into `tree`, and their lines into the tables that they name."""
    for kind, name, table, text in PIECE.findall(recipes):
        path = tree / name
        if kind == "file":
            assert not path.exists(), f"the recipe's example is there already: {name}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        else:
            head, opening, rest = path.read_text(encoding="utf-8").partition(f"\n{table}: dict[str, str] = {{\n")
            assert opening, f"{name} has no table {table}"
            path.write_text(head + opening + text + rest, encoding="utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which both recipes were followed."""
    folder = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    follow((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), folder)
    return folder


def python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=source_roots(tree), capture_output=True, text=True, check=False
    )


@pytest.mark.battery
def test_the_recipes_tests_pass(tree: Path) -> None:
    result = python(tree, "-m", "pytest", "-q", "tests/stages/test_courtesies.py", "tests/formats/test_minutes.py")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.battery
def test_the_laws_take_up_the_new_stage_and_hold_for_it(tree: Path) -> None:
    result = python(tree, "-m", "pytest", "-q", "-k", "courtesies and (every_law or budget)", "tests/test_laws.py")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_new_stage_runs_on_a_file_of_the_new_format(tree: Path) -> None:
    arguments = ["compress", "samples/minutes.jsonl", "--pipeline", "courtesies:longest=30", "--ratio", "1.05"]
    result = python(tree, "-c", COMMAND, *arguments)
    source = (tree / "samples/minutes.jsonl").read_text(encoding="utf-8").splitlines()
    assert (result.returncode, result.stdout.splitlines()) == (0, [source[0], *source[2:]]), result.stderr


def test_both_recipes_are_listed_with_their_help(tree: Path) -> None:
    stages, formats = (python(tree, "-c", COMMAND, command) for command in ("stages", "formats"))
    assert "Drops messages that only greet or thank." in stages.stdout
    assert "minutes" in formats.stdout
