"""`boildown plan`: which pipeline fits a conversation, by what was measured, and with a key by a model as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from boildown.summarizers.calls import MODEL
from boildown_cli import completion, models, options, planned

if TYPE_CHECKING:
    from boildown.planning.alternatives import Subject
    from boildown.planning.plan import Adviser, Plan
    from boildown.presets import Config
    from boildown.settings import Settings
    from boildown.transcript import Transcript

NAME = "plan"
"""What the preset is called"""


def plan(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file with the conversation, or - for stdin.")],
    budget: options.Budget = None,
    ratio: options.Ratio = None,
    window: options.Window = None,
    output: options.Output = "-",
    as_json: Annotated[bool, typer.Option("--json", help="Print all that was measured as JSON.")] = False,
    conversation: options.Conversation = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no model, also where there is a key.")] = False,
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="NAME",
            help="The model that is asked.",
            autocompletion=completion.models,
        ),
    ] = MODEL,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what asking costs at most, and ask nothing.")] = False,
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", min=0, metavar="DOLLARS", help="Do not ask where it could cost more.")
    ] = None,
    prices: Annotated[str, typer.Option("--prices", metavar="FILE", help="A TOML file with models' prices.")] = "",
    redact: Annotated[
        bool, typer.Option("--redact/--no-redact", help="Send placeholders for keys, tokens and passwords.")
    ] = True,
    read_as: options.ReadAs = None,
    tokenizer: options.TokenizerOrDefault = None,
    config: options.ConfigFile = None,
    no_config: options.NoConfig = False,
) -> None:
    """Say which pipeline fits a conversation, and write it for compress.

    The default, all presets and a few pipelines more are run on the conversation and measured as 'boildown evaluate'
    does. A table on stderr shows what each keeps; the one that keeps most is written as a preset.

    With ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL set, a model is asked once: it is sent figures, the table and excerpts
    of about 4,000 tokens, and names a pipeline, and phrases whose messages are to be pinned. That is measured like the
    others and taken unless it keeps less than 90 % of what the best one does; a pipeline that asks a model itself is
    not run, and taken with what it may cost. Where there is no usable answer, what was measured decides.

    \b
    boildown plan session.jsonl --budget 8000 -o plan.toml
    boildown compress session.jsonl --pipeline @plan.toml > small.jsonl
    boildown plan chat.json --ratio 10 --offline
    """
    from boildown.errors import UsageError
    from boildown.settings import Settings
    from boildown_cli.commands.tune import check_output

    if offline and (dry_run or max_cost is not None):
        raise UsageError("--dry-run and --max-cost are for asking a model, and --offline asks none. Leave one out.")
    known = options.config(config, no_config)
    settled = known.settle(Settings(budget=budget, ratio=ratio, window=window, tokenizer=tokenizer))
    check_output(output, NAME)
    of = _subject(file, read_as, conversation, settled, known)
    asking = not offline and (dry_run or models.reachable())
    adviser = (
        _adviser(model, models.Asking(model, dry_run, max_cost, redact=redact, prices=prices), of.case.transcript)
        if asking
        else None
    )
    found = _plan(of, known, adviser)
    if dry_run and adviser:
        planned.print_cost(adviser, as_json)
        return
    planned.print_plan(found, adviser, offline)
    planned.write_plan(found, planned.preset_toml(file, found, settled, NAME), output, adviser, as_json)


def _subject(path: str, read_as: str | None, n: int | None, settled: Settings, known: Config) -> Subject:
    """The conversation, and what is asked of every pipeline. Raises UsageError where nothing says how small."""
    from dataclasses import replace

    from boildown import registry
    from boildown.errors import UsageError
    from boildown.planning.alternatives import subject
    from boildown.tokens import Counter
    from boildown.tokens import tokenizer as load
    from boildown_cli.commands.compress import make_job
    from boildown_cli.files import conversations

    if settled.budget is None and settled.ratio is None and settled.window is None:
        raise UsageError("how small? Give --budget TOKENS, --ratio N or --window TOKENS, or set one in boildown.toml.")
    job = make_job(replace(settled, pipeline=None), read_as, None, False, None)
    format, found = conversations(path, read_as)
    chosen = _chosen(list(found), n, path)
    given = {"auto": models.levels(None, known)}
    if settled.scorer is not None:
        given |= {name: {"scorer": settled.scorer} for name in registry.SCORED}
    return subject(chosen, format.INFO, Counter(load(job.tokenizer), format.INFO.framing), job, given)


def _chosen(found: Sequence[Transcript], n: int | None, path: str) -> Transcript:
    """The conversation with the number `n`, or the only one that says anything."""
    from boildown.errors import InputError, UsageError
    from boildown_cli.files import title

    said = [t for t in found if t.messages]
    if not said:
        raise InputError(f"{title(path)}: there is no conversation in it. Name a file with messages.")
    if n is None and len(said) == 1:
        return said[0]
    if n is None or n > len(found) or not found[n - 1].messages:
        raise UsageError(
            f"{title(path)}: a plan is for one conversation. Say which with --conversation 1 to {len(found)}, "
            "and choose one with messages."
        )
    return found[n - 1]


def _adviser(name: str, asking: models.Asking, transcript: Transcript) -> Adviser:
    from boildown.planning.alternatives import Models
    from boildown.planning.plan import Adviser
    from boildown.stages.redact import Redact

    shown = transcript if asking.redact is False else Redact().together([transcript])[0]
    return Adviser(asking.made([name]), Models(name, asking.priced([name]).get(name)), shown)


def _plan(of: Subject, known: Config, adviser: Adviser | None) -> Plan:
    from boildown.planning.plan import plan
    from boildown_cli.terminal import status

    with status("reading", False) as show:
        return plan(of, _presets(known), adviser, show)


def _presets(known: Config) -> Mapping[str, str]:
    """The pipelines to measure, by what they are: the configuration's own, and those of all presets."""
    from boildown.presets import find, names

    own = {"boildown.toml": known.defaults.pipeline} if known.defaults.pipeline is not None else {}
    specs = {f"preset {name}": find(name, known).settings.pipeline for name in names(known)}
    return {**own, **{name: spec for name, spec in specs.items() if spec is not None}}
