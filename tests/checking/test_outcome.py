"""What came of many files: the order, the exit code, and the limit on all together."""

from __future__ import annotations

import pytest

from boildown.checking.findings import RULES, Finding, fingerprints
from boildown.checking.limits import OF_ALL, Limits
from boildown.checking.looking import Looked
from boildown.checking.outcome import Outcome, total

BAD = Finding("b", "max-tokens", "much")
UNREAD = Finding("c", "unreadable", "cut off")
NEW = Finding("a", "new-file", "new", severity="note")


def sized(name: str, tokens: int, *findings: Finding) -> Looked:
    return Looked(name, "openai", Limits(), 1, tokens, "", findings)


@pytest.mark.parametrize(
    ("others", "findings", "code"),
    [([], [], 0), ([], [NEW], 0), ([], [BAD], 1), ([UNREAD], [BAD], 2), ([UNREAD], [], 2)],
)
def test_what_could_not_be_looked_at_outweighs_what_is_broken(others, findings, code):
    assert Outcome([sized("a", 1, *findings)], others).code == code


def test_failures_come_first():
    assert Outcome([sized("a", 1, NEW), sized("b", 1, BAD)], [UNREAD]).findings == [UNREAD, BAD, NEW]


def test_all_files_together_may_have_as_many_tokens():
    files = [sized("a", 10), sized("b", 30), sized("c", 20)]
    assert list(total(files, 60)) == []
    (one,) = total(files, 59)
    assert (one.file, one.value) == ("b", 60)


def test_every_limit_has_an_entry_in_the_table():
    assert OF_ALL.keys() <= RULES.keys()


def test_a_fingerprint_stays_when_lines_move_and_figures_change():
    old = Finding("a", "orphan-call", "x", line=5, subject="toolu_1")
    moved = Finding("a", "orphan-call", "y", line=9, subject="toolu_1", value=3)
    other = Finding("a", "orphan-call", "x", line=5, subject="toolu_2")
    assert fingerprints([old], ["a"]) == fingerprints([moved], ["a"])
    assert len({*fingerprints([old, moved, other], ["a"] * 3), *fingerprints([old], ["b"])}) == 4
