"""When a message was said, as formats write it, and the days that people name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite

from boildown.errors import UsageError

_MILLISECONDS = 1e11
"""A number above it counts milliseconds: as seconds it would be in the year 5138."""


def moment(text: str | None) -> float | None:
    """Seconds since 1970, of ISO 8601 or a number of seconds or milliseconds; None for anything else.

    Where no zone is said, UTC is meant.
    """
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return _iso(text)
    if not isfinite(number) or number <= 0:
        return None
    return number / 1000 if number > _MILLISECONDS else number


def _iso(text: str) -> float | None:
    try:
        return _utc(datetime.fromisoformat(text.strip())).timestamp()
    except (ValueError, OverflowError):
        return None


def _utc(when: datetime) -> datetime:
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def bound(text: str | None, option: str, end: bool = False) -> float | None:
    """Seconds since 1970 of what an option says; with `end`, of the end of a day. Raises UsageError."""
    if text is None:
        return None
    try:
        when = _utc(datetime.fromisoformat(text.strip()))
        if end and len(text.strip()) <= len("2027-05-08"):
            when += timedelta(days=1)
        return when.timestamp()
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text!r} is no date. Write 2027-05-08, or 2027-05-08T14:30.") from None
