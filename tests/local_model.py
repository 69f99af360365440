"""A real model on the loopback: a process of its own, by scripts/local_model.py, where it is asked for."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ASKED_FOR = "BOILDOWN_REAL_MODEL"
WHY_NOT = f"{ASKED_FOR}=1 is not set: a real model is 470 MB to fetch, and minutes to run"
SCRIPT = Path(__file__).resolve().parent.parent / "scripts/local_model.py"


def wanted() -> bool:
    return os.environ.get(ASKED_FOR) == "1"


@contextmanager
def served(at_once: int = 1) -> Iterator[dict[str, str]]:
    """The variables that name the server, while it runs. Raises RuntimeError where it does not start."""
    command = [sys.executable, str(SCRIPT), "--port", "0", "--at-once", str(at_once)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = shlex.split(process.stdout.readline())
            if said[:1] != ["export"]:
                raise RuntimeError(f"{SCRIPT.name} serves nothing: see what it says above.")
            yield dict(assignment.split("=", 1) for assignment in said[1:])
        finally:
            process.terminate()
