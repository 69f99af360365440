"""Words and what they hold, read all at once: the same as one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from boildown.text.spans import marks
from boildown.text.words import WORD, Joined, lone, numbered

TEXTS = st.lists(st.text("aB9²é!\"'`n ’t.日", min_size=1, max_size=6), max_size=6)


@given(TEXTS)
def test_digits_are_found_in_every_script(texts: list[str]) -> None:
    assert Joined(texts).digits().tolist() == [any(map(str.isdigit, text)) for text in texts]


@given(TEXTS)
@example(["(A)", "a b", "don't", "é", "x9", "..."])
def test_a_lone_word_is_numbered_as_any_other(texts: list[str]) -> None:
    ids: dict[str, int] = {}
    number, holder = lone(texts, ids)
    for n, word in zip(holder.tolist(), number.tolist(), strict=True):
        assert WORD.findall(texts[n].lower()) == [list(ids)[word]]
    assert numbered([texts[n] for n in holder.tolist()], ids)[0].tolist() == number.tolist()


@given(TEXTS)
@example(["n'est", 'a"', "`", "not"])
def test_what_words_give_away_does_not_depend_on_those_beside(words: list[str]) -> None:
    alone = [int(marks([word])[0]) for word in words]
    assert np.array_equal(marks(words), alone)
