"""When a message was said: by the time that its source gives it, or by a date in brackets that its text begins with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from boildown.measure.facts import Kind, concrete
from boildown.transcript import Message, Text

_OPENING = re.compile(r"\s*\[([^\]\n]{6,40})\]")
_A_DAY = re.compile(r"\d{4}-\d\d-\d\d")
SESSION = 3600.0
"""Seconds without a word after which what follows is another session"""


def opens_session(message: Message, last: datetime | None) -> bool:
    """Whether `message` begins with a date in brackets, or comes an hour or more after `last`."""
    now = moment(message)
    if _stamped(message):
        return True
    return last is not None and now is not None and (now - last).total_seconds() >= SESSION


def moment(message: Message) -> datetime | None:
    """The time that the source gives a message, without its zone, where it is in the form of ISO 8601."""
    try:
        return datetime.fromisoformat(message.time).replace(tzinfo=None) if message.time else None
    except ValueError:
        return None


def days(messages: Iterable[Message]) -> tuple[str, ...]:
    """The first and the last day that `messages` name, as `2027-05-14`; () where they name none."""
    found = [day for message in messages if (day := _day(message))]
    return (found[0], found[-1]) if found else ()


def _day(message: Message) -> str:
    now = moment(message)
    return now.date().isoformat() if now else _stamped(message)


def _stamped(message: Message) -> str:
    """The day in brackets at the beginning of a message."""
    first = message.blocks[0] if message.blocks else None
    opening = _OPENING.match(first.text) if isinstance(first, Text) else None
    dates = [value for kind, value in concrete(opening[1]) if kind is Kind.DATE] if opening else []
    return next((date for date in dates if _A_DAY.fullmatch(date)), "")
