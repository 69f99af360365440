"""Deltas: a text as lines of another and a diff between them, and back letter by letter."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.text.deltas import Delta, Numbers, applied, delta, split
from strategies import reads

CODE = [f"    total_{n} = measure('column {n}')" for n in range(1, 31)]


def numbered(lines: list[str], first: int = 1) -> str:
    return "\n".join(f"{n:>6}→{line}" for n, line in enumerate(lines, first))


WHOLE = "\n".join(CODE)
MADE = {
    "the same": (WHOLE, WHOLE, Delta()),
    "some of its lines": (WHOLE, "\n".join(CODE[4:9]), Delta(((5, 9),))),
    "lines from two places": (WHOLE, "\n".join(CODE[4:9] + CODE[20:25]), Delta(((5, 9), (21, 25)))),
    "a growing log": (WHOLE, "\n".join(CODE[:20]), Delta(((1, 20),))),
    "a line changed": (
        "\n".join(CODE[:4]),
        "\n".join([*CODE[:2], "    pass", CODE[3]]),
        Delta((), None, f"@@ -2,3 +2,3 @@\n {CODE[1]}\n-{CODE[2]}\n+    pass\n {CODE[3]}"),
    ),
    "a line behind the last": (WHOLE, f"{WHOLE}\nend", Delta((), None, f"@@ -30,1 +30,2 @@\n {CODE[29]}\n+end")),
    "no line break at its end any longer": (f"{WHOLE}\n", WHOLE, Delta(((1, 30),))),
    "numbered lines of a numbered text": (
        numbered(CODE, 100),
        numbered(CODE[4:9], 104),
        Delta(((104, 108),), Numbers(104, 108, 0, 6, "→")),
    ),
    "a file that was shifted": (
        numbered(CODE),
        numbered(["import sys", *CODE]),
        Delta((), Numbers(1, 31, 0, 6, "→"), f"@@ -1,1 +1,2 @@\n+import sys\n {CODE[0]}"),
    ),
    "the same without its numbers": (numbered(CODE), WHOLE, Delta(((1, 30),))),
    "numbers behind a heading": (
        numbered(CODE),
        "Updated:\n" + numbered(CODE[4:9], 5),
        Delta(((5, 9),), Numbers(5, 9, 1, 6, "→"), f"@@ -5,1 +4,2 @@\n+Updated:\n {CODE[4]}"),
    ),
    "numbers that the other text lacks": (WHOLE, numbered(CODE), None),
    "numbers of another look": (numbered(CODE), "\n".join(f"{n}\t{c}" for n, c in enumerate(CODE, 1)), None),
    "nothing in common": (WHOLE, "one\ntwo\nthree", None),
}


@pytest.mark.parametrize(("base", "new", "expected"), MADE.values(), ids=MADE)
def test_a_text_is_made_of_another(base: str, new: str, expected: Delta | None) -> None:
    made = delta(split(base), split(new))
    assert made == expected
    assert made is None or applied(split(base), made) == new


def test_a_delta_that_does_not_fit_gives_nothing() -> None:
    change = delta(split(WHOLE), split(WHOLE.replace("total_7 ", "sum_7 ")))
    assert change is not None
    assert applied(split(WHOLE.replace("total_7 ", "total_8 ")), change) is None
    assert applied(split("one"), Delta(((5, 9),))) is None
    assert applied(split(numbered(CODE)), Delta((), Numbers(1, 31))) is None
    assert applied(split(WHOLE), Delta((), None, "@@ -2,1 +2,1 @@")) is None
    assert applied(split(WHOLE), Delta((), None, "no hunk")) is None


@given(st.one_of(reads(), st.text(st.sampled_from("1 →\t\n\r\x0b\x85\u2028a"))))
def test_the_lines_of_a_text_are_the_text(text: str) -> None:
    assert split(text).text == text


@given(reads(), reads(), st.randoms(use_true_random=False))
def test_what_a_delta_makes_is_equal_letter_by_letter(base: str, new: str, draw: random.Random) -> None:
    lines = new.split("\n")
    for _ in range(draw.randint(0, 3)):
        lines.insert(draw.randint(0, len(lines)), draw.choice(["", "}", "another line here", *lines]))
    new = "\n".join(lines)
    made = delta(split(base), split(new))
    assert made is None or applied(split(base), made) == new
