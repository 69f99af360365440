"""How long an endpoint asks to be left alone: longer than anybody would sit and wait is an error that says so.

The SDK does what a `retry-after` header says, be it days.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Any

from boildown.errors import ModelError
from boildown.summarizers.failures import KEPT

if TYPE_CHECKING:
    from anthropic import APIRequest, AsyncCallNext

LONGEST = 60.0


def seconds(headers: Mapping[str, str]) -> float:
    """Seconds that a response asks to wait, 0.0 where it says nothing that can be read.

    `retry-after-ms` in milliseconds, or `retry-after` in seconds or as a date (RFC 9110, 10.2.3).
    """
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        try:
            return float(headers.get(name, "")) * scale
        except ValueError:
            continue
    date = parsedate_tz(headers.get("retry-after", ""))
    return mktime_tz(date) - time.time() if date else 0.0


async def patient(request: APIRequest, call_next: AsyncCallNext) -> Any:
    """A middleware of the SDK. Raises ModelError where it would wait for more than LONGEST seconds."""
    response = await call_next(request)
    wait = seconds(response.headers)
    if response.status_code >= 400 and wait > LONGEST:
        raise ModelError(
            f"the endpoint asks to wait for {wait:,.0f} seconds ({response.status_code}). Try again then. {KEPT}."
        )
    return response
