#!/usr/bin/env python3
"""What each phase of the default pipeline costs, as a multiple of tokenizing the same text once with stock tiktoken.

    python benchmarks/speed.py [--ratio 5] [--cases 3] [--repeat 3] [--stock] [--shared ../shared]

In one process, warm, the median of the runs; each run tokenizes and compresses in turn, with a counter of its own. The
cases are those of ../shared/evals/suites.py, of each suite the first, the last and those between at equal distances.

    selecting   scoring and selecting, `shrink` without counting: table, worth, price, drafts
    counting    the tokenizer, wherever it is asked (toktok-rs where it is installed; --stock refuses it)
    whole       from the file's bytes to the output's, all of these and the other stages
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "compressors"))

from boildown import formats, offer, registry, run, selection, tokens  # noqa: E402
from boildown.stages import fit, prune  # noqa: E402
from boildown.stages.dedup import Dedup  # noqa: E402
from boildown.stages.ledger import Ledger  # noqa: E402
from boildown.transcript import Framing, Message  # noqa: E402

WATCHED: tuple[tuple[str, object, str], ...] = (
    ("table", selection, "table"),
    ("worth", selection, "worth"),
    ("price", offer.Offer, "price"),
    ("drafts", selection._Cutting, "draft"),
    ("selection", prune, "shrink"),
    ("selection", fit, "shrink"),
    ("counting", tokens.Tiktoken, "count"),
    ("counting", tokens.Toktok, "count"),
    ("dedup", Dedup, "__call__"),
    ("ledger", Ledger, "__call__"),
    ("ledger", Ledger, "room"),
    ("fit", fit.Fit, "__call__"),
)
SELECTING = ("table", "worth", "price", "drafts", "selection")
COLUMNS = (*SELECTING, "selecting", "dedup", "ledger", "fit", "counting", "rest", "whole")


class Clock:
    """Seconds by phase; what a phase spends in another counts for that one alone."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._stack = ["rest"]
        self._since = time.process_time()

    def _switch(self) -> None:
        now = time.process_time()
        self.seconds[self._stack[-1]] += now - self._since
        self._since = now

    def watch(self, phase: str, owner: object, name: str) -> None:
        """Let `owner.name` count for `phase` from now on."""
        held = vars(owner)[name]
        function: Callable[..., object] = held.__func__ if isinstance(held, classmethod) else held

        def timed(*given: object, **named: object) -> object:
            self._switch()
            self._stack.append(phase)
            try:
                return function(*given, **named)
            finally:
                self._switch()
                self._stack.pop()

        setattr(owner, name, classmethod(timed) if isinstance(held, classmethod) else timed)

    def taken(self) -> dict[str, float]:
        """Seconds by phase since the last call."""
        self._switch()
        seconds = dict(self.seconds)
        self.seconds.clear()
        return seconds


def texts(messages: Iterable[Message]) -> list[str]:
    """All that is tokenized of the messages, each as often as it stands there."""
    counter = tokens.Counter(tokens.tokenizer(), Framing())
    return [charge.text for message in messages for charge in counter._charges(message) if charge.text]


def measure(data: bytes, name: str, ratio: float, repeat: int, clock: Clock) -> dict[str, float]:
    """The median of each column for one file."""
    stock = tokens.encoding("o200k_base")
    format = formats.detect(data, name)
    said = [piece for t in format.read(data) for text in texts(t.messages) for piece in tokens.pieces(text)]
    job = run.Job(registry.parse(registry.DEFAULT), registry.DEFAULT, ratio=ratio)
    rows = []
    for _ in range(repeat + 1):
        start = time.process_time()
        for text in said:
            stock.encode_ordinary(text)
        once = time.process_time() - start
        clock.taken()
        run.run(data, name, job)
        rows.append(ratios(clock.taken(), once))
    return {column: median(row[column] for row in rows[1:]) for column in COLUMNS}


def ratios(taken: dict[str, float], once: float) -> dict[str, float]:
    row = {column: taken.get(column, 0.0) / once for column in COLUMNS}
    row["selecting"] = sum(row[phase] for phase in SELECTING)
    row["whole"] = sum(taken.values()) / once
    return row


def spread(found: Sequence[object], many: int) -> list[int]:
    """The indexes of `many` of `found`: the first, the last, and those between at equal distances."""
    last = len(found) - 1
    return sorted({round(n * last / max(many - 1, 1)) for n in range(min(many, len(found)))})


def line(name: str, row: dict[str, float]) -> str:
    return f"{name[:34]:<34}" + "".join(f"{row[column]:>{max(len(column), 5) + 1}.2f}" for column in COLUMNS)


def mean(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    return {column: sum(row[column] for row in rows) / len(rows) for column in COLUMNS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratio", type=float, default=5)
    parser.add_argument("--cases", type=int, default=3, help="of each suite")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--stock", action="store_true", help="count with stock tiktoken, as without boildown[fast]")
    parser.add_argument("--suites", default="chat,meetings,agents")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    given = parser.parse_args()
    sys.path.insert(0, str(given.shared / "evals"))
    import suites

    if given.stock:
        run.tokenizer = lambda name: tokens.Tiktoken(name)
    clock = Clock()
    for phase, owner, name in WATCHED:
        clock.watch(phase, owner, name)
    print(f"{'':34}" + "".join(f"{column:>{max(len(column), 5) + 1}}" for column in COLUMNS), flush=True)
    every = []
    for suite in given.suites.split(","):
        found, rows = list(suites.load(given.shared / "data", {suite})), []
        for n in spread(found, given.cases):
            data = ("\n".join(found[n].lines) + "\n").encode()
            rows.append(measure(data, found[n].name, given.ratio, given.repeat, clock))
            print(line("  " + found[n].name, rows[-1]), flush=True)
        print(line(suite, mean(rows)), flush=True)
        every.append(mean(rows))
    print(line("all suites", mean(every)))


if __name__ == "__main__":
    main()
