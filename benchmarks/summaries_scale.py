#!/usr/bin/env python3
"""A long conversation through `hierarchical`, with the real SDK against a scripted server on the loopback.

    python benchmarks/summaries_scale.py [--messages 2000] [--ratio 20] [--wait 0.2] [--shared ../shared]

The server answers each call after `wait` seconds with sentences of what it was sent. Prints

    calls   those that were made, and how many were open at a time at most
    read    tokens of the conversation and of summaries that the model was sent, over those that were summed up
    memory  the peak of the process that compresses, whose seconds are below
    again   the calls that a second run makes, and whether it writes the same bytes

The transcript comes from ../shared/evals/scale.py and repeats its source when it runs out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANY = 1_000
"""Sentences of an answer, as far as it may be so long"""
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "compressors")]

from boildown.summarizers.calls import Request  # noqa: E402
from model_server import KEY, ModelServer, Received, Reply  # noqa: E402
from quoting import quoted  # noqa: E402

BOILDOWN = "import sys\nfrom boildown_cli.__main__ import main\nsys.exit(main())"


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run reported, its seconds by the clock and of the processor, and its peak of memory in bytes."""

    told: dict[str, Any]
    wall: float
    cpu: float
    memory: int


def ran(source: Path, server: ModelServer, pipeline: str, ratio: float) -> Ran:
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("cli", "compressors")),
        "XDG_CACHE_HOME": str(source.parent),
        "ANTHROPIC_BASE_URL": server.url,
        "ANTHROPIC_API_KEY": KEY,
    }
    report = source.with_suffix(".report.json")
    command = [sys.executable, "-c", BOILDOWN, "compress", str(source), "--pipeline", pipeline, "--ratio", str(ratio)]
    command += ["--quiet", "-o", str(source.with_suffix(".out")), "--report", str(report)]
    start = time.perf_counter()
    child = subprocess.Popen(command, env=env)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"boildown failed with status {os.waitstatus_to_exitcode(status)}: {' '.join(command)}")
    unit = 1 if sys.platform == "darwin" else 1024
    wall = time.perf_counter() - start
    (told,) = json.loads(report.read_bytes())["conversations"]
    return Ran(told, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def answering(wait: float) -> ModelServer:
    def answer(received: Received) -> Reply:
        time.sleep(wait)
        return Reply(quoted(Request(received.body["model"], received.system, received.said, 1), MANY))

    server = ModelServer()
    server.answer = answer
    return server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--ratio", type=float, default=20)
    parser.add_argument("--wait", type=float, default=0.2, help="seconds that the server takes for an answer")
    parser.add_argument("--pipeline", default="hierarchical")
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    given = parser.parse_args()
    scale = given.shared / "evals" / "scale.py"
    if not scale.is_file():
        raise SystemExit(f"{scale} is not there: say where with --shared")
    with tempfile.TemporaryDirectory() as folder, answering(given.wait).running() as server:
        source = Path(folder) / "long.jsonl"
        command = [sys.executable, scale, source, "--messages", str(given.messages)]
        subprocess.run([*command, "--data", given.shared / "data"], check=True)
        first = ran(source, server, given.pipeline, given.ratio)
        written, calls = source.with_suffix(".out").read_bytes(), len(server.received)
        told, most = first.told, server.most
        (summary,) = told["summaries"]
        print(
            f"{told['tokens_in']:,} tokens in {given.messages:,} messages to {told['tokens_out']:,} "
            f"of {told['budget']:,}\n"
            f"calls   {calls} for {summary['spans']} chunks, {most} at a time\n"
            f"read    {summary['read']:,} / {summary['covered']:,} = {summary['read'] / summary['covered']:.3f}; "
            f"{len(summary['cut'])} spans cut offline\n"
            f"memory  {first.memory / 2**20:,.0f} MiB\n"
            f"seconds {first.wall:.0f} by the clock, {first.cpu:.0f} of the processor",
            flush=True,
        )
        again = ran(source, server, given.pipeline, given.ratio)
        same = source.with_suffix(".out").read_bytes() == written
        print(
            f"again   {len(server.received) - calls} calls, {'the same' if same else 'OTHER'} bytes, {again.wall:.0f} s"
        )


if __name__ == "__main__":
    main()
