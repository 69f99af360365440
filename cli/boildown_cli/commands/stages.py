"""`boildown stages`: what a pipeline can be made of."""

from __future__ import annotations

from typing import Annotated

import typer

from boildown_cli import completion


def stages(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STAGE]",
            help="Only these stages.",
            autocompletion=completion.stages,
        ),
    ] = None,
) -> None:
    """List the stages that a pipeline can have, with their options.

    \b
    boildown stages
    boildown stages prune
    """
    from boildown import registry
    from boildown_cli.terminal import tell

    for name in names or registry.names():
        tell(_describe(name))
    if not names:
        tell(f"Without --pipeline, the stages are {registry.DEFAULT}. The last step always fills the budget exactly.")


def _describe(name: str) -> str:
    """A stage's summary, options and an example."""
    from boildown import registry

    try:
        options = registry.options(name)
        lines = [f"{name}: {registry.summary(name)}"]
    except (ImportError, AttributeError) as error:
        return f"{name}: cannot be loaded: {error}\n"
    width = max((len(_option(o)) for o in options), default=0)
    lines += [f"    {_option(o):{width}}  {o.help}".rstrip() for o in options]
    if name in registry.ASKING:
        lines.append("    asks a model: 'boildown compress --dry-run' says what that costs")
    setting = f":{options[0].name}={options[0].default}" if options else ""
    archive = " --archive memory" if name in registry.KEEPING else ""
    lines.append(f"  boildown compress chat.jsonl --ratio 3 --pipeline '{name}{setting}'{archive}")
    return "\n".join(lines) + "\n"


def _option(option: object) -> str:
    from boildown.registry import Option

    assert isinstance(option, Option)
    return f"{option.name}={option.default} ({option.type.__name__})"
