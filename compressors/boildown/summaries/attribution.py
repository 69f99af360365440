"""Whether a summary's line says that somebody said what only others did."""

from __future__ import annotations

import re
from collections import Counter as Tally

from boildown.summaries.source import TOOL, Source, rarest
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
_FEW, _FEW_BY_ROLE = 2, 3
"""Rare things of a line that one message of somebody else has to hold before the line is judged; more where it is the
user or the assistant who is said to say it, whose words are seldom repeated as they were"""
_MOST = 8
_RARE = 0.05
"""The share of messages that a word may stand in, besides a few, to tell who speaks of its thing"""


def misattributed(source: Source, line: str) -> str:
    """Why a line's speaker cannot have said it: all that is rare in it is said by others, who do not name the speaker.

    Judged sentence by sentence, and only where one speaker is named and at least two rare things of it are found.
    """
    for sentence in _SENTENCE.findall(line):
        if why := _judged(source, sentence):
            return why
    return ""


def _judged(source: Source, sentence: str) -> str:
    said = WORD.findall(sentence.lower())
    own = _names(source)
    named = {owner for word in said if (owner := own.get(word))}
    claim = _claim(said, own)
    if claim is None or len(named) != 1:
        return ""
    owner, name, verb = claim
    about = {w for w in said if w not in LITTLE and w not in own and w not in _VERBS and len(w) > 2}
    rare = [(word, held) for word in rarest(about, source, _MOST) if _is_rare(held := _held(source, word), source)]
    if any(_may_say(source, n, owner, name, verb) for _, held in rare for n in held):
        return ""
    together = Tally(n for _, held in rare for n in held)
    n, many = max(together.items(), key=lambda found: (found[1], -found[0]), default=(0, 0))
    if many < (_FEW_BY_ROLE if owner in _ROLES else _FEW):
        return ""
    what = ", ".join(word for word, held in rare if n in held)
    return f"that {name} {verb} it: only {source.speakers[n]} speaks of {what}"


def _names(source: Source) -> dict[str, str]:
    """The words that name a speaker, and the speaker: first and last names, roles."""
    own = {word: speaker for speaker in set(source.speakers) - {TOOL, ""} for word in WORD.findall(speaker)}
    return own | {role: role for role in _ROLES.intersection(source.roles)}


def _claim(said: list[str], own: dict[str, str]) -> tuple[str, str, str] | None:
    """The speaker, the word that names them and the verb, where a sentence says that somebody says something."""
    for at, word in enumerate(said):
        verb = next((w for w in said[at + 1 : at + 4] if w not in _ADVERBS.split()), "")
        if word in own and verb in _VERBS:
            return own[word], word, verb
    return None


def _held(source: Source, word: str) -> list[int]:
    return sorted({source.message(place) for place in source.places(word)})


def _is_rare(held: list[int], source: Source) -> bool:
    return 0 < len(held) <= max(2, _RARE * len(source.speakers))


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
