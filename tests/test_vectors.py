"""Vectors: whose they are, and what latent semantic analysis makes of texts that it knows and of others."""

from __future__ import annotations

import numpy as np
import pytest

from boildown import vectors
from boildown.errors import UsageError
from boildown.memory import embedders
from boildown.vectors import TOPICS, Lsa, chosen, embedder

TEXTS = ["the ship left the harbour", "a ship in a harbour", "bread with butter", "the and of"]


def test_a_row_is_of_length_one_or_of_zeros_where_no_word_is_known() -> None:
    rows = Lsa(TEXTS, 0).vectors([*TEXTS, "quantum chromodynamics"])
    assert np.linalg.norm(rows, axis=1).round(5).tolist() == [1, 1, 1, 0, 0]
    assert rows[0] @ rows[1] > 0.5 > rows[0] @ rows[2]


@pytest.mark.parametrize("texts", [[], [""], ["the and of", "!!!"]])
def test_texts_without_a_word_that_says_anything_have_zeros(texts: list[str]) -> None:
    assert not Lsa(texts, 0).vectors([*texts, "ship"]).any()


def test_many_texts_are_reduced_to_their_topics_the_same_way_each_time() -> None:
    texts = [f"word{n} word{n * 7 % 150} word{n * 13 % 150} ship" for n in range(150)]
    rows = Lsa(texts, 0).vectors(texts)
    assert rows.shape == (150, TOPICS)
    assert rows.tobytes() == Lsa(texts, 0).vectors(texts).tobytes()


def test_without_a_model_it_is_latent_semantic_analysis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "find_spec", lambda name: None)
    assert (chosen("auto"), embedder("auto", TEXTS, 0).name) == ("lsa", "lsa")
    monkeypatch.setattr(vectors, "find_spec", lambda name: name)
    assert chosen("auto") == "minilm"


def test_an_embedder_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"no embedder is called 'bert'. There is minilm"):
        embedder("bert", TEXTS, 0)


def test_a_plug_in_serves_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ours:
        name = "lengths"

        def load(self) -> object:
            return lambda texts: [[len(text), 1.0] for text in texts]

    monkeypatch.setattr(embedders, "entry_points", lambda group: [Ours()])
    assert np.linalg.norm(embedder("lengths", TEXTS, 0).vectors(TEXTS), axis=1).round(5).tolist() == [1] * 4
