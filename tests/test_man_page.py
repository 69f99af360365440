"""The man page says what the commands' help says, and nothing in it is a request to troff by mistake."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, source_roots

PAGE = ROOT / "man" / "boildown.1"


def test_it_is_current(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "scripts" / "man_page.py", tmp_path / "page"]
    subprocess.run(command, env=source_roots(ROOT), check=True)
    made = (tmp_path / "page").read_text()
    assert made == PAGE.read_text(), "run 'just man' or 'python scripts/man_page.py'"


def test_every_line_that_begins_with_a_dot_is_a_macro_that_there_is() -> None:
    macros = {line.split()[0] for line in PAGE.read_text().splitlines() if line.startswith((".", "'"))}
    assert macros == {'.\\"', ".TH", ".SH", ".SS", ".PP", ".TP", ".B", ".nf", ".fi", ".RS", ".RE"}


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff")
def test_groff_finds_nothing_wrong_with_it() -> None:
    command = ["groff", "-man", "-Tutf8", "-ww", "-rLL=100n", str(PAGE)]
    done = subprocess.run(command, env={**os.environ, "GROFF_NO_SGR": "1"}, capture_output=True, check=True)
    assert done.stderr == b""
    assert b"--budget" in done.stdout
