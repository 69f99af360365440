"""Running the tools on evals.py's cases, with its budgets and its scores."""

from __future__ import annotations

import datetime
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from environments import interpreter
from packages import HERE, ROOT, SUITES, Package, Table, Tool
from rows import TIMED_OUT, Row, read, write

ROWS = "rows.jsonl"
WAIT = 1800
"""Seconds by the clock after which an adapter that only waits is ended."""
CLOCK = 0.2
"""Seconds that a time is taken over: some clocks only tick every few milliseconds."""
SETTINGS = {
    "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("cli", "compressors")),
    "PYTHONHASHSEED": "0",
    "PYTHONWARNINGS": "ignore",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
}


@dataclass(frozen=True)
class Request:
    """What is to be measured: parts of the table, and where things are."""

    table: Table
    shared: Path
    cache: Path
    only: Sequence[str] = ()
    refresh: Sequence[str] = ()
    suites: Sequence[str] = SUITES
    cases: str = ""
    jobs: int = 1


def measure(request: Request) -> None:
    """Add to the kept rows what is missing of what is asked for, the small cases first; each case is kept at once."""
    os.environ.update({**SETTINGS, "TIKTOKEN_CACHE_DIR": str(request.shared / "evals" / "ranks")})
    sys.path.insert(0, str(request.shared / "evals"))
    evals, suites = importlib.import_module("evals"), importlib.import_module("suites")
    loaded = suites.load(request.shared / "data", set(request.suites))
    with tempfile.TemporaryDirectory() as folder:
        cases = _ordered(_prepared(evals, c, Path(folder)) for c in loaded if re.search(request.cases, c.name))
        wanted = [t for t in request.table.tools() if not request.only or {t[0].name, t[1].name} & set(request.only)]
        kept = _kept(request, wanted)
        pythons = {package.name: interpreter(package, request.cache) for package, _ in wanted}
        missing = [
            Job(evals, package.version, tool, pythons[package.name], case, tuple(ratios))
            for case in cases
            for package, tool in wanted
            if case.given.suite in tool.suites
            and (ratios := [r for r in request.table.ratios if (tool.name, case.given.name, r) not in kept])
        ]
        with ThreadPoolExecutor(request.jobs) as pool:
            for job, made in zip(missing, pool.map(_rows, missing), strict=True):
                write(request.cache / ROWS, made, "a")
                wrong = ", ".join(sorted({row.wrong for row in made if row.wrong}))
                print(f"{job.case.given.name}: {job.tool.name} {wrong}", file=sys.stderr, flush=True)


def _kept(request: Request, wanted: list[tuple[Package, Tool]]) -> dict[tuple[str, str, float], Row]:
    """The rows that are there, without those that are to be measured anew, which the file loses."""
    again = {tool.name for package, tool in wanted if {package.name, tool.name} & set(request.refresh)}
    given = re.compile(request.cases)
    rows = {
        key: row
        for key, row in read(request.cache / ROWS, request.table).items()
        if not (row.tool in again and row.suite in request.suites and given.search(row.case))
    }
    write(request.cache / ROWS, rows.values())
    return rows


@dataclass(frozen=True)
class Case:
    """A case of suites.py, the folder that holds its file, and its tokens."""

    given: Any
    folder: Path
    whole: int


def _prepared(evals: Any, case: Any, folder: Path) -> Case:
    (folder / f"{case.name}.jsonl").write_text("\n".join(case.lines) + "\n", encoding="utf-8")
    return Case(case, folder, evals.tokens("\n".join(case.messages)) + evals.FRAMING * case.turns)


def _ordered(cases: Iterable[Case]) -> list[Case]:
    """Small cases first and the suites in turn, so that a run that is stopped has something of each."""
    suites: dict[str, list[Case]] = {}
    for case in sorted(cases, key=lambda case: case.whole):
        suites.setdefault(case.given.suite, []).append(case)
    return [case for turn in zip_longest(*suites.values()) for case in turn if case is not None]


@dataclass(frozen=True)
class Job:
    """A tool on a case, at all ratios in one process: loading a package often takes longer than its work."""

    evals: Any
    version: str
    tool: Tool
    python: Path
    case: Case
    ratios: tuple[float, ...]

    def budget(self, ratio: float) -> int:
        return int(self.case.whole / ratio)


def _rows(job: Job) -> list[Row]:
    run = _adapter if job.tool.adapter else _baseline
    return [_row(job, ratio, *run_) for ratio, run_ in zip(job.ratios, run(job), strict=True)]


Outcome = tuple[tuple[str, int], str, dict[str, float]]
"""An output's text and messages; what went wrong; `seconds`, `tokenizing` and `calls`."""


def _row(job: Job, ratio: float, output: tuple[str, int], wrong: str, timing: dict[str, float]) -> Row:
    size, case = job.evals.tokens(output[0]) + job.evals.FRAMING * output[1], job.case
    return Row(
        tool=job.tool.name,
        version=job.version,
        suite=case.given.suite,
        case=case.given.name,
        asked=ratio,
        ratio=case.whole / max(size, 1),
        fill=size / job.budget(ratio),
        date=datetime.date.today().isoformat(),
        wrong=wrong,
        **timing,
        **job.evals.score(case.given, output[0]),
    )


def _adapter(job: Job) -> list[Outcome]:
    """What an adapter wrote; where it ran out of time at a budget, it would at the others, too."""
    name = f"{job.case.given.name}.{job.tool.name.replace(' ', '')}"
    targets = [job.case.folder / f"{name}.{ratio:g}.jsonl" for ratio in job.ratios]
    command = [
        str(job.python),
        str(HERE / "adapters" / job.tool.adapter),
        str(targets[0].parent / f"{job.case.given.name}.jsonl"),
    ]
    for target, ratio in zip(targets, job.ratios, strict=True):
        command += [str(target), str(job.budget(ratio))]
    wrong = _run([*command, *job.tool.options.split()], job.case.folder)
    return [_outcome(job.evals, target, wrong) for target in targets]


def _run(command: list[str], home: Path) -> str:
    """Why what a command did not write is not there. What it keeps for itself it keeps in `home`."""
    env = {**os.environ, "HOME": str(home)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT, env=env)
    except subprocess.TimeoutExpired:
        return TIMED_OUT
    late = done.returncode == -signal.SIGPROF  # the limit of processor time in adapters/harness.py
    return TIMED_OUT if late else f"exit {done.returncode}: {done.stderr.strip()[-200:]}"


def _outcome(evals: Any, target: Path, wrong: str) -> Outcome:
    timing = Path(f"{target}.timing")
    if not (target.is_file() and timing.is_file()):
        return ("", 0), wrong, {}
    return evals.read_output(target), "", json.loads(timing.read_text())


def _baseline(job: Job) -> list[Outcome]:
    outcomes: list[Outcome] = []
    encoding = _tokenizing(job.evals, job.case.given)
    for ratio in job.ratios:
        start = time.process_time()
        output, _, wrong = job.evals.run(job.tool.name, job.case.given, job.budget(ratio), job.case.folder)
        timing = {"seconds": time.process_time() - start, "tokenizing": encoding, "calls": 1}
        outcomes.append((output, wrong, timing))
    return outcomes


def _tokenizing(evals: Any, case: Any) -> float:
    start, rounds = time.process_time(), 0
    while (passed := time.process_time() - start) < CLOCK or not rounds:
        for message in case.messages:
            evals.tokens(message)
        rounds += 1
    return passed / rounds
