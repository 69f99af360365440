#!/usr/bin/env python3
"""How `boildown compress` grows with its input, beside tokenizing the same texts once with stock tiktoken.

    python benchmarks/scale.py [--sizes 1000 10000 100000] [--ratio 5] [--short] [--unique] [--shared ../shared]

Prints ratios, not times: they carry over from one machine to another.

    wall    compress's time, start-up included, over that of the encoding alone (one thread, ranks loaded)
    cpu     the same of processor time, all threads and the kernel's share included
    growth  compress's time a message, less what ten messages take, over that of the smallest size; 1.0 is linear
    memory  compress's peak, over the file's size

The transcripts come from ../shared/evals/scale.py and repeat their source when it runs out; with --unique every
fourth word carries its message's number, so that no message is a duplicate or nearly one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

START = 10
ROOT = Path(__file__).resolve().parent.parent
BOILDOWN = "import sys\nfrom boildown_cli.__main__ import main\nsys.exit(main())"
TOKENIZE = """
import json, sys, time, tiktoken
encoding = tiktoken.get_encoding(sys.argv[2])
texts = [json.loads(line)["content"] for line in open(sys.argv[1], encoding="utf-8")]
encoding.encode_ordinary(texts[0])
wall, cpu = time.perf_counter(), time.process_time()
tokens = sum(len(encoding.encode_ordinary(text)) for text in texts)
print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu, tokens]))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock and of the processor, and the peak of memory in bytes."""

    wall: float
    cpu: float
    memory: int = 0


def compress(source: Path, ratio: float, extra: list[str]) -> tuple[Cost, str]:
    """What compressing `source` costs, and the name of the tokenizer that did the counting."""
    report = source.with_suffix(".report.json")
    command = [sys.executable, "-c", BOILDOWN, "compress", str(source), "--ratio", str(ratio), "--quiet", *extra]
    command += ["-o", str(source.with_suffix(".out")), "--report", str(report)]
    path = os.pathsep.join(str(ROOT / folder) for folder in ("cli", "compressors"))
    start = time.perf_counter()
    child = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"boildown failed with status {os.waitstatus_to_exitcode(status)}: {' '.join(command)}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit), json.loads(report.read_bytes())[
        "tokenizer"
    ]


def tokenize(source: Path, ranks: Path, encoding: str) -> Cost:
    """What encoding each message of `source` once costs, without start-up, reading and loading the ranks."""
    env = {**os.environ, "TIKTOKEN_CACHE_DIR": str(ranks)}
    result = subprocess.run(
        [sys.executable, "-c", TOKENIZE, source, encoding], env=env, capture_output=True, check=True
    )
    wall, cpu, _ = json.loads(result.stdout)
    return Cost(wall, cpu)


def write(out: Path, messages: int, shared: Path, short: bool, unique: bool) -> None:
    command = [sys.executable, shared / "evals" / "scale.py", out, "--messages", str(messages)]
    subprocess.run([*command, "--data", shared / "data", *(["--short"] if short else [])], check=True)
    if unique:
        number(out)


def number(path: Path) -> None:
    """Put each message's number behind every fourth of its words."""
    numbered = path.with_suffix(".numbered")
    with path.open(encoding="utf-8") as old, numbered.open("w", encoding="utf-8") as new:
        for i, line in enumerate(old):
            message = json.loads(line)
            words = message["content"].split(" ")
            words[::4] = [f"{word}{i}" for word in words[::4]]
            message["content"] = " ".join(words)
            new.write(json.dumps(message, ensure_ascii=False) + "\n")
    numbered.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--ratio", type=float, default=5)
    parser.add_argument("--encoding", default="o200k_base")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each size; the fastest counts")
    parser.add_argument("--short", action="store_true", help="meeting turns of about 15 words")
    parser.add_argument("--unique", action="store_true")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("extra", nargs="*", help="behind --: further options of boildown compress")
    given = parser.parse_args()
    if not (given.shared / "evals" / "scale.py").is_file():
        raise SystemExit(f"{given.shared}/evals/scale.py is not there: say where with --shared")
    first = start = 0.0
    for size in [START, *given.sizes]:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / f"{size}.jsonl"
            write(source, size, given.shared, given.short, given.unique)
            ranks = given.shared / "evals" / "ranks"
            runs = [
                (compress(source, given.ratio, given.extra), tokenize(source, ranks, given.encoding))
                for _ in range(given.repeat)
            ]
            weight = source.stat().st_size
        ours, tokenizer = min((run[0] for run in runs), key=lambda run: run[0].wall)
        base = min((run[1] for run in runs), key=lambda cost: cost.wall)
        if not start:
            start = ours.wall
            continue
        growth = (ours.wall - start) / size
        first = first or growth
        print(
            f"{size:>9,} messages, {weight / 1e6:.1f} MB ({tokenizer}): wall {ours.wall / base.wall:.2f}, "
            f"cpu {ours.cpu / base.cpu:.2f}, growth {growth / first:.2f}, "
            f"memory {ours.memory / weight:.1f} ({ours.memory / 2**20:,.0f} MiB)",
            flush=True,
        )


if __name__ == "__main__":
    main()
