"""What turns texts into vectors: a small model that a package carries, or a plug-in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from boildown.errors import UsageError

if TYPE_CHECKING:
    from boildown.arrays import Singles

ENTRY_POINTS = "boildown.embedders"
PACKED = "minilm"


class Embedder(Protocol):
    """A model of meaning. `name` tells its vectors from another's."""

    @property
    def name(self) -> str: ...

    def vectors(self, texts: Sequence[str]) -> Singles:
        """A row of length 1 for each text."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """An embedder by a callable: texts to as many vectors, each a sequence of numbers of one length."""

    name: str
    call: Callable[[Sequence[str]], Sequence[Sequence[float]]]

    def vectors(self, texts: Sequence[str]) -> Singles:
        import numpy as np

        made = np.asarray(self.call(texts), np.float32)
        if made.ndim != 2 or len(made) != len(texts) or not np.isfinite(made).all():
            raise UsageError(
                f"the embedder {self.name!r} gave no finite vector for each of {len(texts)} texts. "
                "Ask its maker to mend it."
            )
        lengths = np.linalg.norm(made, axis=1, keepdims=True)
        unit: Singles = made / np.maximum(lengths, np.finfo(np.float32).tiny)
        return unit


def load(name: str, threads: int = 0) -> Embedder:
    """The embedder `name`: a plug-in's, or the packed one, which takes `threads`, 0 for as many as there are cores.

    Raises UsageError where there is none.
    """
    plugins = {e.name: e for e in entry_points(group=ENTRY_POINTS)}
    if name in plugins:
        return Plugin(name, plugins[name].load())
    if name == PACKED:
        from boildown.memory.minilm import MiniLM

        return MiniLM(threads)
    have = ", ".join([PACKED, *plugins])
    raise UsageError(f"no embedder is called {name!r}. There is {have}; plug-ins are entry points in {ENTRY_POINTS}.")
