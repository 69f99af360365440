"""Secrets that are known by what stands before them: a name such as `API_KEY=`, an address, a header."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from math import log2

from boildown.secrets.rules import Rule, Span, around

_NAME = re.compile(
    r"(?:(?P<password>password|passwd|passphrase|pwd)|secret|token"
    r"|(?:api|access|private|auth|secret|signing|encryption|client|service|account|master|storage)[_-]?key)\Z",
    re.IGNORECASE,
)
"""How the name of a secret ends"""
WORDS = ("assword", "ASSWORD", "asswd", "ASSWD", "assphrase", "ASSPHRASE", "pwd", "PWD", "Pwd")
CREDENTIALS = ("ecret", "ECRET", "oken", "OKEN", "key", "Key", "KEY")
"""Parts of such names, in the cases that they come in"""
LONGEST_NAME = 24
_WORD = re.compile(r"[^\w-]")
LEAST_WORD = 6
LEAST_RANDOM = 16
RANDOM = 3.0
"""Bits a character: what somebody made up has fewer"""

_BARE = r"""[^\s"'`\\,;<>(){}\[\]$][^\s"'`\\,;<>(){}\[\]]{5,511}"""
_ASSIGNED = re.compile(
    r"""["'`]?\\*["']?\]?[ \t]{0,4}(?P<sign>=>|:=|[:=]|)[ \t]{0,4}"""
    rf"""(?:(?P<quote>\\*["'`])(?P<quoted>[^\n]{{6,512}}?)(?P=quote)|\\*["'`]?(?P<bare>{_BARE}))"""
)
"""What follows a name: a sign and a value"""
_SHOWN = re.compile(
    r"example|sample|your|dummy|fake|placeholder|redact|change.?me|xxx|\*\*\*|\$[({]|\{\{|\.\.\.|…", re.IGNORECASE
)
"""What a value has that only shows where one belongs"""
_STAND_IN = re.compile(
    r"(?:(?:my|the|new|old|bad|wrong|right|test|testing|user|admin|root|guest|foo|bar|pass|passwd|password|pwd|pw|secret"
    r"|token|key|value|string|invalid|valid|none|null|true|false|default|hidden)[_.-]?)+\W{0,2}\d{0,4}\W{0,2}",
    re.IGNORECASE,
)
"""Words of which nobody makes a secret that is one"""
_BRACKETS = ("(", "[", "{", "<")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PART = r"(?:[A-Za-z]+\d{0,3}|\d{1,4})"
_CODE = re.compile(rf"[./~_$]*{_PART}(?:(?:[_./-]+|::|->){_PART})*[./_]*|https?:.*")
"""What stands where a value could and is none: a name, a path, an address"""


def rules() -> Iterator[Rule]:
    yield Rule("password", WORDS, lambda text: _assigned(text, WORDS), spreads=True)
    yield Rule("secret", CREDENTIALS, lambda text: _assigned(text, CREDENTIALS), spreads=True)
    login = r"://[^\s/:@\"'`\\<>{}\[\]()$]{0,64}:(?P<secret>[^\s/@\"'`\\<>{}\[\]$]{3,256})@(?=[\w\[])"
    yield around("url-password", ("@",), login, _is_login)
    bearer = r"(?:Bearer|bearer|BEARER)\s(?P<secret>[\w.~+/-]{16,}=*)"
    yield around("bearer-token", ("earer ", "EARER "), bearer, is_random)
    yield around("basic-login", ("asic ",), r"[Bb]asic (?P<secret>[A-Za-z0-9+/]{8,}=*)", _is_basic)
    curl = r"curl\b[^\n]{0,512}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"'$]{1,64}:(?P<secret>[^\s\"'$<>\[\]{}]{3,128})"
    yield around("password", ("curl",), curl)


def kind(name: str, value: str, literal: bool = True) -> str:
    """What kind of secret the whole `value` is that stands under `name`; empty where it is none.

    literal  whether it is sure to be a value, and no name of one as code has it
    """
    found = _NAME.search(name[-LONGEST_NAME:])
    if found is None:
        return ""
    if found["password"]:
        return "password" if is_password(value) and (literal or not _CODE.fullmatch(value)) else ""
    return "secret" if is_random(value) else ""


def is_password(value: str) -> bool:
    """Whether a value may be a password: no stand-in, and letters with digits or signs."""
    return (
        LEAST_WORD <= len(value) <= 512
        and " " not in value
        and not _is_stand_in(value)
        and any(map(str.isalpha, value))
        and any(map(str.isdigit, value))
    )


def is_random(value: str) -> bool:
    """Whether a value may be made by a machine: long, letters with digits, few of them twice."""
    return (
        LEAST_RANDOM <= len(value) <= 4096
        and value.isascii()
        and " " not in value
        and not _is_stand_in(value)
        and not _CODE.fullmatch(value)
        and any(map(str.isalpha, value))
        and any(map(str.isdigit, value))
        and _entropy(value) >= RANDOM
    )


def _is_stand_in(value: str) -> bool:
    return _SHOWN.search(value) is not None or any(p.fullmatch(value) for p in (_STAND_IN, _UUID))


def _entropy(value: str) -> float:
    """Shannon's entropy in bits a character."""
    return -sum(n / len(value) * log2(n / len(value)) for n in map(value.count, set(value)))


def _is_login(value: str) -> bool:
    """Whether what stands as the password of an address is one, be it ever so weak."""
    shown = _SHOWN.search(value) or re.fullmatch(r"pass|passwd|password|pwd|pw|secret|token", value, re.IGNORECASE)
    return not shown and not value.startswith(("%", "#", "+")) and len(set(value)) > 1


def _is_basic(value: str) -> bool:
    """Whether a value is a name and a password as HTTP's basic authentication joins them."""
    try:
        return ":" in b64decode(value, validate=True).decode()
    except ValueError:
        return False


def _assigned(text: str, marks: tuple[str, ...]) -> Iterator[Span]:
    for mark in marks:
        place = text.find(mark)
        while place >= 0:
            place += len(mark)
            found = _ASSIGNED.match(text, place)
            if found and _is_value(text, place, found):
                yield found.span("quoted" if found["quote"] else "bare")
            place = text.find(mark, place)


def _is_value(text: str, place: int, found: re.Match[str]) -> bool:
    """Whether what follows the name that ends at `place` is a secret of its."""
    name = _WORD.split(text[max(0, place - LONGEST_NAME) : place])[-1]
    if not found["sign"] and not name.startswith("--"):
        return False
    if found["quote"]:
        return kind(name, found["quoted"]) != ""
    # A bracket behind it, or letters alone, are more likely to be code, but for variables of a shell.
    return text[found.end() : found.end() + 1] not in _BRACKETS and kind(name, found["bare"], name.isupper()) != ""
