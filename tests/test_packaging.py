"""What is shipped works: sdist, wheel from the sdist, an environment that holds nothing else, two commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]


def clean() -> dict[str, str]:
    """This process's environment without what would let it find the clone."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}


def done(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(
        [*map(str, command)], cwd=cwd, env=clean(), capture_output=True, text=True, timeout=180, check=False
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def sdist(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    done(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=root)
    return next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """The wheel, built from nothing but the sdist."""
    with tarfile.open(sdist) as archive:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11.4 and later
        archive.extractall(sdist.parent, **safely)
    tree = sdist.parent / sdist.name.removesuffix(".tar.gz")
    done(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", sdist.parent, cwd=tree)
    return next(sdist.parent.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts of an environment with the wheel in it; its dependencies are this environment's, by a path entry."""
    folder = tmp_path_factory.mktemp("environment")
    done(sys.executable, "-m", "venv", folder, cwd=folder)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    done(scripts / "python", "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)
    site = done(scripts / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    paths = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (Path(site) / "dependencies.pth").write_text("\n".join(paths) + "\n")
    return scripts


def test_the_wheel_holds_every_source_file_and_nothing_else(root: Path, wheel: Path) -> None:
    sources = {
        path.relative_to(root / folder).as_posix()
        for folder, package in (("cli", "boildown_cli"), ("compressors", "boildown"))
        for path in (root / folder / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == sources | {f"boildown-{PROJECT['version']}.data/data/share/man/man1/boildown.1"}


def test_the_wheel_carries_the_licence_the_tokenizer_ranks_and_the_presets(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert f"boildown-{PROJECT['version']}.dist-info/licenses/LICENSE" in names
    assert names >= {
        "boildown/ranks/o200k_base.xz",
        "boildown/ranks/cl100k_base.xz",
        "boildown/ranks/NOTICE",
        "boildown/presets.toml",
    }


@pytest.mark.battery
def test_the_wheel_runs_in_an_empty_environment(root: Path, installed: Path, tmp_path: Path) -> None:
    where = done(installed / "python", "-c", "import boildown; print(boildown.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(installed.parent)
    assert PROJECT["version"] in done(installed / "boildown", "--version", cwd=tmp_path)
    assert done(installed / "boildown", "count", root / "samples" / "openai.jsonl", cwd=tmp_path)


def test_the_lock_names_the_dependencies_and_only_the_public_index(root: Path) -> None:
    text = (root / "uv.lock").read_text()
    ours = next(p for p in tomllib.loads(text)["package"] if p["name"] == PROJECT["name"])
    extras = [r for group in PROJECT["optional-dependencies"].values() for r in group]
    asked = {re.split(r"[\[<>=~]", r)[0] for r in PROJECT["dependencies"] + extras} - {PROJECT["name"]}
    assert {d["name"] for d in ours["metadata"]["requires-dist"]} - {PROJECT["name"]} == asked
    assert set(re.findall(r"https?://([^/\"]+)", text)) == {"pypi.org", "files.pythonhosted.org"}
    assert "file://" not in text


def test_no_pattern_has_a_possessive_group(root: Path) -> None:
    """Before Python 3.11.5 `re` takes memory without end in one (gh-106052), and Debian 12 has 3.11.2."""
    group = re.compile(r"\)(?:[*+?]|\{\{?[\d,]+\}?\})\+")
    sources = [path for folder in ("cli", "compressors") for path in (root / folder).rglob("*.py")]
    found = [
        line for path in sources for line in path.read_text().splitlines() if "re.compile" in line or 'rf"' in line
    ]
    assert [line for line in found if group.search(line)] == []
