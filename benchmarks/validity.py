"""Whether compressing breaks a session: every file of a tool-using format, at every ratio, beside what it had before.

A file's own defects are no fault of the compressor's: what counts is what the output breaks and its source did not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boildown import registry
from boildown.errors import BoildownError, NotMetError
from boildown.pipeline import Pins
from boildown.run import Job, reader, run
from boildown.transcript import ToolCall
from boildown.validity import Violation, added, violations
from boildown.validity.session import sessions

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
RATIOS = (2.0, 3.0, 5.0, 10.0, 20.0)
SMALL = 400_000
"""Bytes up to which a file is in the slice that every stage is run on by itself."""


@dataclass
class Tally:
    """What a pipeline did to the files of a format."""

    files: int = 0
    outputs: int = 0
    unmet: int = 0
    had: int = 0
    new: Counter[str] = field(default_factory=Counter)


def found(paths: Sequence[Path]) -> Iterator[tuple[Path, bytes, str, list[Violation]]]:
    """The files that hold calls of tools, with what is wrong with each."""
    for path in paths:
        data = path.read_bytes()
        try:
            format, plain, _ = reader(data, path.name)
            read = [m for session in sessions(format, plain) for m in session.messages]
        except (BoildownError, ValueError):
            continue
        if any(isinstance(block, ToolCall) for message in read for block in message.blocks):
            yield path, data, format.INFO.name, violations(format, plain)


def compressed(data: bytes, name: str, pipeline: str, ratio: float) -> list[Violation] | None:
    """What is wrong with the output; None where the ratio cannot be met, the system's messages being free to go."""
    for pins in (Pins(), Pins(system=False)):
        try:
            small, report = run(
                data, name, Job(registry.parse(pipeline), pipeline, ratio=ratio, pins=pins, archive=lambda _: None)
            )
        except NotMetError:
            continue
        format, plain, _ = reader(small, name, report.format_out)
        return violations(format, plain)
    return None


def measure(paths: Sequence[Path], pipelines: Sequence[str], ratios: Sequence[float]) -> dict[tuple[str, str], Tally]:
    """(pipeline, format) -> what came of it; what is new goes to stderr as it is found."""
    tallies: dict[tuple[str, str], Tally] = {}
    for path, data, format, before in found(paths):
        start = time.perf_counter()
        for pipeline in pipelines:
            tally = tallies.setdefault((pipeline, format), Tally())
            tally.files += 1
            tally.had += len(before)
            for ratio in ratios:
                after = compressed(data, path.name, pipeline, ratio)
                if after is None:
                    tally.unmet += 1
                    continue
                tally.outputs += 1
                for rule, subject in added(before, after):
                    tally.new[rule] += 1
                    print(f"{path}: {pipeline} at {ratio:g}x: {rule} {subject}", file=sys.stderr)
        print(f"{path.name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return tallies


def show(tallies: dict[tuple[str, str], Tally]) -> None:
    print("| pipeline | format | files | outputs | not met | violations in the sources | new violations |")
    print("|---|---|---|---|---|---|---|")
    for (pipeline, format), t in sorted(tallies.items()):
        new = ", ".join(f"{n} {rule}" for rule, n in t.new.items()) or "0"
        print(f"| {pipeline} | {format} | {t.files} | {t.outputs} | {t.unmet} | {t.had} | {new} |")
    print(f"new violations in all: {sum(t.new.total() for t in tallies.values())}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA, help="folder of conversations")
    arguments.add_argument("--ratios", type=float, nargs="+", default=RATIOS)
    arguments.add_argument("--stages", action="store_true", help="each stage by itself, on files below 400 kB")
    given = arguments.parse_args()
    paths = sorted(p for p in given.data.rglob("*") if p.suffix in (".json", ".jsonl", ".traj"))
    if given.stages:
        paths = [p for p in paths if p.stat().st_size <= SMALL]
    alone = [name for name in registry.names() if name not in registry.ASKING]
    show(measure(paths, alone if given.stages else [registry.DEFAULT], given.ratios))


if __name__ == "__main__":
    main()
