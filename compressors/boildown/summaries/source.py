"""A span of a conversation as what a summary says of it is looked up in it: words, numbers and dates, read once."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import log1p

from boildown.measure.content import text
from boildown.summaries.claims import ROLES, Names, told_of
from boildown.summaries.dates import Dates, told
from boildown.summaries.numbers import numbers
from boildown.summaries.summary import Summary
from boildown.summarizers.reading import said as shown
from boildown.text.words import SEPARATOR, WORD
from boildown.transcript import Message, ToolResult

TOOL = "tool"
NEAR = 120
"""Characters between two things that belong together"""
_STEM = 5
_MOST = 400
_ODD = str.maketrans({"’": "'", "‘": "'", '"': "'", "“": "'", "”": "'", "„": "'", "*": "", "`": ""})
_ENDS = " .,;:!?-'"
_JOINS, _JOINS_PATH = re.compile(r"\w"), re.compile(r"(?:[\w~@-]|\w\.)\Z")
_NAMED = re.compile(r"(?:#|\b(?:pr|pull|issues?|tasks?|tickets?|no\.?|number|step|phase|review)[\s/#:-]+)\Z")
_ESCAPE = re.compile(r"\\[nrt]")
"""A line break or a tab as JSON has it"""
_FILE, _LINE = re.compile(r"\.[a-z]{1,4}\Z"), re.compile(r"-\d")
"""A file's name, and what `grep -C` puts behind it"""
_GOES_ON = re.compile(r"[\w-]|\.\w")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a number stands, and its unit."""

    at: int
    unit: str


class Source:
    """What messages say, and what is known of them from summaries that were checked before.

    text      all of it, with marks of calls; `lower` is it in lower case
    starts    where each message begins in it, and each line of a summary, which come after them, from `first_line` on
    speakers  who says each: a name, a role; whom a line tells of, "" for nobody or several
    names     what names those who speak
    words     where each word stands, in order   numbers   where each value stands   dates   the dates it states
    """

    def __init__(
        self, messages: Sequence[Message], summaries: Sequence[Summary] = (), speakers: Iterable[str] = ()
    ) -> None:
        """`speakers` are those of what the summaries are of."""
        lines = [line for summary in summaries for line in _told(summary)]
        said = [f"{m.role} {m.time or ''} {_shown(m)}" for m in messages] + lines
        self.first_line = len(messages)
        self.names = Names.of({*speakers, *who_speaks(messages)})
        self.speakers = [speaker(m) for m in messages] + [told_of(line, self.names) for line in lines]
        self.roles = [TOOL if speaker(m) == TOOL else m.role for m in messages]
        self.roles += [who if who in ROLES else "" for who in self.speakers[len(messages) :]]
        self.text = SEPARATOR.join(said)
        self.lower = self.text.lower()
        self.starts = list(accumulate((len(t) + 1 for t in said[:-1]), initial=0))
        self.words: dict[str, list[int]] = defaultdict(list)
        for match in WORD.finditer(self.lower):
            self.words[match[0]].append(match.start())
        self.numbers: dict[str, list[Place]] = defaultdict(list)
        for number in numbers(self.lower):
            self.numbers[number.value].append(Place(number.start, number.unit))
        self.dates = Dates()
        self.dates.add(self.text)
        for when, what in zip(told([m.time for m in messages], map(text, messages)), said, strict=False):
            if when:
                self.dates.relate(what.lower(), when)
        self.dates.years.update(int(n) for n in self.numbers if len(n) == 4 and n.isdecimal())

    @cached_property
    def folded(self) -> str:
        return folded(self.text)

    @cached_property
    def stems(self) -> dict[str, list[str]]:
        """The words by how they begin."""
        found: dict[str, list[str]] = defaultdict(list)
        for word in self.words:
            found[stem(word)].append(word)
        return found

    def message(self, place: int) -> int:
        """The index of the message that stands at `place`."""
        return bisect_right(self.starts, place) - 1

    def places(self, word: str) -> list[int]:
        """Where words stand that begin as `word` does."""
        return [place for form in self.stems.get(stem(word), ()) for place in self.words[form]]

    def near(self, places: Sequence[int], words: Iterable[str]) -> float:
        """The share of `words`, by rarity, that stand together near to one of `places`, which are in order.

        Inflected forms count. Of a word that is said often, only the first places are looked at. 1 for no words.
        """
        total, found = 0.0, defaultdict[int, float](float)
        for word in words:
            held = self.places(word)
            weight = log1p(len(self.words) / (1 + len(held)) / 100)
            total += weight
            beside = {i for place in held[:_MOST] for i in _between(places, place - NEAR, place + NEAR)}
            for i in beside:
                found[i] += weight
        return max(found.values(), default=0.0) / total if total else 1.0

    def names_number(self, value: str) -> bool:
        """Whether a number stands in it as the name of something: #12, issue 12, /pull/12."""
        return any(_NAMED.search(self.lower[max(0, p.at - 16) : p.at]) for p in self.numbers.get(value, ()))

    def states(self, name: str) -> bool:
        """Whether an identifier stands in it by itself, in whatever case."""
        return _stands(name.lower(), self.lower, _alone)

    def begins(self, digits: str) -> bool:
        """Whether a hash stands in it that begins so."""
        return _stands(digits.lower(), self.lower, lambda a, _: _begins(a))

    def quotes(self, words: str) -> bool:
        """Whether a quotation stands in it word for word, up to case, blanks and the form of quotation marks."""
        return _stands(folded(words), self.folded, _alone)

    def sayings(self, sentence: str) -> list[int]:
        """The messages in which a sentence stands word for word, up to case, blanks and marks at its ends."""
        wanted = folded(sentence).strip(_ENDS)
        return [n for n, said in enumerate(self._folded_each) if wanted and wanted in said]

    @cached_property
    def _folded_each(self) -> list[str]:
        ends = [start - 1 for start in self.starts[1:]] + [len(self.text)]
        return [folded(self.text[start:end]) for start, end in zip(self.starts, ends, strict=True)]

    def has_path(self, path: str) -> bool:
        """Whether a path stands in it whole, or as the end or the folder of another. A bare file's name in any case."""
        where = self.text if "/" in path else self.lower
        path = re.sub(r"\A(?:\.|~)?/", "", path) if not path.startswith("/") else path
        wanted = path.rstrip("/") if "/" in path else path.lower()
        grepped = _FILE.search(wanted) is not None
        return _stands(
            wanted,
            where,
            lambda a, b: (
                (_ESCAPE.fullmatch(a) is not None or not _JOINS_PATH.search(a))
                and (not _GOES_ON.match(b) or (grepped and _LINE.match(b) is not None))
            ),
        )

    def has_address(self, url: str) -> bool:
        """Whether a URL stands in it, or one that it is the beginning of, up to a slash or the like."""
        wanted = url.rstrip("/")
        return _stands(wanted, self.text, lambda _, b: not re.match(r"[\w%&=~-]|[.:]\w", b))


def _between(places: Sequence[int], low: int, high: int) -> range:
    """The indexes of the places from `low` to `high`."""
    return range(bisect_left(places, low), bisect_right(places, high))


def _begins(before: str) -> bool:
    """Whether a word can begin behind these two characters: an escaped line break is no part of one."""
    return not _joined(before[-1:]) or _ESCAPE.fullmatch(before) is not None


def _alone(before: str, after: str) -> bool:
    """Whether what stands between these is no part of a longer word."""
    return _begins(before) and not _joined(after[:1])


def _joined(character: str) -> bool:
    return _JOINS.match(character) is not None


def _stands(wanted: str, text: str, fits: Callable[[str, str], bool]) -> bool:
    """Whether `wanted` is somewhere in `text` so that what is around it `fits`: two characters before, two after."""
    if not wanted:
        return True
    at = text.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if fits(text[max(0, at - 2) : at], text[end : end + 2]):
            return True
        at = text.find(wanted, at + 1)
    return False


def folded(text: str) -> str:
    """In lower case, with one kind of quotation marks, without emphasis, and with single blanks."""
    return " ".join(text.lower().translate(_ODD).split())


def stem(word: str) -> str:
    """What words of one root have in common, roughly."""
    return word[:_STEM] if len(word) > _STEM else word.removesuffix("s") if len(word) > 3 else word


def speaker(message: Message) -> str:
    """Who says it: the name in lower case, else the role; what only tools say is theirs, whoever sends it."""
    if message.role == TOOL or (message.blocks and all(isinstance(b, ToolResult) for b in message.blocks)):
        return TOOL
    return (message.name or message.role).lower()


def who_speaks(messages: Iterable[Message]) -> frozenset[str]:
    """The names, or else the roles, of those who say something themselves, and whether they are user or assistant."""
    said = [m for m in messages if speaker(m) != TOOL]
    return frozenset({speaker(m) for m in said} | ROLES.intersection(m.role for m in said))


def _shown(message: Message) -> str:
    """What a prompt shows of a message: a summary may say that there was a "[call of Read]"."""
    return "\n".join(filter(None, (message.name, *map(shown, message.blocks))))


def _told(summary: Summary) -> list[str]:
    """What a summary tells, also of messages that it could only cut."""
    return [*(line for _, line in summary.lines()), *summary.cut, *summary.verbatim]
