"""Findings as commands to GitHub Actions, which shows them beside the lines of a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from boildown.checking.findings import RULES, Finding
from boildown.checking.limits import relative
from boildown_cli.files import STDIN, title
from boildown_cli.terminal import one_line

COMMANDS = {"error": "error", "note": "notice"}


def commands(findings: Iterable[Finding]) -> Iterator[str]:
    """A line for each finding.

    Escaped as the runner reads it: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts.
    """
    for one in findings:
        line = {"line": str(one.line)} if one.line else {}
        given = {**_file(one.file), **line, "title": f"boildown {one.rule}: {RULES[one.check].title}"}
        properties = ",".join(f"{name}={_property(value)}" for name, value in given.items())
        yield f"::{COMMANDS[one.severity]} {properties}::{_data(one.said)}"


def _file(path: str) -> dict[str, str]:
    return {} if path == title(STDIN) else {"file": relative(path, ".")}


def _data(text: str) -> str:
    return one_line(text, 2000).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
