"""The days that English names by their distance: yesterday, two weeks ago, next Friday."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COUNTS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "a couple of": 2}
_COUNT = rf"\d{{1,2}}|{'|'.join(sorted(_COUNTS, key=len, reverse=True))}"
_STEPS = {"yesterday": -1, "last night": -1, "today": 0, "tonight": 0, "this morning": 0, "tomorrow": 1}
_STEP = re.compile(rf"\b(?:{'|'.join(_STEPS)})\b", re.IGNORECASE)
_AWAY = re.compile(
    rf"\b(?:(?P<ago>{_COUNT})\s(?P<unit>day|week|month|year)s?\sago"
    rf"|in\s(?P<ahead>{_COUNT})\s(?P<unit2>day|week|month|year)s?"
    r"|(?P<which>last|next)\s(?P<unit3>week|month|year))\b",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(rf"\b(?:(?P<which>last|next|this|on)\s)?(?P<day>{'|'.join(WEEKDAYS)})\b", re.IGNORECASE)


def relative(text: str, told: date | None) -> Iterator[tuple[str, str]]:
    """The words that name a day by its distance from `told`, each with the day: `2027-05-14`, `2027-05` or `2027`.

    As exact as the words are: a week is the week's Monday with `week of`, a month has no day. Without `told`, and for
    a weekday of which is not said whether it is past or to come, the words stand for themselves.
    """
    for match in _STEP.finditer(text):
        yield match[0], _day(told, _STEPS[match[0].lower()]) or match[0].lower()
    for match in _AWAY.finditer(text):
        yield match[0], (_away(told, match) if told else "") or match[0].lower()
    for match in _WEEKDAY.finditer(text):
        yield match[0], _weekday(told, match) or match["day"].lower()


def _day(told: date | None, step: int) -> str:
    return (told + timedelta(days=step)).isoformat() if told else ""


def _away(told: date, match: re.Match[str]) -> str:
    unit = (match["unit"] or match["unit2"] or match["unit3"]).lower()
    back = match["ago"] is not None or (match["which"] or "").lower() == "last"
    said = (match["ago"] or match["ahead"] or "one").lower()
    count = (int(said) if said.isdigit() else _COUNTS[said]) * (-1 if back else 1)
    match unit:
        case "day":
            return _day(told, count)
        case "week":
            return f"week of {_day(told, 7 * count - told.weekday())}"
        case "month":
            months = told.year * 12 + told.month - 1 + count
            return f"{months // 12}-{months % 12 + 1:02}"
        case _:
            return str(told.year + count)


def _weekday(told: date | None, match: re.Match[str]) -> str:
    which = (match["which"] or "").lower()
    if told is None or which in ("", "on"):
        return ""
    ahead = (WEEKDAYS.index(match["day"].lower()) - told.weekday()) % 7
    return _day(told, ahead - 7 if which == "last" else ahead or 7)
