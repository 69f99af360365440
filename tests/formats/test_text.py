"""Plain text transcripts: lines that name a speaker begin a turn, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery import sampled
from boildown import formats
from boildown.errors import InputError
from boildown.formats import talk, text
from boildown.formats.spoken import PLAIN, escape, unescape
from boildown.run import conversations
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

SAMPLE = (SAMPLES / "text.txt").read_bytes()


def only(data: str | bytes) -> Transcript:
    (found,) = read(text, data if isinstance(data, bytes) else data.encode())
    return found


def said(data: str | bytes) -> list[tuple[str, str | None, str]]:
    return [(m.role, m.name, m.text) for m in only(data).messages]


def test_the_sample_is_found_out_and_comes_back() -> None:
    check_one_format(SAMPLE, "text")
    check_round_trip(text, SAMPLE)
    check_thinned(text, SAMPLE)
    assert [m.role for m in only(SAMPLE).messages] == ["user", "assistant"] * 3


@pytest.mark.parametrize("path", CHATS)
def test_a_chat_becomes_text_and_reads_again_equal(path: Path) -> None:
    check_converts(path, text)


TURNS = {
    "roles": ("User: Hi\nAssistant: Hello", [("user", None, "Hi"), ("assistant", None, "Hello")]),
    "other words": ("Human: Hi\n\nAI: Hello\n", [("user", None, "Hi"), ("assistant", None, "Hello")]),
    "capitals": ("USER: Hi\nCHATGPT: Hello", [("user", None, "Hi"), ("assistant", None, "Hello")]),
    "small letters": ("user: Hi\nassistant: Hello", [("user", None, "Hi"), ("assistant", None, "Hello")]),
    "said": ("You said:\nHi\nChatGPT said:\nHello", [("user", None, "Hi"), ("assistant", None, "Hello")]),
    "system": ("System: Be kind.\nUser: Hi", [("system", None, "Be kind."), ("user", None, "Hi")]),
    "names behind roles": (
        "User (Priya): Hi\nAssistant (Tom): Hello",
        [("user", "Priya", "Hi"), ("assistant", "Tom", "Hello")],
    ),
    "times behind": ("Ada [10:02]: Hi\nBo Li [10:03]: Hello", [("user", "Ada", "Hi"), ("user", "Bo Li", "Hello")]),
    "times before": (
        "[12/31/26, 22:02:11] Ada: Hi\n[12/31/26, 22:03:00] Bo: a\nNote: b",
        [("user", "Ada", "Hi"), ("user", "Bo", "a\nNote: b")],
    ),
    "dates before": (
        "31/12/26, 22:02 - Ada: Hi\n31/12/26, 22:03 - Bo: a",
        [("user", "Ada", "Hi"), ("user", "Bo", "a")],
    ),
    "names": ("Ada: Hi\nBo: Hello\nAda: Bye", [("user", "Ada", "Hi"), ("user", "Bo", "Hello"), ("user", "Ada", "Bye")]),
    "a name and a role": ("Ada: Hi\nAssistant: Hello", [("user", "Ada", "Hi"), ("assistant", None, "Hello")]),
    "no names beside a user": (
        "User: Hi\nAda: Hello\nAI: Yes",
        [("user", None, "Hi\nAda: Hello"), ("assistant", None, "Yes")],
    ),
    "lines go on": ("User: a\n\n  b\nc\n\n\nAI: d", [("user", None, "a\n\n  b\nc"), ("assistant", None, "d")]),
    "text on the next line": ("User:\n    x = 1\nAI: d", [("user", None, "    x = 1"), ("assistant", None, "d")]),
    "code hides labels": (
        "User: a\n```\nAI: b\n```\nAI: c",
        [("user", None, "a\n```\nAI: b\n```"), ("assistant", None, "c")],
    ),
    "code that is never closed hides none": (
        "User: a\n```\nAI: b",
        [("user", None, "a\n```"), ("assistant", None, "b")],
    ),
    "no label without a blank": (
        "User: a\nhttp://x\nAI:b\nAI: c",
        [("user", None, "a\nhttp://x\nAI:b"), ("assistant", None, "c")],
    ),
    "Chinese": ("用户：你好\n助手：您好！", [("user", None, "你好"), ("assistant", None, "您好！")]),
    "Japanese names": (
        "田中：はい\n佐藤：いいえ\n田中：では",
        [("user", "田中", "はい"), ("user", "佐藤", "いいえ"), ("user", "田中", "では")],
    ),
    "nothing said": ("User:\nAI: b", [("user", None, ""), ("assistant", None, "b")]),
    "line ends": ("User: a\r\nb\r\n\r\nAI: c\r\n", [("user", None, "a\r\nb"), ("assistant", None, "c")]),
    "escaped": ("User: a\n\\AI: b\nAI: c", [("user", None, "a\nAI: b"), ("assistant", None, "c")]),
}


@pytest.mark.parametrize(("data", "expected"), TURNS.values(), ids=TURNS)
def test_each_style_is_found_out_and_read(data: str, expected: list[tuple[str, str | None, str]]) -> None:
    check_one_format(data.encode(), "text")
    check_round_trip(text, data.encode())
    assert said(data) == expected


def test_a_time_beside_a_speaker_is_its_time() -> None:
    assert [m.time for m in only("Ada [10:02]: a\n[2027-03-01 10:03] Bo: b").messages] == ["10:02", "2027-03-01 10:03"]


@pytest.mark.parametrize(
    "data",
    [
        b"Dear Ada,\nthank you. Note: bring the keys.\n",
        b"Title: A day\nAuthor: Bo\n\nIt was long.\n",
        b"User: only one turn\n",
        b"Note: a\nWarning: b\nNote: c\n",
        b"Ada: a\nBo: b\n",
        b"10:02 it began\n10:03 it ended\n",
        b"```\nUser: a\nAI: b\n```\n",
    ],
)
def test_what_is_no_transcript_is_told_what_one_looks_like(data: bytes) -> None:
    with pytest.raises(InputError, match=r"no two lines of it name a speaker \('User: ...', '\*\*User:\*\* ...'\)"):
        formats.detect(data, "notes.txt")


@pytest.mark.parametrize("data", [b'{"role": "user", "content": "User: a\\nAI: b', b"[\nUser: a\nAI: b\n", b'[{"a":'])
def test_broken_json_is_not_taken_for_text(data: bytes) -> None:
    with pytest.raises(InputError, match="JSON"):
        formats.detect(data, "chat.json")


def test_text_without_a_speaker_is_no_transcript_though_it_is_called_one() -> None:
    with pytest.raises(InputError, match=r"letter\.txt: not a text file: no line of it names a speaker"):
        list(conversations(text, b"Dear Ada", "letter.txt"))


def test_what_stands_before_the_first_speaker_is_carried_and_noted() -> None:
    transcript = only(SAMPLE)
    assert transcript.source is not None
    assert [(n.what, n.where) for n in transcript.source.notes] == [("preamble", "line 1")]
    assert write(text, [transcript.with_messages(transcript.messages[:1])]).startswith(b"Copied from the support")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("User: a\n\nAI: b\n", "User: new\n\nAI: b\n"),
        ("user  [10:02]:\ta\r\n\r\nAI: b", "user  [10:02]:\tnew\r\n\r\nAI: b"),
        ("You said:\na\nChatGPT said:\nb", "You said:\nnew\nChatGPT said:\nb"),
    ],
)
def test_a_changed_text_keeps_its_label_and_all_else(data: str, expected: str) -> None:
    assert write(text, [with_text(only(data), "new")]).decode() == expected


def test_a_changed_text_that_would_name_a_speaker_is_told_from_one() -> None:
    for words in ("a\nAI: b", "```\nAI: b", "\\AI: b", "~~~\n```\nUser: b", "```\nUser: x\n```"):
        data = write(text, [with_text(only("User: x\n\nAI: b\n"), words)])
        assert said(data) == [("user", None, words), ("assistant", None, "b")]


def test_a_new_message_stands_in_its_place_in_the_manner_of_the_others() -> None:
    new = Message("s1", "user", (Text("In short."),))
    first, second = only("User: a\n\n\nAI: b\n").messages
    for order, expected in (
        ([new, first, second], "User: In short.\n\n\nUser: a\n\n\nAI: b\n"),
        ([first, new, second], "User: a\n\n\nUser: In short.\n\n\nAI: b\n"),
        ([first, second, new], "User: a\n\n\nAI: b\n\n\nUser: In short.\n"),
    ):
        assert write(text, [only("User: a\n\n\nAI: b\n").with_messages(order)]).decode() == expected


def test_a_new_message_among_names_hides_none_of_them() -> None:
    transcript = only("Ada: a\nBo: b\nAda: c")
    new = Message("s1", "user", (Text("In short."),))
    data = write(text, [transcript.with_messages([new, *transcript.messages])])
    assert said(data) == [
        ("user", "Context", "In short."),
        ("user", "Ada", "a"),
        ("user", "Bo", "b"),
        ("user", "Ada", "c"),
    ]


def test_where_no_user_is_left_a_line_that_looks_like_a_name_begins_no_turn() -> None:
    transcript = only("User: a\nAI: b\nAda: c\nAI: d")
    data = write(text, [transcript.with_messages(transcript.messages[1:])])
    assert said(data) == [("assistant", None, "b\nAda: c"), ("assistant", None, "d")]


def test_several_conversations_are_parted_by_a_line() -> None:
    chats = [Transcript((Message("m1", "user", (Text(t),)), Message("m2", "assistant", (Text("y"),)))) for t in "ab"]
    data = write(text, chats)
    assert data == b"User: a\n\nAssistant: y\n\n===== conversation 2 =====\n\nUser: b\n\nAssistant: y\n\n"
    check_one_format(data, "text")
    check_round_trip(text, data)
    assert [[m.text for m in t.messages] for t in read(text, data)] == [["a", "y"], ["b", "y"]]


@given(SPOKEN)
def test_whatever_is_said_reads_again(spoken: list[tuple[str, str]]) -> None:
    check_said(text, spoken)


@given(TALK, st.booleans())
def test_escapes_are_taken_back(words: str, known: bool) -> None:
    assert unescape(escape(words, PLAIN, known), PLAIN) == words


@pytest.mark.parametrize(
    "seed", sampled(["```a\n", "```\n~~~\n", "User: ", "User:\n", "A" * 40 + " ", "[", "(a) ", "\\", "-" * 9], every=3)
)
def test_hostile_text_is_read_in_little_time(seed: str) -> None:
    data = seed * (300_000 // len(seed))
    assert unescape(escape(data, PLAIN, False), PLAIN) == data
    assert talk.leads(data, PLAIN) in (True, False)
