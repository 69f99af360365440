#!/usr/bin/env python3
"""`boildown batch` at scale: what it costs beside the work itself, in processes, memory and what it does again.

    python benchmarks/batch.py [--files 10000] [--ratio 5] [--shared ../shared] [--stream 250 2400]
    python benchmarks/batch.py --dask [--files 200]

The files are conversations of ../shared/data, a few kilobytes each, every one numbered so that none is another's copy.

    speed     one worker's time over two workers', start-up included
    overhead  milliseconds a file that one worker takes beyond the same work called in a loop in one process
    memory    the largest sum of the processes' resident memory, in the first tenth of the run and in all of it
    resume    a run is killed (kill -9) when half of the outputs are there; what the next one does, and its totals
    again     a second full run's time over the first's
    stream    with --stream MB...: a file of such a size with a conversation a line, and the memory that it takes
    dask     with --dask, and nothing else: four workers of a Dask cluster on this machine, of which one is killed when
             half of the outputs are there, beside a local run; and the figures that docs/scale.md goes by

Prints ratios where it can: they carry over from one machine to another. Linux only, since memory is read in /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATH = os.pathsep.join(str(ROOT / folder) for folder in ("cli", "compressors"))
BOILDOWN = "import sys\nfrom boildown_cli.app import main\nsys.exit(main())"
LOOP = """
import os, sys
os.environ.update(RAYON_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
from boildown import registry
from boildown.batch.items import Item
from boildown.batch.work import Work
from boildown.run import Job
folder, out, ratio = sys.argv[1:]
stages = registry.parse(registry.DEFAULT)
work = Work(Job(stages, registry.spec(stages), ratio=float(ratio)), out)
for name in sorted(os.listdir(folder)):
    path = os.path.join(folder, name)
    work(Item(name, path, os.path.join(out, name), path, False, 0))
"""
TASKS = """
import sys, time
from boildown import registry
from boildown.batch.cluster import cluster
from boildown.batch import futures
from boildown.batch.items import Item
from boildown.batch.work import Work, digest
from boildown.run import Job
if __name__ == "__main__":
    futures.MOST = 1
    folder, count = sys.argv[1], 3000
    path = folder + "/same.jsonl"
    open(path, "wb").close()
    item = Item("same", path, path, path, False, 0, known=digest(b""))
    stages = registry.parse(registry.DEFAULT)
    items = [item] * count
    start = time.process_time()
    done = 0
    for item, found in futures.futures(Work(Job(stages, registry.spec(stages)), folder), items, lambda: cluster(2)):
        if not done:
            start = time.process_time()
        assert found.status == "unchanged"
        done += 1
    print((time.process_time() - start) / count)
"""
"""Prints the seconds of the processor that client and scheduler, in one process, take for a task without work."""
MESSAGES = 12
"""Messages of a file"""


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds by the clock and of the processor, the peaks of memory in bytes, and the rows of the report."""

    seconds: float
    processor: float
    early: int
    peak: int
    largest: int
    rows: list[dict[str, object]]

    def total(self, name: str) -> int:
        return sum(int(str(row[name])) for row in self.rows)

    def count(self, status: str) -> int:
        return sum(row["status"] == status for row in self.rows)


def turns(data: Path) -> Iterator[dict[str, str]]:
    """Real messages without end: those of BEAM's chats and QMSum's meetings."""
    while True:
        for path in sorted((data / "beam").glob("*/*/chat.json")):
            for batch in json.loads(path.read_bytes()):
                for group in batch["turns"]:
                    yield from ({"role": turn["role"], "content": turn["content"]} for turn in group)
        for path in sorted((data / "qmsum").rglob("*.json")):
            for n, turn in enumerate(json.loads(path.read_bytes())["meeting_transcripts"]):
                yield {"role": ("user", "assistant")[n % 2], "content": turn["content"]}


def write(folder: Path, count: int, data: Path) -> int:
    """Write `count` files into `folder`: their size in bytes."""
    folder.mkdir()
    said, size = turns(data), 0
    for n in range(count):
        lines = []
        for k in range(MESSAGES):
            message = next(said)
            words = message["content"][:2000].split(" ")
            words[::9] = [f"{word}{n}" for word in words[::9]]
            lines.append(json.dumps({**message, "content": f"{n}.{k}: {' '.join(words)}"}) + "\n")
        size += (folder / f"{n:06}.jsonl").write_text("".join(lines), encoding="utf-8")
    return size


def command(source: Path, out: Path, ratio: float, jobs: int, report: Path, engine: str = "local") -> list[str]:
    given = [str(source), "-o", str(out), "--ratio", str(ratio), "--jobs", str(jobs), "--report", str(report)]
    given += ["--engine", engine]
    return [sys.executable, "-c", BOILDOWN, "batch", *given, "--quiet", "--no-config"]


class Memory(threading.Thread):
    """Watches the resident memory of a process and its children, until the process ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, int, int]] = []
        self._process = process

    def run(self) -> None:
        begun = time.perf_counter()
        while self._process.poll() is None:
            sizes = [resident(pid) for pid in family(self._process.pid)]
            self.samples.append((time.perf_counter() - begun, sum(sizes), max(sizes, default=0)))
            time.sleep(0.1)

    def peak(self, share: float = 1.0) -> int:
        end = self.samples[-1][0] * share if self.samples else 0
        return max((size for at, size, _ in self.samples if at <= end), default=0)


def family(parent: int) -> list[int]:
    found = [parent]
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "stat").read_text().rpartition(")")[2].split()[1] == str(parent):
                found.append(int(place.name))
        except OSError:
            continue
    return found


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def batch(source: Path, out: Path, ratio: float, jobs: int) -> Run:
    report, before = out.with_suffix(".rows.jsonl"), processor()
    start = time.perf_counter()
    process = subprocess.Popen(command(source, out, ratio, jobs, report), env={**os.environ, "PYTHONPATH": PATH})
    memory = Memory(process)
    memory.start()
    if process.wait() not in (0, 1):
        raise SystemExit(f"boildown failed with status {process.returncode}")
    seconds = time.perf_counter() - start
    memory.join()
    rows = [json.loads(line) for line in report.read_bytes().splitlines()]
    return Run(
        seconds, processor() - before, memory.peak(0.1), memory.peak(), max(one for *_, one in memory.samples), rows
    )


def processor() -> float:
    """Seconds of the processor that all processes took that were started here and have ended, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def killed(source: Path, out: Path, ratio: float, count: int) -> int:
    """Start a run, kill it when half of the outputs are there, and say how many are."""
    process = subprocess.Popen(
        command(source, out, ratio, 2, out.with_suffix(".rows.jsonl")), env={**os.environ, "PYTHONPATH": PATH}
    )
    while process.poll() is None and len(outputs(out)) < count // 2:
        time.sleep(0.02)
    process.kill()
    process.wait()
    time.sleep(0.5)
    return len(outputs(out))


def outputs(out: Path) -> list[str]:
    return [name for name in os.listdir(out) if name != ".boildown"] if out.exists() else []


def loop(source: Path, out: Path, ratio: float) -> tuple[float, float]:
    """Seconds by the clock and of the processor that the same work takes called in a loop, start-up included."""
    before, start = processor(), time.perf_counter()
    out.mkdir()
    ran = [sys.executable, "-c", LOOP, str(source), str(out), str(ratio)]
    subprocess.run(ran, env={**os.environ, "PYTHONPATH": PATH}, check=True)
    return time.perf_counter() - start, processor() - before


def measure_files(folder: Path, given: argparse.Namespace) -> None:
    source, count = folder / "in", given.files
    weight = write(source, count, given.shared / "data")
    print(f"{count:,} files, {weight / 1e6:.1f} MB", flush=True)
    one = batch(source, folder / "one", given.ratio, 1)
    print(f"one worker: {one.count('done'):,} done, {one.count('not met'):,} not met, {one.seconds:.1f} s", flush=True)
    two = batch(source, folder / "two", given.ratio, 2)
    print(f"speed: {one.seconds / two.seconds:.2f} times with two workers", flush=True)
    print(
        f"memory, two workers: {mib(two.early)} in the first tenth, {mib(two.peak)} in all, "
        f"{mib(two.largest)} at most in one process"
    )
    again = batch(source, folder / "two", given.ratio, 2)
    print(f"again: {again.seconds / two.seconds:.2%} of the first run's time, {again.count('done')} done", flush=True)
    seconds, cpu = loop(source, folder / "loop", given.ratio)
    clock, used = (one.seconds - seconds) / count * 1e3, (one.processor - cpu) / count * 1e3
    print(f"overhead: {clock:.2f} ms a file by the clock, {used:.2f} ms of the processor", flush=True)
    there = killed(source, folder / "half", given.ratio, count)
    rest = batch(source, folder / "half", given.ratio, 2)
    same = all(rest.total(name) == two.total(name) for name in ("tokens_in", "tokens_out", "conversations"))
    print(
        f"resume: killed with {there:,} outputs; {rest.count('done'):,} done after it; totals "
        f"{'equal' if same else 'DIFFER'}, outputs {'equal' if equal(folder / 'half', folder / 'two') else 'DIFFER'}"
    )


def measure_dask(folder: Path, given: argparse.Namespace) -> None:
    source, count = folder / "in", given.files
    weight = write(source, count, given.shared / "data")
    (folder / "none").mkdir()
    idle, used = (loop(folder / name, folder / f"{name}.out", given.ratio)[1] for name in ("none", "in"))
    local = batch(source, folder / "local", given.ratio, 4)
    means = {name: local.total(name) / count for name in ("tokens_in", "tokens_out", "bytes_out")}
    print(
        f"work: {(used - idle) / count * 1e3:.1f} ms of the processor a conversation; {weight / count / 1e3:.1f} kB, "
        f"{means['tokens_in']:,.0f} tokens; left {means['bytes_out'] / 1e3:.1f} kB, {means['tokens_out']:,.0f} tokens",
        flush=True,
    )
    kill_worker(source, folder / "dask", given.ratio, count)
    print(f"outputs: {'equal' if equal(folder / 'dask', folder / 'local') else 'DIFFER'} to those of a local run")
    (folder / "tasks").mkdir()
    ran = [sys.executable, "-c", TASKS, str(folder / "tasks")]
    told = subprocess.run(ran, env={**os.environ, "PYTHONPATH": PATH}, stdout=subprocess.PIPE, check=True).stdout
    print(f"tasks: {float(told) * 1e3:.2f} ms of the processor a task, of client and scheduler in one process")


def kill_worker(source: Path, out: Path, ratio: float, count: int) -> None:
    """A run on Dask with four workers, of which one is killed when half of the outputs are there."""
    report = out.with_suffix(".rows.jsonl")
    command_line = command(source, out, ratio, 4, report, "dask")
    process = subprocess.Popen(command_line, env={**os.environ, "PYTHONPATH": PATH})
    while process.poll() is None and len(outputs(out)) < count // 2:
        time.sleep(0.02)
    workers = [pid for pid in family(process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    there = len(outputs(out))
    os.kill(workers[0], signal.SIGKILL)
    code = process.wait()
    done = sum(json.loads(line)["status"] == "done" for line in report.read_bytes().splitlines())
    print(
        f"dask: {len(workers)} workers, one killed with {there:,} of {count:,} outputs there; "
        f"exit code {code}, {done:,} done",
        flush=True,
    )


def equal(a: Path, b: Path) -> bool:
    names = outputs(a)
    return sorted(names) == sorted(outputs(b)) and all((a / n).read_bytes() == (b / n).read_bytes() for n in names)


def mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"


def measure_stream(folder: Path, megabytes: int, given: argparse.Namespace) -> None:
    """A file with a conversation a line, made of one of about 25 MB again and again, each line numbered."""
    path, piece = folder / f"{megabytes}.jsonl", folder / "piece.jsonl"
    script = given.shared / "evals" / "scale.py"
    made = [sys.executable, script, piece, "--messages", "10000", "--format", "conversations"]
    subprocess.run([*made, "--data", given.shared / "data"], check=True)
    lines = piece.read_text(encoding="utf-8").splitlines()
    with path.open("w", encoding="utf-8") as file:
        n = 0
        while file.tell() < megabytes * 1_000_000:
            file.write(lines[n % len(lines)].replace('"content": "', f'"content": "{n}. ') + "\n")
            n += 1
    run = batch(path, folder / "streamed", given.ratio, 2)
    row = run.rows[0]
    print(
        f"stream: {path.stat().st_size / 1e6:,.0f} MB, {n:,} conversations, {row['status']}: {mib(run.peak)} in all, "
        f"{mib(run.largest)} at most in one process, {path.stat().st_size / 1e6 / run.seconds:.2f} MB a second",
        flush=True,
    )
    shutil.rmtree(folder / "streamed")
    path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, help="10000, or 200 with --dask; 0 for none")
    parser.add_argument("--ratio", type=float, default=5)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--stream", type=int, nargs="*", default=[], metavar="MB")
    parser.add_argument("--dask", action="store_true")
    parser.add_argument("--folder", type=Path, help="where to make the files; a temporary folder otherwise")
    given = parser.parse_args()
    if given.files is None:
        given.files = 200 if given.dask else 10_000
    if not (given.shared / "evals" / "scale.py").is_file():
        raise SystemExit(f"{given.shared}/evals/scale.py is not there: say where with --shared")
    with tempfile.TemporaryDirectory(dir=given.folder) as made:
        if given.dask:
            measure_dask(Path(made), given)
        elif given.files:
            measure_files(Path(made), given)
        for megabytes in given.stream:
            measure_stream(Path(made), megabytes, given)


if __name__ == "__main__":
    main()
