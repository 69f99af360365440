#!/usr/bin/env python3
"""How well a session's usage records foretell what Claude counts: learned from two thirds of it, asked of the last one.

    benchmarks/calibration.py --data ../shared/data

A row a session: the factors that all of it teaches, with the share that is added for error; then, learned from the
first two thirds, the tokens charged for the last third / those foretold, without and with what is added (above 1: a
budget would be passed), and the median error of a span. Spans of which half is not in the transcript are left out.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "compressors")]

from boildown import formats  # noqa: E402
from boildown.formats.anthropic import FRAMING  # noqa: E402
from boildown.provider.calibration import FAR, MOST, Calibration, calibrated  # noqa: E402
from boildown.provider.usage import Span, spans  # noqa: E402
from boildown.tokens import Counter, tokenizer  # noqa: E402

PATTERNS = ("claude-code/*/*.jsonl", "multi-cli-pomodoro/claude-code*.jsonl", "pi/*.jsonl")


def foretold(learned: Calibration, told: Sequence[Span]) -> list[float]:
    """The tokens of each span, without what is added for error."""
    counter = Counter(tokenizer(), learned.framed(FRAMING))
    return [learned.text * counter.total(span.messages) for span in told]


def row(told: Sequence[Span]) -> str:
    learned, cut = calibrated(told, Counter(tokenizer(), FRAMING)), len(told) * 2 // 3
    early = calibrated(told[:cut], Counter(tokenizer(), FRAMING))
    pairs = list(zip([span.tokens for span in told[cut:]], foretold(early, told[cut:]), strict=True))
    near = [(a, b) for a, b in pairs if abs(a - b) <= FAR * max(a, b)]
    share = sum(a for a, _ in near) / sum(b for _, b in near)
    error = statistics.median(abs(a - b) / a for a, b in pairs)
    factors = f"{len(told)} | {learned.text:.2f} | {learned.framing:.1f} | {learned.error:.3f}"
    sums = f"{share:.3f} | {share / (1 + early.error):.3f}" if early != MOST else "too few to learn from | "
    return f"{factors} | {sums} | {error:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    data = parser.parse_args().data
    print("| session | records | text | framing | added | last third | with what is added | a span |")
    print("|---|---|---|---|---|---|---|---|")
    for path in sorted(found for pattern in PATTERNS for found in data.glob(pattern)):
        held = path.read_bytes()
        told = [span for t in formats.detect(held, path.name).read(held) for span in spans(t)]
        if calibrated(told, Counter(tokenizer(), FRAMING)) != MOST:
            print(f"| {path.stem[:24]} | {row(told)}", flush=True)


if __name__ == "__main__":
    main()
