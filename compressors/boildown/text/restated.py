"""Whether one sentence says again what another says: what both have to share, whatever their vectors are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from boildown.text.spans import negates, numeral, protected
from boildown.text.units import language
from boildown.text.words import FUNCTION

SURE = 0.975
"""The cosine from which on a few words may be others, if the sentence is short. Two orders of drinks, two colours, two
members of a family stay below it; `left` and `right` do not, and are in _OPPOSITES"""
SHORT = 12
"""Words of a sentence in which one other word still moves the vector by what SURE leaves"""


def _rows(table: str) -> dict[str, str]:
    """The words of each row by its first word."""
    return {word: row.split()[0] for row in table.strip().splitlines() for word in row.split()}


def _set(table: str) -> frozenset[str]:
    return frozenset(table.split())


_PERSONS = _rows("""
    i me my mine myself im
    you your yours yourself yourselves u
    he him his himself
    she her hers herself
    we us our ours ourselves
    they them their theirs themselves
    ich mir mich mein meine meinen meinem meiner
    du dir dich dein deine deinen deinem deiner
    wir uns unser unsere unseren unserem
    je moi mon ma mes
    tu toi ton tes
    nous notre nos
    yo mi mis
""")
_PERSON = frozenset(_PERSONS.values())
# What says when, where from, how much, how sure, and on which condition.
_LIMITS = _set("""
    today tomorrow yesterday tonight now then later earlier soon already yet still before after until till since during
    morning noon afternoon evening night midnight next last previous first second third final daily weekly monthly
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
    every each all both any some several few many most more less least enough too only half double twice once again
    always sometimes often usually rarely seldom ever if unless when while because though although but instead except
    can could will would may might should must shall was were did had here there other same
    maybe perhaps probably possibly likely sure certainly
    stop stopped quit refuse refused fail failed fails lack lacks avoid against than from between among
    over under above below up down out off away back
    thirteen fourteen sixteen seventeen eighteen nineteen seventy eighty thousand million billion fourth fifth sixth
    seventh eighth ninth tenth quarter january february march april june july august september october november december
    januar februar märz mai juni juli oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag
    heute morgen gestern jetzt später früher bald schon noch vor nach bis seit jeder jede jedes alle beide einige wenige
    viele mehr weniger nur immer manchmal oft selten wenn falls weil aber vielleicht wahrscheinlich muss soll darf
""")
_PLACING = _set("to at in on by for with of as von zu mit für um am im bei à de du en pour avec con para a por")
"""What makes another thing of the name or number behind it: to Rome, by Friday, for two"""
COURTESIES = _set("please hi hello hey thanks thank kindly sir bitte hallo danke")
"""Words that may stand anywhere, and say nothing of what is said"""
# With those, words that fill, and verbs that only ask for what they stand with.
_LIGHT = COURTESIES | _set("""
    ok okay yeah well so guys guy just really actually simply basically um want like love need get order gerne gern mal
    eben einfach
""")
_OPPOSITES = [
    frozenset(pair.split("/"))
    for pair in """
    on/off in/out up/down left/right north/south east/west upper/lower top/bottom front/back inside/outside
    open/close opened/closed open/closed start/stop started/stopped begin/end increase/decrease raise/lower add/remove
    enable/disable enabled/disabled accept/reject approve/reject accept/decline allow/deny grant/deny pass/fail
    win/lose won/lost buy/sell bought/sold push/pull send/receive sent/received import/export upload/download
    encrypt/decrypt lock/unlock install/uninstall attach/detach connect/disconnect include/exclude hire/fire
    hot/cold hot/iced warm/cold big/small large/small high/low long/short old/new old/young early/late fast/slow
    cheap/expensive good/bad better/worse best/worst easy/hard right/wrong true/false yes/no same/different
    public/private internal/external husband/wife brother/sister son/daughter mother/father man/woman boy/girl
    black/white male/female love/hate like/hate agree/disagree possible/impossible safe/unsafe valid/invalid
    success/failure profit/loss debit/credit arrival/departure arrive/depart arrives/departs entrance/exit
    minimum/maximum
    """.split()
]
_ASKING = _set("""
    who whom whose what when where why which how do does did is are was were can could will would shall should may have
    has had am wer wen wem wessen was wann wo warum wieso weshalb welche welcher welches wie
""")
_ADJOINING = ".,;:!?…\"'()[]{}*“”„«»‘’<>"
_MARKED = re.compile(r"[\d/\\_@`#$€£%]|\w\.\w|[a-z][A-Z]|::|[(]\)")
_WRITTEN_OUT = (
    (re.compile(r"’"), "'"),
    (re.compile(r"\b(?:cannot|can't)\b", re.IGNORECASE), "can not"),
    (re.compile(r"n't\b", re.IGNORECASE), " not"),
    (re.compile(r"'ll\b", re.IGNORECASE), " will"),
    (re.compile(r"(?:'d| would)(?: like| love)\b", re.IGNORECASE), " want"),
    (re.compile(r"'d\b", re.IGNORECASE), " would"),
)
"""Contractions, and what stands for each; a wish is a wish"""
_QUOTED = re.compile(r"[`\"“„«「『]")
_LITTLE = FUNCTION["en"]
"""Those of one language: a function word of another may say something in it (man, die, war)"""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a sentence says, for comparing it with others.

    tally    its words in lower case, and how often each is there
    order    its words that say something and what limits or denies them, in order
    exact    numbers, names, paths, identifiers, quotes and persons, in order, with what places them
    opening  its first word, if that has a capital: it may be a name
    asks     whether it is a question
    english  whether its words stand apart and could be English, whose limits are known best
    """

    tally: Counter[str]
    order: tuple[str, ...]
    exact: tuple[str, ...]
    opening: str
    asks: bool
    english: bool


@lru_cache(1 << 16)
def read(text: str) -> Sentence:
    """The sentence `text`, taken apart."""
    whole = text
    for form, instead in _WRITTEN_OUT:
        whole = form.sub(instead, whole)
    bare = [word for found in whole.split() if (word := found.strip(_ADJOINING))]
    words = [_plain(word) for word in bare]
    order = tuple(w for w in words if _limits(w) or not (w in _LITTLE or w in _LIGHT or w in _PERSON))
    quoted = (text[i:j] for i, j in protected(text) if _QUOTED.search(text[i:j])) if _QUOTED.search(text) else ()
    asks = "?" in text or "？" in text or (bool(words) and words[0] in _ASKING)
    opening = words[0] if words and bare[0][0].isupper() else ""
    return Sentence(Counter(words), order, (*_exact(bare, words), *quoted), opening, asks, language(text) == "en")


def _plain(word: str) -> str:
    """A word in lower case, a person by one form."""
    low = word.lower()
    return _PERSONS.get(low.partition("'")[0], low)


def _exact(bare: Sequence[str], words: Sequence[str]) -> Iterator[str]:
    for n, (said, word) in enumerate(zip(bare, words, strict=True)):
        if word in _PERSON:
            yield word
        elif _MARKED.search(said) or numeral(said) or (n and word not in _LITTLE and said[:1].isupper()):
            placed = words[n - 1] if n and words[n - 1] in _PLACING else ""
            yield f"{placed} {said if _MARKED.search(said) else word}"


def _limits(word: str) -> bool:
    return word in _LIMITS or negates(word)


def says_again(one: Sentence, other: Sentence, cosine: float | None) -> bool:
    """Whether two sentences say the same.

    They ask or state alike, have the same numbers, names, paths, identifiers, quotes and persons in the same order, and
    limit and deny the same. Their other words are the same in the same order, but that the end may come first; or some
    are others, where the `cosine` of a model of meaning is at least SURE, both are short and English, and no word has
    its opposite in the other's place.
    """
    if one.asks != other.asks or one.exact != other.exact or _opposed(one.tally, other.tally):
        return False
    if _turned(one.order, other.order):
        return True
    if cosine is None or cosine < SURE or not (one.english and other.english):
        return False
    if max(one.tally.total(), other.tally.total()) > SHORT:
        return False
    common = set(one.order).intersection(other.order)
    if any(_limits(word) or word in (one.opening, other.opening) for word in {*one.order, *other.order} - common):
        return False
    return _turned(*(tuple(word for word in s.order if word in common) for s in (one, other)))


def _opposed(one: Counter[str], other: Counter[str]) -> bool:
    """Whether two words that are opposites are there another number of times each."""
    changed = {word for word in one.keys() | other.keys() if one[word] != other[word]}
    return any(pair <= changed for pair in _OPPOSITES)


def _turned(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether `other` is `one`, or becomes it when its end is put before its beginning."""
    turns = range(len(one) if len(one) > 2 else 1)  # Of two words, that would be the other way round.
    return len(one) == len(other) and (not one or any(other == (*one[n:], *one[:n]) for n in turns))
