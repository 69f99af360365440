"""Words as SQLite's index has them, and how well a message's words fit: the same in LanceDB as in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from boildown.memory.terms import indexed, parts

_TABLE = """CREATE VIRTUAL TABLE words USING fts5(
    text, content = '', tokenize = 'porter unicode61 remove_diacritics 2')"""
APART = "|"
"""Stands between a text's own words and those inside of its identifiers: no word has it"""
OTHERS = 3
"""Words that SQLite's index has of each message besides what is said: its session, its user, its role"""
_K1, _B = 1.2, 0.75
_PARTS = 0.5


class Words:
    """Takes texts apart, by the tokenizer of SQLite's FTS5 and Porter's stemmer."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.execute(_TABLE)
        self._connection.execute("CREATE VIRTUAL TABLE found USING fts5vocab(words, 'instance')")

    def of(self, texts: Sequence[str]) -> list[list[str]]:
        """The words of each text, in their order."""
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", enumerate(texts))
        words: list[list[str]] = [[] for _ in texts]
        for n, word in self._connection.execute("SELECT doc, term FROM found ORDER BY doc, offset"):
            words[n].append(word)
        self._connection.execute("ROLLBACK")
        return words

    def terms(self, texts: Sequence[str]) -> list[str]:
        """Texts as their index holds them: words apart by blanks, those inside of identifiers behind APART."""
        said = self.of([indexed(text) for text in texts])
        inside = self.of([parts(text) for text in texts])
        return [" ".join([*a, APART, *b] if b else a) for a, b in zip(said, inside, strict=True)]


def length(terms: str, name: Sequence[str]) -> int:
    """How many words the index has of a message."""
    words = terms.split()
    return len(words) - (APART in words) + len(name) + OTHERS


def often(phrase: Sequence[str], words: Sequence[str]) -> int:
    """How often a phrase, a word at least, stands among words."""
    if len(phrase) == 1:
        return words.count(phrase[0])
    first, size, found, at = phrase[0], len(phrase), 0, -1
    while first in words[at + 1 :]:
        at = words.index(first, at + 1)
        found += list(words[at : at + size]) == list(phrase)
    return found


def fit(phrase: Sequence[str], terms: str, length: int, average: float) -> float:
    """What a phrase is worth in a message, its rarity aside: BM25 as SQLite reckons it, `terms` as of `Words.terms`."""
    said, _, inside = f" {terms} ".partition(f" {APART} ")
    often_ = often(phrase, said.split()) + _PARTS * often(phrase, inside.split())
    return often_ * (_K1 + 1) / (often_ + _K1 * (1 - _B + _B * length / average)) if often_ else 0.0
