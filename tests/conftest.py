"""What all tests share: Hypothesis profiles, boildown as a command, and the shared data where there is some."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import local_model as real
from model_server import KEY, ModelServer

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
COMMAND = "import sys; from boildown_cli.__main__ import main; sys.exit(main())"

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("default", max_examples=20, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=True, print_blob=True)
settings.register_profile("battery", parent=settings.get_profile("ci"), max_examples=100)
settings.register_profile("long", parent=settings.get_profile("default"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))


def source_roots(root: Path) -> dict[str, str]:
    """The environment of a process that imports boildown from the tree at `root`, installed or not."""
    path = os.pathsep.join(str(root / folder) for folder in ("cli", "compressors"))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1", "COLUMNS": "100", "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the clone."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real conversations beside the clone; skips where there is none."""
    if not (SHARED / "data").is_dir():
        pytest.skip("../shared/data is not there: real conversations are not part of the clone")
    return SHARED


Run = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def boildown() -> Run:
    """Runs `boildown ARGUMENTS` as a process: boildown("count", path, input=b"...", cwd=folder)."""

    def run(
        *arguments: str | Path, input: bytes = b"", cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-c", COMMAND, *map(str, arguments)],
            input=input,
            cwd=cwd,
            env={**source_roots(ROOT), **(env or {})},
            capture_output=True,
            timeout=300,
            check=False,
        )

    return run


@pytest.fixture
def model_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A model on the loopback that the environment names, with a cache of answers that is empty."""
    with ModelServer().running() as server:
        _name({"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": KEY}, tmp_path, monkeypatch)
        yield server


@pytest.fixture(scope="session")
def real_server() -> Iterator[dict[str, str]]:
    """A real model as a process; skips unless it is asked for."""
    if not real.wanted():
        pytest.skip(real.WHY_NOT)
    with real.served() as variables:
        yield variables


@pytest.fixture
def local_model(real_server: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a real model that the environment names, with a cache of answers that is empty."""
    _name(real_server, tmp_path, monkeypatch)
    return real_server["ANTHROPIC_BASE_URL"]


def _name(endpoint: Mapping[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment name this endpoint, and no other, and nothing of the user's."""
    for name in [name for name in os.environ if name.startswith("ANTHROPIC_")]:
        monkeypatch.delenv(name)
    own = {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache"), "NO_PROXY": "127.0.0.1"}
    for name, value in {**endpoint, **own}.items():
        monkeypatch.setenv(name, value)
