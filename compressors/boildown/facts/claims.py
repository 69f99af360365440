"""The values in a sentence that a later one may change: numbers, dates and names, and what they are values of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from boildown.facts.days import WEEKDAYS
from boildown.measure.facts import Kind, taken
from boildown.text.words import FUNCTION, WORD

DATE, CLOCK, NUMBER = "date", "clock", "number"
_BEFORE, _AFTER = 90, 50
"""Characters beside a value that tell what it is a value of"""
_LITTLE = FUNCTION["en"] | frozenset(
    "i'm i've trying try want help need make sure using use can could please currently already recently now "
    "new updated actually instead really just also got get going go like know think thing things way lot bit still "
    "even one well improved improve increased increase decreased reached changed change moved move total "
    "around about over down".split()
)
_SPELLED = dict(zip("two three four five six seven eight nine ten eleven twelve".split(), range(2, 13), strict=True))
_NUMBER = re.compile(
    rf"(?<![\w.,:/#-])(?P<sign>[$€£])?(?P<number>\d+(?:,\d+)*(?:\.\d+)?|(?:{'|'.join(_SPELLED)})(?![\w-]))"
    r"(?P<unit>\s?%|\s?percent\b|\s?(?:ms|kg|km|cm|mm|kb|mb|gb|tb|min|hrs?|hours?|miles?|minutes?|seconds?|k)\b)?",
    re.IGNORECASE,
)
_COUNTED = re.compile(rf"\d|\b(?:{'|'.join((*_SPELLED, *WEEKDAYS))})\b", re.IGNORECASE)
"""What every date, time and number has"""
_UNITS = {"percent": "%", "hours": "hour", "hrs": "hour", "hr": "hour", "minutes": "min", "minute": "min"}
_WEEKDAY = re.compile(rf"\b(?:{'|'.join(WEEKDAYS)})\b", re.IGNORECASE)
_STRONG = re.compile(
    r"\b(?:changed|moved|switched|postponed|pushed|rescheduled|delayed|extended|brought forward|revised|bumped|raised"
    r"|lowered|actually|correction|turns out|instead|no longer|new|updated|now|improved|increased|decreased|dropped"
    r"|gr(?:ew|own)|reached|up to|down to|total of)\b",
    re.IGNORECASE,
)
_WEAK = re.compile(r"\b(?:already|recently|since|by now|so far)\b", re.IGNORECASE)
_NAME = r"(?P<value>[A-Z][\w'&-]*(?:,?\s[A-Z][\w'&-]*){0,3})"
_I = r"\b(?:I|[Ww]e)(?:['’](?:ve|m|re)| have| am| are)?(?: (?:just|recently|now|finally|currently|actually))*"
_SLOTS = {
    "home": re.compile(
        rf"{_I} (?:live|living|moved|moving|relocated|based)"
        rf"(?: (?:back|over|out|here|from [A-Z]\w+))? (?:in|to|into) {_NAME}"
    ),
    "work": re.compile(
        rf"{_I} (?:work|working|started|employed)(?: (?:a (?:new )?job|working))? (?:at|for|with) {_NAME}"
    ),
    "favourite": re.compile(
        r"\b[Mm]y (?:(?:new|all-time|current) )*favou?rite (?P<of>[\w ]{2,30}?)"
        r" (?:is|has to be|would be|used to be)(?: now)? (?P<value>[^.,;!?\n]{2,50})"
    ),
    "called": re.compile(rf"\b[Mm]y (?P<of>[a-z]+(?: [a-z]+)?)(?:['’]s name)? is (?:now )?(?:called|named) {_NAME}"),
}
_END = r"(?=[.,;:!?)\n]|\s(?:for|because|since|so|and|but|as|when|while|which|in|at|on)\b|\Z)"
_FROM_TO = re.compile(rf"\bfrom (?P<old>[^.,;:!?\n]{{1,40}}?) to (?P<new>[^.,;:!?\n]{{1,40}}?){_END}", re.IGNORECASE)
_INSTEAD = re.compile(
    rf"\b(?:instead of|rather than|in place of) (?:the |our |my )?(?P<old>[^.,;:!?\n]{{2,40}}?){_END}", re.I
)
_REPLACED = re.compile(
    r"\b(?:replac(?:ed?|ing)|swapp(?:ed|ing)(?: out)?) (?:the |our |my )?(?P<old>[^.,;:!?\n]{2,40}?) (?:with|by|for)\b",
    re.I,
)
_CHANGES = re.compile(
    r"\b(?:changed?|moved?|switch(?:ed)?|migrated?|renamed?|updated?|push(?:ed)?|postponed?|rescheduled?|extend(?:ed)?"
    r"|rais(?:ed?)|lower(?:ed)?|increased?|decreased?|dropped|improved?|went|grew|upgraded?|downgraded?|reduced?|cut)\b",
    re.IGNORECASE,
)
_ENDED = re.compile(
    r"\bno longer\b|(?:\bnot|n['’]t)\b[^.;!?\n]{1,60}\bany ?more\b|\b(?:quit|gave up|called off|cancell?ed)\b",
    re.IGNORECASE,
)
_TELLING = frozenset(
    "changed moved switched postponed pushed rescheduled delayed extended brought revised bumped raised "
    "lowered actually correction turns instead longer new updated now improved increased decreased dropped "
    "grew grown reached up down total already recently since far more anymore quit gave called cancelled "
    "canceled rather place replace replaced replacing swapped swapping live living moving relocated based work "
    "working started employed favourite favorite named".split()
)
"""Words of which each pattern that `may_change` looks for has one at least"""


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and what tells of what.

    kind     DATE, CLOCK, NUMBER with its unit (`number:%`), or the name of what a person has one of: `home`
    nouns    stems of what is counted, where it stands behind the number       near  stems of what stands around
    changed  2 where words beside it say that it is new, 1 where they may say so, 0 otherwise
    """

    kind: str
    value: str
    shown: str
    nouns: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    changed: int = 0


def stem(word: str) -> str:
    """What the forms of a word have in common, roughly."""
    return word[:5] if len(word) > 5 else word.removesuffix("s") if len(word) > 3 else word


def topic(text: str) -> frozenset[str]:
    """The stems of the words that say what a text is about."""
    return frozenset(filter(None, map(_told_by, WORD.findall(text.lower()))))


@lru_cache(maxsize=1 << 16)
def _told_by(word: str) -> str:
    """The stem of a word that says what a text is about; "" of any other."""
    says = word not in _LITTLE and len(word) > 2 and not word[0].isdigit()
    return stem(word) if says and word not in _SPELLED and word not in WEEKDAYS else ""


def values(sentence: str) -> Iterator[Value]:
    """The values in a sentence, in no order."""
    dated, rest = taken(sentence)
    for kind, normal, shown in dated:
        if kind is Kind.DATE:
            yield _placed(CLOCK if ":" in normal else DATE, normal, shown, sentence)
    for match in _WEEKDAY.finditer(sentence):
        yield _placed(DATE, match[0].lower(), match[0], sentence)
    for match in _NUMBER.finditer(rest):
        yield _number(match, sentence)
    for name, slot in _SLOTS.items():
        for match in slot.finditer(sentence):
            of = match.groupdict().get("of")
            yield Value(
                f"{name} {' '.join(sorted(topic(of)))}" if of else name,
                match["value"].lower(),
                match["value"],
                changed=2,
            )


def _number(match: re.Match[str], sentence: str) -> Value:
    said = match["number"].lower()
    unit = (match["unit"] or match["sign"] or "").strip().lower()
    behind = match.string[match.end() : match.end() + _AFTER].partition(";")[0]
    nouns = frozenset(list(_in_order(re.split(r"[.,;:!?()\n]", behind)[0]))[:2])
    value = str(_SPELLED.get(said, said.replace(",", "")))
    return _placed(f"{NUMBER}:{_UNITS.get(unit, unit)}", value, match[0].strip(), sentence, nouns)


def _in_order(text: str) -> Iterator[str]:
    for word in WORD.findall(text.lower())[:3]:
        yield from topic(word)


def _placed(kind: str, value: str, shown: str, sentence: str, nouns: frozenset[str] = frozenset()) -> Value:
    at = max(sentence.find(shown), 0)
    before, after = sentence[max(at - _BEFORE, 0) : at], sentence[at + len(shown) : at + len(shown) + _AFTER]
    changed = 2 if _STRONG.search(before[-60:] + " " + after[:20]) else 1 if _WEAK.search(before[-60:]) else 0
    return Value(kind, value, shown, nouns, topic(before) | topic(after), changed)


def olds(sentence: str) -> list[str]:
    """The values that a sentence says do not hold any more: `X` of "from X to Y", "instead of X", "replaced X with"."""
    found = [m["old"] for pattern in (_INSTEAD, _REPLACED) for m in pattern.finditer(sentence)]
    found += [m["old"] for m in _FROM_TO.finditer(sentence) if _CHANGES.search(sentence[: m.start()])]
    return [old.strip().lower() for old in found if len(old.strip()) > 1]


def may_change(text: str) -> bool:
    """Whether `text` has any of the words by which a sentence may supersede another: a quick look."""
    if _TELLING.isdisjoint(WORD.findall(text.lower())):
        return False
    return any(pattern.search(text) for pattern in (_STRONG, _WEAK, _ENDED, _INSTEAD, _REPLACED, *_SLOTS.values()))


def may_hold(text: str, kinds: Iterable[str]) -> bool:
    """Whether `text` may hold a value of one of these kinds: a quick look, which never says no where it does."""
    slots = {kind.partition(" ")[0] for kind in kinds}
    if any(_SLOTS[name].search(text) for name in slots & _SLOTS.keys()):
        return True
    return not slots <= _SLOTS.keys() and _COUNTED.search(text) is not None


def ends(sentence: str) -> bool:
    """Whether a sentence says that something is no longer so."""
    return _ENDED.search(sentence) is not None
