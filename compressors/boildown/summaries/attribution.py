"""Whether a summary's line says of somebody what its source says only of others."""

from __future__ import annotations

import re
from collections import defaultdict
from math import log

from boildown.summaries.claims import REACTIONS, ROLES, TELLS, VERBS, Claim, claim, headed
from boildown.summaries.source import TOOL, Source
from boildown.text.words import LITTLE, WORD

_SENTENCE = re.compile(r"[^.!?;]+(?:[.!?;](?=\w)[^.!?;]*)*")
_A_SAYING = 3
"""Words of a sentence that is told as it was said, from which on it is no commonplace"""
_FEW = {False: 2, True: 3}
"""Words of a sentence that one message of somebody else has to hold, and of these by rarity at least `_MOST_OF_IT`.
More where it is the user or the assistant (True) who is said to say what a message says: their words are seldom told
as they were."""
_MOST_OF_IT = 0.5
_OWN = {False: 0.4, True: 0.0}
"""What a message of the speaker's own may hold of it at most, as a share of that"""


def misattributed(source: Source, line: str) -> str:
    """Why a line cannot be of the one whom it names: a message or line of another holds most of it, and none of theirs.

    Judged sentence by sentence, and only where one speaker is named: by "Anna says", by "Anna:" for the whole line, or,
    of what summaries told before, by the name alone. What names that speaker counts for them, unless a sentence stands
    in it word for word.
    """
    whose, said = headed(line, source.names)
    sentences = _SENTENCE.findall(said)
    return next((why for sentence in sentences if (why := _wrong(source, sentence, whose))), "")


def _wrong(source: Source, sentence: str, whose: Claim | None) -> str:
    """Why a sentence cannot be its speaker's: of `whose` line it is, or else whom it names."""
    if whose and (why := _quoted(source, sentence, whose)):
        return why
    names = source.names
    if whose and any(speaker != whose.owner for _, _, speaker in names.found(WORD.findall(sentence))):
        return ""
    found = whose or claim(sentence, names)
    if found is None or (found.verb == TELLS and source.first_line == len(source.speakers)):
        return ""
    return _judged(source, WORD.findall(sentence.lower()), found)


def _quoted(source: Source, sentence: str, claim: Claim) -> str:
    """Why a sentence is not its speaker's that stands word for word in what is said: it is only in what others say."""
    if len(WORD.findall(sentence)) < _A_SAYING:
        return ""
    where = source.sayings(sentence)
    if not where or any(_is_by(source, n, claim.owner) or not source.speakers[n] for n in where):
        return ""
    return f"that {claim.name} {claim.verb} it: those are words of {source.speakers[where[0]]}"


def _judged(source: Source, said: list[str], claim: Claim) -> str:
    passed = VERBS | LITTLE | source.names.words
    about = sorted({w for w in said if w not in passed and len(w) > 2})
    held = {word: where for word in about if (where := _held(source, word))}
    weight = {word: log(1 + len(source.speakers) / (1 + len(where))) for word, where in held.items()}
    score = defaultdict[int, float](float)
    for word, where in held.items():
        for n in where:
            score[n] += weight[word]
    own_score = max((v for n, v in score.items() if _may_say(source, n, claim)), default=0.0)
    others = {n: v for n, v in score.items() if not _may_say(source, n, claim)}
    best = max(others, key=lambda n: (others[n], -n), default=-1)
    what = [word for word, where in held.items() if best in where]
    is_role = claim.owner in ROLES and best < source.first_line
    most = others.get(best, 0.0)
    if len(what) < _FEW[is_role] or most < _MOST_OF_IT * sum(weight.values()) or own_score > _OWN[is_role] * most:
        return ""
    it = f"it was {claim.name}" if claim.verb == TELLS else f"{claim.name} {claim.verb} it"
    if best >= source.first_line:
        return f"that {it}: {', '.join(what)} is told only of {source.speakers[best]}"
    return f"that {it}: only {source.speakers[best]} speaks of {', '.join(what)}"


def _held(source: Source, word: str) -> list[int]:
    return sorted({source.message(place) for place in source.places(word)})


def _may_say(source: Source, n: int, claim: Claim) -> bool:
    """Whether what message or line `n` says may be claimed: it is of the one who is named, or names them.

    What tools give out is the assistant's, and what nobody is known to have said may be anybody's. Who agrees to
    something does so just after it was said. A message does not tell of whom it speaks.
    """
    if _is_by(source, n, claim.owner) or not source.speakers[n]:
        return True
    is_line = n >= source.first_line
    if is_line and (claim.verb in REACTIONS or (source.speakers[n] in ROLES) != (claim.owner in ROLES)):
        return True
    if not is_line and claim.verb == TELLS:
        return True
    start = source.starts[n]
    end = source.starts[n + 1] if n + 1 < len(source.starts) else len(source.lower)
    if claim.name not in ROLES and all(
        any(start <= place < end for place in source.words.get(word, ())) for word in claim.name.split()
    ):
        return True
    return claim.verb in REACTIONS and _is_by(source, _answer(source, n), claim.owner)


def _answer(source: Source, n: int) -> int:
    """The first message after `n` that somebody else says."""
    passed = (TOOL, source.speakers[n])
    return next((i for i in range(n + 1, len(source.speakers)) if source.speakers[i] not in passed), n)


def _is_by(source: Source, n: int, owner: str) -> bool:
    if owner in ROLES:
        return source.roles[n] == owner or (owner == "assistant" and source.roles[n] == TOOL)
    return source.speakers[n] == owner
