"""Many texts are cut at once, and each as it would be alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from boildown.text.pieces import Pieces, bare, mixed, words
from boildown.text.spans import groups, wide_words
from text.test_spans import TEXTS


def said(texts: list[str], found: Pieces) -> list[list[str]]:
    """The pieces of each text, cut out of it."""
    spans = list(zip(found.start.tolist(), found.end.tolist(), strict=True))
    ends = np.cumsum(found.many).tolist()
    bounds = zip(texts, [0, *ends], ends, strict=False)
    return [[text[a:b] for a, b in spans[first:last]] for text, first, last in bounds]


@given(st.lists(TEXTS, max_size=6))
def test_texts_cut_together_are_cut_as_each_alone(texts: list[str]) -> None:
    assert said(texts, words(texts)) == [said([text], words([text]))[0] for text in texts]


@given(st.lists(TEXTS, max_size=6), st.sampled_from([words, bare]))
def test_a_kind_says_what_the_piece_does(texts: list[str], cut) -> None:
    found = cut(texts)
    assert [found.types[k] for k in found.kind.tolist()] == [piece for held in said(texts, found) for piece in held]
    assert set(found.kind.tolist()) == set(range(len(found.types)))


@given(TEXTS)
@example('so "a b" c')
@example("so 'a b' c")
@example("so “a b” c")
@example("so `a b` c")
@example(r"so C:\My files\a.b c")
@example("il n'est pas c")
@example("not a b, 5 days c")
def test_no_protected_span_is_missed_where_the_words_alone_are_looked_at(text: str) -> None:
    cut = wide_words([text])
    if cut:
        spans = cut[0]
    else:
        spans, at = [], 0
        for word in text.split():
            at = text.index(word, at)
            spans.append((at, at := at + len(word)))
    joined = groups(text, [a for a, _ in spans], [text[a:b] for a, b in spans])
    inside = {i for first, last in joined for i in range(first + 1, last + 1)}
    last = dict(joined)
    expected = [text[a : spans[last.get(i, i)][1]] for i, (a, _) in enumerate(spans) if i not in inside]
    assert said([text], words([text])) == [expected]


def test_a_text_is_one_piece_without_its_blanks() -> None:
    texts = [" a b\n", "  ", "c"]
    assert said(texts, bare(texts)) == [["a b"], [], ["c"]]


@pytest.mark.parametrize("loose", [[True, False], [False, True], [False, False], [True, True]])
def test_of_mixed_texts_only_some_are_cut(loose: list[bool]) -> None:
    texts = ["a b", "c d"]
    expected = [text.split() if free else [text] for text, free in zip(texts, loose, strict=True)]
    assert said(texts, mixed(texts, loose, words)) == expected


def test_pieces_of_parts_are_pieces_of_the_whole() -> None:
    parts = [["old ", "red car", " "], ["bus"], []]
    texts = ["".join(held) for held in parts]
    found = words([part for held in parts for part in held]).within([list(map(len, held)) for held in parts])
    assert said(texts, found) == [["old", "red", "car"], ["bus"], []]
