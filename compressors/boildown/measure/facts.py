"""The concrete things that a text states: dates, numbers, URLs, paths, identifiers and names, in a normal form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from boildown.identifiers import IDENTIFIER, NUMBERED
from boildown.text.words import LITTLE


class Kind(StrEnum):
    """Kinds of concrete facts."""

    NUMBER = "numbers"
    DATE = "dates"
    NAME = "names"
    PATH = "paths"
    IDENTIFIER = "identifiers"
    URL = "URLs"


Fact = tuple[Kind, str]
"""A fact's kind and its normal form"""

MONTHS = {
    name: number
    for number, listed in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro januari января",
            "february feb februar février febrero febbraio fevereiro februari февраля",
            "march mar märz mars marzo março maart марта",
            "april apr avril abril aprile апреля",
            "may mai mayo maggio maio mei мая",
            "june jun juni juin junio giugno junho июня",
            "july jul juli juillet julio luglio julho июля",
            "august aug août agosto augustus августа",
            "september sep sept septembre septiembre settembre setembro сентября",
            "october oct okt oktober octobre octubre ottobre outubro октября",
            "november nov novembre noviembre novembro ноября",
            "december dec dez dezember décembre diciembre dicembre dezembro декабря",
        ),
        1,
    )
    for name in listed.split()
}
FILES = frozenset(
    "py pyi js jsx mjs ts tsx md rst txt csv tsv json yaml yml toml ini cfg conf lock log sh bash go rs c h cc cpp hpp "
    "cs java kt rb php html css scss sql xml svg png jpg jpeg gif pdf docx xlsx zip tar gz env proto ipynb".split()
)
_MONTH = "|".join(sorted({f for m in MONTHS for f in (m, m.capitalize(), m.upper())}, key=lambda m: (-len(m), m)))
_DAY = r"\d{1,2}(?:st|nd|rd|th|\.|º)?"
_EDGE, _END = r"(?<![\w/.:-])", r"(?![\w/-]|\.\w)"
_CLOCK = r"\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z\b|[+-]\d\d:?\d\d\b)?"
# What comes first in each half is there for speed: most places of a text are turned down by it.
_DATE = re.compile(
    rf"{_EDGE}(?:(?=\d)(?:(?P<iso>\d{{4}}-\d\d-\d\d)(?:T{_CLOCK}|{_END})"
    rf"|(?P<day>{_DAY})\s(?:of\s|de\s)?(?P<month>{_MONTH})\b\.?(?:,?\s(?:de\s)?(?P<year>\d{{4}})\b)?"
    rf"|(?P<literal>\d{{1,2}}/\d{{1,2}}/\d{{2,4}}|\d{{1,2}}\.\d{{1,2}}\.\d{{4}}){_END}"
    r"|(?P<time>\d{1,2}:\d\d)(?![\d:])(?:\s?(?P<half>[ap])\.?m\b\.?)?|(?P<clock>\d{1,2})\s?(?P<half2>[ap])\.?m\b\.?)"
    rf"|(?=[^\W\d_]{{3,10}}\.?\s(?:de\s)?\d)(?P<month2>{_MONTH})\.?\s"
    rf"(?:(?P<day2>{_DAY})(?:,?\s(?P<year2>\d{{4}}))?|(?:de\s)?(?P<year3>\d{{4}})){_END})"
)
_STAMP = re.compile(rf"(?<![\w:]){_CLOCK}")
_NUMBER = re.compile(r"(?<![A-Za-z0-9_.,])\d(?:[\d.,'’]*\d)?(?:\s?%|[A-Za-zµ°]{1,4}\b)?")
_CODE = re.compile(r"(?<![\w-])[A-Z]{1,6}(?:-\d|\d)\d*(?:-\w+)*(?!\w)")  # FL-20931, X4
_UUID = re.compile(r"(?<!\w)[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?!\w)")
_GREPPED = re.compile(r"(\.[a-z]{1,4})-\d+\Z")
"""The number of a line that `grep -C` puts behind a path"""
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\Z")
_THOUSANDS = re.compile(r"(?<=\d)[,'’](?=\d{3}(?!\d))")
_CAPITAL = re.compile(r"(?<=[^\s.!?…:*#>|-] )[^\W\d_]{2,}")
_LOWER = re.compile(r"(?<!\w)[^\W\d_]+")


def concrete(text: str) -> set[Fact]:
    """The facts of all kinds but names. Numbers of one digit, times with seconds and line numbers are none."""
    return {fact for fact, _ in shown(text)}


def shown(text: str) -> list[tuple[Fact, str]]:
    """The facts of all kinds but names, and how each stands in the text."""
    stated, rest = taken(text)
    found: list[tuple[Fact, str]] = [((kind, normal), as_it_stands) for kind, normal, as_it_stands in stated]
    found += [((Kind.NUMBER, _number(m[0])), m[0]) for m in _NUMBER.finditer(rest) if len(m[0]) > 1]
    return found


def taken(text: str) -> tuple[list[tuple[Kind, str, str]], str]:
    """The dates, URLs, paths and identifiers: kind, normal form and how it stands there; and the text without them."""
    found: list[tuple[Kind, str, str]] = []

    def take(normal: Fact | None, match: re.Match[str]) -> str:
        if normal is None:
            return match[0]
        found.append((*normal, match[0]))
        return " ; "

    rest = NUMBERED.sub("", text)
    rest = _DATE.sub(lambda m: take((Kind.DATE, _date(m)), m), rest)
    rest = _UUID.sub(lambda m: take((Kind.IDENTIFIER, m[0].lower()), m), rest)
    rest = IDENTIFIER.sub(lambda m: take(_identifier(m), m), _STAMP.sub(" ; ", rest))
    return found, _CODE.sub(lambda m: take((Kind.IDENTIFIER, m[0]), m), rest)


def dates(text: str) -> Iterator[str]:
    """The dates and times of the day alone, in their normal form."""
    return map(_date, _DATE.finditer(text))


def _date(match: re.Match[str]) -> str:
    """`2027-05-14`, `05-14` without a year, `2027-05` without a day, `09:30` for a time of the day."""
    found = match.groupdict()
    if found["iso"] or found["literal"]:
        return str(found["iso"] or re.sub(r"\b0", "", match[0]))
    if found["time"] or found["clock"]:
        hour, _, minute = (found["time"] or found["clock"]).partition(":")
        late = 12 if (found["half"] or found["half2"]) == "p" and int(hour) < 12 else 0
        return f"{int(hour) + late:02}:{minute or '00'}"
    month = MONTHS[(found["month"] or found["month2"]).lower()]
    day, year = found["day"] or found["day2"], found["year"] or found["year2"] or found["year3"]
    days = int(re.sub(r"\D", "", day)) if day else 0
    return "-".join(filter(None, (year, f"{month:02}", f"{days:02}" if day else "")))


def _identifier(match: re.Match[str]) -> Fact | None:
    """A URL, a path or an identifier; None for what only looks so: digits, words with a slash, tags, `e.g`, `\\nNo`."""
    text, before = match[0], match.string[match.start() - 1 : match.start()]
    if before == "\\":
        return None
    if text.startswith(("http://", "https://")):
        return Kind.URL, text.rstrip(".,;:!?*`")
    if "/" in text:
        is_path = text[0] in "/~." or text.count("/") > 1 or "." in text or "_" in text
        is_other = before == "<" or text.startswith("//") or not re.search(r"[^\W\d_]", text)
        return (Kind.PATH, _GREPPED.sub(r"\1", text)) if is_path and not is_other else None
    stem, dot, ending = text.rpartition(".")
    if dot:
        return None if len(stem) < 2 else (Kind.PATH if ending in FILES else Kind.IDENTIFIER, text)
    hashed = re.fullmatch(r"[0-9a-f]+", text) and not re.search(r"\d", text)
    return None if text.isdigit() or hashed else (Kind.IDENTIFIER, text)


def _number(text: str) -> str:
    """Without marks between thousands, the blank before a percent sign and an ordinal's ending; units in lower case."""
    return _ORDINAL.sub("", "".join(_THOUSANDS.sub("", text).lower().split()))


def names(texts: Iterable[str]) -> set[str]:
    """The words, in lower case, that stand with a capital inside of a sentence and nowhere without one.

    In German these are the nouns.
    """
    texts = list(texts)
    small = {w for text in texts for w in _LOWER.findall(text) if w[0].islower()}
    capital = {w.lower() for text in texts for w in _CAPITAL.findall(text) if w[0].isupper()}
    return capital - small - LITTLE - MONTHS.keys()


def all_concrete(texts: Iterable[str]) -> Iterator[Fact]:
    """The facts of several texts."""
    for text in texts:
        yield from concrete(text)
