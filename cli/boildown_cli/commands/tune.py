"""`boildown tune`: the pipeline and the ratio that make one's own files smallest and keep what is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli import models, options, tuned

if TYPE_CHECKING:
    from boildown.measure.bench import Case, Trial
    from boildown.measure.tuning import Tuned
    from boildown.presets import Config
    from boildown.settings import Settings


def tune(
    files: options.Files,
    min_retention: Annotated[
        float, typer.Option("--min-retention", min=0, max=1, metavar="SHARE", help="What is to survive, 0 to 1.")
    ],
    questions: Annotated[
        list[str] | None,
        typer.Option("--questions", metavar="FILE", help="Questions whose answers count, one such option a FILE."),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write the preset; - is stdout.")
    ] = "-",
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the preset is called.")] = "tuned",
    as_json: Annotated[bool, typer.Option("--json", help="Print all that was measured as JSON.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw the front in the terminal, too.")] = False,
    svg: Annotated[str | None, typer.Option("--svg", metavar="FILE", help="Draw it into this SVG file.")] = None,
    keep_recent: options.KeepRecent = None,
    keep_first: options.KeepFirst = None,
    pin: options.Pin = None,
    pin_system: options.PinSystem = None,
    read_as: options.ReadAs = None,
    tokenizer: options.TokenizerOrDefault = None,
    quiet: options.Quiet = False,
    config: options.ConfigFile = None,
    no_config: options.NoConfig = False,
) -> None:
    """Find the pipeline and the ratio that make your files smallest and keep what you ask for.

    Pipelines, your presets' among them, are tried on the files and measured as 'boildown evaluate' does; the best one
    is written as a preset, with its ratio. A table on stderr shows what others keep in how many tokens. Of four files
    or more (else: of four conversations), every fourth is left out, and tells what the preset keeps of others.

    \b
    boildown tune chats/*.jsonl --min-retention 0.9 -o mine.toml
    boildown compress chat.jsonl --pipeline @mine.toml
    boildown tune session.jsonl --min-retention 0.95 --name sessions >> boildown.toml
    """
    from boildown.settings import Settings

    flags = Settings(
        keep_first=keep_first, keep_recent=keep_recent, pin=pin, pin_system=pin_system, tokenizer=tokenizer
    )
    check_output(output, name)
    if plot or svg is not None:
        _check_plot(svg)
    known = options.config(config, no_config)
    settled = known.settle(flags)
    cases = _cases(files, questions or [], read_as, settled.tokenizer or options.TOKENIZER)
    found = _tuned(cases, min_retention, known, settled, quiet)
    if not found.trials:
        raise tuned.unmet(found)
    if not quiet:
        tuned.print_front(found)
    if plot:
        from boildown_cli.plots import print_chart

        print_chart(tuned.chart(found), sys.stderr)
    _write(found, settled, name, (output, svg), as_json)


def check_output(path: str, name: str) -> None:
    """Raise UsageError where `path` cannot be written, or holds something else than this preset: it would be lost."""
    from boildown.errors import UsageError
    from boildown.presets import NAMES, read
    from boildown_cli.files import STDOUT, check_target

    check_target(path, "--output")
    if path == STDOUT or not os.path.isfile(path):
        return
    try:
        file = None if os.path.basename(path) == NAMES[1] else read(path)
    except UsageError:
        file = None
    if file is None or file.preset or file.defaults.said() or not file.tables.keys() <= {name}:
        raise UsageError(
            f"--output {path}: the file holds more than the preset {name!r}, which would be lost. "
            f"Name another, or leave -o out and append: >> {path}"
        )


def _check_plot(svg: str | None) -> None:
    from boildown_cli.files import check_target
    from boildown_cli.plots import check

    if svg is not None:
        check_target(svg, "--svg")
    check(svg)


def _cases(paths: Sequence[str], questions: Sequence[str], read_as: str | None, tokenizer: str) -> list[Case]:
    asked = options.asked(paths, questions)
    return [one for path, ask in asked for one in _of_file(path, ask, read_as, tokenizer)]


def _of_file(path: str, questions: str | None, read_as: str | None, tokenizer: str) -> list[Case]:
    """The conversations of a file that say anything."""
    from boildown.errors import InputError
    from boildown.measure.bench import case
    from boildown.measure.questions import read as ask
    from boildown.tokens import Counter
    from boildown.tokens import tokenizer as load
    from boildown_cli.files import conversations, title

    file = title(path)
    format, found = conversations(path, read_as)
    counter = Counter(load(tokenizer), format.INFO.framing)
    asked = ask(questions) if questions else []
    said = [t for t in found if t.messages]
    if not said:
        raise InputError(f"{file}: there is no conversation in it. Leave the file out.")
    if asked and len(said) > 1:
        raise InputError(f"{file}: questions are on one conversation, and it has {len(said)}. Split the file.")
    names = [f"{file}, conversation {n}" if len(said) > 1 else file for n in range(1, len(said) + 1)]
    return [case(name, file, t, format.INFO, counter, asked) for name, t in zip(names, said, strict=True)]


def _tuned(cases: Sequence[Case], least: float, known: Config, settled: Settings, quiet: bool) -> Tuned:
    """What the search finds. Where it is interrupted, tells what it has found so far, and raises KeyboardInterrupt."""
    from boildown.measure.tuning import Tuned, best, split, tune
    from boildown.pipeline import Pins
    from boildown_cli.terminal import number, status

    pins = Pins(
        settled.pin_system is not False,
        settled.keep_first or 0,
        settled.keep_recent or 0,
        options.pattern(settled.pin),
    )
    trials: list[Trial] = []
    with status("reading", quiet) as show:

        def watch(what: str, trial: Trial | None) -> None:
            if trial:
                trials.append(trial)
            top = best(trials, least)
            so_far = f"; best so far {top.ratio:g}x by {top.pipeline}" if top else ""
            if show:
                show(f"{what}{so_far}")

        try:
            return tune(cases, least, _pipelines(known), pins, watch, {"auto": models.levels(None, known)})
        except KeyboardInterrupt:
            stopped = Tuned(least, best(trials, least), tuple(trials), split(cases))
    if trials and not quiet:
        tuned.print_front(stopped)
    raise KeyboardInterrupt(f"interrupted after {number(len(trials), 'measurement')}; nothing was written")


def _pipelines(known: Config) -> Iterable[str]:
    """The pipelines of all presets that ask no model, the user's first: a search would have it asked without end."""
    from boildown import registry
    from boildown.presets import find, names

    specs = [find(name, known).settings.pipeline for name in (*known.tables, *names(known))]
    said = [spec for spec in (known.defaults.pipeline, *specs) if spec is not None]
    return [spec for spec in said if not registry.models(registry.parse(spec))]


def _write(found: Tuned, settled: Settings, name: str, paths: tuple[str, str | None], as_json: bool) -> None:
    """Write the preset and the chart to `paths`, and the JSON. Raises NotMetError where there is no winner."""
    from boildown_cli.files import STDOUT, write
    from boildown_cli.plots import svg
    from boildown_cli.render import json_bytes

    output, chart = paths
    preset = tuned.preset_toml(found, settled, name)
    outputs = [(output, preset.encode())] if preset and not (as_json and output == STDOUT) else []
    if chart is not None:
        outputs.append((chart, svg(tuned.chart(found))))
    if as_json:
        outputs.append((STDOUT, json_bytes(tuned.json_value(found, preset))))
    write(outputs)
    if found.winner is None:
        raise tuned.unmet(found)
