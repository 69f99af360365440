"""What scores words, by name: the packed scorer, none, a scorer's file, or a plug-in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, cast

from boildown.errors import UsageError
from boildown.scoring.scorer import Scorer, read, shipped
from boildown.table import Table
from boildown.transcript import Message

if TYPE_CHECKING:
    from boildown.arrays import Floats

PLUGINS = "boildown.word_scorers"
LEARNED = "learned"
NONE = "none"
HELP = "what words are worth: learned, none (statistics alone), a file from 'boildown train', or a plug-in's name"


class WordScorer(Protocol):
    """A plug-in: what each piece of a table is worth, a finite number of at least 0 each.

    `costs` are the pieces' tokens, `framing` those each message costs besides its text.
    """

    def __call__(self, found: Table, messages: Sequence[Message], costs: Floats, framing: Floats, /) -> Floats: ...


def chosen(name: str) -> Scorer | WordScorer | None:
    """What scores words. Raises UsageError for a file that is no scorer's, and for a name that nobody has."""
    if name == LEARNED:
        return shipped()
    if name == NONE:
        return None
    return read(name) if name.endswith(".json") else _plugin(name)


@cache
def _plugin(name: str) -> WordScorer:
    plugins = {e.name: e.value for e in entry_points(group=PLUGINS)}
    if name not in plugins:
        have = f" Installed are: {', '.join(sorted(plugins))}." if plugins else ""
        raise UsageError(f"scorer {name!r} is neither learned, none, a .json file nor an installed plug-in.{have}")
    module, _, attribute = plugins[name].partition(":")
    try:
        return cast(WordScorer, getattr(import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise UsageError(f"scorer {name!r} cannot be loaded: {error}. Is its package whole?") from None


def scored(scorer: WordScorer, found: Table, messages: Sequence[Message], costs: Floats, framing: Floats) -> Floats:
    """What a plug-in says. Raises UsageError where that is not a number of at least 0 for each piece."""
    import numpy as np

    name = getattr(scorer, "__name__", type(scorer).__name__)
    try:
        worths = np.asarray(scorer(found, messages, costs, framing), float)
    except Exception as error:  # Somebody else's code, which may raise anything.
        raise UsageError(f"scorer {name!r} failed: {type(error).__name__}: {error}. Mend or leave it out.") from error
    if worths.shape != found.kind.shape or not np.isfinite(worths).all() or (worths < 0).any():
        raise UsageError(f"scorer {name!r} has to give {len(found.kind)} finite numbers of at least 0, one a piece.")
    return worths
