"""The table of packages: what is compared, and how each is asked."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SUITES = ("chat", "meetings", "agents")


@dataclass(frozen=True, slots=True)
class Tool:
    """A row of the page. Without `adapter` it is a baseline of evals.py's own."""

    name: str
    adapter: str = ""
    options: str = ""
    suites: tuple[str, ...] = SUITES


@dataclass(frozen=True, slots=True)
class Package:
    """A package with its tools; one with `not_run`, a reason, has none."""

    name: str
    version: str
    licence: str
    about: str
    setting: str = ""
    requires: tuple[str, ...] = ()
    where: str = ""
    not_run: str = ""
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """All packages in the order of the page, the ratios that they are measured at, and how many cases a suite has."""

    packages: tuple[Package, ...]
    ratios: tuple[float, ...]
    cases: dict[str, int]

    def tools(self) -> list[tuple[Package, Tool]]:
        return [(package, tool) for package in self.packages for tool in package.tools]


def load(path: Path = HERE / "packages.toml") -> Table:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return Table(
        tuple(_package(p, data["everywhere"]) for p in data["package"]),
        tuple(map(float, data["ratios"])),
        data["cases"],
    )


def _package(given: dict, everywhere: list[str]) -> Package:
    values = {key.replace("-", "_"): value for key, value in given.items()}
    values["tools"] = tuple(Tool(**{**t, "suites": tuple(t.get("suites", SUITES))}) for t in given.get("tools", ()))
    values["requires"] = (*given["requires"], *everywhere) if "requires" in given else ()
    return Package(**{"version": _own_version(), **values})


def _own_version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
