#!/usr/bin/env python3
"""`boildown batch` at scale: what it costs beside the work itself, in processes, memory and what it does again.

    python benchmarks/batch.py [--files 10000] [--ratio 5] [--shared ../shared] [--stream 250 2400]
    python benchmarks/batch.py --dask [--files 200]

The files are conversations of ../shared/data, a few kilobytes each, every one numbered so that none is another's copy.

    speed     one worker's time over two workers', start-up included; beside it what the machine has: the time of a
              loop over some files over that of two loops at once, each over half of them
    overhead  milliseconds a file that one worker takes beyond the same work called in a loop in one process
    memory    the largest sum of the processes' resident memory, in the first tenth of the run and in all of it
    resume    a run is killed (kill -9) when half of the outputs are there; what the next one does, and its totals
    again     a second full run's time over the first's
    stream    with --stream MB...: a file of such a size with a conversation a line, and the memory that it takes. Files
              above 500 MB go through the stage 'window' alone, which takes minutes and not the better part of an hour
    dask      with --dask, and nothing else: four workers of a Dask cluster on this machine, of which one is killed when
              half of the outputs are there, beside a local run; and the figures that docs/scale.md goes by

10,000 files take about 20 minutes on two cores. Run it where nothing else runs: all but `resume` is told by the clock.
Linux only, since memory is read in /proc.
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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PATH = os.pathsep.join(str(ROOT / folder) for folder in ("cli", "compressors"))
BOILDOWN = "import sys\nfrom boildown_cli.__main__ import main\nsys.exit(main())"
LOOP = """
import os, sys, time
os.environ.update(RAYON_NUM_THREADS="1", OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
from boildown import registry
from boildown.batch.items import Item
from boildown.batch.work import Work
from boildown.run import Job
folder, out, ratio, *names = sys.argv[1:]
stages = registry.parse(registry.DEFAULT)
work = Work(Job(stages, registry.spec(stages), ratio=float(ratio)), out)
seconds, before = 0.0, time.process_time()
for name in names:
    path = os.path.join(folder, name)
    seconds += work(Item(name, path, os.path.join(out, name), path, False, 0)).seconds
print(seconds, time.process_time() - before)
"""
"""Prints the seconds that the work took in a loop, by the clock and of the processor."""
LOOPED = 500
"""Files that the loop is over, at most"""
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
LONG = 500
"""Megabytes of a stream above which only the stage 'window' is applied"""
EVERY = 0.5
"""Seconds between two looks at the memory: a look takes a part of a millisecond"""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, and what issue 7 wants."""

    what: str
    value: str
    aim: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds by the clock and of the processor, memory in bytes, and the rows of the report.

    early, peak  the largest sum of what the processes held, in the first tenth and in all
    highest      the most that each process held at any time
    """

    seconds: float
    processor: float
    early: int
    peak: int
    highest: list[int]
    rows: list[dict[str, object]]

    def total(self, name: str) -> int:
        return sum(int(str(row[name])) for row in self.rows)

    def count(self, status: str) -> int:
        return sum(row["status"] == status for row in self.rows)

    def work(self, names: list[str] | None = None) -> float:
        """Seconds that the work on the files took, or on those of such names."""
        rows = (row for row in self.rows if names is None or Path(str(row["source"])).name in names)
        return sum(float(str(row["seconds"])) for row in rows)


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


def command(source: Path, out: Path, ratio: float, jobs: int, report: Path, *more: str) -> list[str]:
    given = [str(source), "-o", str(out), "--ratio", str(ratio), "--jobs", str(jobs), "--report", str(report), *more]
    return [sys.executable, "-c", BOILDOWN, "batch", *given, "--quiet", "--no-config"]


class Memory(threading.Thread):
    """Watches the resident memory of a process and its children, until the process ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, int]] = []
        self.highest: dict[int, int] = {}
        self._process = process

    def run(self) -> None:
        begun = time.perf_counter()
        while self._process.poll() is None:
            now = {pid: memory(pid) for pid in family(self._process.pid)}
            self.samples.append((time.perf_counter() - begun, sum(resident for resident, _ in now.values())))
            self.highest |= {pid: max(self.highest.get(pid, 0), peak) for pid, (_, peak) in now.items()}
            time.sleep(EVERY)

    def peak(self, share: float = 1.0) -> int:
        end = self.samples[-1][0] * share if self.samples else 0
        return max((size for at, size in self.samples if at <= end), default=0)


def family(parent: int) -> list[int]:
    """A process and its children."""
    try:
        found = [place.read_text().split() for place in Path(f"/proc/{parent}/task").glob("*/children")]
    except OSError:
        return [parent]
    return [parent, *(int(pid) for pids in found for pid in pids)]


def memory(pid: int) -> tuple[int, int]:
    """A process's resident memory in bytes, as it is, and at its highest so far."""
    try:
        lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return int(lines["VmRSS"].split()[0]) << 10, int(lines["VmHWM"].split()[0]) << 10
    except (OSError, KeyError):
        return 0, 0


def batch(source: Path, out: Path, ratio: float, jobs: int, *more: str) -> Run:
    report, before = out.with_suffix(".rows.jsonl"), processor()
    start = time.perf_counter()
    process = subprocess.Popen(command(source, out, ratio, jobs, report, *more), env={**os.environ, "PYTHONPATH": PATH})
    watched = Memory(process)
    watched.start()
    if process.wait() not in (0, 1):
        raise SystemExit(f"boildown failed with status {process.returncode}")
    seconds = time.perf_counter() - start
    watched.join()
    rows = [json.loads(line) for line in report.read_bytes().splitlines()]
    return Run(seconds, processor() - before, watched.peak(0.1), watched.peak(), [*watched.highest.values()], rows)


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
        time.sleep(0.2)
    process.kill()
    process.wait()
    time.sleep(0.5)
    return len(outputs(out))


def outputs(out: Path) -> list[str]:
    return [name for name in os.listdir(out) if name != ".boildown"] if out.exists() else []


def loops(source: Path, out: Path, ratio: float, shares: list[list[str]]) -> tuple[float, float, float]:
    """Loops over such files, all at once: seconds till the last one ends, and of the work by the clock and the
    processor."""
    out.mkdir()
    start = time.perf_counter()
    ran = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP, str(source), str(out), str(ratio), *names],
            env={**os.environ, "PYTHONPATH": PATH},
            stdout=subprocess.PIPE,
        )
        for names in shares
    ]
    told = [process.communicate()[0].split() for process in ran]
    return time.perf_counter() - start, sum(float(one[0]) for one in told), sum(float(one[1]) for one in told)


def measure_files(folder: Path, given: argparse.Namespace) -> Iterator[Figure]:
    source, count = folder / "in", given.files
    weight = write(source, count, given.shared / "data")
    print(f"{count:,} files, {weight / 1e6:.1f} MB; one worker ...", flush=True)
    one = batch(source, folder / "one", given.ratio, 1)
    print(f"{one.count('done'):,} done, {one.count('not met'):,} not met, {one.seconds:.1f} s; two ...", flush=True)
    two = batch(source, folder / "two", given.ratio, 2)
    yield from measure_speed(folder, given, one, two)
    yield Figure("memory in the first tenth, two workers", mib(two.early))
    yield Figure("memory in all", f"{mib(two.peak)}, {mib(max(two.highest))} in one", "flat")
    again = batch(source, folder / "two", given.ratio, 2)
    yield Figure("again, of the first run's time", f"{again.seconds / two.seconds:.2%}", "below 2 % (10,000 files)")
    yield Figure("again, files done", f"{again.count('done')}", "0")
    yield from measure_resumed(folder, given, two)


def measure_speed(folder: Path, given: argparse.Namespace, one: Run, two: Run) -> Iterator[Figure]:
    """What one and two workers take beside loops over the same files, or over some of them."""
    count, source = given.files, folder / "in"
    names = sorted(os.listdir(source))[:LOOPED]
    alone, seconds, cpu = loops(source, folder / "loop", given.ratio, [names])
    both, *_ = loops(source, folder / "loops", given.ratio, [names[::2], names[1::2]])
    yield Figure("speed of two workers", f"{one.seconds / two.seconds:.2f} times one", "1.8")
    yield Figure(f"speed of two loops over {len(names):,} files", f"{alone / both:.2f} times one")
    share = one.work() / one.work(names)  # of all files' work in the loop's, for they may be fewer
    clock, used = (one.seconds - seconds * share) / count * 1e3, (one.processor - cpu * share) / count * 1e3
    beside = (one.seconds - one.work()) / count * 1e3
    yield Figure("overhead a file, by the clock", f"{clock:.2f} ms of {one.seconds / count * 1e3:.1f}", "below 5 ms")
    yield Figure("overhead a file, of the processor", f"{used:.2f} ms")
    yield Figure("outside of the work in that very run", f"{beside:.2f} ms")


def measure_resumed(folder: Path, given: argparse.Namespace, whole: Run) -> Iterator[Figure]:
    count = given.files
    there = killed(folder / "in", folder / "half", given.ratio, count)
    rest = batch(folder / "in", folder / "half", given.ratio, 2)
    same = all(rest.total(name) == whole.total(name) for name in ("tokens_in", "tokens_out", "conversations"))
    outputs_same = equal(folder / "half", folder / "two")
    yield Figure("killed with so many outputs", f"{there:,}", f"{count // 2:,}")
    yield Figure("done after it", f"{rest.count('done'):,}", f"{count - there:,} and those under way")
    yield Figure("its totals, and outputs", f"{said(same)}, {said(outputs_same)}", "equal, equal")


def said(same: bool) -> str:
    return "equal" if same else "DIFFER"


def shown(figures: Iterable[Figure]) -> None:
    """Print each figure as it comes, and all of them as a table at the end."""
    found = []
    for one in figures:
        print(f"  {one.what}: {one.value}", flush=True)
        found.append(one)
    wide, wider = (max((len(getattr(one, name)) for one in found), default=0) for name in ("what", "value"))
    print(f"\n{'figure':{wide}}  {'measured':{wider}}  aim")
    for one in found:
        print(f"{one.what:{wide}}  {one.value:{wider}}  {one.aim}".rstrip())


def measure_dask(folder: Path, given: argparse.Namespace) -> None:
    source, count = folder / "in", given.files
    weight = write(source, count, given.shared / "data")
    *_, used = loops(source, folder / "loop", given.ratio, [sorted(os.listdir(source))])
    local = batch(source, folder / "local", given.ratio, 4)
    means = {name: local.total(name) / count for name in ("tokens_in", "tokens_out", "bytes_out")}
    print(
        f"work: {used / count * 1e3:.1f} ms of the processor a conversation; {weight / count / 1e3:.1f} kB, "
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
    command_line = command(source, out, ratio, 4, report, "--engine", "dask")
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


def measure_stream(folder: Path, megabytes: int, given: argparse.Namespace) -> Iterator[Figure]:
    """A file with a conversation a line, made of one of about 25 MB again and again, each line numbered."""
    path, piece = folder / f"{megabytes}.jsonl", folder / "piece.jsonl"
    script = given.shared / "evals" / "scale.py"
    made = [sys.executable, script, piece, "--messages", "10000", "--format", "conversations"]
    subprocess.run([*made, "--data", given.shared / "data"], check=True)
    lines, n = piece.read_text(encoding="utf-8").splitlines(), 0
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < megabytes * 1_000_000:
            file.write(lines[n % len(lines)].replace('"content": "', f'"content": "{n}. ') + "\n")
            n += 1
    size, more = path.stat().st_size / 1e6, ("--pipeline", "window") if megabytes > LONG else ()
    print(f"a stream of {size:,.0f} MB, {n:,} conversations, {' '.join(more) or 'the whole pipeline'} ...", flush=True)
    run = batch(path, folder / "streamed", given.ratio, 2, *more)
    row, name = run.rows[0], f"stream of {size:,.0f} MB"
    yield Figure(name, f"{row['status']}, {row['conversations']:,} conversations", f"done, {n:,} conversations")
    yield Figure(f"{name}, memory", mib(run.peak), "below 500 MB" if megabytes > LONG else "below 1 GB")
    each = " + ".join(mib(size) for size in sorted(run.highest, reverse=True))
    yield Figure(f"{name}, each process at its highest", f"{each} = {mib(sum(run.highest))}")
    yield Figure(f"{name}, a second", f"{size / run.seconds:.2f} MB")
    shutil.rmtree(folder / "streamed")
    path.unlink()


def measured(folder: Path, given: argparse.Namespace) -> Iterator[Figure]:
    if given.files:
        yield from measure_files(folder, given)
    for megabytes in given.stream:
        yield from measure_stream(folder, megabytes, given)


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
        else:
            shown(measured(Path(made), given))


if __name__ == "__main__":
    main()
