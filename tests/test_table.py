"""Tables: one that is taken from a larger one says what one says that is made anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from boildown.selection import shrink
from boildown.table import Table, part, table
from boildown.text.pieces import Cutter, Pieces, bare, words
from boildown.transcript import Message, Text, Thinking, Transcript
from stages.agent import session
from strategies import context

SAID = "Mill one turns 3 km away. It does not stop.\n\n```\n" + "wheel = 1\n" * 300 + "```"
MESSAGES = session(SAID, ("Bash", {"command": "make"}, "a | b\n- | -\n1 | 2"), "It does not stop.", SAID).messages
THINKING = Message("t", "assistant", (Thinking("It does not stop."),))


def columns(found: Table) -> list[object]:
    kept = (found.place, found.messages, found.start, found.end, found.unit, found.wordy)
    said = [found.types[n] for n in found.kind.tolist()]
    return [*(column.tolist() for column in kept), said, found.places, found.texts, found.frames]


@pytest.mark.parametrize("cut", [words, bare], ids=["words", "whole"])
@pytest.mark.parametrize("chosen", [slice(None), slice(1, 3), slice(2, None), slice(None, None, -1)])
def test_a_part_of_a_table_is_the_table_of_that_part(cut: Cutter, chosen: slice) -> None:
    found = part(table(MESSAGES, cut), MESSAGES[chosen])
    assert found is not None
    assert columns(found) == columns(table(MESSAGES[chosen], cut))
    assert not np.any(np.bincount(found.kind, minlength=len(found.types)) == 0)


def test_there_is_no_part_for_what_a_table_lacks_or_for_nothing() -> None:
    whole = table(MESSAGES, words)
    assert part(whole, [Message("n", "user", (Text("Something new."),))]) is None
    assert part(whole, [THINKING]) is None
    assert part(whole, []) is None
    assert part(table([*MESSAGES, THINKING], words), [THINKING]) is not None


def test_texts_that_were_cut_before_are_not_cut_anew() -> None:
    asked = list[str]()

    def cut(texts: Sequence[str]) -> Pieces:
        asked.extend(texts)
        return words(texts)

    held, rest = context(100), Transcript(MESSAGES[1:])
    shrink(Transcript(MESSAGES), held, cut, 60)
    assert asked
    asked.clear()
    again = shrink(rest, held, cut, 40)
    assert (again, asked) == (shrink(rest, context(100), words, 40), [])
