"""Units: the sentences, list items, code blocks and lines that are kept or dropped whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from itertools import accumulate, repeat
from typing import NamedTuple

from boildown.text.kinds import Kind, Row
from boildown.text.structure import members, statements, values


class Unit(NamedTuple):
    """`text[start:end]`. Blank lines belong to the unit before them, a line's indentation to that line.

    A named tuple, because a frozen dataclass takes three times as long to make and there are millions of units.
    """

    start: int
    end: int
    kind: Kind


_KINDS: dict[str | None, Kind] = {
    "plain": Kind.SENTENCE,
    "ruler": Kind.LINE,
    "item": Kind.ITEM,
    "heading": Kind.HEADING,
    "quote": Kind.ITEM,
    "table": Kind.TABLE,
}
_LONG_ITEM = 400
_CHUNK = 4000  # sentencex takes quadratic time where quotes do not close, so it never sees more than this at once

_H = r"[^\S\n]"  # blank, and not the end of the line
_NL = r"(?:\n|\Z)"
_BLANKS = rf"(?:{_H}*+\n)*(?:{_H}++\Z)?"
_MARK = rf"{_H}*+(?:[-*+•‣◦▪]|\(?\d{{1,3}}[.)]|[A-Za-z]\))(?={_H}|{_NL})"
_RULER = rf"{_H}*+(?:[-*_=]{_H}*+){{3,}}{_NL}"
# One "#" opens many a comment: it is a heading only where a blank line follows.
_TITLE = rf"{_H}*+(?:[#]{{2,6}}{_H}[^\n]*+{_NL}|[#]{_H}[^\n]*+(?:\n(?={_H}*+{_NL})|\Z)|\*\*[^*\n]++\*\*:?{_H}*+{_NL})"
_SPECIAL = rf"(?:{_MARK}|{_RULER}|{_TITLE}|{_H}*+(?:[>|]|{_NL}))"
_STOP = ".!?…।॥؟۔"  # ends a sentence where a blank follows
_WIDE = "。！？｡"  # ends a sentence by itself
# One class of characters comes first: so `re` can skip to the next candidate.
_INSIDE = re.compile(rf"[{_STOP}{_WIDE}](?:(?<=[{_WIDE}])|(?=[^\w\s]{{0,8}}+\s++\S))")

_BLOCK = re.compile(
    rf"""(?:
    (?P<plain> (?!{_SPECIAL})
        (?:[^\n{_STOP}{_WIDE}]++|[{_STOP}](?![^\w\s]{{0,8}}+{_H}++[^\s]))+ (?:\n(?={_H}*+{_NL})|\Z))
    | (?P<ruler> {_RULER})
    | (?P<item> {_MARK} [^\n]*+{_NL} (?:{_H}{{2,}}+(?!{_SPECIAL})[^\n]++{_NL})*)
    | (?P<heading> {_TITLE} | [^\n]++\n={{3,}}+{_H}*+{_NL})
    | (?P<quote> {_H}*+>[^\n]*+{_NL})
    | (?P<table> [^\n|]*+\|[^\n]*+\n (?=[^\n|]*+\|)(?=[^\n-]*+-)[-:|\ \t\r]++{_NL} (?:[^\n|]*+\|[^\n]*+{_NL})*)
    | (?P<prose> [^\n]++{_NL} (?:(?!{_SPECIAL})[^\n]++{_NL})*)
    ) {_BLANKS}""",
    re.VERBOSE,
)
_BLANK = re.compile(_BLANKS)
_FENCE = re.compile(rf"^{_H}*+(`{{3,}}+(?=[^`\n]*+$)|~{{3,}}+)", re.MULTILINE)
_LINE = re.compile(rf"[^\n]*+{_NL}{_BLANKS}")
# Lines of an e-mail that was wrapped at some width: a sentence may run on in the next line.
_WRAPPED = re.compile(rf"(?:(?=[^\n]{{40,100}}+\n)[^\n]*+(?<![:;{_STOP}{_WIDE}\s])\n)*[^\n]*+{_NL}{_BLANKS}")
_UNMARKED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")  # Thai, Lao, Burmese, Khmer

_CODE_LINE = re.compile(
    r"""^(?=[^\n])(?:
    [ ]{4,} | \t | [ \t]*+ (?:
        [\[(]?\d{4}-\d\d-\d\d[T\ ] | [\[(]?\d\d:\d\d:\d\d | \[[\w\ :./-]+\]
        | (?:Traceback\b | File\ " | at\ [\w.$<>]+\( | >>>\  | \$\  | @@\  | [+-]{3}\  | diff\  | //|/\*|[*]/)
        | [#]include | (?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL|CRITICAL|TRACE)\b
        | (?:def|class|import|from|return|const|let|var|public|private|static|func|fn|SELECT|export|elif|else)\b
            [^\n]*[\](){};:=,]\s*$
        | ["']?[\w.$-]+["']?\ ?[:=]\ ?[^\s]+$
        | [\w./-]+:\d+[:\ ]
        | [^\n]*[;{}\[\]=<>|\\]\s*$
        | [^\w\s]*+[\w./\\-]*[_/\\][\w./\\-]*$
    ))""",
    re.MULTILINE | re.VERBOSE,
)

# What sentencex takes for a sentence's end, in its language or because the language was guessed wrong.
_NEVER_LAST = frozenset(
    "M. Mr. Mrs. Ms. Mx. Dr. Prof. St. Sra. Dra. Mme. Mlle. Hr. Hon. Gen. Col. Capt. Lt. Nr. Art. Abs. Fig. Figs. Eq. "
    "Vol. pp. approx. ca. vs. cf. resp. incl. excl. bzw. ggf. evtl. inkl. vgl. zzgl. env. núm. pág. см. ул. им. стр. "
    "рис. i.e. e.g. I.e. E.g. z.B. d.h. u.a. Z.B. D.h. p.ex. т.е. т.н. т.к.".split(" ")
)
_SELDOM_LAST = frozenset(
    "No. no. etc. usw. al. min. max. Inc. Ltd. Co. Jr. Sr. г. гг. др. т.д. т.п. a.m. p.m. u.s. U.S. Str. Sec. sec. "
    "hrs. est. dept. Dept. Ave. Jan. Feb. Mar. Apr. Jun. Jul. Aug. Sep. Sept. Oct. Nov. Dec.".split(" ")
)
_MONTHS = ("Jan", "Feb", "März", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez")
_CLOSING = frozenset('*_"”’)]»')
_CLOSERS = re.compile(r"[*_\"”’)\]»]++(?:\s++|\Z)")
_TAIL = re.compile(r"[^\w\s]*+\s*+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SCRIPTS = (
    ("ja", re.compile("[ぁ-ヿ]")),
    ("zh", re.compile("[㐀-鿿]")),
    ("ru", re.compile("[Ѐ-ӿ]")),
    ("ar", re.compile("[؀-ۿ]")),
    ("hi", re.compile("[ऀ-ॿ]")),
    ("es", re.compile("[ñ¿¡]")),
    ("de", re.compile("[äöüßÄÖÜ]")),
    ("fr", re.compile("[éèêçœà]")),
)


def units(text: str, long: int = 2000) -> list[Unit]:
    """The units of `text`, which they tile. Code and tables of more than `long` characters are split, and long JSON."""
    return list(map(tuple.__new__, repeat(Unit), rows(text, long)))


def sentences(text: str) -> list[int]:
    """Where the sentences of a text end that has no other units: one line that is no list item, as most turns are.

    Empty for any other text.
    """
    simple = text[:1].isalpha() and text[1:2] != ")" and "\n" not in text
    return _sentence_ends(text, 0, len(text)) if simple else []


def rows(text: str, long: int = 2000) -> list[Row]:
    """`units` as plain tuples, which are quicker to make."""
    found: list[Row] = []
    if ends := sentences(text):
        _extend(found, 0, ends, Kind.SENTENCE)
        return found
    at = 0
    for start, end in fences(text) if "```" in text or "~~~" in text else ():
        _unfenced(text, at, start, long, found)
        at = _blank_end(text, end)
        if at - start <= long:
            found.append((start, at, Kind.CODE))
        else:
            _fenced(text, start, at, long, found)
    if at < len(text):
        _unfenced(text, at, len(text), long, found)
    if found and found[0][0]:
        found[0] = (0, *found[0][1:])
    elif text and not found:
        found.append((0, len(text), Kind.LINE))
    return found


def fences(text: str) -> Iterator[tuple[int, int]]:
    """The fenced code blocks of `text`, fences included. One that is not closed runs to the end."""
    at = 0
    while at < len(text) and (opening := _FENCE.search(text, at)):
        closing = _closing(opening[1]).search(text, opening.end())
        at = closing.end() if closing else len(text)
        yield opening.start(), at


@lru_cache(16)
def language(text: str) -> str:
    """A guess at the language of `text` by its script: what sentencex needs to know its abbreviations."""
    if text.isascii():
        return "en"
    head = text[:2000]
    return next((name for name, letters in _SCRIPTS if letters.search(head)), "en")


@cache
def _segment() -> Callable[[str, str], list[str]]:
    import sentencex

    segment: Callable[[str, str], list[str]] = sentencex.segment
    return segment


def _closing(fence: str) -> re.Pattern[str]:
    return re.compile(rf"\n{_H}*+{fence[0]}{{{len(fence)},}}+{_H}*+{_NL}")


def _blank_end(text: str, at: int) -> int:
    """Where the blank lines from `at` on end."""
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _extend(rows: list[Row], start: int, ends: list[int], kind: Kind) -> None:
    rows.extend(zip([start, *ends], ends, repeat(kind)))


def _outside(text: str, start: int, end: int, long: int, rows: list[Row]) -> None:
    """Add the units of a stretch that holds no fenced code."""
    at = start or (_blank_end(text, 0) if text[0].isspace() else 0)
    for block in _BLOCK.finditer(text, at, end):
        name, stop = block.lastgroup, block.end()
        if name == "prose":
            _prose(text, at, stop, rows)
        elif name == "item" and stop - at > _LONG_ITEM:
            first, *rest = _sentence_ends(text, at, stop)
            rows.append((at, first, Kind.ITEM))
            _extend(rows, first, rest, Kind.SENTENCE)
        elif name == "table" and stop - at > long:
            _head, first, *rest = _line_ends(text, at, stop)
            rows.append((at, first, Kind.HEAD))
            _extend(rows, first, rest, Kind.TABLE)
        else:
            rows.append((at, stop, _KINDS[name]))
        at = stop


def _unfenced(text: str, start: int, end: int, long: int, rows: list[Row]) -> None:
    """Add the units of a stretch that holds no fenced code, but may hold JSON."""
    at = start
    for begin, stop in values(text, start, end) if "{" in text or "[" in text else ():
        if begin > at:
            _outside(text, at, begin, long, rows)
        members(text, begin, stop, rows)
        at = stop
    if at < end:
        _outside(text, at, end, long, rows)


def _fenced(text: str, start: int, end: int, long: int, rows: list[Row]) -> None:
    """Add the units of long code: its fences, and its statements, or the members of the JSON that it is."""
    first = text.find("\n", start, end) + 1 or end
    closing = text.rfind("\n", first, start + len(text[start:end].rstrip())) + 1
    last = closing if closing > first and not text[closing:end].strip(" \t\r\n`~") else end
    rows.append((start, first, Kind.OPEN))
    if next(values(text, first, last), None) == (first, last):
        members(text, first, last, rows)
    elif first < last:
        _extend(rows, first, statements(text, first, last, long), Kind.CODE)
    if last < end:
        rows.append((last, end, Kind.CLOSE))


def _line_ends(text: str, start: int, end: int) -> list[int]:
    return [line.end() for line in _LINE.finditer(text, start, end) if line.end() > line.start()]


def _prose(text: str, start: int, end: int, rows: list[Row]) -> None:
    """Add the units of a paragraph: its lines where it looks like logs or code, else its sentences."""
    breaks = text.count("\n", start, end - 1)
    if not breaks:
        _extend(rows, start, _sentence_ends(text, start, end), Kind.SENTENCE)
    elif 2 * len(_CODE_LINE.findall(text, start, end)) > text[start:end].rstrip().count("\n") + 1:
        _extend(rows, start, _line_ends(text, start, end), Kind.LINE)
    else:
        ends: list[int] = []
        # Where sentences have no end marks, a line that has none may well be one.
        lines = _LINE if not text.isascii() and _UNMARKED.search(text, start, end) else _WRAPPED
        for group in lines.finditer(text, start, end):
            ends += _sentence_ends(text, *group.span()) if group.end() > group.start() else ()
        _extend(rows, start, ends, Kind.SENTENCE)


def _sentence_ends(text: str, start: int, end: int) -> list[int]:
    """Where the sentences of `text[start:end]` end."""
    if not _INSIDE.search(text, start, end):
        return [end]
    spoken = language(text)
    ends: list[int] = []
    while end - start > _CHUNK:  # the last piece of a chunk may go on in the next one
        cuts = _cuts(text, start, start + _CHUNK, spoken) or [_next_stop(text, start + _CHUNK, end)]
        ends += cuts
        start = cuts[-1]
    if start < end:
        ends += _cuts(text, start, end, spoken)
        ends.append(end)
    return ends


def _next_stop(text: str, at: int, end: int) -> int:
    """Where the sentence that reaches beyond `at` ends, by the next terminator."""
    stop = _INSIDE.search(text, at, end)
    return _after(text, stop.end(), end) if stop else end


def _after(text: str, at: int, end: int) -> int:
    """Where the quotes, brackets and blanks after a terminator end."""
    match = _TAIL.match(text, at, end)
    return match.end() if match else at


def _cuts(text: str, start: int, end: int, spoken: str) -> list[int]:
    """Where sentences end inside `text[start:end]`, by sentencex where it keeps every character."""
    part = text[start:end].rstrip()
    if not part.isascii():
        part = _SURROGATE.sub("\ufffd", part)
    pieces = _segment()(spoken, part)
    long = len(part) > _LONG_ITEM and max(map(len, pieces)) > _LONG_ITEM  # It takes a long quote for one sentence.
    if long or "".join(pieces) != part:
        found = [_after(text, stop.end(), end) for stop in _INSIDE.finditer(text, start, start + len(part))]
    else:
        found = list(accumulate(map(len, pieces[:-1]), initial=start))[1:]
    return _mended(text, found, end)


def _mended(text: str, found: list[int], end: int) -> list[int]:
    """`found` without the places after an abbreviation; a closing `**` or quote goes to the sentence that it closes."""
    cuts: list[int] = []
    last = -1
    for cut in found:
        if text[cut] in _CLOSING and (closers := _CLOSERS.match(text, cut, end)):
            cut = closers.end()
        mark = text[cut - 2]
        if last < cut < end and text[cut - 1] == " " and mark != "." and mark != " ":  # No abbreviation ends so.
            cuts.append(cut)
            last = cut
            continue
        before = text[cut - 8 : cut].split() if cut > 8 else text[:cut].split()
        if last < cut < end and not (before and before[-1][-1] == "." and _abbreviated(before, text[cut : cut + 4])):
            cuts.append(cut)
            last = cut
    return cuts


def _abbreviated(before: list[str], after: str) -> bool:
    """Whether the last word of `before` is an abbreviation or an ordinal that does not end a sentence here."""
    word = before[-1].lstrip("([{\"'«„“*_")
    stem = word[:-1]
    if stem.isdigit():
        return len(stem) < 3 and (after[0].islower() or after.startswith(_MONTHS))
    if len(stem) == 1:
        initials = len(before) > 1 and len(before[-2]) == 2 and before[-2][1] == "."
        measured = len(before) > 1 and before[-2].isdigit()  # "5 h."
        return initials or (stem.islower() and not measured) or word in _NEVER_LAST
    return word in _NEVER_LAST or (word in _SELDOM_LAST and (after[0].islower() or after[0].isdigit()))
