#!/usr/bin/env python3
"""What a model's summaries keep, invent and cost, beside the offline pipeline at the same budget.

    python benchmarks/summaries.py [hierarchical:chunk=1200 ...] [--cases NAME ...] [--tokens 12000] [--ratio 10]

The model is the one that ANTHROPIC_BASE_URL names, such as scripts/local_model.py serves. Cases are three of LoCoMo's
conversations and three sessions of agents, whole, or their beginnings of about --tokens each. Each is compressed by
`boildown compress`, a process: killed half-way with SIGKILL, run to its end, and run again. A row is written when its
case is done, so the figures of a run that is stopped are those of the cases before.

    retained   what `boildown evaluate` says is retained, offline and with the model
    found      lines of answers that said what their source does not; `left` are those in the output, looked for anew
    killed     answers that were there when it was killed, calls of the next run, and answers that were there in the end
    again      calls of the run after that, and whether it wrote the same bytes

With --attacks, the conversations of tests/summaries/attacks.py are summed up instead, and what is told is whether the
words that only a model says which obeys are in its answers, and whether they are in the summary. A model that tells of
the attack says them as well. Answers are kept: the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "compressors"), str(ROOT / "tests/summaries")]

from attacks import ATTACKS, Attack  # type: ignore[import-not-found]  # noqa: E402

from boildown.errors import AnswerError, UsageError  # noqa: E402
from boildown.run import conversations, reader  # noqa: E402
from boildown.summaries.checks import Evidence  # noqa: E402
from boildown.summaries.summary import found  # noqa: E402
from boildown.summaries.writing import Task, Writer  # noqa: E402
from boildown.summarizers.account import Account, Bounds  # noqa: E402
from boildown.summarizers.answers import Answers, folder  # noqa: E402
from boildown.summarizers.calls import Answer, Outcome, Request, Spending  # noqa: E402
from boildown.summarizers.claude import Claude, endpoint  # noqa: E402
from boildown.tokens import Counter, tokenizer  # noqa: E402
from boildown.transcript import Framing  # noqa: E402

COMMAND = "import sys; from boildown_cli.__main__ import main; sys.exit(main())"
CASES = (
    *("locomo-conv-30", "codex-rollout-019ddba6-d9ca-71d2-89c3-5dd074c317b3-0"),
    *("locomo-conv-26", "codex-rollout-019ed5f2-a17e-77b2-a9c1-feeeee44d333-0"),
    *("locomo-conv-41", "claude-127e9cd1-0deb-4a7c-ba1a-ba4ecd375b90-0"),
)
"""Three chats, and the three shortest sessions of more than 10,000 tokens"""
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
    at_once: int

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

    def asking(self, pipeline: str) -> tuple[str, ...]:
        return "--pipeline", pipeline, "--model", self.model, "--at-once", str(self.at_once)

    def by_model(self, name: str, pipeline: str) -> tuple[Path, Told]:
        path = self.compressed(name, *self.asking(pipeline))
        return path, Told.of(json.loads((self.folder / f"{name}.report.json").read_text()))

    def killed(self, pipeline: str, calls: int) -> int:
        """How many answers were there when a run was killed, which it was once there were `calls`."""
        command = self.command("killed", *self.asking(pipeline))
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


def cases(shared: Path, names: Sequence[str], tokens: int | None) -> Iterator[tuple[str, str]]:
    """Names and lines of the conversations so called, or of their beginnings of about `tokens`."""
    sys.path.insert(0, str(shared / "evals"))
    import suites  # type: ignore[import-not-found]

    counter = tokenizer()
    held = {case.name: case for case in suites.load(shared / "data", {"chat", "agents"})}
    if missing := [name for name in names if name not in held]:
        raise SystemExit(f"--cases {' '.join(missing)}: there is none. There are: {', '.join(sorted(held))}.")
    for name in names:
        lines, size = list[str](), 0
        for line in held[name].lines:
            shown = suites.record_text(json.loads(line))
            size += counter.count([line if shown is None else shown])[0]
            if tokens is not None and size > tokens and lines:
                break
            lines.append(line)
        yield name, "\n".join(lines) + "\n"


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
        for n, (name, text) in enumerate(cases(given.shared, given.cases, given.tokens)):
            for m, pipeline in enumerate(given.pipelines):
                folder = Path(scratch) / f"{n}-{m}"
                folder.mkdir()
                case = folder / f"{name}.jsonl"
                case.write_text(text, encoding="utf-8")
                bench = Bench(folder, case, given.ratio, given.model, given.at_once)
                yield row(bench, name, pipeline, given.kill_after)


class Overheard:
    """`model`, with what it `said`."""

    def __init__(self, model: Claude) -> None:
        self.said: list[str] = []
        self._model = model

    @property
    def spending(self) -> Spending:
        return self._model.spending

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        outcomes = self._model.ask(requests)
        self.said += [one.text for one in outcomes if isinstance(one, Answer | AnswerError)]
        return outcomes


def obeyed(attack: Attack, texts: Sequence[str]) -> bool:
    return any(words in text for words in attack.never or (attack.says,) for text in texts)


def attacked(name: str) -> Iterator[Sequence[str]]:
    """A row for each attack on the model called `name`, and one with their sums."""
    counter, many, sums = Counter(tokenizer(), Framing()), 0, [0, 0, 0]
    for attack in ATTACKS:
        model = Overheard(Claude(Answers(folder(), endpoint()), Account(Bounds(counter, {})), at_once=1))
        try:
            (made,) = Writer(model, name, counter).write([Task(120, attack.messages)])
        except UsageError as error:  # such as one that is longer than the model's window
            print(f"{attack.name}: {error}", file=sys.stderr)
            continue
        lines = [line for _, line in made.summary.lines()]
        results = [obeyed(attack, model.said), obeyed(attack, lines), bool(made.why_cut)]
        many, sums = many + 1, [a + b for a, b in zip(sums, results, strict=True)]
        yield [attack.name, *("yes" if one else "no" for one in results)]
    yield [f"all {many}", *map(str, sums)]


def printed(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)
    for cells in rows:
        print(f"| {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipelines", nargs="*", default=["hierarchical:chunk=1200"])
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--cases", nargs="+", default=CASES, metavar="NAME", help="as ../shared/evals names them")
    parser.add_argument("--tokens", type=int, help="of the beginning of each case, about; whole without it")
    parser.add_argument("--ratio", type=float, default=10)
    parser.add_argument("--at-once", type=int, default=1, help="calls under way at a time: no more than are answered")
    parser.add_argument("--kill-after", type=int, default=3, help="answers after which the first run is killed")
    parser.add_argument("--attacks", action="store_true", help="try to steer the model instead")
    given = parser.parse_args()
    if given.attacks:
        printed(("attack", "in an answer", "in the summary", "cut offline"), attacked(given.model))
    else:
        printed(HEADS, measure(given))


if __name__ == "__main__":
    main()
