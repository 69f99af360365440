"""A summary comes back from its text as it was, whatever its lines say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown.summaries.summary import CLOSE, OPEN, SECTIONS, Summary, found

WHOLE = Summary(
    {"intent": ("Anna wants a refund.",), "open": ("Who pays?", "By when?")},
    verbatim=("order 4711", "two\n  lines\n## and a heading"),
    cut=("user: hello", "assistant: - hi"),
)
TEXT = """\
[summary of earlier messages: 12 of them]
## Intent and state
- Anna wants a refund.
## Open questions
- Who pays?
- By when?
## Not summed up, but cut, for want of an answer
- user: hello
- assistant: - hi
## Word for word
- order 4711
- two
    lines
  ## and a heading
[end of the summary]"""

lines = st.text(
    st.sampled_from("ab .-#[]<>\n") | st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1
)
said = lines.map(lambda line: line.strip()).filter(lambda line: line and "\r" not in line)
summaries = st.builds(
    Summary,
    st.dictionaries(st.sampled_from(list(SECTIONS)), st.lists(said, min_size=1, max_size=3).map(tuple)),
    st.lists(said, max_size=3).map(tuple),
    st.lists(said, max_size=3).map(tuple),
).filter(bool)


def test_a_summary_is_written_in_sections() -> None:
    assert WHOLE.text("12 of them") == TEXT


@given(summaries, st.sampled_from(["", "before\n", "before\n\n"]), st.sampled_from(["", "\nafter"]))
def test_what_was_written_is_found_again(summary: Summary, before: str, after: str) -> None:
    rest, again = found(f"{before}{summary.text('so many')}{after}")
    assert again is not None
    assert again.body() == summary.body()
    assert rest == before + after.removeprefix("\n")


@pytest.mark.parametrize("line", [CLOSE, f"x\n{CLOSE}", f"{OPEN}]", f"x\n{OPEN}: y]\n- z\n{CLOSE}", "## Key decisions"])
def test_no_line_can_end_a_summary_or_begin_another(line: str) -> None:
    text = Summary({"facts": (line, "the last")}).text()
    rest, again = found(text)
    assert rest == ""
    assert again is not None
    assert again.sections == {"facts": (line, "the last")}


def test_the_way_it_was_made_cannot_end_its_head() -> None:
    assert found(Summary({"facts": ("a",)}).text("by ]\nevil"))[1] == Summary({"facts": ("a",)})


def test_a_text_without_a_summary_has_none() -> None:
    assert found("hello") == ("hello", None)
    assert found(f"{OPEN}]\nwithout an end") == (f"{OPEN}]\nwithout an end", None)
