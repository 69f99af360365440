"""Tags: no text leaves the one that it is in, and an answer's parts are found however it is written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.summarizers.tags import elements, fenced

PIECES = st.sampled_from(
    ["<", ">", "/", " ", "\n", "\t", "data", "DATA", "note", "a", "&lt;", "x=1", "</data>", "<note>"]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join)


@given(TEXTS)
def test_no_text_opens_or_closes_a_tag_of_ours(text: str) -> None:
    inside = fenced("data", text, ["note"]).removeprefix("<data>\n").removesuffix("\n</data>")
    assert re.search(r"<\s*/?\s*(data|note)\b", inside, re.IGNORECASE) is None
    assert inside.replace("&lt;", "<") == text.replace("&lt;", "<")


@given(TEXTS)
def test_what_is_put_in_is_found_in_one_piece(text: str) -> None:
    assert len(elements(fenced("data", text), "data")) == 1


@pytest.mark.parametrize("text", ["a < b", "<datum>", "if x<3: <b>database</b>", "<>", "</dat>", "<database>"])
def test_what_is_no_tag_of_ours_stays_as_it_is(text: str) -> None:
    assert fenced("data", text) == f"<data>\n{text}\n</data>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a>x</a>", ["x"]),
        ("So:\n<A>\n x \n</A>\nDone.", ["x"]),
        ("< a >x< / a >", ["x"]),
        ('<a id="1">x</a>', ["x"]),
        ("<a>x</a><a>y</a>", ["x", "y"]),
        ("<a>x", ["x"]),
        ("<a></a>", [""]),
        ("<ab>x</ab>", []),
        ("x</a>", []),
    ],
)
def test_elements(text: str, expected: list[str]) -> None:
    assert elements(text, "a") == expected
