"""Whom a line of a summary tells of: who is said to say it, or the one person that it names."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from boildown.summaries.ordinary import is_ordinary
from boildown.text.words import LITTLE, WORD

ROLES = frozenset({"user", "assistant"})
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
_ADVERBS = """
    also then later first finally initially explicitly has had have clearly previously again originally
    auch dann später zuerst schließlich aussi ensuite alors finalement también luego después""".split()
_OTHER_ASSERTS = """
    sagt sagte meint meinte fragt fragte möchte wollte erklärt erklärte berichtet berichtete erzählt erzählte schlägt
    schlug empfiehlt empfahl bittet verspricht versprach entscheidet entschied beschließt beschloss bevorzugt hofft
    wünscht glaubt kündigt erwähnt erwähnte warnt warnte
    dit disait demande veut voulait préfère suggère explique annonce promet décide espère raconte précise souhaite pense
    dice dijo pide pidió quiere quería prefiere sugiere sugirió propone propuso explica explicó promete decide decidió
    espera cuenta contó cree
    """
_OTHER_REACTS = """
    stimmt stimmte bestätigt bestätigte akzeptiert akzeptierte lehnt lehnte accepte confirme approuve refuse acepta
    aceptó confirma confirmó rechaza rechazó"""
REACTIONS = frozenset(f"{word}{end}" for word in _REACTS.split() for end in ("", "s")) | {*_OTHER_REACTS.split()}
VERBS = frozenset(f"{word}{end}" for word in _ASSERTS.split() for end in ("", "s")) | REACTIONS
VERBS |= {*_OTHER_ASSERTS.split()}
TELLS = "tells of"
"""Instead of a verb, where a line names somebody and does not say that they said it"""
_HEAD = re.compile(r"[\W_]*(?P<who>\w[^:\n]{0,60}?)[\s*_`]*:[\s*_`]+(?P<said>\S.*)", re.DOTALL)
"""A line that begins with who says it, as in a transcript"""


@dataclass(frozen=True, slots=True)
class Claim:
    """That somebody says something: the speaker, the words that name them, and the verb, or TELLS."""

    owner: str
    name: str
    verb: str


@dataclass(frozen=True, slots=True)
class Names:
    """What names the speakers, in lower case.

    whole  names word by word, by their first word   alone  the words that are in only one of them   words  all of them
    """

    whole: Mapping[str, Mapping[tuple[str, ...], str]]
    alone: Mapping[str, str]
    words: frozenset[str]

    @classmethod
    def of(cls, speakers: Iterable[str]) -> Names:
        named = {words: speaker for speaker in sorted(set(speakers)) if (words := tuple(WORD.findall(speaker)))}
        often = Counter(word for words in named for word in set(words))
        alone = {w: speaker for words, speaker in named.items() for w in words if often[w] == 1 and w not in LITTLE}
        whole = defaultdict[str, dict[tuple[str, ...], str]](dict)
        for words, speaker in named.items():
            whole[words[0]][words] = speaker
        return cls(whole, alone, frozenset(often))

    def found(self, words: Sequence[str]) -> list[tuple[int, str, str]]:
        """Who is named in `words`: where, by which words, and the speaker."""
        said, at, found = [word.lower() for word in words], 0, list[tuple[int, str, str]]()
        while at < len(said):
            size, speaker = self._at(words, said, at)
            found += [(at, " ".join(said[at : at + size]), speaker)] if speaker else []
            at += size
        return found

    def _at(self, words: Sequence[str], said: Sequence[str], at: int) -> tuple[int, str]:
        """How many words from `at` on name a speaker, and whom; 1 and "" where they name none."""
        known = self.whole.get(said[at], {})
        name = max((name for name in known if tuple(said[at : at + len(name)]) == name), key=len, default=())
        if len(name) > 1 or (name and (words[at][0].isupper() or said[at] not in LITTLE)):
            return len(name), known[name]
        return 1, self.alone.get(said[at], "")


def headed(line: str, names: Names) -> tuple[Claim | None, str]:
    """Whose words a line is said to be by what stands before its colon, and those words; else None, and the line."""
    head = _HEAD.fullmatch(line)
    claim = _whose(head["who"], names) if head else None
    return (claim, head["said"]) if head and claim else (None, line)


def _whose(who: str, names: Names) -> Claim | None:
    """The speaker whom a head names, and nothing else; who has a name may have a role beside it."""
    words = WORD.findall(who)
    words = [word for word in words if word.lower() not in ROLES] or words
    found = names.found(words)
    alone = len({speaker for _, _, speaker in found}) == 1 and sum(len(n.split()) for _, n, _ in found) == len(words)
    return Claim(found[0][2], found[0][1], "said") if alone else None


def claim(sentence: str, names: Names) -> Claim | None:
    """What a sentence says that somebody says, with a verb, or tells of somebody; None where it names another, too."""
    words = WORD.findall(sentence)
    found = names.found(words)
    if len({speaker for _, _, speaker in found}) != 1:
        return None
    for at, name, speaker in found:
        end = at + len(name.split())
        verb = next((w for w in map(str.lower, words[end : end + 3]) if w not in _ADVERBS), "")
        if verb in VERBS:
            return Claim(speaker, name, verb)
    telling = ((name, speaker) for at, name, speaker in found if _is_name(words[at], name, speaker))
    return next((Claim(speaker, name, TELLS) for name, speaker in telling), None)


def _is_name(word: str, name: str, speaker: str) -> bool:
    """Whether what could name a speaker does: no role does, nor "Project" alone where a "Project Manager" speaks."""
    whole = name.split() == WORD.findall(speaker)
    return speaker not in ROLES and word[0].isupper() and (whole or not is_ordinary(word.capitalize()))


def told_of(line: str, names: Names) -> str:
    """The one whom a line tells of, or whose words it is; "" for nobody or several."""
    found = headed(line, names)[0] or claim(line, names)
    return found.owner if found else ""
