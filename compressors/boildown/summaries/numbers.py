"""Numbers with what they count: values in digits or words, and their units, in a normal form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_SYNONYMS = """
    s sec secs second seconds|ms msec millisecond milliseconds|us µs microsecond microseconds|min mins minute minutes
    |h hr hrs hour hours|d day days|week weeks|month months|y yr yrs year years|decade decades|century centuries
    |% percent per percentage|$ dollar dollars usd bucks|€ euro euros eur|£ pound pounds gbp|¥ yen jpy
    |₹ rupee rupees inr|b byte bytes|bit bits|kb kilobyte kilobytes|mb megabyte megabytes|gb gigabyte gigabytes
    |tb terabyte terabytes|kib|mib|gib|km kilometer kilometers kilometre kilometres|m meter meters metre metres|cm|mm
    |mile miles mi
    |ft foot feet|inch inches|kg kilo kilos kilogram kilograms|g gram grams|mg|lb lbs|oz ounce ounces|l liter liters
    |ml|hz|khz|mhz|ghz|w|kw|kwh|v|°c celsius|°f fahrenheit|° degree degrees|rpm|mph|kmh km/h|token tokens"""
UNITS = {word: group.split()[0] for group in _SYNONYMS.split("|") for word in group.split()}
"""Words for units, and the unit's own"""
_WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
_VALUES = {word: n for n, word in enumerate(f"{_WORDS} eighteen nineteen".split(), 1)} | {"dozen": 12}
_TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 10**2, "thousand": 10**3, "k": 10**3, "million": 10**6, "billion": 10**9, "bn": 10**9}

_IN_WORDS = rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(list(_VALUES)[:9])}))?|{'|'.join(_VALUES)})\b"
# A letter or two may stand before: v2, x86, PR12. What stands further inside of words is no number.
_IN_DIGITS = r"\d(?:(?<![\w.,]\d)|(?<=\W[a-z]\d)|(?<=\W[a-z]{2}\d))(?:[\d.,'’_]*\d)?"
_NUMBER = re.compile(
    rf"(?:(?P<digits>{_IN_DIGITS})|\b(?P<words>{_IN_WORDS}))(?P<more>\s?(?:to|and|or|–|—|-)\s?(?=[$€£]?\d))?"
    r"(?:[ -]?(?P<scale>hundred|thousand|million|billion|bn|k)\b)?(?:[\s-]?(?P<unit>[%°][cf]?|[^\W\d_]+(?:/h)?))?"
)
_GROUPED = re.compile(r"(?<=\d)[,'’_](?=\d{3}(?:[,'’_]|\b))")


class Number(NamedTuple):
    """A number in a text.

    value  its digits without marks between thousands, scaled: "1,200" and "1.2k" are 1200, "twenty-five" is 25
    unit   the unit, in its own form ("minutes" is "min"); "" where none is known
    start  where it begins, `end` where the number itself ends
    """

    value: str
    unit: str
    start: int
    end: int


def numbers(text: str) -> Iterator[Number]:
    """The numbers of a text in lower case, in order."""
    waiting: list[Number] = []
    for match in _NUMBER.finditer(f" {text}"):
        unit = _unit(match)
        start, end = match.span("digits" if match["digits"] else "words")
        number = Number(_value(match), unit, start - 1, end - 1)
        if match["more"] and not unit:
            waiting.append(number)
            continue
        # The first of "5 to 10 minutes" has the unit of the second.
        yield from (held._replace(unit=unit) for held in waiting)
        waiting = []
        yield number
    yield from waiting


def _unit(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 2) : match.start()].rstrip()[-1:] if match["digits"] else ""
    return UNITS[before] if before and before in "$€£¥₹" else UNITS.get(match["unit"] or "", "")


def _value(match: re.Match[str]) -> str:
    digits = match["digits"]
    if digits:
        plain = _GROUPED.sub("", digits).replace(",", ".")
        plain = str(int(plain)) if plain.isdecimal() else plain
    else:
        plain = str(sum(_VALUES.get(word, 0) or _TENS[word] for word in re.split("[ -]", match["words"])))
    if not match["scale"] or plain.count(".") > 1:
        return plain
    scaled = float(plain) * _SCALES[match["scale"]]
    return str(int(scaled)) if scaled == int(scaled) else str(scaled)
