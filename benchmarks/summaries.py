#!/usr/bin/env python3
"""What a model's summaries keep, invent and cost, beside the offline pipeline at the same budget.

    python benchmarks/summaries.py [abstractive:chunk=1200 ...] [--tokens 12000] [--ratio 10] [--chats 3] [--sessions 3]

The model is the one that ANTHROPIC_BASE_URL names, such as scripts/local_model.py serves. Cases are the beginnings
of LoCoMo's conversations and of agents' sessions, of about --tokens each. Each is compressed by `boildown compress`, a
process: killed half-way with SIGKILL, run to its end, and run again.

    retained   what `boildown evaluate` says is retained, offline and with the model
    found      lines of answers that said what their source does not; `left` are those in the output, looked for anew
    killed     answers that were there when it was killed, calls of the next run, and answers that were there in the end
    again      calls of the run after that, and whether it wrote the same bytes
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "compressors"))

from boildown.run import conversations, reader  # noqa: E402
from boildown.summaries.checks import Evidence  # noqa: E402
from boildown.summaries.summary import found  # noqa: E402
from boildown.tokens import tokenizer  # noqa: E402

COMMAND = "import sys; from boildown_cli.app import main; sys.exit(main())"
HEADS = (
    *("case", "pipeline", "tokens", "calls", "seconds", "read per token", "spans cut offline", "found", "mended"),
    *("dropped", "left", "retained offline", "retained", "killed", "again"),
)


@dataclass(frozen=True)
class Told:
    """What a report says of the model: the one place that knows the report's keys."""

    calls: int
    tokens_in: int
    tokens_out: int
    covered: int
    read: int
    found: int
    mended: int
    dropped: int
    cut: int

    @classmethod
    def of(cls, report: dict[str, Any]) -> Told:
        told = [one for each in report["conversations"] for one in each["summaries"]]
        sums = {name: sum(one[name] for one in told) for name in ("covered", "read", "found", "mended", "dropped")}
        tokens = (sum(each[name] for each in report["conversations"]) for name in ("tokens_in", "tokens_out"))
        return cls(report["spending"]["calls"], *tokens, **sums, cut=sum(len(one["cut"]) for one in told))


@dataclass(frozen=True)
class Bench:
    """Where things are written for one case; the cache of answers is its own."""

    folder: Path
    case: Path
    ratio: float
    model: str

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join(str(ROOT / name) for name in ("cli", "compressors"))
        return {**os.environ, "PYTHONPATH": path, "XDG_CACHE_HOME": str(self.folder / "cache"), "NO_COLOR": "1"}

    @property
    def answers(self) -> int:
        return sum(1 for _ in (self.folder / "cache").rglob("*.json"))

    def command(self, name: str, *options: str) -> list[str]:
        out = ["-o", str(self.folder / name), "--report", str(self.folder / f"{name}.report.json")]
        return [sys.executable, "-c", COMMAND, "compress", str(self.case), "--ratio", f"{self.ratio:g}", *options, *out]

    def compressed(self, name: str, *options: str) -> Path:
        done = subprocess.run(self.command(name, *options), env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{self.case.name}: {done.stderr}")
        return self.folder / name

    def by_model(self, name: str, pipeline: str) -> tuple[Path, Told]:
        path = self.compressed(name, "--pipeline", pipeline, "--model", self.model)
        return path, Told.of(json.loads((self.folder / f"{name}.report.json").read_text()))

    def killed(self, pipeline: str, calls: int) -> int:
        """How many answers were there when a run was killed, which it was once there were `calls`."""
        command = self.command("killed", "--pipeline", pipeline, "--model", self.model)
        with subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and self.answers < calls:
                time.sleep(0.05)
            process.kill()
        return self.answers

    def retained(self, small: Path) -> float:
        command = [sys.executable, "-c", COMMAND, "evaluate", str(self.case), str(small), "--json"]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=True)
        return float(json.loads(done.stdout)["retention"]["share"])

    def left(self, small: Path) -> list[str]:
        """What the summary in an output says and its source does not."""
        evidence = Evidence.of(messages(self.case))
        lines = [line for m in messages(small) if (summary := found(m.text)[1]) for _, line in summary.lines()]
        return [f"{line}: {', '.join(why)}" for line in lines if (why := evidence.unfounded(line))]


def messages(path: Path) -> list[Any]:
    form, plain, _ = reader(path.read_bytes(), path.name)
    return [m for transcript in conversations(form, plain, path.name) for m in transcript.messages]


def cases(shared: Path, tokens: int, chats: int, sessions: int) -> Iterator[tuple[str, str]]:
    """Names and lines of the beginnings of conversations."""
    sys.path.insert(0, str(shared / "evals"))
    import suites  # type: ignore[import-not-found]

    counter = tokenizer()
    talks = (case for case in suites.load(shared / "data", {"chat"}) if case.name.startswith("locomo"))
    works = (case for case in suites.load(shared / "data", {"agents"}))
    for case in (*islice(talks, chats), *islice(works, sessions)):
        lines, size = list[str](), 0
        for line in case.lines:
            shown = suites.record_text(json.loads(line))
            size += counter.count([line if shown is None else shown])[0]
            if size > tokens and lines:
                break
            lines.append(line)
        yield case.name, "\n".join(lines) + "\n"


def row(bench: Bench, name: str, pipeline: str, kill_after: int) -> list[str]:
    offline = bench.retained(bench.compressed("offline"))
    there = bench.killed(pipeline, kill_after)
    start = time.perf_counter()
    small, told = bench.by_model("small", pipeline)
    seconds, in_the_end = time.perf_counter() - start, bench.answers
    again, second = bench.by_model("again", pipeline)
    left = bench.left(small)
    for line in left:
        print(f"{name}: left: {line}", file=sys.stderr)
    return [
        *(name, pipeline, f"{told.tokens_in} to {told.tokens_out}", str(told.calls), f"{seconds:.0f}"),
        *(f"{told.read / max(1, told.covered):.2f}", str(told.cut), str(told.found), str(told.mended)),
        *(str(told.dropped), str(len(left)), f"{offline:.3f}", f"{bench.retained(small):.3f}"),
        f"{there} + {told.calls} = {in_the_end}",
        f"{second.calls}, {'the same' if again.read_bytes() == small.read_bytes() else 'OTHER BYTES'}",
    ]


def measure(given: argparse.Namespace) -> Iterator[Sequence[str]]:
    with tempfile.TemporaryDirectory() as scratch:
        for n, (name, text) in enumerate(cases(given.shared, given.tokens, given.chats, given.sessions)):
            for m, pipeline in enumerate(given.pipelines):
                folder = Path(scratch) / f"{n}-{m}"
                folder.mkdir()
                case = folder / f"{name}.jsonl"
                case.write_text(text, encoding="utf-8")
                yield row(Bench(folder, case, given.ratio, given.model), name, pipeline, given.kill_after)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipelines", nargs="*", default=["abstractive:chunk=1200"])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--tokens", type=int, default=12_000, help="of each case, about")
    parser.add_argument("--ratio", type=float, default=10)
    parser.add_argument("--chats", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=3)
    parser.add_argument("--kill-after", type=int, default=3, help="answers after which the first run is killed")
    given = parser.parse_args()
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}", flush=True)
    for cells in measure(given):
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
