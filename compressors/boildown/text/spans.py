"""Protected spans: what survives whole or not at all, and the smallest pieces that may be taken out of a text."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress, count
from typing import TYPE_CHECKING

from boildown.text.units import fences
from boildown.text.words import Joined

if TYPE_CHECKING:
    from boildown.arrays import Ints

Span = tuple[int, int]


_ADJOINED = (
    *(("", after) for after in ("", ",", ".", ";", ":", "!", "?", ")", '"', "...", "…", "،", "؟", "।")),
    *(("(", after) for after in ("", ")")),
    *((mark, after) for mark in ("*", "**", "_", '"') for after in ("", mark)),
)


def _forms(table: str) -> frozenset[str]:
    """The words of `table` as they stand in a text: capitalized, in capitals, with what adjoins them."""
    cases = {form for word in table.split() for form in (word, word[0].upper() + word[1:], word.upper())}
    typed = cases | {form.replace("'", "’") for form in cases}
    return frozenset(before + form + after for form in typed for before, after in _ADJOINED)


def _set(table: str) -> frozenset[str]:
    return frozenset(table.split())


_VERBS = "do does did is are was were have has had ca could should would might must"
_CONTRACTED = " ".join(f"{verb}n't {verb}nt" for verb in _VERBS.split(" "))
_NEGATION = _forms(
    _CONTRACTED + " won't wont needn't ain't shan't n't not no never none nobody nothing nowhere neither nor without "
    "cannot hardly barely unless except nicht kein keine keinen keinem keiner keines nie niemals niemand nichts ohne "
    "weder ne pas jamais sans aucun aucune rien nunca jamás sin ningún ninguno ninguna nadie nada tampoco non senza "
    "nessun nessuno nessuna não nem sem niet geen nooit inte ingen aldrig nigdy bez değil не нет ни никогда без никто "
    "ничего нельзя немає لا لم لن ليس ليست غير بدون नहीं मत बिना"
)
# These stand after what they negate as often as before it.
_BACKWARD = _set("nicht nie niemals pas jamais niet inte değil नहीं मत n't")
_SECOND = _set("pas jamais plus rien personne aucun aucune guère point")
# What may stand between a negation and the word that it negates.
_LIGHT = _set(
    "a an the any to be been being very really so that as only just even yet always longer all of at in on for with by "
    "much many more too quite going have has had get got one my your his her its our their this these those it i you "
    "he she we they want ever again and or ein eine einen einem mehr zu der die das den dem le la les un une de du des "
    "me te se lo el los las una que muy más o da"
)
_AUXILIARY = _set(
    "do does did is are was were am be been being has have had will would can could shall should may might must i'm "
    "it's he's she's we're you're they're that's there's i've we've you've they've i'd you'd he'd she'd we'd they'd "
    "i'll you'll he'll she'll it'll we'll they'll ist sind war hat habe haben kann wird est es está ha fue"
)
_PRONOUN = _set("i you he she it we they ich du er sie es wir ihr")

_SMALL = (
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ninety "
    "half dozen hundred zwei drei vier fünf sechs zehn deux trois quatre cinq dix dos tres cuatro cinco diez два три "
    "четыре пять"
)
_NUMERAL = _forms(_SMALL) - _NEGATION
_TRIGGER = _NEGATION | _NUMERAL
_SCALE = _set(f"{_SMALL} thousand million billion trillion k m bn tausend mio millionen milliarden mille")
_MEASURE = _set(
    "second seconds sec secs minute minutes min mins hour hours hr hrs day days week weeks month months year years "
    "decade decades century centuries percent % ‰ ° °c °f degrees dollars dollar cents euro euros pounds pound "
    "bucks usd eur gbp jpy chf inr rub € $ £ ¥ ₹ ₽ km m cm mm miles mile feet ft inches kg g mg lb lbs ounces oz tons "
    "l ml mph km/h kmh kb mb gb tb kib mib gib bytes bits ms ns hz khz mhz ghz kw kwh v w am pm a.m p.m uhr o'clock "
    "utc gmt est pst cet tokens times pages stunden stunde tage tagen wochen woche monate monaten jahre jahren prozent "
    "minuten sekunden heures heure jours semaines semaine mois ans minutes secondes horas días semanas semana meses "
    "años minutos дней дня день недели недель месяцев месяца лет года год часов часа минут рублей"
)
_SINCE = _set("ago later earlier before after old long away each apiece")
_BETWEEN = _set("- – — to bis à a x × * / + .. ...")
_MONTHS = _set(
    "january february march april may june july august september october november december jan feb mar apr jun jul aug "
    "sep sept oct nov dec januar februar märz mai juni juli oktober dezember okt dez janvier février mars avril juin "
    "juillet août septembre octobre novembre décembre enero febrero marzo abril mayo junio julio agosto septiembre "
    "octubre noviembre diciembre января февраля марта апреля мая июня июля августа сентября октября ноября декабря"
)
_UNIT = _MEASURE | _SCALE | _MONTHS
_LABEL = (
    _set(
        "$ € £ ¥ ₹ us$ usd eur gbp rs < > = ≈ ~ ± + - – # <= >= ≤ ≥ != == no nr № v version page p pp chapter section "
        "step figure fig table room line level issue ticket order flight port python node item case over under about "
        "around nearly almost below above only exactly approximately seite kapitel nur etwa über unter más около"
    )
    | _MONTHS
)
_TWO_LABELS = frozenset(
    (first, last)
    for first, last in (
        *((more, "than") for more in ("more", "less", "fewer", "greater", "higher", "lower", "other")),
        *(("at", "least"), ("at", "most"), ("up", "to"), ("as", "of")),
    )
)

_WORD = re.compile(r"\S+")
_DIGITS = re.compile(r"\d\S*")
_HAN, _HIRAGANA, _KATAKANA = "㐀-䶿一-鿿豈-﫿々〆〇", "ぁ-ゟ", "゠-ヿㇰ-ㇿ"
_OPEN, _CLOSE = "（「『【《〈〔［｛", "、。！？，；：）」』】》〉〕］｝…・～"
_HAS_WIDE = re.compile(f"[{_HAN}{_HIRAGANA}{_KATAKANA}]")
_RUN = rf"(?:[{_HAN}]++|[{_KATAKANA}]++|[{_HIRAGANA}]++|[^\s{_HAN}{_HIRAGANA}{_KATAKANA}{_OPEN}{_CLOSE}]++)"
_NOT = "不没沒无無未非别別勿莫"
# Scripts without blanks: a run of one script, the hiragana that follow (they carry the inflection and its negation)
# and the closing punctuation. Digits stay with the ideographs beside them, a negation with the run that follows.
_WIDE_WORD = re.compile(
    rf"""[{_OPEN}]*+{_RUN}
    (?: (?: (?<=[\d%])(?=[{_HAN}]) | (?<=[{_HAN}])(?=[\d$¥€]) | (?<=[{_NOT}]) | (?<=[{_NOT}][{_HAN}])(?![{_HIRAGANA}]) )
        {_RUN} )* [{_HIRAGANA}]*+ [{_CLOSE}]*+
    | [{_OPEN}]++[{_CLOSE}]*+ | [{_CLOSE}]++""",
    re.VERBOSE,
)

_MARKS = re.compile(r"[`~\"'’“„«‘「『\\]")
_DIGIT = re.compile(r"\d")
# Where code, a quoted string, a path with blanks or an elided "ne" may begin. A word shows it by itself.
_CHARGED = re.compile(r"[`“„«‘「『]|:\\|~~~|[nN]['’](?<!\w..)(?!t\b)\w")
_OPENS = re.compile(r"\"(?<!\w\")[^\s\"]|'(?<!\w')[^\s']")
_CLOSES = re.compile(r"(?<=\S)[\"'](?!\w)")
# The first character comes first and what stands before it second: so `re` can skip to the next candidate.
_CODE = re.compile(r"`(?<!``)(?:`(?!`)[^`\n]++(?:`[^`\n]++)*``|[^`\n]++`)")
_QUOTE = re.compile(
    r"""
    "(?<!\w")(?=[^\s"])[^"\n]{1,60}+(?<!\s)"(?!\w)
    | '(?<!\w')(?=[^\s'])(?:[^'\n]|(?<=\w)'(?=\w)){1,60}(?<!\s)'(?!\w)
    | “[^“”\n]{1,60}+” | „[^“”„\n]{1,60}+[“”] | «[^«»\n]{1,60}+» | 「[^「」\n]{1,60}+」 | 『[^『』\n]{1,60}+』
    | ‘(?<!\w‘)(?=\S)(?:[^‘’\n]|(?<=\w)’(?=\w)){1,60}’(?!\w)""",
    re.VERBOSE,
)
_ELIDED = re.compile(r"[nN]['’](?<!\w..)(?!t\b)\w")  # French: n'est, n'ai
_YEAR = re.compile(r"\d{4}")
_FOLDER = re.compile(r"\b[A-Za-z]:\\(?:[^\\/:*?\"<>|\n]{1,80}\\)*[^\s\\/:*?\"<>|]*")
_MARKED = re.compile(r"[\d/\\_@`]|\w\.\w|[^\W\d_][a-z][A-Z]|[a-z][A-Z]|::|[(]\)")
_ENDS = tuple(".,;:!?)…。，！？；،؟।")
_ADJOINING = "([{\"'“”«»„‘’*_`<>.,;:!?)]}…。，！？；،؟।"


def protected(text: str) -> list[Span]:
    """The spans of `text` that survive whole or not at all, in order and apart from each other."""
    spans = wide_words([text]).get(0) or [match.span() for match in _WORD.finditer(text)]
    words = [text[start:end] for start, end in spans]
    marked = {(i, i) for i, word in enumerate(words) if _MARKED.search(word)}
    begins = [start for start, _ in spans]
    found = _apart(sorted(marked.union(groups(text, begins, words))))
    return [_trimmed(text, spans[first][0], spans[last][1]) for first, last in found]


def wide_words(texts: Sequence[str]) -> dict[int, list[Span]]:
    """The words of those texts whose script has no blanks between them."""
    wide = (n for n, text in enumerate(texts) if not text.isascii() and _HAS_WIDE.search(text))
    return {n: [match.span() for match in _WIDE_WORD.finditer(texts[n])] for n in wide}


def _apart(groups: Iterable[Span]) -> list[Span]:
    """Sorted groups of words, those that overlap made one."""
    out: list[Span] = []
    for first, last in groups:
        if out and first <= out[-1][1]:
            out[-1] = (out[-1][0], max(last, out[-1][1]))
        else:
            out.append((first, last))
    return out


def _trimmed(text: str, start: int, end: int) -> Span:
    """The span without the punctuation after it."""
    return start, start + (len(text[start:end].rstrip(".,;:!?…。，！？；،؟।")) or end - start)


TRIGGER, NUMBER, CHARGED, OPENS, CLOSES = 1, 2, 4, 8, 16
"""What a word may give away: a negation or a numeral; a digit; that code, a path with blanks or the like may begin, or
that a straight quote may open, or close."""
_GIVEN = ((CHARGED, _CHARGED), (OPENS, _OPENS), (CLOSES, _CLOSES))


def marks(words: Sequence[str]) -> Ints:
    """(W,) what each word gives away by itself: that it is a negation or a numeral, and what its characters do."""
    import numpy as np

    given = np.zeros(len(words), np.int64)
    joined = Joined(words)
    given[joined.holding(_DIGIT)] = NUMBER
    at = joined.holding(_MARKS)
    quoted = Joined([words[n] for n in at.tolist()])
    for flag, form in _GIVEN:
        given[at[quoted.holding(form)]] |= flag
    given[list(compress(count(), map(_TRIGGER.__contains__, words)))] |= TRIGGER
    return given


def groups(text: str, begins: list[int], words: list[str]) -> list[Span]:
    """The first and the last word of each protected span of several words; `begins` is where each word does."""
    found = _triggered(words, compress(count(), map(_TRIGGER.__contains__, words)))
    return _several(found + _charged(text, begins, words))


def clustered(words: list[str], marked: list[tuple[int, int]]) -> list[Span]:
    """`groups` of a text without quotes and code, given what its words give away, each by its index."""
    found, done = _triggered(words, [at for at, given in marked if given & TRIGGER]), 0
    for at, given in marked:
        if given & NUMBER and at >= done:
            found.append((_before_number(words, at), done := _after_number(words, at)))
    return _several(found)


def _triggered(words: list[str], triggers: Iterable[int]) -> list[Span]:
    found: list[Span] = []
    for at in triggers:
        if not found or at >= found[-1][1]:
            found.append(_around_negation(words, at) if words[at] in _NEGATION else _around_number(words, at))
    return found


def _several(found: Iterable[Span]) -> list[Span]:
    """Those of several words, in order and apart from each other."""
    several = [group for group in found if group[0] < group[1]]
    return _apart(sorted(several)) if len(several) > 1 else several


def _charged(text: str, begins: list[int], words: list[str]) -> list[Span]:
    """The groups that digits, quotes and other marks give away."""
    literals = sorted(_literals(text))
    groups = [(max(0, bisect_right(begins, i) - 1), bisect_left(begins, j) - 1) for i, j in literals]
    for match in _ELIDED.finditer(text) if "n'" in text or "n’" in text else ():
        groups.append(_around_negation(words, bisect_right(begins, match.start()) - 1))
    return groups + _numbers(text, words, begins, literals)


def _numbers(text: str, words: list[str], begins: list[int], literals: list[Span]) -> list[Span]:
    """The groups around numbers, but not those inside of `literals`, which are protected anyway."""
    groups: list[Span] = []
    at = done = 0
    for stop, beyond in [*literals, (len(text), len(text))]:
        for match in _DIGITS.finditer(text, at, stop):
            word = bisect_right(begins, match.start()) - 1
            if word >= done:
                groups.append((_before_number(words, word), done := _after_number(words, word)))
        at = max(at, beyond)
    return groups


def _literals(text: str) -> Iterator[Span]:
    """Code, quoted strings and paths that may hold blanks."""
    if "`" in text:
        yield from (match.span() for match in _CODE.finditer(text))
    if "```" in text or "~~~" in text:
        yield from fences(text)
    yield from (match.span() for match in _QUOTE.finditer(text))
    if ":\\" in text:
        yield from (match.span() for match in _FOLDER.finditer(text))


@lru_cache(8192)
def _core(word: str) -> str:
    """A word without what adjoins it, in lower case."""
    return word.strip(_ADJOINING).lower().replace("’", "'") or word


@lru_cache(8192)
def _label(word: str) -> str:
    return word.strip("([.:*_").lower()


def _around_negation(words: list[str], at: int) -> Span:
    """A negation with its auxiliary and up to the first word of content, or with the word before where none follows."""
    first = last = at
    here = _core(words[at])
    if here in ("ne", "n") or here.startswith("n'"):
        last = next((i for i in range(at + 1, min(at + 5, len(words))) if _core(words[i]) in _SECOND), at)
    while last + 1 < len(words) and last < at + 6 and not words[last].endswith(_ENDS):
        last += 1
        if _core(words[last]) not in _LIGHT:
            break
    before = [_core(word) if not word.endswith(_ENDS) else "" for word in words[max(0, at - 2) : at]]
    if before and (before[-1] in _AUXILIARY or (before[-1] and (last == at or here in _BACKWARD))):
        first -= 1
    elif len(before) > 1 and before[-1] in _PRONOUN and before[0] in _AUXILIARY:
        first -= 2
    return first, last


def _around_number(words: list[str], at: int) -> Span:
    """A number with its sign, currency, unit or month, and the other end of its range."""
    return _before_number(words, at), _after_number(words, at)


def _before_number(words: list[str], at: int) -> int:
    if at and not words[at - 1].endswith((",", ";", "!", "?")):
        label = _label(words[at - 1])
        if label in _LABEL:
            return at - 1
        if at > 1 and (words[at - 2].lower(), label) in _TWO_LABELS:
            return at - 2
    return at


def _after_number(words: list[str], at: int) -> int:
    last, end = at, len(words)
    while last + 1 < min(end, at + 8):
        word = _core(words[last + 1])
        if word.isdigit() and _is_year(words, last):
            last += 1
            continue
        mark = words[last][-1]
        if mark in ",;:!?" or (mark in ".)" and last == at and word not in _MONTHS):
            break
        if last + 2 < end and _spans_on(word, words[last + 2]):
            last += 2
        elif word in _UNIT:
            last += 1
        else:
            return last + (word in _SINCE if last > at else _counts(words[at], word))
    return last


def _spans_on(word: str, beyond: str) -> bool:
    """Whether `word` joins a number to the next one, or a day to its month, or a month to its year."""
    if word in _BETWEEN:
        return beyond.lstrip("$€£-(")[:1].isdigit()
    return word in ("of", "de") and (_core(beyond) in _MONTHS or _YEAR.fullmatch(_core(beyond)) is not None)


def _is_year(words: list[str], at: int) -> bool:
    """Whether the word after `at` is the year of a date that `at` ends: "14, 2023", "May 2023"."""
    if not _YEAR.fullmatch(_core(words[at + 1])):
        return False
    return _core(words[at]) in _MONTHS or (at > 0 and _core(words[at - 1]) in _MONTHS)


def _counts(number: str, word: str) -> bool:
    """Whether `word` is what a number in digits counts; a year counts nothing."""
    digits = number.strip(_ADJOINING)
    if not digits.isdigit() or (len(digits) == 4 and digits[:2] in ("18", "19", "20")):
        return False
    return word.isalpha() and word not in _LIGHT and word not in _AUXILIARY


def numeral(word: str) -> bool:
    """Whether a word, with what adjoins it or without, is a numeral in letters."""
    return word in _NUMERAL


def negates(word: str) -> bool:
    """Whether a word, with what adjoins it or without, is a negation."""
    return word in _NEGATION
