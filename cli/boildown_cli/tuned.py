"""What tuning found: the front as a table and a chart, sentences on the winner, a preset, and JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boildown.errors import NotMetError
    from boildown.measure.bench import Trial
    from boildown.measure.tuning import Tuned
    from boildown.settings import Settings
    from boildown_cli.plots import Chart

APART = 0.95
"""A row of the table has at most this part of the tokens of the row before, but the winner's is there in any case."""


def print_front(found: Tuned) -> None:
    """Tell people, on stderr: the front as a table, the winner, and on what it was chosen."""
    from boildown.measure.tuning import front
    from boildown_cli.terminal import add_row, one_line, say, show, table

    rows = table(("pipeline", "ratio", "tokens kept", "retention", "worst"))
    for trial in _apart(front(found.trials), found.winner):
        cells = (f"{trial.ratio:g}", f"{trial.kept:.1%}", f"{trial.mean:.3f}", f"{trial.worst:.3f}")
        add_row(rows, trial.pipeline, *cells, strong=trial == found.winner)
    show(rows, sys.stderr)
    for line in _summary(found):
        say(one_line(line))


def _apart(trials: Iterable[Trial], winner: Trial | None) -> list[Trial]:
    """`trials`, fewer tokens one after the other, without those that have nearly as many as the one before."""
    found: list[Trial] = []
    for trial in trials:
        if not found or trial.kept <= found[-1].kept * APART or trial == winner:
            found.append(trial)
    return found


def _summary(found: Tuned) -> Iterable[str]:
    """Sentences on the winner, on what it was chosen, and what it keeps of the rest."""
    winner, held, parts = found.winner, found.held_out, found.split
    if winner is not None:
        yield f"the smallest that keeps {found.least:g}: {winner.pipeline} at {winner.ratio:g}x keeps {_kept(winner)}"
    if len(parts.on) > 1:
        yield f"chosen on {_listed(parts.on)}"
    if parts.held and winner is not None:
        of = f"keeps {_kept(held)}" if held else "cannot be met: pinned messages are too large"
        yield f"left out: {_listed(parts.left_out)}; there it {of}"
    if held is not None and held.mean < found.least:
        yield f"that is below {found.least:g}: give more to choose on, or ask for more than you need"


def _kept(trial: Trial) -> str:
    """What a trial keeps, and where least, unless there is but one file."""
    worst = f", at worst {trial.worst:.3f} ({trial.at})," if trial.worst < trial.mean else ""
    return f"{trial.mean:.3f}{worst} in {trial.kept:.1%} of the tokens"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def chart(found: Tuned) -> Chart:
    """The front by the share of the tokens that is left, and the winner on it."""
    from boildown.measure.tuning import front
    from boildown_cli.plots import Chart, Line

    best = sorted(front(found.trials), key=lambda t: t.kept)
    lines = [Line("the front", [100 * t.kept for t in best], [t.mean for t in best])]
    if (top := found.winner) is not None:
        lines.append(Line(f"{top.pipeline} at {top.ratio:g}x", [100 * top.kept], [top.mean]))
    return Chart("boildown tune", "tokens kept", "retention", lines, " %")


def preset_toml(found: Tuned, settled: Settings, name: str) -> str:
    """The winner as a preset with its ratio, and with what was pinned and what counted; empty where there is none."""
    from dataclasses import replace

    from boildown.presets import Preset, toml
    from boildown_cli.terminal import number

    winner = found.winner
    if winner is None:
        return ""
    said = replace(settled, pipeline=winner.pipeline, ratio=winner.ratio, budget=None, window=None)
    files = number(len({one.file for one in found.split.chosen}), "file")
    summary = f"keeps {winner.mean:.3f} of {files} (at worst {winner.worst:.3f}), tuned for {found.least:g}"
    return toml(Preset(name, summary, said, ""))


def json_value(found: Tuned, preset: str) -> dict[str, object]:
    """What `--json` prints: the winner, its preset, the front and every trial."""
    from boildown.measure.tuning import front

    return {
        "schema": 1,
        "min_retention": found.least,
        "chosen_on": found.split.on,
        "left_out": found.split.left_out,
        "winner": found.winner,
        "winner_left_out": found.held_out,
        "preset": preset or None,
        "front": front(found.trials),
        "trials": found.trials,
    }


def unmet(found: Tuned) -> NotMetError:
    """Why there is no winner, and what comes nearest."""
    from boildown.errors import NotMetError

    most = max(found.trials, key=lambda t: (t.mean, t.ratio), default=None)
    if most is None:
        return NotMetError("what is pinned takes all of a file. Pin less (--keep-first, --keep-recent, --pin).")
    return NotMetError(
        f"no pipeline keeps {found.least:g} at more than 1x: the most is {most.mean:.3f}, by {most.pipeline} at "
        f"{most.ratio:g}x. Ask for less, or give --questions that say what matters."
    )
