#!/usr/bin/env python3
"""How long `boildown --help` takes beside the help of an empty Typer app: the ratio of medians.

    python benchmarks/startup.py [--runs 20]

The runs take turns, so that a slow moment of the machine meets them all. "plain" is an empty app without Rich help,
the way boildown's own is set up; "default" is Typer as it comes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EMPTY = "import typer\napp = typer.Typer({})\n@app.command()\ndef main() -> None: ...\napp()\n"
PLAIN = "rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False"
BOILDOWN = "import sys\nfrom boildown_cli.__main__ import main\nsys.exit(main())\n"


def seconds(script: Path, *arguments: str) -> float:
    path = os.pathsep.join(str(ROOT / folder) for folder in ("cli", "compressors"))
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, script, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        scripts = {}
        for name, text in (("boildown", BOILDOWN), ("plain", EMPTY.format(PLAIN)), ("default", EMPTY.format(""))):
            scripts[name] = Path(folder) / f"{name}.py"
            scripts[name].write_text(text)
            seconds(scripts[name], "--help")  # bytecode and the disk's cache
        times = {name: [] for name in scripts}
        for _ in range(runs):
            for name, script in scripts.items():
                times[name].append(seconds(script, "--help"))
    median = {name: statistics.median(found) for name, found in times.items()}
    for name in ("plain", "default"):
        print(f"boildown --help / empty Typer app ({name}): {median['boildown'] / median[name]:.2f}")


if __name__ == "__main__":
    main()
