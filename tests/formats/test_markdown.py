"""Markdown transcripts: bold labels and headings begin a turn, fences and nested text stay as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given

from boildown import formats
from boildown.errors import InputError
from boildown.formats import markdown
from boildown.formats.spoken import MARKDOWN, escape, unescape
from boildown.transcript import Message, Text, Transcript
from roundtrip import (
    CHATS,
    SAMPLES,
    check_converts,
    check_one_format,
    check_round_trip,
    check_said,
    check_thinned,
    read,
    with_text,
    write,
)
from strategies import SPOKEN, TALK

SAMPLE = (SAMPLES / "markdown.md").read_bytes()


def only(data: str | bytes) -> Transcript:
    (found,) = read(markdown, data if isinstance(data, bytes) else data.encode())
    return found


def said(data: str | bytes) -> list[tuple[str, str | None, str]]:
    return [(m.role, m.name, m.text) for m in only(data).messages]


def test_the_sample_is_found_out_and_comes_back() -> None:
    check_one_format(SAMPLE, "markdown")
    check_round_trip(markdown, SAMPLE)
    check_thinned(markdown, SAMPLE)
    found = only(SAMPLE).messages
    assert [m.role for m in found] == ["user", "assistant", "user", "assistant", "user"]
    assert "\n**User:** is not a speaker in here\n" in found[3].text
    assert "\n## What to remember\n" in found[3].text
    assert not any(m.text.endswith("---") for m in found)


@pytest.mark.parametrize("path", CHATS)
def test_a_chat_becomes_markdown_and_reads_again_equal(path: Path) -> None:
    check_converts(path, markdown)


PAIR = [("user", None, "Hi"), ("assistant", None, "Hello")]
TURNS = {
    "bold, colon inside": ("**User:** Hi\n\n**Assistant:** Hello", PAIR),
    "bold, colon outside": ("**User**: Hi\n\n**ChatGPT**: Hello", PAIR),
    "bold alone": ("**User**\n\nHi\n\n**Assistant**\n\nHello", PAIR),
    "headings": ("## User\n\nHi\n\n## Assistant\n\nHello", PAIR),
    "said": ("#### You said:\nHi\n### ChatGPT said:\nHello", PAIR),
    "bold headings": ("### **Human:**\nHi\n### **Claude**\nHello", PAIR),
    "signs": ("## 🧑 User\nHi\n\n**🤖 Assistant:** Hello", PAIR),
    "underscores and times": ("_**User (2027-03-01 10:02Z)**_\n\nHi\n\n---\n\n_**Assistant**_\n\nHello\n\n---\n", PAIR),
    "rulers": ("**User:** Hi\n\n---\n\n**Assistant:** Hello\n", PAIR),
    "a ruler behind the last alone": (
        "**User:** Hi\n\n**AI:** Hello\n\n---",
        [PAIR[0], ("assistant", None, "Hello\n\n---")],
    ),
    "names": (
        "**Ada:** Hi\n**Bo:** Hello\n**Ada:** Bye",
        [("user", "Ada", "Hi"), ("user", "Bo", "Hello"), ("user", "Ada", "Bye")],
    ),
    "names behind roles": (
        "**User (Ada):** Hi\n\n## Assistant (Bo)\n\nHello",
        [("user", "Ada", "Hi"), ("assistant", "Bo", "Hello")],
    ),
    "other headings are text": (
        "## User\n## Plan\nHi\n## Assistant\n**Note:** x",
        [("user", None, "## Plan\nHi"), ("assistant", None, "**Note:** x")],
    ),
    "plain labels are text": (
        "**User:** User: a\nAI: b\n\n**AI:** c",
        [("user", None, "User: a\nAI: b"), ("assistant", None, "c")],
    ),
    "fences": (
        "**User:**\n~~~md\n## AI\n~~~\n## AI\nx",
        [("user", None, "~~~md\n## AI\n~~~"), ("assistant", None, "x")],
    ),
    "escaped": ("**User:** a\n\\**AI:** b\n**AI:** c", [("user", None, "a\n**AI:** b"), ("assistant", None, "c")]),
}


@pytest.mark.parametrize(("data", "expected"), TURNS.values(), ids=TURNS)
def test_each_style_is_found_out_and_read(data: str, expected: list[tuple[str, str | None, str]]) -> None:
    check_one_format(data.encode(), "markdown")
    check_round_trip(markdown, data.encode())
    assert said(data) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"# boildown\n\n## Installation\n\n**Note:** read this.\n\n## Usage\n",
        b"**Features:** a\n**Usage:** b\n**License:** c\n",
        b"## User\n\nOnly one turn.\n",
        b"**Claude** is good.\n**User** is not.\n",
    ],
)
def test_what_is_no_transcript_is_told_what_one_looks_like(data: bytes) -> None:
    with pytest.raises(InputError, match="no two lines of it name a speaker"):
        formats.detect(data, "README.md")


def test_plain_and_bold_labels_in_one_file_are_told_apart_by_the_first() -> None:
    check_one_format(b"User: a\n**User:** b\nAI: c\n**AI:** d\n", "text")
    check_one_format(b"**User:** a\nUser: b\n**AI:** c\nAI: d\n", "markdown")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("**User:** a\n\n---\n\n**AI:** b\n", "**User:** new\n\n---\n\n**AI:** b\n"),
        ("## User\n\na\n\n## AI\n\nb", "## User\n\nnew\n\n## AI\n\nb"),
    ],
)
def test_a_changed_text_keeps_its_label_and_all_else(data: str, expected: str) -> None:
    assert write(markdown, [with_text(only(data), "new")]).decode() == expected


def test_one_turn_that_is_left_of_many_keeps_no_ruler() -> None:
    transcript = only("**User:** a\n\n---\n\n**AI:** b\n\n---\n")
    data = write(markdown, [transcript.with_messages(transcript.messages[:1])])
    assert data == b"**User:** a\n"


def test_conversations_of_another_format_are_written_with_bold_labels() -> None:
    messages = (
        Message("m1", "user", (Text("a"),), name="Ada"),
        Message("m2", "assistant", (Text("```\nx\n```"),)),
        Message("m3", "user", (Text("b\n\n---"),)),
    )
    data = write(markdown, [Transcript(messages), Transcript(messages[:2])])
    assert data.decode() == (
        "**User (Ada):** a\n\n**Assistant:**\n\n```\nx\n```\n\n**User:**\n\nb\n\n\\---\n\n"
        "# Conversation 2\n\n**User (Ada):** a\n\n**Assistant:**\n\n```\nx\n```\n\n"
    )
    assert [[m.text for m in t.messages] for t in read(markdown, data)] == [
        ["a", "```\nx\n```", "b\n\n---"],
        ["a", "```\nx\n```"],
    ]


@given(SPOKEN)
def test_whatever_is_said_reads_again(spoken: list[tuple[str, str]]) -> None:
    check_said(markdown, spoken)


@given(TALK)
def test_escapes_are_taken_back(words: str) -> None:
    assert unescape(escape(words, MARKDOWN, True), MARKDOWN) == words
