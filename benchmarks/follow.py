#!/usr/bin/env python3
"""`boildown follow` for ever: its memory, its time a message, and what kills leave.

    python benchmarks/follow.py [--messages 1000000] [--window 20000] [--timed 20000] [--kills 50] [--store lance]
                                [--svg memory.svg]

Prints

    memory  resident MiB of a follower that is fed short messages, archive included, after a share of them; and how much
            more it is at the end than after 10 %
    speed   in one process, milliseconds that a message takes while nothing is being compressed: the median, the mean,
            and the mean with the checkpoints and the store; and the compressions
    kills   of follow, resume and archive by SIGKILL at random moments: messages lost that the last checkpoint
            accounts for, or that are not there after the next run, and files that are corrupt

`--svg` draws the memory, which needs matplotlib (boildown[plot]).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "compressors"), str(ROOT / "cli")]

from boildown.following.compression import Compressed, Compressor, Held  # noqa: E402
from boildown.following.follower import Follower, Stream  # noqa: E402
from boildown.following.records import Reader  # noqa: E402
from boildown.formats import Format  # noqa: E402
from boildown.memory.store import opened  # noqa: E402
from boildown.policy import Policy, shipped  # noqa: E402
from killing import STORES, Left, kill_archive, kill_follow, kill_resume, messages, run  # noqa: E402

SAMPLES = 100
SHOWN = (0.01, 0.1, 0.25, 0.5, 0.75, 1.0)
EVERY = 1_000
WARM = 10
"""Messages at first that are not timed: they load the tokenizer"""


def resident(process: int) -> float:
    """MiB of a process that are in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS:")).split()[1]) / 1024


def memory(count: int, window: int, folder: Path) -> list[tuple[int, float]]:
    """(messages fed, MiB) of a follower, and says what it took."""
    start, found = time.monotonic(), list[tuple[int, float]]()
    options = ("--window", window, "--archive", folder, "--session", "long", "--checkpoint", EVERY, "--quiet")
    process = run("follow", "-", *options, "-o", folder.parent / "context.jsonl", stdin=subprocess.PIPE)
    assert process.stdin is not None
    for n, line in enumerate(messages(count), 1):
        process.stdin.write(line)
        if n % max(1, count // SAMPLES) == 0:
            process.stdin.flush()
            found.append((n, resident(process.pid)))
    process.stdin.close()
    assert process.wait() == 0
    seconds = time.monotonic() - start
    print(f"{count:,} messages in {seconds:,.0f} s, {seconds / count * 1000:.2f} ms a message, all in all")
    return found


def show_memory(found: list[tuple[int, float]], count: int) -> None:
    at = {share: next(mib for n, mib in found if n >= share * count) for share in SHOWN}
    print("memory  " + "  ".join(f"{share:.0%}: {mib:.0f} MiB" for share, mib in at.items()))
    most = max(mib for n, mib in found if n >= 0.1 * count)
    print(f"        from 10 % to the end {at[1.0] - at[0.1]:+.1f} MiB, at most {most - at[0.1]:+.1f}")


def draw(found: list[tuple[int, float]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3))
    axes.plot([n for n, _ in found], [mib for _, mib in found])
    axes.set(xlabel="messages", ylabel="resident MiB", ylim=(0, None), title="boildown follow")
    figure.savefig(path, bbox_inches="tight")


def speed(count: int, window: int, folder: Path) -> None:
    """What a message takes in a follower of this process."""
    calm, saving = list[float](), list[float]()
    compressor = Compressor(Policy(window, shipped()), "o200k_base")
    stream = Stream("timed", folder=str(folder))
    with opened(str(folder), write=True) as store:
        begun = list[Held]()

        def compress(held: Held, format: Format) -> Compressed:
            begun.append(held)
            return compressor(held, format)

        follower = Follower(
            stream, Reader("timed", "o200k_base"), compressor.policy, compress, lambda text: None, store
        )
        for n, line in enumerate(messages(count), 1):
            busy, before = follower.busy, len(begun)
            start = time.perf_counter()
            follower.add(line)
            took = (time.perf_counter() - start) * 1000
            if not busy and not follower.busy and len(begun) == before:
                saving.append(took)
                if n % stream.every:
                    calm.append(took)
        follower.finish()
        follower.close()
    calm = calm[WARM:]
    with_saving, many = statistics.mean(saving[WARM:]), follower.state.tally.compressions
    told = f"{statistics.median(calm):.3f} ms median, {statistics.mean(calm):.3f} mean"
    print(f"speed   {told}, {with_saving:.3f} with checkpoints and store; {many:,} compressions")


def kills(count: int, folder: Path, store: str) -> None:
    def show(what: str, left: Left) -> None:
        print(f"kills   {what}: {left.kills}, {left.lost} messages lost, {left.corrupt} corrupt")

    archive, source = folder / "killed", folder / "killed.jsonl"
    show("follow", kill_follow(archive, source, max(400, count * 100), count, store=store))
    show("resume", kill_resume(archive, folder / "resumed.jsonl", count))
    show("archive", kill_archive(folder / "archived", folder / "archived.jsonl", 4_000, count, store=store))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--messages", type=int, default=1_000_000, help="fed to see the memory; 0 for none")
    arguments.add_argument("--window", type=int, default=20_000, help="tokens")
    arguments.add_argument("--timed", type=int, default=20_000, help="messages that are timed; 0 for none")
    arguments.add_argument("--kills", type=int, default=50, help="of each command; 0 for none")
    arguments.add_argument("--store", choices=STORES, default="sqlite", help="where messages are when it is killed")
    arguments.add_argument("--svg", type=Path, help="draw the memory into this file")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.timed:
            speed(given.timed, given.window, Path(folder) / "timed")
        if given.messages:
            found = memory(given.messages, given.window, Path(folder) / "long")
            show_memory(found, given.messages)
            if given.svg:
                draw(found, given.svg)
        if given.kills:
            kills(given.kills, Path(folder), given.store)


if __name__ == "__main__":
    main()
