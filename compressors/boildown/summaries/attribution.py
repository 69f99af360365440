"""Whether a summary's line says that somebody said what only others did."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from math import log

from boildown.summaries.source import TOOL, Source
from boildown.text.words import LITTLE, WORD

_ASSERTS = """
    say said tell told ask asked decide decided want wanted prefer preferred suggest suggested propose proposed
    recommend recommended report reported mention mentioned explain explained state stated note noted request requested
    insist insisted complain complained plan planned promise promised offer offered believe believed hope hoped choose
    chose
    describe described share shared express expressed warn warned claim claimed announce announced instruct instructed
    """
_REACTS = """
    agree agreed accept accepted confirm confirmed approve approved reject rejected acknowledge acknowledged decline
    declined refuse refused"""
_ADVERBS = "also then later first finally initially explicitly has had have clearly previously again originally"
_REACTIONS = frozenset(f"{word}{end}" for word in _REACTS.split() for end in ("", "s"))
_VERBS = frozenset(f"{word}{end}" for word in _ASSERTS.split() for end in ("", "s")) | _REACTIONS
_ROLES = frozenset({"user", "assistant"})
_SENTENCE = re.compile(r"[^.!?;]+(?:[.!?;](?=\w)[^.!?;]*)*")
_HEAD = re.compile(r"[\W_]*(?P<who>\w[^:\n]{0,60}?)[\s*_`]*:[\s*_`]+(?P<said>\S.*)", re.DOTALL)
"""A line that begins with who says it, as in a transcript"""
_A_SAYING = 3
"""Words of a sentence that is told as it was said, from which on it is no commonplace"""
_FEW = {False: 2, True: 3}
"""Words of a sentence that one message of somebody else has to hold, and of these by rarity at least `_MOST_OF_IT`.
More where it is the user or the assistant (True) who is said to say it: their words are seldom told as they were."""
_MOST_OF_IT = 0.5
_OWN = {False: 0.4, True: 0.0}
"""What a message of the speaker's own may hold of it at most, as a share of that"""


@dataclass(frozen=True, slots=True)
class _Claim:
    """That somebody says something: the speaker, the word that names them, and the verb."""

    owner: str
    name: str
    verb: str


def misattributed(source: Source, line: str) -> str:
    """Why a line's speaker cannot have said it: one message of somebody else holds most of it, and none of theirs does.

    Judged sentence by sentence, and only where one speaker is named: by "Anna says", or by "Anna:" for the whole line.
    Messages that name that speaker count for them, unless a sentence stands in them word for word.
    """
    own = _names(source)
    head = _HEAD.fullmatch(line)
    whose = _headed(head["who"], own) if head else None
    sentences = _SENTENCE.findall(head["said"] if head and whose else line)
    return next((why for sentence in sentences if (why := _wrong(source, sentence, whose, own))), "")


def _wrong(source: Source, sentence: str, whose: _Claim | None, own: dict[str, str]) -> str:
    """Why a sentence cannot be its speaker's: of `whose` line it is, or else whom it names."""
    if whose and (why := _quoted(source, sentence, whose)):
        return why
    said = WORD.findall(sentence.lower())
    claim = whose or _claim(said, own)
    named = {owner for word in said if (owner := own.get(word))} | ({whose.owner} if whose else set())
    return _judged(source, said, claim, own) if claim and len(named) == 1 else ""


def _headed(who: str, own: dict[str, str]) -> _Claim | None:
    """The speaker whose words a line is said to be, where what stands before its colon names them and nobody else."""
    words = [word for word in WORD.findall(who.lower()) if word not in _ROLES] or WORD.findall(who.lower())
    whole = [speaker for speaker in sorted(set(own.values())) if WORD.findall(speaker) == words]
    owners = set(whole or map(own.get, words))
    owner = owners.pop() if len(owners) == 1 else None
    return _Claim(owner, words[0], "said") if owner else None


def _quoted(source: Source, sentence: str, claim: _Claim) -> str:
    """Why a sentence is not its speaker's that stands word for word in what is said: it is only in what others say."""
    if len(WORD.findall(sentence)) < _A_SAYING:
        return ""
    where = source.sayings(sentence)
    if not where or any(_is_by(source, n, claim.owner) or not source.speakers[n] for n in where):
        return ""
    return f"that {claim.name} {claim.verb} it: those are words of {source.speakers[where[0]]}"


def _judged(source: Source, said: list[str], claim: _Claim, own: dict[str, str]) -> str:
    owner, name, verb = claim.owner, claim.name, claim.verb
    about = sorted({w for w in said if w not in LITTLE and w not in own and w not in _VERBS and len(w) > 2})
    held = {word: where for word in about if (where := _held(source, word))}
    weight = {word: log(1 + len(source.speakers) / (1 + len(where))) for word, where in held.items()}
    score = defaultdict[int, float](float)
    for word, where in held.items():
        for n in where:
            score[n] += weight[word]
    own_score = max((v for n, v in score.items() if _may_say(source, n, owner, name, verb)), default=0.0)
    others = {n: v for n, v in score.items() if not _may_say(source, n, owner, name, verb)}
    best = max(others, key=lambda n: (others[n], -n), default=-1)
    what, is_role = [word for word, where in held.items() if best in where], owner in _ROLES
    most = others.get(best, 0.0)
    if len(what) < _FEW[is_role] or most < _MOST_OF_IT * sum(weight.values()) or own_score > _OWN[is_role] * most:
        return ""
    return f"that {name} {verb} it: only {source.speakers[best]} speaks of {', '.join(what)}"


def _names(source: Source) -> dict[str, str]:
    """The words that name a speaker, and the speaker: first and last names, roles."""
    own = {word: speaker for speaker in set(source.speakers) - {TOOL, ""} for word in WORD.findall(speaker)}
    return own | {role: role for role in _ROLES.intersection(source.roles)}


def _claim(said: list[str], own: dict[str, str]) -> _Claim | None:
    """What a sentence says that somebody says, with a verb."""
    for at, word in enumerate(said):
        verb = next((w for w in said[at + 1 : at + 4] if w not in _ADVERBS.split()), "")
        if word in own and verb in _VERBS:
            return _Claim(own[word], word, verb)
    return None


def _held(source: Source, word: str) -> list[int]:
    return sorted({source.message(place) for place in source.places(word)})


def _may_say(source: Source, n: int, owner: str, name: str, verb: str) -> bool:
    """Whether what message `n` says may be `owner`'s: they say it, are named in it, or agree to it just after.

    What tools give out is the assistant's, and what nobody is known to have said may be anybody's.
    """
    if _is_by(source, n, owner) or not source.speakers[n]:
        return True
    start = source.starts[n]
    end = source.starts[n + 1] if n + 1 < len(source.starts) else len(source.lower)
    if name not in _ROLES and any(start <= place < end for place in source.words.get(name, ())):
        return True
    return verb in _REACTIONS and _is_by(source, _answer(source, n), owner)


def _answer(source: Source, n: int) -> int:
    """The first message after `n` that somebody else says."""
    passed = (TOOL, source.speakers[n])
    return next((i for i in range(n + 1, len(source.speakers)) if source.speakers[i] not in passed), n)


def _is_by(source: Source, n: int, owner: str) -> bool:
    if owner in _ROLES:
        return source.roles[n] == owner or (owner == "assistant" and source.roles[n] == TOOL)
    return source.speakers[n] == owner
