"""Mail addresses and phone numbers, which are no secrets but may be asked to stay home as well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from boildown.secrets.rules import Rule, Span

_MAIL = re.compile(
    r"(?:(?<=\\[nrt])|(?<![\w.+%\\-]))(?!git@)[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-zA-Z]{2,24}(?![\w-])"
)
_PHONE = re.compile(
    r"(?<![\w+.-])(?:\+[1-9](?:[ ()./-]{0,2}\d){7,14}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})(?![\w-]|\.\d)"
)
"""International numbers, and those of North America as they are written there"""

KINDS = {"mail", "phone"}
MAILS = Rule("mail", ("@",), lambda text: _spans(_MAIL, text))
PHONES = Rule("phone", ("+", "-"), lambda text: _spans(_PHONE, text))


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    return (found.span() for found in pattern.finditer(text))
