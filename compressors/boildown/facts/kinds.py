"""What kinds of facts a sentence states."""

from __future__ import annotations

import re
from enum import StrEnum

from boildown.facts.claims import topic
from boildown.measure.statements import Kind as Statement
from boildown.measure.statements import kinds as statements

_FEWEST = 2
"""Words that carry something, without which a sentence tells nothing by itself: `Agreed, John!`"""


class Kind(StrEnum):
    """In the order in which they are listed. ABOUT is what people tell of themselves: what they have, do and did."""

    PREFERENCE = "preferences"
    DECISION = "decisions"
    ABOUT = "about"
    DATE = "dates"
    NUMBER = "numbers"
    ENTITY = "entities"


_ADVERBS = r"(?: (?:really|just|still|also|always|do|absolutely|definitely|never|so|most|usually|both|all))*"
_PREFERENCE = re.compile(
    rf"\b(?:I|we)(?:['’](?:d|m|ve|re)| would| am| are| have)?{_ADVERBS} (?:like[sd]?|love[sd]?"
    r"|prefer(?:red|s)?|enjoy(?:ed|s)?|hate[sd]?|dislike[sd]?|adore[sd]?|rather|(?:a )?(?:huge |big )?fan of|into"
    r"|obsessed with|allergic to|vegan|vegetarian"
    r"|can['’]?t stand|do(?:n['’]| no)t (?:like|enjoy|want|eat|drink))\b"
    r"|\bmy (?:[\w-]+ )?favou?rite\b|\bfavou?rite \w+ (?:is|was|are)\b",
    re.IGNORECASE,
)
_WAYS = re.compile(
    r"\b(?:would|['’]d|feel|felt|looks?|sounds?|something|anything) like\b|['’]d love to\b|\bones I love\b",
    re.IGNORECASE,
)
_FIRST = r"\b(?:I|[Ww]e)(?:['’](?:ve|m|re|d)| have| am| are| had| was| were)?"
_ABOUT = re.compile(
    rf"{_FIRST}{_ADVERBS}(?: (?:recently|finally|currently|now|already|even|first|actually|only|once))* "
    r"(?:live|lived|living|work(?:s|ed|ing)?|mov(?:ed|ing)|stud(?:y|ied|ying)|start(?:ed|ing)|join(?:ed|ing)|bought|got|have"
    r"|had|own(?:ed)?|adopt(?:ed|ing)|graduated|married|divorced|born|went|visited|took|made|signed|won|lost|found|finished"
    r"|completed|planning|going|plan|been|a[n]? \w+|from|run(?:ning)?|ran|read(?:ing)?|writ(?:e|ing)|wrote|painted|met"
    r"|volunteer\w*|teach\w*|taught|learn\w*|quit|changed|switched|booked|saved?|spent|sold|applied|received|attended|saw"
    r"|celebrat\w+|camp\w+|hik\w+|play(?:ed|ing|s)?|paint\w*|research\w*|interview\w*|raised|donated|created|launched"
    r"|use[sd]?|using|trying|working|built|building|training|preparing|hoping|thinking of)\b"
    r"|\b[Mm]y (?:\w+ ){1,3}?(?:is|was|are|were|has|had|['’]s|works?|lives?|got|just|went|loves?|wants?"
    r"|passed|said|gave)\b",
)
_ADDRESSED = re.compile(r",\s+[A-Z]\w+[.!]*\Z")
_ASKS = re.compile(r"[?？][^\w?？]*\Z")
_BEGINS = re.compile(
    r"(?:[,;:–—]|\s-)\s+(?:(?:and|but|so|or|then) )?(?:can|could|how|what|do|does|did|is|are|should|would|will|which"
    r"|where|when|who|why|have|any)\b",
    re.IGNORECASE,
)
_DECIDES = re.compile(
    r"\b(?:decid(?:e[ds]?|ing)|decisions?|agreed|settled on|concluded|approved|rejected|chosen?|opted"
    r"|go(?:ing)? with|went with|we['’]ll (?:go|use|take|stick)"
    r"|let['’]s (?:go with|use|take|pick|stick with))\b",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:(?<!had )to|can|could|should|might|must|may|before|when|while|after|if|you|us|me) decid(?:e|ing)\b"
    r"|\bdecid(?:e|ing) (?:whether|if|on|between|which|what|how|when|where)\b"
    r"|\b(?:mak(?:e|es|ing)|reach(?:ing)?|inform|consider|discuss(?:ing)?|review(?:ing)?|justify|explain)\b"
    r"[^.;:!?\n]{0,40}\bdecisions?\b"
    r"|\byour (?:\w+ ){0,2}decisions?\b|\bdecision[- ](?:making|makers?|process)\b"
    r"|\b(?:the|your|these|those|each) chosen\b|\blet['’]s take an?\b|['’]ll take care\b"
    r"|\b(?:architecture|design|big|tough|hard|difficult|right) decisions?\b|\bagreements?\b"
    r"|\Aagreed[,!]",
    re.IGNORECASE,
)
"""A decision that is still to be made, or that nothing is said of"""

_DECIDED = re.compile(
    r"\b(?:we|you|they|he|she|I|[A-Z]\w+)(?:['’]ve| have| has| had)?(?: (?:all|both|already|just|finally|then))*"
    r" (?:decided|agreed|chose|chosen|settled|opted|approved|rejected)\b"
    r"|(?:\A\W*|\b[Tt]he )[Dd]ecisions?(?: is| was)?:",
)
"""What a decision of somebody's is told by, in a text that also tells what is generally so"""


def decided(sentence: str) -> bool:
    """Whether a sentence says of somebody that they decided something, as a model's has to for being a fact."""
    return _DECIDED.search(sentence) is not None


def stated(sentence: str) -> str:
    """A sentence without what it asks at its end: "I have 12 problems left, can you help?" states that there are 12."""
    if not _ASKS.search(sentence):
        return sentence
    begins = [match.start() for match in _BEGINS.finditer(sentence)]
    return sentence[: begins[-1]] if begins else ""


def told(sentence: str) -> set[Kind]:
    """The kinds that the words of a sentence tell of, besides those that its values tell of: dates and numbers."""
    if len(topic(_ADDRESSED.sub("", sentence))) < _FEWEST:
        return set()
    settled = _OPEN.sub(" ", sentence)
    decides = Statement.DECISION in statements(settled) or _DECIDES.search(settled)
    found = {Kind.DECISION} if decides else set[Kind]()
    if _PREFERENCE.search(_WAYS.sub(" ", sentence)):
        found.add(Kind.PREFERENCE)
    if _ABOUT.search(sentence):
        found.add(Kind.ABOUT)
    return found
