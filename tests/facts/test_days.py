"""Days by their distance from the day on which they were named."""

from __future__ import annotations

from datetime import date

import pytest

from boildown.facts.days import relative

TUESDAY = date(2027, 5, 11)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("we met yesterday", "2027-05-10"),
        ("see you tomorrow", "2027-05-12"),
        ("we met last Friday", "2027-05-07"),
        ("we met last Tuesday", "2027-05-04"),
        ("due next Friday", "2027-05-14"),
        ("due next Tuesday", "2027-05-18"),
        ("due on Friday", "friday"),
        ("two weeks ago", "week of 2027-04-26"),
        ("3 days ago", "2027-05-08"),
        ("in a month", "2027-06"),
        ("next month", "2027-06"),
        ("six months ago", "2026-11"),
        ("last year", "2026"),
        ("next week", "week of 2027-05-17"),
    ],
)
def test_words_name_a_day(text, expected):
    assert [value for _, value in relative(text, TUESDAY)] == [expected]


def test_words_stand_for_themselves_where_the_day_is_not_known():
    assert [value for _, value in relative("yesterday, or last Friday", None)] == ["yesterday", "friday"]
    assert list(relative("the lasting Fridays of May", TUESDAY)) == []
