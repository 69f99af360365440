"""Dates as a source states them, in whatever form, and which dates it therefore bears out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from boildown.measure import facts

Day = tuple[int, int, int]
"""Year, month and day; 0 for what is not said"""

_FORM = re.compile(r"(?:(?P<year>\d{4})(?:-|\Z))?(?:(?P<month>\d\d)(?:-(?P<day>\d\d))?)?\Z")
_LITERAL = re.compile(r"(\d{1,2})([/.])(\d{1,2})[/.](\d{2,4})")
_CLOCK = re.compile(r"(?<!\d)(\d\d?)(?::(\d\d)(?!\d|\s?[ap]\.?m\b)| o['’]clock)")
_HEADED = re.compile(r"\s*[\[(][^\])\n]{6,60}[\])]")
_AGO = re.compile(r"\b(\d{1,2}|two|three|a few) days ago\b")
_STEPS = {"yesterday": -1, "last night": -1, "tomorrow": 1}
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()


@dataclass(slots=True)
class Dates:
    """What a source says of time.

    days   those stated, also without their year or their day       years  all years that are named
    open   those that it states without a year                      clocks  times of the day, "09:30"
    """

    days: set[Day] = field(default_factory=set)
    open: set[Day] = field(default_factory=set)
    years: set[int] = field(default_factory=set)
    clocks: set[str] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Take in what `text` states."""
        for normal in facts.dates(text):
            if ":" in normal:
                self.clocks.add(normal)
            for day in readings(normal):
                self._state(day)
        for hour, minute in _CLOCK.findall(text):
            # Which half of the day is meant is seldom said.
            self.clocks.update(f"{int(hour) + later:02}:{minute or '00'}" for later in (0, 12))

    def _state(self, day: Day) -> None:
        year, month, number = day
        self.days |= {day, (0, month, number), (year, month, 0), (0, month, 0)}
        self.years.add(year)
        if not year:
            self.open.add(day)

    def relate(self, text: str, told: date) -> None:
        """Take in the days that a text of the day `told` speaks of by their distance: yesterday, last Friday."""
        steps = [step for word, step in _STEPS.items() if word in text]
        steps += [-int(n) if n.isdigit() else -{"two": 2}.get(n, 3) for n in _AGO.findall(text)]
        for n, weekday in enumerate(_WEEKDAYS):
            if weekday in text:
                back = (told.weekday() - n) % 7 or 7
                steps += [-back, 7 - back]
        for step in steps:
            day = told + timedelta(days=step)
            self._state((day.year, day.month, day.day))

    def bear_out(self, normal: str, shown: str) -> bool:
        """Whether they hold a date in any of its readings: its normal form of `measure.facts`, and how it stands."""
        if ":" not in normal:
            return any(map(self._hold, readings(normal)))
        hour, minute = int(normal[:2]), normal[3:]
        halves = (0,) if "m" in shown.lower() else (0, 12, -12)
        return any(f"{hour + later:02}:{minute}" in self.clocks for later in halves)

    def _hold(self, day: Day) -> bool:
        year, month, number = day
        return day in self.days or (year in self.years and (0, month, number) in self.open)


def readings(normal: str) -> Iterator[Day]:
    """The days that a date may mean: 5/7/2023 is in May or in July."""
    literal = _LITERAL.fullmatch(normal)
    if literal:
        first, mark, second, year = int(literal[1]), literal[2], int(literal[3]), int(literal[4])
        year += 2000 if year < 100 else 0
        both = ((second, first),) if mark == "." else ((second, first), (first, second))
        yield from ((year, month, day) for month, day in both if month <= 12)
        return
    found = _FORM.match(normal)
    if found and (found["month"] or found["year"]):
        yield int(found["year"] or 0), int(found["month"] or 0), int(found["day"] or 0)


def told(stamps: Sequence[str | None], texts: Iterable[str]) -> Iterator[date | None]:
    """The day on which each text was said: by its time, the date in brackets at its head, or as the text before."""
    last: date | None = None
    for stamp, text in zip(stamps, texts, strict=True):
        head = stamp or (found[0] if (found := _HEADED.match(text)) else "")
        last = next(_whole(head), last) if head else last
        yield last


def _whole(text: str) -> Iterator[date]:
    for normal in facts.dates(text):
        for year, month, day in readings(normal) if ":" not in normal else ():
            if year and month and day:
                try:
                    yield date(year, month, day)
                except ValueError:
                    continue
