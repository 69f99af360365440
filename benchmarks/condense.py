#!/usr/bin/env python3
"""What `condense` makes of each kind of output: tokens before over tokens after, without loss and with it.

    python benchmarks/condense.py [--shared ../shared]

The first rows are made here with a fixed seed, the others are real: tau-bench's results, and of Claude Code's and
Codex's sessions every result that a rule claims. `time` is that of both levels over that of tokenizing once with
stock tiktoken, the shortest of three runs each.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "compressors"))

from boildown import output  # noqa: E402
from boildown.errors import InputError  # noqa: E402
from boildown.run import conversations, reader  # noqa: E402
from boildown.tokens import tokenizer  # noqa: E402
from boildown.transcript import ToolResult  # noqa: E402

RUNS = 3
STOCK = tokenizer(fast=False)
PARTS = ("cart", "price", "stock", "order", "refund")
ACTIONS = ("request handled", "cache refreshed", "token renewed", "batch written", "session opened", "session closed")


def log(draw: random.Random) -> str:
    """Two hours of a service: 3,000 entries of 8 templates, six warnings of one kind, two errors, one with a trace."""
    rows = []
    for n in range(3000):
        clock = f"2027-03-01 {9 + n // 1500:02}:{n // 25 % 60:02}:{n * 7 % 60:02},{draw.randrange(1000):03}"
        worker = f"[worker-{draw.randrange(8)}]"
        if n in (1200, 2750):
            rows.append(f"{clock} ERROR {worker} payment {draw.randrange(10**6)} rejected by bank: code {n}")
            if n == 2750:
                rows += ["Traceback (most recent call last):", '  File "/srv/app/pay.py", line 88, in settle']
                rows += ["    bank.settle(order)", "app.bank.Rejected: insufficient funds"]
        elif n % 500 == 7:
            rows.append(f"{clock} WARNING {worker} queue depth {draw.randrange(900, 1000)} above limit 800")
        elif n % 9 == 0:
            rows.append(f"{clock} DEBUG {worker} heartbeat ok seq={n}")
        else:
            milliseconds, user = draw.randrange(4, 90), draw.randrange(10**5)
            rows.append(f"{clock} INFO {worker} {draw.choice(ACTIONS)} user={user} took {milliseconds}ms")
    return "\n".join(rows)


def pytest_run(draw: random.Random) -> str:
    """`pytest -v` of 400 tests, three of which fail, one of them inside a library."""
    tests = [f"tests/test_{m}.py::test_{v}_{n}" for m in PARTS for v in ("adds", "keeps") for n in range(40)]
    failed = sorted(draw.sample(range(len(tests)), 3))
    rows = [
        "=" * 20 + " test session starts " + "=" * 20,
        "platform linux -- Python 3.11.9, pytest-8.3.2, pluggy-1.5.0",
    ]
    rows += ["cachedir: .pytest_cache", "rootdir: /srv/app", "plugins: cov-5.0.0, xdist-3.6.1"]
    rows += [f"collected {len(tests)} items", ""]
    for n, test in enumerate(tests):
        rows.append(f"{test} {'FAILED' if n in failed else 'PASSED'} [{100 * n // len(tests):3}%]")
    rows += ["", "=" * 35 + " FAILURES " + "=" * 35]
    for n in failed:
        name = tests[n].rpartition("::")[2]
        rows += ["_" * 20 + f" {name} " + "_" * 20, "", f"    def {name}():", "        total = cart.total()"]
        rows += [
            ">       assert total == 42",
            f"E       assert {n} == 42",
            "",
            f"tests/test_cart.py:{n}: AssertionError",
        ]
    rows += ["=" * 20 + " short test summary info " + "=" * 20]
    rows += [f"FAILED {tests[n]} - assert {n} == 42" for n in failed]
    return "\n".join([*rows, f"{'=' * 20} 3 failed, {len(tests) - 3} passed in 12.34s {'=' * 20}"])


def json_array(draw: random.Random) -> str:
    """200 orders, indented, one of them failed and one much dearer than the rest."""
    orders = [
        {
            "id": 10_000 + n,
            "customer": {
                "name": f"{draw.choice('ABCDEFG')}. Customer",
                "city": draw.choice(("Ghent", "Lyon", "Turin")),
            },
            "status": "failed: card declined" if n == 120 else "shipped",
            "total": 9999.5 if n == 64 else round(draw.uniform(20, 60), 2),
            "currency": "EUR",
            "coupon": None,
        }
        for n in range(200)
    ]
    return json.dumps(orders, indent=2)


def matches(draw: random.Random) -> str:
    """400 matches of grep in 20 files."""
    rows = [(draw.randrange(20), draw.randrange(1, 900)) for _ in range(400)]
    return "\n".join(
        f"src/store/part_{n:02}/handlers.py:{line}:    return self.total(order)" for n, line in sorted(rows)
    )


def diff(draw: random.Random) -> str:
    """A change of ten files, three lines around each hunk."""
    rows = []
    for n in range(10):
        path, lines = f"src/store/part_{n}.py", [f"    value_{draw.randrange(100)} = compute({i})" for i in range(60)]
        rows += [
            f"diff --git a/{path} b/{path}",
            f"index {n}a1b2c3..{n}d4e5f6 100644",
            f"--- a/{path}",
            f"+++ b/{path}",
        ]
        for at in (5, 30):
            rows += [f"@@ -{at},7 +{at},7 @@ class Part:", *(f" {line}" for line in lines[at : at + 3])]
            rows += ["-    old = compute(7)", "+    new = compute(8)", *(f" {line}" for line in lines[at + 4 : at + 7])]
    return "\n".join(rows)


def listing(draw: random.Random) -> str:
    """`find` in a project with 300 files of its own and 200 of its dependencies."""
    own = [f"./src/{draw.choice('abcdef')}/module_{n}.py" for n in range(300)]
    return "\n".join(sorted(own) + [f"./node_modules/lib-{n % 20}/dist/file{n}.js" for n in range(200)])


MADE = {"log": log, "pytest run": pytest_run, "JSON array": json_array, "grep": matches, "diff": diff, "find": listing}


def results(paths: Iterable[Path]) -> Iterator[str]:
    """The distinct tool results of files, errors aside."""
    seen: set[str] = set()
    for path in paths:
        try:
            form, plain, _ = reader(path.read_bytes(), path.name)
            found = [m for t in conversations(form, plain, path.name) for m in t.messages]
        except InputError:
            continue
        for block in (b for m in found for b in m.blocks):
            if isinstance(block, ToolResult) and not block.is_error and block.text not in seen:
                seen.add(block.text)
                yield block.text


def row(name: str, texts: list[str]) -> str:
    """One line of the table."""
    counting, condensing = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        before = STOCK.count(texts)
        middle = time.perf_counter()
        made = [(output.condense(text), output.condense(text, lossy=True)) for text in texts]
        counting.append(middle - start)
        condensing.append(time.perf_counter() - middle)
    tight = [min(a, b) for a, b in zip(STOCK.count([a for a, _ in made]), before, strict=True)]
    loose = [min(a, b) for a, b in zip(STOCK.count([b for _, b in made]), tight, strict=True)]
    ratios = f"{sum(before) / sum(tight):.2f} | {sum(before) / sum(loose):.1f}"
    return f"| {name} | {len(texts)} | {sum(before)} | {ratios} | {min(condensing) / min(counting):.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    data = parser.parse_args().shared / "data"
    STOCK.count(["ranks are loaded before the clock runs"])
    print("| output | results | tokens | without loss | with loss | time |\n|---|---|---|---|---|---|")
    for name, make in MADE.items():
        print(row(name, [make(random.Random(name))]))
    tau = list(results(data.glob("tau-bench/*.json")))
    print(row("tau-bench, JSON", [text for text in tau if output.kind(text) == "json"]))
    kinds: dict[str, list[str]] = defaultdict(list)
    for text in results(sorted([*data.glob("claude-code/**/*.jsonl"), *data.glob("codex/**/*.jsonl")])):
        kinds[output.kind(text)].append(text)
    for kind in sorted(kinds.keys() - {""}):
        print(row(f"sessions, {kind}", kinds[kind]))
    print(row("sessions, no rule", kinds[""]))


if __name__ == "__main__":
    main()
