"""An environment for each package, outside of the repository: what it needs, and tiktoken to count with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from packages import Package


def interpreter(package: Package, cache: Path) -> Path:
    """The Python that has `package`; made where it is not there yet, or has other versions. Raises SystemExit."""
    if package.where:
        return Path(sys.executable)
    folder = cache / "environments" / f"{package.name}-{package.version}"
    python, made = folder / "bin" / "python", folder / "requires.txt"
    wanted = "\n".join(package.requires)
    if not (made.is_file() and made.read_text() == wanted):
        print(f"{package.name}: installing {', '.join(package.requires)}", file=sys.stderr, flush=True)
        _run([sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
        _run([sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", *package.requires])
        made.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr.strip()[-800:]}")
