#!/usr/bin/env python3
"""What `boildown check` takes beside `boildown count` of the same files: ratios of the processor's time, and memory.

    python benchmarks/limits.py [FOLDER] [--runs 3]

The runs take turns, so that a slow moment of the machine meets them all; the least time of each counts.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT.parent / "shared" / "data" / "claude-code"
LIMITS = {
    "tokens of conversations": ["--max-tokens", "1000000"],
    "tokens of messages": ["--max-message-tokens", "1000000"],
    "what stands there twice": ["--max-duplicate-share", "100%"],
    "output of tools": ["--max-tool-share", "100%"],
    "base64": ["--max-base64-tokens", "1000000"],
    "validity": ["--valid"],
    "secrets": ["--fail-on-secret"],
    "retention, against itself": ["--min-retention", "0", "--original", ""],
}


def spent(*arguments: str) -> tuple[float, int]:
    """The processor's seconds, and the peak of memory in KiB."""
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("cli", "compressors"))
    command = [sys.executable, "-m", "boildown_cli", *arguments]
    process = os.posix_spawn(
        sys.executable,
        command,
        {**os.environ, "PYTHONPATH": paths},
        file_actions=[(os.POSIX_SPAWN_OPEN, n, os.devnull, os.O_WRONLY, 0) for n in (1, 2)],
    )
    _, _, usage = os.wait4(process, 0)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", default=str(FOLDER))
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    limits = {name: [part or asked.folder for part in options] for name, options in LIMITS.items()}
    together = [part for name, options in limits.items() if "itself" not in name for part in options]
    runs = {"count": ["count", asked.folder, "--json"]}
    for name, options in {**limits, "all but retention": together}.items():
        runs[name] = ["check", asked.folder, "--no-config", *options]
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in runs}
    for _ in range(asked.runs):
        for name, arguments in runs.items():
            found[name].append(spent(*arguments))
    size = sum(path.stat().st_size for path in Path(asked.folder).rglob("*") if path.is_file()) / 1e6
    base = min(found["count"])[0]
    print(f"{size:.1f} MB; count: {base / size * 1000:.0f} ms a MB, {max(m for _, m in found['count']) // 1024} MiB")
    for name, each in list(found.items())[1:]:
        print(f"{name}: {min(each)[0] / base:.2f} times, {max(m for _, m in each) // 1024} MiB")


if __name__ == "__main__":
    main()
