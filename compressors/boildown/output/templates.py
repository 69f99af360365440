"""Templates of log lines: what many lines have in common, found in one pass.

Drain (He, Zhu, Zheng and Lyu 2017) with a tree of depth two: lines of as many words and the same first word share a
leaf; in it a line joins the template that most of its words equal, if those are `LIKE` of them. Words with a digit are
taken for values from the start. drain3, the library, pins releases of its dependencies from 2021.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

LIKE = 0.6
MOST_IN_LEAF = 24
_VALUE = "*"
_DIGIT = re.compile(r"\d|^[0-9a-f]{8,}$")


@dataclass(slots=True)
class Template:
    """The words that its lines have in common, `*` where they differ, and the lines' places."""

    words: list[str]
    lines: list[int] = field(default_factory=list)


def templates(lines: Iterable[str]) -> list[Template]:
    """Every line in exactly one template; templates in the order of their first lines."""
    found: list[Template] = []
    leaves: dict[tuple[int, str], list[Template]] = {}
    for n, line in enumerate(lines):
        words = [_masked(word) for word in line.split()]
        leaf = leaves.setdefault((len(words), words[0] if words else ""), [])
        template = max(leaf, key=lambda t: _equal(t.words, words), default=None)
        if template is None or _equal(template.words, words) < LIKE * len(words):
            template = Template(words)
            found.append(template)
            if len(leaf) < MOST_IN_LEAF:
                leaf.append(template)
        template.words = [a if a == b else _VALUE for a, b in zip(template.words, words, strict=True)]
        template.lines.append(n)
    return found


@lru_cache(8192)
def _masked(word: str) -> str:
    """A word with a digit as a value; of `key=value` the key stays."""
    key, equals, value = word.partition("=")
    if equals and value and not _DIGIT.search(key):
        return key + equals + _VALUE
    return _VALUE if _DIGIT.search(word) else word


def _equal(template: list[str], words: list[str]) -> int:
    return sum(a == b for a, b in zip(template, words, strict=True))
