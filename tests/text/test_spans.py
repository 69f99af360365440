"""Pieces are words, and what must survive whole or not at all is one piece."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.text.pieces import words
from boildown.text.spans import protected


def pieces(text: str) -> list[tuple[int, int]]:
    found = words([text])
    return list(zip(found.start.tolist(), found.end.tolist(), strict=True))


def shown(text: str) -> str:
    return " | ".join(text[start:end] for start, end in pieces(text))


def guarded(text: str) -> list[str]:
    return [text[start:end] for start, end in protected(text)]


WORDS = {
    "words": "A | (big) | red, | car! | …so | what?",
    "inline code": "Run | `git commit -m x`, | then | ``a ` b`` | or | `open | it",
    "windows path": r"Start | C:\Program Files\My App\run.exe | now",
    "glued names": "see | /usr/local/bin, | foo_bar.baz() | and | me@x.org | or | https://a.b/c?d=e,f",
    "units": "It | is | 3.5 km long, | 20 % | steeper, | 4 GB | bigger",
    "counted": "He | had | 5 apples, | and | 12 pears | left",
    "currency": "It | cost | $4,820.00 | or | € 20 | or | USD 300 each",
    "scale": "about 5 million dollars | were | lost",
    "times": "at | 5 p.m. | or | 10:30 am | sharp",
    "ranges": "pages | 3 - 5 | or | 3 to 5 days | more",
    "comparison": "less than 5 items, | at least 3 days, | up to 7 GB",
    "labels": "Room 12 | on | page 7, | version 3.1, | x | = 5",
    "years count nothing": "In | 2023 | researchers | met",
    "list marker": "1. | Open | it",
    "date, day first": "On | 14 May 2023 | she | left | on | 7 May | again",
    "date, month first": "On | May 14, 2023 | and | on | 2023-05-14 | too",
    "date, ordinal": "The | 14th of May, 2023 | was | warm",
    "dates elsewhere": "14. Mai 2023 | ; | 14 mai 2023 | ; | 14 de mayo de 2023 | ; | 14 мая 2023 года",
    "number words": "two weeks | of | rain, | three days ago | it | had | two | legs",
    "quotes": "He | said | \"go home now\", | “stay here” | and | 'no way back'.",
    "other quotes": "Er | rief | „komm jetzt“, | elle | dit | « oui merci » | donc",
    "apostrophes": "Don't worry | it's | the | dogs' | bone | and | the | cats' | toy",
    "long quote": '"It | goes | on | considerably | longer | than | contemporary | quotations | do" | "yes it is"',
    "no": "There | is no evidence | left; | no longer works | here",
    "not": "I | did not like | it | but | will not be going there | now",
    "n't": "We | don't want to go, | she | wasn’t there, | he | cannot see | it",
    "tokenized": "I | do n't know | him",
    "never": "She | has never been to Rome | before",
    "inverted": "Why | do you not ask | him?",
    "emphasis": "Do **not** delete | it",
    "capitals": "It | is NOT allowed | here",
    "at the end": "I | think not. | You | do | that, | I don't.",
    "an answer": "No, | I | think | so",
    "without": "tea | without any sugar | please",
    "German": "Ich | mag | das nicht. | Er | hat keine Zeit, | sie | kommt nie her",
    "French": "Je | ne sais pas tout. | Elle | n'est jamais venue. | C'est pas bon",
    "Spanish": "Yo | no quiero | ir, | nunca fui | allí",
    "Russian": "Я | не знаю, | у | меня | нет времени | сегодня",
    "Arabic": "أنا | لا أعرف | ذلك",
    "Hindi": "यह | मैं नहीं जानता | हूँ",
}


@pytest.mark.parametrize("marked", WORDS.values(), ids=WORDS)
def test_a_protected_span_is_one_piece(marked: str) -> None:
    assert shown(marked.replace(" | ", " ")) == marked


WIDE = {
    "Chinese": "我不喜欢这个，|但是他喜欢。|真的吗？",
    "Chinese numbers": "今天是2023年5月14日，|价格是$5。",
    "Chinese negation": "我不用Python|编程",
    "Japanese": "学生ではありません。|カタカナではない|話です",
    "Latin in Japanese": "私は|Pythonを|使わない。",
    "Japanese quote": "彼は|「さようなら、みんな」|と",
}


@pytest.mark.parametrize("marked", WIDE.values(), ids=WIDE)
def test_scripts_without_blanks_are_cut_where_the_script_changes(marked: str) -> None:
    text = marked.replace("|", "")
    assert [text[start:end] for start, end in pieces(text)] == marked.split("|")


def test_fenced_code_is_one_piece() -> None:
    assert shown("See:\n```py\na = 1\nb = 2\n```\nDone now") == "See: | ```py\na = 1\nb = 2\n``` | Done | now"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See foo_bar in /usr/bin or C:\\x\\y now.", ["foo_bar", "/usr/bin", "C:\\x\\y"]),
        ("Mail me@x.org or see https://a.b/c.", ["me@x.org", "https://a.b/c"]),
        ("camelCase, os.path and v1.2.3 but not words.", ["camelCase", "os.path", "v1.2.3", "not words"]),
        ("Id 123e4567-e89b-12d3-a456-426614174000!", ["123e4567-e89b-12d3-a456-426614174000"]),
        ("It took 3.5 hours, on May 14, 2023.", ["3.5 hours", "May 14, 2023"]),
        ("Nothing here to keep? All plain words.", ["Nothing here"]),
        ("All plain words.", []),
    ],
)
def test_protected_spans_are_told_without_what_follows_them(text: str, expected: list[str]) -> None:
    assert guarded(text) == expected


TYPED = "not don't no ne n'est pas 3 5 km May 14, 2023 - two weeks ago $ % of de to less than a word. ( １".split(" ")
MARKS = ['"', "'", "“", "”", "«", "`", "``", "```", "~~~", "C:\\", "/", "的", "不", "あ", "カ", "。", "「", "」"]
BLANKS = [" ", "\n", "\t", "\r\n", "\u3000", "\x1c", "\ud800", "\x00"]
MIXED = st.lists(st.sampled_from(TYPED) | st.sampled_from(MARKS) | st.sampled_from(BLANKS), max_size=40)
TEXTS = st.text() | MIXED.map("".join) | MIXED.map(" ".join)


@given(TEXTS)
def test_pieces_hold_every_character_that_is_not_blank(text: str) -> None:
    found = pieces(text)
    assert all(start < end for start, end in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    assert all(text[start:end] == text[start:end].strip() for start, end in found)
    ends, starts = [0, *(end for _, end in found)], [*(start for start, _ in found), len(text)]
    outside = "".join(text[end:start] for end, start in zip(ends, starts, strict=True))
    assert outside.strip() == ""


@given(TEXTS)
def test_a_protected_span_lies_in_one_piece(text: str) -> None:
    found = pieces(text)
    assert all(any(i <= start and end <= j for i, j in found) for start, end in protected(text))


HOSTILE = [
    '"',
    "`",
    "``a`",
    "1",
    "1 ",
    "/",
    "not ",
    "n'a ",
    "“",
    "'a",
    "C:\\",
    "的",
    "不A",
    "two ",
    "14 May ",
    "```\n",
    "3 - ",
]


@pytest.mark.parametrize("seed", HOSTILE)
def test_repeated_marks_lose_nothing(seed: str) -> None:
    text = seed * (50_000 // len(seed))
    assert "".join("".join(text[start:end].split()) for start, end in pieces(text)) == "".join(text.split())
