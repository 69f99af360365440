"""`boildown presets`: settings by name, and one of them as TOML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli import completion, options

if TYPE_CHECKING:
    from boildown.presets import Preset


def presets(
    show: Annotated[
        str | None,
        typer.Option(
            "--show",
            metavar="NAME",
            help="Print this preset as a table for boildown.toml.",
            autocompletion=completion.presets,
        ),
    ] = None,
    config: options.ConfigFile = None,
    no_config: options.NoConfig = False,
) -> None:
    """List the presets, or print one to copy and change.

    \b
    boildown presets
    boildown presets --show code >> boildown.toml
    """
    from boildown.presets import find, names, toml
    from boildown_cli.terminal import tell

    known = options.config(config, no_config)
    if show is not None:
        tell(toml(find(show, known)).rstrip("\n"))
        return
    for name in names(known):
        tell(_describe(find(name, known)))
    tell("'boildown compress FILE --preset NAME' uses one; --budget, --ratio and other options win over it.")


def _describe(preset: Preset) -> str:
    """A preset's summary, what it says, whether it asks a model, and the file that it is from."""
    from boildown import registry

    stages = registry.parse(preset.settings.pipeline) if preset.settings.pipeline else []
    asks = "\n    asks a model: 'boildown compress --dry-run' says what that costs" if registry.models(stages) else ""
    said = "  ".join(f"{key.replace('_', '-')}={value}" for key, value in preset.settings.said().items())
    return f"{preset.name}: {preset.summary}\n    {said}{asks}\n    from {preset.where}\n"
