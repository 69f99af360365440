"""boildown: `boildown compress` in this process, after one warm-up on a sample; further arguments are its options."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from harness import pairs, read, timed, tokenizing

from boildown_cli.__main__ import main

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "openai.jsonl"


def compress(source: Path, target: Path, budget: int, options: list[str]) -> tuple[int, float]:
    """The exit code, and the processor time that it took."""
    files = [str(source), "-o", str(target), "--budget", str(budget)]
    sys.argv = ["boildown", "compress", *files, "--quiet", "--no-config", *options]
    start = time.process_time()
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0), time.process_time() - start


source, arguments = Path(sys.argv[1]), sys.argv[2:]
first = next((i for i, argument in enumerate(arguments) if argument.startswith("--")), len(arguments))
options, codes = arguments[first:], []
compress(SAMPLE, source.with_suffix(".sample"), 800, options)
encoding = tokenizing([message["content"] for message in read(source)])
for target, budget in pairs(arguments[:first]):
    code, seconds = compress(source, target, budget, options)
    timed(target, seconds, encoding, 1)
    codes.append(code)
sys.exit(max(codes))
