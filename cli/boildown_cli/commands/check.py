"""`boildown check`: limits on conversations, for CI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli import options

if TYPE_CHECKING:
    from boildown.checking.limits import Checks, Limits
    from boildown.checking.outcome import Outcome
    from boildown.presets import Config
    from boildown_cli.checked import Asked

Tokens = int | None
MaxTokens = Annotated[
    Tokens, typer.Option("--max-tokens", min=1, metavar="TOKENS", help="Tokens that a conversation may have.")
]
MaxMessage = Annotated[
    Tokens, typer.Option("--max-message-tokens", min=1, metavar="TOKENS", help="Tokens that a message may have.")
]
MaxFile = Annotated[
    Tokens, typer.Option("--max-file-tokens", min=1, metavar="TOKENS", help="Tokens that a file may have.")
]
MaxTotal = Annotated[
    Tokens,
    typer.Option("--max-total-tokens", min=1, metavar="TOKENS", help="Tokens that all files together may have."),
]
BaselineFile = Annotated[
    str | None,
    typer.Option("--baseline", metavar="FILE", help="The sizes that were accepted; no file may be larger than there."),
]
Update = Annotated[
    bool, typer.Option("--update-baseline", help="Accept the sizes as they are, and write them to --baseline.")
]
MaxGrowth = Annotated[
    str | None, typer.Option("--max-growth", metavar="SHARE", help="How much a file may grow over --baseline: 10%.")
]
MaxDuplicates = Annotated[
    str | None,
    typer.Option(
        "--max-duplicate-share", metavar="SHARE", help="Share of a conversation that may stand in it a second time."
    ),
]
MaxTool = Annotated[
    str | None,
    typer.Option("--max-tool-share", metavar="SHARE", help="Share of a conversation that may be output of tools."),
]
MaxBase64 = Annotated[
    Tokens,
    typer.Option(
        "--max-base64-tokens", min=0, metavar="TOKENS", help="Tokens of base64, inline images included, in each."
    ),
]
OriginalFile = Annotated[
    str | None,
    typer.Option(
        "--original", metavar="PATH", help="What the file was made of, or a directory with files of the same names."
    ),
]
MinRetention = Annotated[
    str | None,
    typer.Option(
        "--min-retention", metavar="SHARE", help="Share of --original's facts that must survive, as in evaluate."
    ),
]
Secrets = Annotated[
    bool | None,
    typer.Option("--fail-on-secret/--no-fail-on-secret", help="Find keys, tokens and passwords; none is shown."),
]
Valid = Annotated[
    bool | None, typer.Option("--valid/--no-valid", help="Find what the consumer would refuse, as validate does.")
]
Github = Annotated[bool, typer.Option("--github", help="Print annotations for GitHub Actions instead of a table.")]
Sarif = Annotated[str | None, typer.Option("--sarif", metavar="FILE", help="Write SARIF 2.1.0; - is stdout.")]
Junit = Annotated[str | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report; - is stdout.")]
Json = Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write all figures as JSON; - is stdout.")]


def check(
    files: options.Files,
    max_tokens: MaxTokens = None,
    max_message_tokens: MaxMessage = None,
    max_file_tokens: MaxFile = None,
    max_total_tokens: MaxTotal = None,
    baseline: BaselineFile = None,
    update_baseline: Update = False,
    max_growth: MaxGrowth = None,
    max_duplicate_share: MaxDuplicates = None,
    max_tool_share: MaxTool = None,
    max_base64_tokens: MaxBase64 = None,
    original: OriginalFile = None,
    min_retention: MinRetention = None,
    fail_on_secret: Secrets = None,
    valid: Valid = None,
    github: Github = False,
    sarif: Sarif = None,
    junit: Junit = None,
    json: Json = None,
    read_as: options.ReadAs = None,
    tokenizer: options.MeasureOrDefault = None,
    config: options.ConfigFile = None,
    no_config: options.NoConfig = False,
) -> None:
    """Hold conversations to limits: size, growth, waste, what survives, secrets, validity.

    Prints what is found, failures first. Exit code 1 where a limit is broken, 2 where a file could not be looked at.
    A file in a directory that is in no format is skipped. Shares are written as 10% or 0.1. Limits may stand under
    [check] in boildown.toml, too, and for some files under [[check.overrides]] with paths = ["archive/**"]. Options win
    over both, for all files.

    \b
    boildown check transcripts/ --max-tokens 32000 --fail-on-secret --valid
    boildown check transcripts/ --baseline boildown-baseline.json --max-growth 10% --github
    boildown check small/ --original transcripts/ --min-retention 0.8 --sarif check.sarif --junit check.xml
    """
    limits = {name: value for name, value in locals().items() if name in LIMITS}
    outputs = {"--sarif": sarif, "--junit": junit, "--json": json}
    _check_outputs({name: path for name, path in outputs.items() if path is not None}, github)
    places = {"baseline": baseline, "original": original}
    asked = _asked(limits, places, update_baseline, read_as, tokenizer, options.config(config, no_config))
    _run(files, asked, github, outputs)


LIMITS = (
    "max_tokens", "max_message_tokens", "max_file_tokens", "max_total_tokens", "max_growth", "max_duplicate_share",
    "max_tool_share", "max_base64_tokens", "min_retention", "fail_on_secret", "valid",
)  # fmt: skip


def _check_outputs(outputs: Mapping[str, str], github: bool) -> None:
    """Raise UsageError where two outputs would go to stdout, or one cannot be written."""
    from boildown.errors import UsageError
    from boildown_cli.files import STDOUT, check_target

    to_stdout = [name for name, path in outputs.items() if path == STDOUT] + ["--github"] * github
    if len(to_stdout) > 1:
        raise UsageError(f"{' and '.join(to_stdout)} all go to stdout. Name files for all but one.")
    for name, path in outputs.items():
        check_target(path, name)


def _asked(
    limits: Mapping[str, object],
    places: Mapping[str, str | None],
    update: bool,
    read_as: str | None,
    tokenizer: str | None,
    config: Config,
) -> Asked:
    from boildown.checking.limits import Checks, checks, flagged
    from boildown.errors import UsageError
    from boildown_cli import checked
    from boildown_cli.files import check_target

    said: Checks = checks(config) if config.check else Checks()
    flags: Limits = flagged(limits)
    asked = checked.Asked(
        flags,
        said,
        tokenizer or config.defaults.tokenizer or options.TOKENIZER,
        read_as,
        places["baseline"] or said.baseline,
        update,
        places["original"] or said.original,
    )
    if update and asked.baseline is None:
        raise UsageError("--update-baseline has nothing to write to. Give --baseline boildown-baseline.json, too.")
    if update and asked.baseline is not None:
        check_target(asked.baseline, "--baseline")
    checked.check(asked)
    return asked


def _run(files: list[str], asked: Asked, github: bool, outputs: Mapping[str, str | None]) -> None:
    from boildown_cli import annotations, checked
    from boildown_cli.files import STDOUT, walked, write
    from boildown_cli.render import note_lines
    from boildown_cli.terminal import say, status, tell

    with status("checking", quiet=False) as shown:
        looked = checked.outcome(walked(files), asked, shown)
    found, baseline = checked.grown(looked, asked)
    written = [(path, _bytes(name, found, asked)) for name, path in outputs.items() if path is not None]
    if baseline is not None and asked.baseline is not None:
        written.append((asked.baseline, baseline))
    write(written)
    if github:
        for line in annotations.commands(found.findings):
            tell(line)
    elif STDOUT not in outputs.values():
        checked.print_table(found.findings)
    for text in note_lines([note for one in found.looked for note in one.notes]):
        say(text)
    checked.print_summary(found)
    if found.code:
        raise typer.Exit(found.code)


def _bytes(name: str, found: Outcome, asked: Asked) -> bytes:
    from boildown_cli import checked, junit, sarif
    from boildown_cli.render import json_bytes

    if name == "--junit":
        return junit.report(found)
    return json_bytes(sarif.log(found) if name == "--sarif" else checked.json_value(found, asked.tokenizer))
