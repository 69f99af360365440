"""Whether what a summary says is in its source: each concrete thing, and who is said to have said it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from boildown.measure.facts import MONTHS, Kind, taken
from boildown.summaries.attribution import misattributed
from boildown.summaries.numbers import UNITS, Number, numbers
from boildown.summaries.ordinary import is_ordinary
from boildown.summaries.source import Source, stem
from boildown.summaries.summary import SECTIONS, Summary
from boildown.text.words import FUNCTION, LITTLE, WORD
from boildown.transcript import Message

_QUOTED = re.compile(
    r"`+(?P<code>[^`\n]+)`+|\"(?<!\w\")(?P<straight>[^\"\n]+)\"(?!\w)|[“„](?P<curly>[^“”„\n]+)[”“]|«(?P<angled>[^«»\n]+)»"
    r"|(?<!\w)[‘'](?=\w)(?P<single>[^\n‘’']+(?:['’]\w[^\n‘’']*)*)[’'](?!\w)"
)
_GAP = re.compile(r"\s*(?:\.\.\.|…|\[[^\]\[\n]{0,60} [^\]\[\n]{0,60}\])\s*")
"""What a quotation leaves out, or tells in other words: dots, or words in brackets"""
_ADJOINING = " \t.,;:!?()[]{}"
_LISTED = re.compile(r"^\s*\(?\d{1,3}[.)](?=\s)|\(\d\)|(?<=[;:,] )\d\)(?=\s)")
# A capital says nothing where a sentence, a clause or a heading begins.
_INSIDE = re.compile(r"[^\s.!?…:*#>|(\[/–—-][\"'“‘]?\s+\Z")
_PAIR = re.compile(r"\bthe two\Z", re.IGNORECASE)
"""Two who speak with each other, which their conversation has no need to say"""
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s\"'<>)\]]+")
_MIXED = re.compile(r"(?<![\w./~@-])(?!\d{4}-\d\d-\d\dT)(?=[\w-]*\d)(?=[\w-]*[^\W\d_])[\w-]{5,}(?![\w/]|\.\w)")
_ODD = re.compile(r"[a-z]+\d+[a-z]|\d+[a-z]+\d|[a-z]{3,}\d")
"""Letters and digits in one word, and not as in 15min or v2"""
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:\.\w+)*(?![\w-])"
_UUID_PATH = re.compile(rf"(?<![\w~@./-])(?:(?:[\w~@.-]*/)+{_UUID}(?:/[\w~@.-]*)*|{_UUID}(?:/[\w~@.-]*)+)")
"""A path in which a UUID is a part"""
_CHAIN = re.compile(r"(?<![\w./~@\\-])[^\W\d]\w*(?:\.[^\W\d]\w*){2,}(?![\w/-]|\.\w)")
"""A name of three parts or more, of which two could be taken for a file: process.env.TERM, tsconfig.build.json"""
_HASH = re.compile(r"[0-9a-f]{7,}")
_COMMON = frozenset(
    f"user assistant system tool agent human ai model developer conversation summary session none unknown todo ok yes "
    f"no not {' '.join(SECTIONS.values())}".lower().split()
)
_RARE, _SHORT = 2, 2
"""A number of more digits than `_SHORT` that stands in the source only so often is there for no other reason"""
_BRIEF = 4000
"""Characters of a source in which no number of several digits stands by chance"""
_BESIDE = 3
_ENOUGH = 0.34
"""The share of the words beside a number in a line, three on each side, that have to stand near to it in the source"""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a span says, read once, to hold the lines of its summary against.

    A line is held against it thing by thing: a flipped negation, two names that changed places, or a claim without
    anything concrete in it are beyond these checks.
    """

    source: Source

    @classmethod
    def of(
        cls, messages: Sequence[Message], summaries: Sequence[Summary] = (), speakers: Iterable[str] = ()
    ) -> Evidence:
        """What `messages` say, and `summaries` that were checked before: those of parts, or an earlier one.

        `speakers` are those of what the summaries are of.
        """
        return cls(Source(messages, summaries, speakers))

    def unfounded(self, line: str) -> tuple[str, ...]:
        """The concrete things in a line of a summary that the source lacks, each as "the number 1,500".

        Quotations and code have to be there word for word; URLs, paths and identifiers whole; dates in any form;
        numbers with their units, small ones near to what the line speaks of; names as words.
        """
        found, rest = list[str](), self._unwrapped(_LISTED.sub(" ", line))
        for quoted in _QUOTED.finditer(rest):
            if not self._quotes(quoted):
                found.append(f"the words {quoted[0]}")
        rest = _QUOTED.sub(lambda m: f" {'`' * m[0].startswith('`')}; ", rest)
        for address in _ADDRESS.findall(rest):
            if not self.source.has_address(address.rstrip(_ADJOINING)):
                found.append(f"the URL {address.rstrip(_ADJOINING)}")
        rest = _ADDRESS.sub(" ; ", rest)
        for path in (m[0].rstrip(_ADJOINING) for m in _UUID_PATH.finditer(rest)):
            if not self.source.has_path(path):
                found.append(f"the path {path}")
        rest = _UUID_PATH.sub(" ; ", rest)
        rest = _CHAIN.sub(lambda m: " ; " if self.source.states(m[0]) else m[0], rest)
        mixed = [name for name in _MIXED.findall(rest) if any(map(_ODD.search, name.lower().split("-")))]
        found += [f"the identifier {name}" for name in mixed if not self._states(Kind.IDENTIFIER, name, name)]
        stated, rest = taken(_MIXED.sub(lambda m: " ; " if m[0] in mixed else m[0], rest))
        found += [
            f"{_KINDS[kind]} {shown.rstrip('.,;:!?')}"
            for kind, normal, shown in stated
            if not self._states(kind, normal, shown)
        ]
        found += self._numbers(rest)
        found += [f"the name {name}" for name in self._names(rest)]
        return tuple(dict.fromkeys(found))

    def misattributed(self, line: str) -> str:
        """Why a line cannot be of the speaker whom it names; "" where nothing speaks against it."""
        return misattributed(self.source, line)

    def _unwrapped(self, line: str) -> str:
        """The line without a quotation that has quotation marks inside of it."""
        first, last = line.find('"'), line.rfind('"')
        in_code = line[: max(0, first)].count("`") % 2 == 1
        whole = not in_code and line.count('"') > 2 and self.source.quotes(line[first + 1 : last].strip(_ADJOINING))
        return f"{line[:first]} ; {line[last + 1 :]}" if whole else line

    def _quotes(self, quoted: re.Match[str]) -> bool:
        inside = quoted[quoted.lastgroup or 0]
        code = quoted.lastgroup == "code"
        parts = [part.strip(_ADJOINING) for part in (inside.split("...") if code else _GAP.split(inside))]
        stated = taken(inside)[0] if code else []
        whole = all(self._states(*thing) for thing in stated if thing[0] is Kind.PATH and thing[2] == inside)
        return whole and all(map(self.source.quotes, parts))

    def _states(self, kind: Kind, normal: str, shown: str) -> bool:
        source = self.source
        match kind:
            case Kind.DATE:
                return source.dates.bear_out(normal, shown)
            case Kind.PATH:
                return source.has_path(normal) or self._are_words(normal)
            case _:
                return source.states(normal) or (_HASH.fullmatch(normal) is not None and source.begins(normal))

    def _are_words(self, text: str) -> bool:
        """Whether what looks like a path is a list of words that the source has: Read/Write/Edit."""
        parts = text.split("/")
        return all(part.istitle() or part.isupper() for part in parts) and all(map(self._has, parts))

    def _has(self, word: str) -> bool:
        return all(part in self.source.words for part in WORD.findall(word.lower()))

    def _numbers(self, rest: str) -> Iterator[str]:
        low = rest.lower()
        said = [m for m in WORD.finditer(low) if self._tells(m[0])]
        for number in numbers(low):
            shown = rest[number.start : number.end]
            if _PAIR.search(rest[: number.end]) or shown.lower() == "one":
                continue
            before = [m[0] for m in said if m.start() < number.start][-_BESIDE:]
            after = [m[0] for m in said if m.start() > number.start][:_BESIDE]
            spelled, named = not shown[0].isdecimal(), low[: number.start].endswith("#")
            if not self._counts(number, dict.fromkeys(before + after), spelled, named):
                yield f"the number {shown}{f' {number.unit}' if number.unit else ''}"

    def _tells(self, word: str) -> bool:
        """Whether a word of a line tells what a number in it is the number of."""
        common = word in LITTLE or word in UNITS or word in _COMMON or word.isdecimal() or len(word) < 3
        return not common and stem(word) in self.source.stems

    def _counts(self, number: Number, beside: Iterable[str], spelled: bool, named: bool) -> bool:
        """Whether the source has the number with its unit and, unless it is rare, near to what stands beside it."""
        if named and not number.unit:
            return self.source.names_number(number.value)
        places = self.source.numbers.get(number.value, ())
        at = [p.at for p in places if p.unit == number.unit] if number.unit else [p.at for p in places]
        if number.unit and not at:
            at = [p.at for p in places if not p.unit and self._unit_near(p.at, number.unit)]
        digits, brief = len(number.value), len(self.source.text) < _BRIEF
        rare = (len(at) <= _RARE and digits > _SHORT) or (brief and digits > 1)
        return bool(at) and (rare or spelled or self.source.near(at, beside) >= _ENOUGH)

    def _unit_near(self, place: int, unit: str) -> bool:
        return any(self.source.near([place], [form]) for form, own in UNITS.items() if own == unit)

    def _names(self, rest: str) -> Iterator[str]:
        if _german(rest):
            return
        said = list(WORD.finditer(rest))
        for n, match in enumerate(said):
            word = match[0]
            if len(word) < 2 or not word[0].isupper() or any(map(str.isdecimal, word)) or self._known(word.lower()):
                continue
            beside = [rest[match.end() : m.start()] == " " for m in said[n + 1 : n + 2]]
            titled = [m[0] for m, near in zip(said[n + 1 : n + 2], beside, strict=True) if near]
            titled += [m[0] for m in said[max(0, n - 1) : n] if rest[m.end() : match.start()] == " "]
            inside = _INSIDE.search(rest[: match.start()]) is not None and not word.isupper()
            a_title = any(w[0].isupper() and is_ordinary(w.capitalize()) for w in titled)
            if (inside and not a_title) or not is_ordinary(word.capitalize()):
                yield word

    def _known(self, word: str) -> bool:
        words = self.source.words
        return (
            word in words or word in LITTLE or word in _COMMON or word.removesuffix("s") in words or self._month(word)
        )

    def _month(self, word: str) -> bool:
        return word in MONTHS and (0, MONTHS[word], 0) in self.source.dates.days


_KINDS = {
    Kind.DATE: "the date",
    Kind.URL: "the URL",
    Kind.PATH: "the path",
    Kind.IDENTIFIER: "the identifier",
    Kind.NUMBER: "the number",
    Kind.NAME: "the name",
}


def _german(text: str) -> bool:
    """Whether a text is in German, where a capital does not tell a name from a noun."""
    said = set(WORD.findall(text.lower()))
    return len(said & (FUNCTION["de"] - FUNCTION["en"])) > max(1, len(said & (FUNCTION["en"] - FUNCTION["de"])))
