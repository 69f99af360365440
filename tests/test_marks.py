"""Marks: references are told from other text, and what they stand for is put back."""

from __future__ import annotations

import pytest

from boildown.marks import GONE, Reference, digest, is_mark, reference, restore, settled
from boildown.text.deltas import Delta, Numbers
from boildown.transcript import Message, Text, ToolResult, Transcript
from strategies import IMAGE, chat

LINES = "\n".join(f"line {n} of the harbour's log" for n in range(1, 10))
HERE = digest(LINES)
REFERENCES = {
    f"[same as Read(src/a.py) below #{HERE}]": Reference("Read(src/a.py)", "below", HERE),
    f"[same as lines 2-4, 7-9 of the same call above #{HERE}]": Reference(
        "the same call", "above", HERE, Delta(((2, 4), (7, 9)))
    ),
    f"[same as Bash(echo 'a above #b]') above #{HERE}]": Reference("Bash(echo 'a above #b]')", "above", HERE),
    f"[delta from lines 2-4 of X() below #{HERE}, numbered 8-9 after 1]\n@@ -2,1 +2,1 @@\n-a\n+b\n": Reference(
        "X()", "below", HERE, Delta(((2, 4),), Numbers(8, 9, 1), "@@ -2,1 +2,1 @@\n-a\n+b\n")
    ),
}


@pytest.mark.parametrize(("text", "expected"), REFERENCES.items())
def test_a_reference_reads_as_it_was_written(text: str, expected: Reference) -> None:
    assert str(expected) == text
    assert reference(text) == expected
    assert is_mark(text)


@pytest.mark.parametrize(
    "text",
    [
        "[same as before]",
        "[same as Read(a) below #12345678] and more",
        " [same as Read(a) below #12345678]",
        "[same as Read(a) below #1234567]",
        "[same as\nRead(a) below #12345678]",
        "[masked Read(a): 12 lines]",
    ],
)
def test_other_text_is_no_reference(text: str) -> None:
    assert reference(text) is None


def test_a_chain_of_references_is_followed_to_its_end() -> None:
    part = "\n".join(LINES.split("\n")[1:4])
    first = str(Reference("the user's text", "above", digest(part)))
    second = str(Reference("the user's text", "above", HERE, Delta(((2, 4),))))
    assert restore(chat(("user", first), ("user", second), ("user", LINES))) == chat(
        ("user", part), ("user", part), ("user", LINES)
    )


def test_an_image_is_put_back() -> None:
    mark = str(Reference("the image", "above", digest(IMAGE.data)))
    said = Message("m1", "user", (IMAGE, Text("See here.")))
    messages = (said, Message("m2", "user", (Text(mark),)), Message("m3", "tool", (ToolResult("c", mark),)))
    again, result = restore(Transcript(messages)).messages[1:]
    assert again.blocks == (IMAGE,)
    assert [image.data for b in result.blocks if isinstance(b, ToolResult) for image in b.media] == [IMAGE.data]


def test_what_refers_to_nothing_stays_as_it_is() -> None:
    for lost in ("[same as Read(a) below #12345678]", f"[same as lines 8-20 of X() above #{HERE}]"):
        transcript = chat(("user", LINES), ("user", lost))
        assert restore(transcript) == transcript


def test_a_reference_whose_base_went_is_gone_and_words_that_only_look_like_one_are_not() -> None:
    looks = "[same as Read(a) below #12345678]"
    mark = str(Reference("the user's text", "above", HERE))
    source = chat(("user", LINES), ("user", LINES), ("user", looks), ("user!", mark))
    whole = chat(("user", LINES), ("user", mark), ("user", looks), ("user!", mark))
    cut = chat(("user", LINES[:-1]), ("user", mark), ("user", looks), ("user!", mark))
    assert settled(whole, source.messages) == whole
    assert [m.text for m in settled(cut, source.messages).messages] == [LINES[:-1], GONE, looks, mark]
