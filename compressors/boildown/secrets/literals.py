"""The strings of JSON, edited where they stand: all around them stays byte for byte, and JSON stays JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

Edit = Callable[[str, str], str]
"""(text, the name that it stands under or "") -> the text as it is to be"""

LEAST = 6
"""Characters of the shortest string that may have to be edited"""
_LITERAL = re.compile(r'"([^"\\\n]*(?:\\.[^"\\\n]*)*)"(\s{0,64}:)?')
_SURROGATE = re.compile("[\ud800-\udfff]")


def edited(text: str, edit: Edit) -> str:
    """JSON, or lines of it, with `edit` applied to each string, keys included."""
    done, end, name = list[str](), 0, ""
    for found in _LITERAL.finditer(text):
        raw, is_key = found[1], found[2] is not None
        if len(raw) < LEAST and not is_key:
            name = ""
            continue
        value = _decoded(raw) if "\\" in raw else raw
        new = edit(value, "" if is_key else name)
        if new != value:
            done += [text[end : found.start(1)], _encoded(new, raw)]
            end = found.end(1)
        name = value if is_key else ""
    return "".join([*done, text[end:]]) if done else text


def _decoded(raw: str) -> str:
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw


def _encoded(value: str, like: str) -> str:
    """A string's text between its quotes, in ASCII where it was."""
    text = json.dumps(value, ensure_ascii=like.isascii())[1:-1]
    # Half of a character stays an escape, unless it stands for a byte that is no UTF-8.
    return _SURROGATE.sub(lambda half: half[0] if half[0] in like else f"\\u{ord(half[0]):04x}", text)
