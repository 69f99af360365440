#!/usr/bin/env python3
"""Whether every file comes back from the archive byte for byte, whatever took it apart.

    python benchmarks/roundtrip.py [--ratio 3] [--largest BYTES] [--sample N] [--shared ../shared] [--pipeline SPEC ...]

Compresses every file under ../shared/data that boildown reads (but for what is there for training) with every stage
by itself, the default pipeline and every preset, into one archive; expands each output, and compares. Where the ratio
cannot be met, the file's pins being too large, it is halved. Prints files x pipelines, and the differences.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "compressors")]

from boildown import presets, registry  # noqa: E402
from boildown.archive.originals import find, keep, restore  # noqa: E402
from boildown.archive.store import Archive, opened  # noqa: E402
from boildown.errors import BudgetError, InputError, NotMetError  # noqa: E402
from boildown.pipeline import Pins  # noqa: E402
from boildown.report import Report  # noqa: E402
from boildown.run import Job, conversations, reader, run  # noqa: E402
from boildown.transcript import Transcript  # noqa: E402


def pipelines() -> list[str]:
    """The default, every stage by itself, and the presets' pipelines, of those that ask no model."""
    every = dict.fromkeys([registry.DEFAULT, *registry.names(), *_presets()])
    return [spec for spec in every if not registry.models(registry.parse(spec))]


def _presets() -> list[str]:
    shipped = presets.shipped()
    return [spec for name in presets.names(shipped) if (spec := presets.find(name, shipped).settings.pipeline)]


def readable(folder: Path, largest: int) -> Iterator[Path]:
    """The files of at most `largest` bytes that boildown reads as conversations, in order."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and "train" not in p.relative_to(folder).parts):
        if path.stat().st_size > largest:
            continue
        try:
            format, plain, _ = reader(path.read_bytes(), str(path))
            if any(t.messages for t in conversations(format, plain, str(path))):
                yield path
        except InputError:
            continue


def _left(found: Sequence[Transcript]) -> None:
    """Messages that the stage `archive` takes out are kept with the source."""


def compressed(data: bytes, path: Path, pipeline: str, ratio: float) -> tuple[bytes, Report]:
    """`data` at `ratio`, or at the largest half, quarter, ... of it that can be met."""
    stages = registry.parse(pipeline)
    while ratio > 1:
        try:
            return run(data, str(path), Job(stages, pipeline, ratio=ratio, pins=Pins(system=False), archive=_left))
        except (BudgetError, NotMetError):
            ratio /= 2
    return run(data, str(path), Job(stages, pipeline, ratio=1.0, archive=_left))


def comes_back(archive: Archive, path: Path, pipeline: str, ratio: float) -> bool:
    data = path.read_bytes()
    written, report = compressed(data, path, pipeline, ratio)
    kept = keep(archive, data, written, report)
    return restore(archive, find(archive, written, str(path), kept.source)) == data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratio", type=float, default=3)
    parser.add_argument("--largest", type=int, default=1 << 40, help="leave out files of more bytes")
    parser.add_argument("--sample", type=int, help="only so many files, drawn with a fixed seed")
    parser.add_argument("--pipeline", action="append", help="only this one; may be given several times")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    given = parser.parse_args()
    if not (given.shared / "data").is_dir():
        raise SystemExit(f"{given.shared}/data is not there: say where with --shared")
    files = list(readable(given.shared / "data", given.largest))
    if given.sample is not None:
        files = sorted(random.Random(0).sample(files, min(given.sample, len(files))))
    specs, start, differ = given.pipeline or pipelines(), time.perf_counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        with opened(folder, write=True) as archive:
            for spec in specs:
                for path in files:
                    if not comes_back(archive, path, spec, given.ratio):
                        differ += 1
                        print(f"{path} differs after {spec}")
                print(f"{spec}: done after {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        kept = sum(p.stat().st_size for p in Path(folder).iterdir())
    size = sum(path.stat().st_size for path in files)
    print(f"{len(files)} files x {len(specs)} pipelines ({', '.join(specs)}): {differ} differences")
    print(f"the archive takes {kept / 1e6:.1f} MB for {size / 1e6:.1f} MB")
    sys.exit(differ > 0)


if __name__ == "__main__":
    main()
