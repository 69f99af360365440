"""Pieces of messages, and finding them by a question."""

from __future__ import annotations

import pytest

from boildown.context.retrieval import LONG, Index, pieces
from boildown.memory.messages import Kept, Said
from boildown.transcript import Message, Text
from strategies import chat

PROSE = "The harbour was quiet that night. Nobody had seen the boats leave. " * 30
CODE = "```py\n" + "".join(f"value_{n} = compute({n})\n" for n in range(120)) + "```"


@pytest.mark.parametrize("text", ["", "short", PROSE, CODE, f"{PROSE}\n\n{CODE}\n", "x" * 5000])
def test_pieces_are_the_text_in_order(text: str) -> None:
    assert "".join(pieces(text)).split() == text.split()


def test_pieces_end_where_sentences_and_lines_do() -> None:
    assert all(part.rstrip().endswith(".") for part in pieces(PROSE))
    assert all(len(part) < 2 * LONG and part.endswith(("\n", "```")) for part in pieces(CODE))


def test_a_long_message_is_found_by_its_piece() -> None:
    index = Index(chat(("user", PROSE + "The key hangs behind the oar. " + PROSE), ("assistant", PROSE)).messages)
    best = index.find("Where hangs the key?", 5)[0]
    assert (best.message, "behind the oar" in best.text) == (0, True)


def test_archived_messages_are_weighed_with_the_conversations_and_gone_afterwards() -> None:
    index = Index([Message("m1", "user", (Text("We talked about boats."),))])
    kept = Kept((1, 0), Said("m4", "user", "The key hangs behind the oar."), "spring", "", "", "", "")
    assert [f.session for f in index.find("Where hangs the key?", 5, [kept])] == ["spring"]
    assert index.find("Where hangs the key?", 5) == []
