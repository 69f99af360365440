"""What the commands' options are called and say, and those whose text has to be understood."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from boildown.errors import UsageError
from boildown_cli import completion

if TYPE_CHECKING:
    from boildown.presets import Config

File = Annotated[str, typer.Argument(metavar="FILE", help="The file to compress, or - for stdin.")]
Small = Annotated[str, typer.Argument(metavar="FILE", help="The compressed file, or - for stdin.")]
Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help="Files, directories (their *.json, *.jsonl, *.traj, at any depth; no text or Markdown), or - for stdin.",
    ),
]
Budget = Annotated[
    int | None,
    typer.Option("--budget", "-b", min=1, metavar="TOKENS", help="Tokens that each conversation may take."),
]
Ratio = Annotated[
    float | None,
    typer.Option("--ratio", "-r", min=1, metavar="N", help="Input tokens / output tokens, for each conversation."),
]
Window = Annotated[
    int | None,
    typer.Option("--window", min=1, metavar="TOKENS", help="A model's context window; 70 % of it are used."),
]
Pipeline = Annotated[
    str | None,
    typer.Option(
        "--pipeline",
        "-p",
        metavar="STAGES",
        help="Stages, in order; 'boildown stages' lists them. @FILE.toml: its own.",
        autocompletion=completion.stages,
    ),
]
PresetName = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help="Settings by name; 'boildown presets' lists them.",
        autocompletion=completion.presets,
    ),
]
ConfigFile = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="Defaults and presets; otherwise the nearest boildown.toml."),
]
NoConfig = Annotated[bool, typer.Option("--no-config", help="Read no boildown.toml and no pyproject.toml.")]
KeepRecent = Annotated[
    int | None, typer.Option("--keep-recent", min=0, metavar="N", help="Leave the last N messages as they are.")
]
KeepFirst = Annotated[
    int | None, typer.Option("--keep-first", min=0, metavar="N", help="Leave the first N messages as they are.")
]
Pin = Annotated[
    str | None, typer.Option("--pin", metavar="REGEX", help="Leave messages that this is found in as they are.")
]
PinSystem = Annotated[
    bool | None, typer.Option("--pin-system/--no-pin-system", help="Leave system messages as they are.")
]
ReadAs = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="The input's format, if it is not to be found out by looking.",
        autocompletion=completion.formats,
    ),
]
WriteAs = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="FORMAT",
        help="The output's format; otherwise the input's.",
        autocompletion=completion.formats,
    ),
]
Output = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is stdout.")]
ReportFile = Annotated[
    str | None,
    typer.Option("--report", metavar="FILE", help="Write an account of every message: .json, .csv or .md."),
]
ArchiveFolder = Annotated[
    str | None,
    typer.Option("--archive", metavar="DIR", help="The directory where sources are kept, so that they can come back."),
]
MemoryFolder = Annotated[
    str,
    typer.Option(
        "--archive",
        metavar="DIR",
        help="The directory of the archived messages, lance:DIR or s3://BUCKET/NAME.",
        show_default=False,
    ),
]


def name_of_text(parameter: typer.CallbackParam, value: str | None) -> str | None:
    """The name of a user or a session. Raises UsageError for bytes that are no UTF-8.

    An archive keeps names as UTF-8, so that one such name would be taken for another.
    """
    try:
        (value or "").encode()
    except UnicodeEncodeError:
        raise UsageError(f"--{parameter.name}: this name is no UTF-8 text. Give another, in UTF-8.") from None
    return value


SessionName = Annotated[
    str | None,
    typer.Option("--session", metavar="SESSION", callback=name_of_text, help="The session's name."),
]
UserName = Annotated[
    str,
    typer.Option("--user", metavar="USER", callback=name_of_text, help="Whose messages.", show_default=False),
]
EmbedderName = Annotated[
    str | None,
    typer.Option(
        "--embed", metavar="NAME", help="Go by meaning, too: 'minilm' (boildown[embed]), or a plug-in's name."
    ),
]
Prices = Annotated[
    str | None,
    typer.Option("--prices", metavar="FILE", help="A TOML file with models' prices, for 'cache' and for calls."),
]
Scorer = Annotated[
    str | None,
    typer.Option(
        "--scorer",
        metavar="SCORER",
        help="What scores words in prune and extractive: learned, none, a file from 'boildown train', a plug-in.",
    ),
]
Conversation = Annotated[
    int | None, typer.Option("--conversation", min=1, metavar="N", help="Which conversation of a file with several.")
]
SourceHash = Annotated[
    str, typer.Option("--source", metavar="HASH", help="Which source, where several became the same output.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse input that is not all sound, and spans that no model would sum up.")
]
_COUNTED_BY = typer.Option(
    "--tokenizer",
    metavar="NAME",
    help="What counts tokens: o200k_base or cl100k_base.",
    autocompletion=completion.tokenizers,
)
TokenizerName = Annotated[str, _COUNTED_BY]
TokenizerOrDefault = Annotated[str | None, _COUNTED_BY]
TOKENIZER = "o200k_base"
_MEASURED_BY = typer.Option(
    "--tokenizer",
    metavar="NAME",
    help="What counts tokens: o200k_base, cl100k_base, or anthropic[:MODEL], which asks it where there is a key.",
    autocompletion=completion.measures,
)
MeasureName = Annotated[str, _MEASURED_BY]
MeasureOrDefault = Annotated[str | None, _MEASURED_BY]


def pattern(text: str | None) -> re.Pattern[str] | None:
    """A regular expression from the command line. Raises UsageError with the place where it is wrong."""
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        place = f" at position {error.pos}" if error.pos is not None else ""
        raise UsageError(f"--pin {text!r} is no regular expression: {error.msg}{place}.") from None


def asked(paths: Sequence[str], questions: Sequence[str]) -> list[tuple[str, str | None]]:
    """The files that `paths` name, each with the file of its questions, if there are any.

    Raises UsageError where --questions was not given once for each.
    """
    from boildown_cli.files import expand
    from boildown_cli.terminal import number

    found = list(expand(paths))
    if questions and len(questions) != len(found):
        raise UsageError(
            f"--questions was given {number(len(questions), 'time')} for {number(len(found), 'file')}. "
            "Give it once for each file, in their order."
        )
    given: Sequence[str | None] = questions or [None] * len(found)
    return list(zip(found, given, strict=True))


def config(path: str | None, none: bool = False) -> Config:
    """The configuration that --config and --no-config ask for, or else the nearest one."""
    from pathlib import Path

    from boildown.presets import Config, read, search

    if none and path is not None:
        raise UsageError("--config and --no-config were both given. Leave one out.")
    if path is not None:
        return read(path)
    return Config() if none else search(Path.cwd())
