"""Units tile the text and end where a reader would say that a sentence, an item or a block ends."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from boildown.text import units as module
from boildown.text.kinds import Kind
from boildown.text.units import fences, language, units
from conftest import ROOT, source_roots


def shown(text: str, long: int = 2000) -> list[str]:
    return [text[unit.start : unit.end] for unit in units(text, long)]


def kinds(text: str, long: int = 2000) -> list[Kind]:
    return [unit.kind for unit in units(text, long)]


SENTENCES = {
    "title": ["I met Dr. Smith at noon. ", "He left."],
    "afternoon": ["We met at 5 p.m. in the hall. ", "He left."],
    "for example": ["Use e.g. this one. ", "Or not."],
    "that is": ["We take one, i.e. That one. ", "Good."],
    "decimal": ["Pi is 3.14. ", "It is v1.2.3 now. ", "Fine."],
    "file name": ["See foo.py. ", "Then run bar.sh again. ", "Done."],
    "address": ["See https://a.b/c?d=e.f now. ", "Next one."],
    "question in address": ["Open https://a.b/?q=1 first. ", "Is it up? ", "Good."],
    "quote": ['He said "Go home. Now." ', "Then he left."],
    "bold": ["**Bold.** ", "Next sentence. ", "*It.* ", "Third one."],
    "initials": ["J. K. Rowling wrote it. ", "We read it."],
    "approximately": ["It is approx. 5 km vs. 6 km. ", "Long way."],
    "lower case": ["i like it. ", "he does too. ", "ok"],
    "marks": ["Really?! ", "No way!! ", "Yes..."],
    "emoji": ["Nice 😀. ", "Next one."],
    "German": ["Das ist z. B. gut. ", "Am 3. Mai kam Dr. Müller. ", "Schön!"],
    "German without umlauts": ["Am 3. Mai kam er u. a. mit Nr. 5 an. ", "Gut."],
    "French": ["M. Dupont est là. ", "Ça va ? ", "Il est 5 h. ", "Oui."],
    "Spanish": ["¿Qué tal? ", "¡Bien! ", "El Sr. López vino. ", "Adiós."],
    "Russian": ["Привет. ", "Это т. е. так. ", "А. С. Пушкин жил здесь. ", "Как дела?"],
    "Chinese": ["你好。", "我很好！", "真的吗？", "是的。"],
    "Japanese": ["今日は晴れ。", "どこへ行く？", "はい！"],
    "Arabic": ["مرحبا. ", "كيف حالك؟ ", "أنا بخير."],
    "Hindi": ["नमस्ते। ", "आप कैसे हैं? ", "मैं ठीक हूँ।"],
}


@pytest.mark.parametrize("sentences", SENTENCES.values(), ids=SENTENCES)
def test_a_paragraph_is_split_into_its_sentences(sentences: list[str]) -> None:
    assert shown("".join(sentences)) == sentences


BLOCKS: list[tuple[Kind, list[str]]] = [
    (Kind.HEADING, ["# Title\n\n", "## Second. With a dot\n", "**All of it bold:**\n", "Underlined\n=====\n"]),
    (Kind.ITEM, ["- one. Two\n", "* two\n", "  + nested\n", "1. three\n", "2) four\n", "a) five\n", "• six"]),
    (Kind.ITEM, ["- one\n  goes on here\n\n", "- two"]),
    (Kind.ITEM, ["> quoted. Line\n", "> another"]),
    (
        Kind.CODE,
        ["```py\na = 1\n\n# b\n```\n\n", "~~~\n```\n~~~\n", "  ```\n  x\n  ```\n", "```\nnever. Closed\n\nto the end"],
    ),
    (Kind.TABLE, ["| a | b |\n|---|:-:|\n| 1. One | 2 |\n\n", "x | y\n--|--\n3 | 4\n"]),
    (Kind.LINE, ["---\n\n", "=====\n"]),
    (Kind.LINE, ["2024-01-01 12:00:00 INFO Started. Now\n", "2024-01-01 12:00:01 ERROR Failed. Why\n", "[12:00:02] x"]),
    (Kind.LINE, ["Traceback (most recent call last):\n", '  File "x.py", line 1, in f\n', "ValueError: x.y"]),
    (Kind.CODE, ['{\n  "a": 1,\n  "b": [2]\n}\n', '[{"a": 1}, {"b": "two and three"}]']),
    (Kind.LINE, ["{\n", "  a: 1,\n", "  b: [2]\n", "}"]),
    (Kind.LINE, ["def f(x):\n", "    return x\n", "y = f(1)"]),
    (Kind.LINE, ["@@ -1,2 +1,2 @@\n", "--- a/x.py\n", "src/x.py:12: error here\n", "x = {"]),
    (Kind.SENTENCE, ["One line.\n", "Another line\n", "A third one.\n\n", "New paragraph"]),
]


@pytest.mark.parametrize(("kind", "blocks"), BLOCKS)
def test_a_block_is_one_unit_with_the_blank_lines_after_it(kind: Kind, blocks: list[str]) -> None:
    text = "".join(blocks)
    assert [(unit.kind, text[unit.start : unit.end]) for unit in units(text)] == [(kind, block) for block in blocks]


def test_blocks_of_all_kinds_follow_each_other() -> None:
    text = "# T\n\nText:\n- one\n\n```\nx\n```\n| a | b |\n|---|---|\n| 1 | 2 |\nEnd. Bye."
    assert kinds(text) == [Kind.HEADING, Kind.SENTENCE, Kind.ITEM, Kind.CODE, Kind.TABLE, Kind.SENTENCE, Kind.SENTENCE]


def test_a_sentence_of_a_wrapped_mail_goes_on_in_the_next_line() -> None:
    sentences = [
        "Hi team,\n",
        "this is a mail that somebody has wrapped at about seventy\ncharacters. ",
        "The second sentence goes on over the end of its line and\nends here. ",
        "Bye",
    ]
    assert shown("".join(sentences)) == sentences


def test_short_lines_are_not_taken_for_wrapped_prose() -> None:
    assert shown("Name is Anna\nCity is Rome\nAge is ten") == ["Name is Anna\n", "City is Rome\n", "Age is ten"]


def test_a_comment_sign_before_code_is_no_heading() -> None:
    assert Kind.HEADING not in kinds("# set x\nx = 1\n# set y\ny = 2\n")


def test_a_long_item_is_split_into_its_sentences() -> None:
    text = "- " + "This is one of its sentences. " * 20
    assert len(units(text)) == 20
    assert kinds(text)[:2] == [Kind.ITEM, Kind.SENTENCE]


def test_a_long_quotation_is_split_into_its_sentences() -> None:
    assert len(units('"' + "This is one of its sentences. " * 20 + '"')) == 20


def test_long_code_is_split_at_its_statements_and_its_fences_frame_it() -> None:
    text = "```py\na\n b\n\nc\n d\n\ne\n```\n"
    assert shown(text, long=12) == ["```py\n", "a\n b\n\n", "c\n d\n\n", "e\n", "```\n"]
    assert kinds(text, long=12) == [Kind.OPEN, *[Kind.CODE] * 3, Kind.CLOSE]


def test_long_code_that_is_flat_is_split_by_line() -> None:
    assert shown("```\n\naaaaaa\nbbbbbb\ncccccc\n```", long=15)[:3] == ["```\n", "\naaaaaa\n", "bbbbbb\n"]


def test_a_long_table_is_split_by_row_and_its_head_stays_whole() -> None:
    text = "| a |\n|---|\n| 1 |\n| 2 |\n"
    assert shown(text, long=10) == ["| a |\n|---|\n", "| 1 |\n", "| 2 |\n"]
    assert kinds(text, long=10) == [Kind.HEAD, Kind.TABLE, Kind.TABLE]


def test_blanks_belong_to_the_unit_before_and_at_the_start_to_the_first() -> None:
    assert shown("\n\n  One.  \n\n \nTwo.\n  ") == ["\n\n  One.  \n\n \n", "Two.\n  "]


def test_blank_text_is_one_unit_and_empty_text_none() -> None:
    assert units("") == []
    assert shown(" \n\t ") == [" \n\t "]


@pytest.mark.parametrize(
    "text", ["A lone \ud800 one. Next one.", "\x00. B\x00. \x00", "A\r\nB. C\r\n\r\nD.", "a\u2028b. C"]
)
def test_odd_characters_are_kept(text: str) -> None:
    assert "".join(shown(text)) == text


def test_a_lone_surrogate_does_not_hinder_the_split() -> None:
    assert shown("A lone \ud800 one. Next one.") == ["A lone \ud800 one. ", "Next one."]


MARKS = ["```", "~~~", "- ", "1. ", "# ", "## ", "> ", "|", "|-|\n", "---", "===", "**", '"', "“", "。", "」", "x = {"]
PROSE = [
    "\n",
    "\n\n",
    " ",
    "  ",
    "\t",
    "\r\n",
    "a",
    "Dr.",
    "Word",
    ". ",
    "! ",
    "? ",
    "é",
    "...",
    "\ud800",
    "\x00",
    "\u3000",
]
MARKDOWN = st.lists(st.sampled_from(MARKS) | st.sampled_from(PROSE), max_size=40).map("".join)


@given(st.one_of(st.text(), st.text(st.characters()), MARKDOWN), st.sampled_from([0, 5, 30, 2000]))
@example("a. b\n\n", 2000)
@example("```\n```", 0)
def test_units_tile_every_text(text: str, long: int) -> None:
    found = units(text, long)
    assert [unit.start for unit in found] == [0, *(unit.end for unit in found)][: len(found)]
    assert all(unit.start < unit.end for unit in found)
    assert "".join(shown(text, long)) == text


@given(MARKDOWN)
def test_no_unit_but_blank_text_is_blank(text: str) -> None:
    assert text.strip() == "" or all(shown_unit.strip() for shown_unit in shown(text))


@given(MARKDOWN)
def test_a_fenced_block_is_never_cut_while_it_is_short(text: str) -> None:
    ends = {unit.end for unit in units(text)}
    assert not any(start < end < stop for start, stop in fences(text) for end in ends)


HOSTILE = [
    "a",
    ".",
    "\n",
    "```\n",
    "```",
    "- ",
    "“a. ",
    '"',
    "|",
    "|-|\n",
    "| - |\n",
    "# a\n",
    "= ",
    "> ",
    "。",
    "a. ",
    "x = {\n",
]


@pytest.mark.parametrize("seed", HOSTILE)
def test_repeated_marks_are_tiled(seed: str) -> None:
    text = seed * (100_000 // len(seed))
    assert "".join(shown(text)) == text


def test_sentences_are_found_beyond_the_first_chunk_as_within() -> None:
    sentences = [f"This is sentence number {number} of many. " for number in range(1000)]
    assert shown("".join(sentences)) == sentences


def test_what_sentencex_loses_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_segment", lambda: lambda _language, text: [text[:3]])
    assert shown("One is here. Two is there! Three") == ["One is here. ", "Two is there! ", "Three"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "en"),
        ("それは漢字", "ja"),
        ("汉字", "zh"),
        ("привет", "ru"),
        ("مرحبا", "ar"),
        ("नमस्ते", "hi"),
        ("für", "de"),
    ],
)
def test_the_language_is_guessed_by_its_letters(text: str, expected: str) -> None:
    assert language(text) == expected


def test_sentencex_is_not_loaded_before_a_sentence_asks_for_it() -> None:
    code = "import sys; from boildown.text.units import units; units('One line'); sys.exit('sentencex' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=source_roots(ROOT), check=False).returncode == 0
