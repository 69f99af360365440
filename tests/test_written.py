"""A text is written with only some of its pieces, so that it reads as one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from boildown.stages.prune import Prune
from boildown.table import table
from boildown.text.pieces import words
from boildown.transcript import Message, Text
from boildown.written import Writing
from strategies import WORDS, chat, context

WRITTEN = {
    "neighbours stay as they stood": ("One  red, big car", "One red,", "One  red…"),
    "a blank stands between others": ("The old red car drove", "The red drove", "The red drove"),
    "a line break stays one": ("Buy milk\nand eggs", "Buy eggs", "Buy\neggs"),
    "a sentence gets its mark back": ("I went home. You came late.", "I You late.", "I. You late."),
    "its mark takes a comma's place": ("Yes, I did! You came late.", "Yes, You late.", "Yes! You late."),
    "but not the place of a mark": ("Really? I did. You came.", "Really? You came.", "Really? You came."),
    "nor of what ends code": ("Run `x` at once. You wait.", "Run `x` You wait.", "Run `x` You wait."),
    "a full stop inside a number is none": ("It has 3.5 old cars.", "It cars.", "It cars."),
    "at the end the mark comes back": ("They came, all of them.", "They came,", "They came."),
    "or a sign that more followed": ("They came, all of them", "They came,", "They came…"),
    "a closing quote is no mark": ('He said "go." She left.', "He She left.", "He. She left."),
    "no blank stands between ideographs": ("私は昨日東京へ行った。", "私は 行った。", "私は行った。"),
}


@pytest.mark.parametrize(("text", "kept", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_what_is_kept_is_written_as_one_text(text: str, kept: str, expected: str) -> None:
    found = table([Message("m1", "user", (Text(text),))], words)
    chosen = np.array([found.types[k] in kept.split() for k in found.kind.tolist()], bool)
    assert Writing(found).write(chosen, np.array([0])) == [expected]


def test_texts_are_written_together_as_each_alone() -> None:
    texts = [text for text, _, _ in WRITTEN.values()]
    found = table([Message(f"m{n}", "user", (Text(text),)) for n, text in enumerate(texts)], words)
    places = np.arange(len(texts))
    for step in (2, 3, 5):
        chosen = np.arange(len(found.kind)) % step == 0
        held = places[np.bincount(found.place[chosen], minlength=len(texts)) > 0]
        alone = [Writing(found).write(chosen, np.array([n]))[0] for n in held]
        assert Writing(found).write(chosen, held) == alone


def test_a_stage_applied_anew_in_another_room_says_what_it_would_have_said_at_first() -> None:
    given = chat(*(("user", " ".join(WORDS[n % 7 : 30 + n % 5]) + ".") for n in range(20)))
    shared = context(0)
    for target in (200, 400, 100, 300):
        anew = Prune()(given, replace(shared, target=target))
        assert anew == Prune()(given, context(target))
