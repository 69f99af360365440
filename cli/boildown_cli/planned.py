"""What a plan came to: the alternatives as a table, sentences on the choice, a preset with its reasons, and JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from boildown_cli.files import STDOUT, title, write
from boildown_cli.render import json_bytes
from boildown_cli.summed import at_most, spent
from boildown_cli.terminal import add_row, dollars, number, one_line, say, show, table, tell

if TYPE_CHECKING:
    from boildown.planning.alternatives import Alternative
    from boildown.planning.plan import Adviser, Plan
    from boildown.settings import Settings

HEADS = ("pipeline", "what it is", "tokens", "calls", "dollars", "facts kept")


def print_plan(found: Plan, adviser: Adviser | None, offline: bool) -> None:
    """Tell people, on stderr: the conversation's figures, all alternatives, and why the choice is what it is."""
    for line in found.figures.lines():
        say(line)
    say("")
    rows = table(HEADS, left=2)
    for one in found.found:
        add_row(rows, one.pipeline, one.what, *_cells(one), strong=one == found.choice)
    show(rows, sys.stderr)
    for note in found.notes:
        say(one_line(note))
    for line in _reasons(found):
        say(line)
    if adviser:
        say(f"{one_line(adviser.name)}: {spent(adviser.model.spending)}")
    else:
        why = "" if offline else "; with ANTHROPIC_API_KEY set, a model is asked as well"
        say(f"decided by what was measured, without a model{why}")


def _cells(one: Alternative) -> tuple[str, ...]:
    cost = "?" if one.dollars is None else dollars(one.dollars) if one.dollars else "0"
    if one.kept is None:
        return f"{one.tokens:,} at most", f"about {one.calls:,}", cost if one.dollars is None else f"about {cost}", "?"
    return f"{one.tokens:,}", "0", cost, f"{one.kept:.3f}"


def _reasons(found: Plan) -> Iterator[str]:
    """Why the choice is what it is, a line each; what a model said is made plain."""
    said, choice = found.proposal, found.choice
    if said is not None:
        for name, text in (("kind", said.kind), ("keep", "; ".join(said.keep)), (f"why {said.pipeline}", said.why)):
            if text:
                yield f"{name}: {one_line(text)}"
    if found.pins:
        yield f"pinned: {'; '.join(map(one_line, found.pins))}"
    yield f"chosen: {choice.pipeline}, {_measured(found)}"


def _measured(found: Plan) -> str:
    one, best = found.choice, found.best
    if one.kept is None:
        cost = "nobody knows what" if one.dollars is None else f"about {dollars(one.dollars)}"
        return f"which asks a model: about {number(one.calls, 'call')} for {cost}; what it keeps was not measured"
    of = f"; the best of those measured, {best.pipeline}, keeps {best.kept:.3f}" if one.kept < (best.kept or 0) else ""
    return f"keeps {one.kept:.3f} of the facts in {one.tokens:,} tokens{of}"


def print_cost(adviser: Adviser, as_json: bool) -> None:
    """What asking would take."""
    spending = adviser.model.spending
    if as_json:
        write([(STDOUT, json_bytes({"schema": 1, "plan": {"model": adviser.name, "spending": spending}}))])
        return
    tell(at_most(spending, [adviser.name]))


def preset_toml(file: str, found: Plan, settled: Settings, name: str) -> str:
    """The choice as a preset with the bounds and pins that it was chosen for, and the reasons before it as comments."""
    from boildown.presets import Preset, toml

    choice = found.choice
    lines = [f"boildown plan for {title(file)}", *found.figures.lines(), *found.notes, *_reasons(found)]
    kept = (
        "not measured" if choice.kept is None else f"keeps {choice.kept:.3f} of the facts in {choice.tokens:,} tokens"
    )
    said = replace(
        settled,
        pipeline=choice.pipeline,
        pin=found.pin,
        pin_system=settled.pin_system if found.system is (settled.pin_system is not False) else found.system,
    )
    comments = "".join(f"# {one_line(line)}\n" for line in lines)
    return comments + toml(Preset(name, f"planned: {kept}", said, ""))


def write_plan(found: Plan, preset: str, output: str, adviser: Adviser | None, as_json: bool) -> None:
    """Write the preset, and the JSON, which takes its place on stdout."""
    outputs = [] if as_json and output == STDOUT else [(output, preset.encode())]
    if as_json:
        outputs.append((STDOUT, json_bytes(json_value(found, preset, adviser))))
    write(outputs)


def json_value(found: Plan, preset: str, adviser: Adviser | None) -> dict[str, object]:
    """What `--json` prints."""
    return {
        "schema": 1,
        "figures": found.figures,
        "alternatives": found.found,
        "choice": found.choice,
        "best_measured": found.best,
        "model": adviser.name if adviser else None,
        "proposal": found.proposal,
        "pins": found.pins,
        "notes": found.notes,
        "spending": adviser.model.spending if adviser else None,
        "preset": preset,
    }
