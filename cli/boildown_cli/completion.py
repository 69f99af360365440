"""What a shell is offered for an option's value. Nothing here reads a conversation, and little is imported."""

from __future__ import annotations

from pathlib import Path


def stages(incomplete: str) -> list[str]:
    """A pipeline with each stage that its last name may become."""
    from boildown.registry import names

    done, comma, _ = incomplete.rpartition(",")
    return [f"{done}{comma}{name}" for name in names()]


def presets(incomplete: str) -> list[str]:
    from boildown.errors import BoildownError
    from boildown.presets import Config, names, search

    try:
        return list(names(search(Path.cwd())))
    except BoildownError:
        return list(names(Config()))


def formats(incomplete: str) -> list[str]:
    from boildown.formats import FORMATS

    return list(FORMATS)


def models(incomplete: str) -> list[str]:
    from boildown.prices import models

    return models()


def tokenizers(incomplete: str) -> list[str]:
    return ["o200k_base", "cl100k_base"]


def measures(incomplete: str) -> list[str]:
    return [*tokenizers(incomplete), "anthropic"]


def agents(incomplete: str) -> list[str]:
    from boildown_cli.commands.hook import AGENTS

    return list(AGENTS)
