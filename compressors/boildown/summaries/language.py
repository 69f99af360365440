"""The language that is spoken in a span, where its function words tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from boildown.text.words import FUNCTION, WORD

_NAMES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
    "ru": "Russian",
}
_LEAST = 0.25
"""The share of a text's words that are function words of its language, in prose"""
_APART = 1.3
"""How much more of them it has than of those of any other, related ones included"""


def spoken(texts: Iterable[str]) -> str:
    """The English name of the language that most of `texts` is in; "" where that cannot be told."""
    held = Counter(word for text in texts for word in WORD.findall(text.lower()))
    seen = {language: sum(held[word] for word in FUNCTION[language]) for language in _NAMES}
    best, second = sorted(seen, key=lambda language: -seen[language])[:2]
    told = seen[best] >= max(1, _LEAST * held.total()) and seen[best] >= _APART * seen[second]
    return _NAMES[best] if told else ""
