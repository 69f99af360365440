"""What is looked for in a message: its words, the parts of its identifiers, and what a question asks for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from boildown.text.words import WORD, little

MOST = 64
"""Phrases that a question is made of at most, so that a page that is pasted as one takes no longer"""
_CJK = re.compile("[぀-ヿ㐀-鿿豈-﫿]")
_RUN = re.compile(f"{_CJK.pattern}+")
# No word is begun in its middle, nor given back in part: what has no end, such as Base64, is read once.
_JOINED = re.compile(r"(?<![^\W_])[^\W_]++(?:[._/\\:@#-]++[^\W_]++)+")
"""Words that stand together as one: a path, a file's name, a version, an identifier"""
_NAME = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{3,64}+(?![A-Za-z0-9])")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def indexed(text: str) -> str:
    """`text` as the index is to read it: characters of scripts without blanks stand by themselves."""
    return _CJK.sub(r" \g<0> ", text) if _CJK.search(text) else text


def parts(text: str) -> str:
    """The words inside of the identifiers in `text` that are written in humps: `get User Name` for getUserName."""
    return " ".join(dict.fromkeys(_apart(text)))


def _apart(text: str) -> Iterator[str]:
    if _HUMP.search(text):
        yield from (_HUMP.sub(" ", name) for name in _NAME.findall(text) if _HUMP.search(name))


def phrases(question: str) -> list[str]:
    """What to look for: the question's words but for function words, and its identifiers as phrases.

    Where all of its words are function words, those. A run of CJK characters is looked for by pairs of neighbours.
    """
    question = question.encode("utf-8", "replace").decode()
    found = dict.fromkeys(_phrases(question))
    empty = little(Counter(WORD.findall(question.lower())))
    return [phrase for phrase in found if phrase not in empty][:MOST] or list(found)[:MOST]


def _phrases(question: str) -> Iterator[str]:
    for run in _RUN.findall(question):
        yield from map(" ".join, pairwise(run)) if len(run) > 1 else run
    yield from map(str.lower, _apart(question))
    for joined in _JOINED.findall(question):
        yield " ".join(WORD.findall(joined.lower()))
    for word in WORD.findall(question.lower()):
        if not _CJK.match(word):
            yield word
