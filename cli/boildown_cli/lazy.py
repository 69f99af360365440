"""Commands that are imported when they are run, so that help imports none of them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

SETTINGS: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "add_completion": False,
    "context_settings": {"help_option_names": ["--help", "-h"]},
}


class Lazy(TyperCommand):
    """A command that only has its name and help until its arguments are to be read."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        return load(str(self.name)).make_context(*args, **extra)


def register(app: typer.Typer, name: str, summary: str) -> None:
    """List the command `name`, which is the function `name` in the module `commands.name`."""
    app.command(name, cls=Lazy, help=summary, short_help=summary)(_nothing)


def _nothing() -> None:
    """Stands in for a command's function until that is imported."""


def load(name: str) -> Any:
    """The real command, with its options."""
    function = getattr(import_module(f"boildown_cli.commands.{name}"), name)
    alone = typer.Typer(**SETTINGS)
    alone.command(name)(function)
    return get_command(alone)
