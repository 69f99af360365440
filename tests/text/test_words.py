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
@example(["a\x1fb", "", "İn_Str", "日本 a", "\ud800x²"])
@example(["a\x1fb", "", "İn_Str", "\ud800x²"])
def test_words_are_numbered_all_at_once_as_text_by_text(texts: list[str]) -> None:
    ids: dict[str, int] = {}
    number, holder = numbered(texts, ids)
    one_by_one = [(n, word) for n, text in enumerate(texts) for word in WORD.findall(text.lower())]
    assert list(zip(holder.tolist(), map(list(ids).__getitem__, number.tolist()), strict=True)) == one_by_one


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
