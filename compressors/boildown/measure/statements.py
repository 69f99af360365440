"""Sentences that are to survive as such: negations, decisions, questions, action items."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from boildown.measure.content import Weigh, words
from boildown.measure.windows import Index
from boildown.text.kinds import Kind as UnitKind
from boildown.text.spans import negates
from boildown.text.units import units

ENOUGH = 0.8
"""The share of a sentence's words, by rarity, that has to stand within one window of the sentence's length"""
NARROWEST = 8


class Kind(StrEnum):
    """Kinds of statements. Which questions are still open cannot be told without a model: all of them count."""

    NEGATION = "negations"
    DECISION = "decisions"
    QUESTION = "questions"
    ACTION = "action items"


_QUESTION = re.compile(r"[?？؟][^\w?？؟]*\Z")
_DECISION = re.compile(
    r"\b(?:decid(?:e[ds]?|ing)|decisions?|agreed|agreement|settled|concluded|approved|rejected|chosen?|opted"
    r"|(?:let['’]s|let us|we['’]ll|we will|i['’]ll|going to) (?:go with|use|take|pick|choose)|go with|went with"
    r"|entschied\w*|entscheid\w*|beschlossen|beschlu\w+|vereinbart|einigen"
    r"|décid\w+|décision\w*|convenu|choisi\w*|decid[ií]\w+|decisi[oó]n\w*|acord\w+|elegimos|deciso|decisione|decisão"
    r"|besloten|besluit\w*|решил\w*|решен\w+|договорил\w*)\b|决定|決定|決め|قرر|फैसला",
    re.IGNORECASE,
)
_ACTION = re.compile(
    r"\b(?:todo|fixme|action items?|next steps?|follow[- ]up|deadline|due (?:on|by)|remember to|make sure"
    r"|don['’]t forget|please|(?:i|we|you)(?:['’]ll| will| shall| should| must| need(?:s)? to| ha(?:ve|s) to)"
    r"|muss|müssen|bitte|werde[nt]?|soll(?:te)?[nt]?|il faut|veuillez|doi[st]|devons|devez"
    r"|hay que|tenemos que|debe(?:mos|s|n)?|por favor|bisogna|dobbiamo|devemos|precisamos|moet(?:en)?|graag"
    r"|нужно|надо|должн\w+|пожалуйста)\b|请|必须|ください|يجب|चाहिए|- \[ \]",
    re.IGNORECASE,
)
_SAID = (UnitKind.SENTENCE, UnitKind.ITEM)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence: its kinds, its words, and of those the ones that carry something, by weight, and its negations."""

    kinds: frozenset[Kind]
    words: tuple[str, ...]
    wanted: Mapping[str, float]
    negations: Mapping[str, float]

    @property
    def length(self) -> int:
        return len(self.words)

    def stands(self, index: Index) -> bool:
        """Whether enough of it stands in one place of a text, its negations with it."""
        width = max(NARROWEST, self.length)
        return index.reaches(self.wanted, self.negations, width, ENOUGH)


def statements(texts: Iterable[str], weigh: Weigh) -> list[Statement]:
    """The distinct statements of some texts. A sentence without a word that carries something is none."""
    found: dict[tuple[str, ...], Statement] = {}
    for text in texts:
        for unit in units(text):
            sentence = text[unit.start : unit.end]
            if unit.kind not in _SAID or (spoken := tuple(words(sentence))) in found:
                continue
            wanted = {w: weight for w in spoken if not negates(w) and (weight := weigh(w))}
            if wanted and (kinds := _kinds(sentence, spoken)):
                negations = {w: 1.0 for w in spoken if negates(w)}
                found[spoken] = Statement(kinds, spoken, wanted, negations)
    return list(found.values())


def kinds(sentence: str) -> frozenset[Kind]:
    """The kinds of a single sentence."""
    return _kinds(sentence, words(sentence))


def _kinds(sentence: str, spoken: Iterable[str]) -> frozenset[Kind]:
    asks = _QUESTION.search(sentence) is not None
    told = {
        Kind.NEGATION: any(map(negates, spoken)),
        Kind.QUESTION: asks,
        Kind.DECISION: not asks and _DECISION.search(sentence) is not None,
        Kind.ACTION: not asks and _ACTION.search(sentence) is not None,
    }
    return frozenset(kind for kind, holds in told.items() if holds)
