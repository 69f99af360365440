"""Turns in plain text: the lines that name a speaker, and text that must not be read as such a line."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ROLES = {
    word: role
    for role, words in {
        "user": "user human you me customer utilisateur usuario benutzer nutzer 用户 我 ユーザー пользователь",
        "assistant": "assistant ai bot chatbot chatgpt gpt gpt-3.5 gpt-4 gpt-4o gpt-5 claude gemini bard copilot llm "
        "mistral deepseek grok asistente assistent 助手 アシスタント ассистент",
        "system": "system developer",
    }.items()
    for word in words.split()
}
NO_NAMES = frozenset(
    "note notes warning warnings tip tips step steps example examples summary question answer result results error "
    "todo ps p.s re subject from to date time cc bcc title author source sources edit update output input pros cons "
    "conclusion important hint url link name address phone email price total version status description usage "
    "features license reference references caution remark agenda decision action actions task requirements "
    "installation ingredients instructions pro con key value type id file path".split()
)
"""Words that stand before a colon at the beginning of a line, and are no speakers."""
_WORDS = r"[^\W\d_][\w.'’-]*(?:[ ][\w.'’-]+){0,3}"
_ASIDES = r"(?:[ \t]*(?:\[[^\]\[\n]{1,64}\]|\([^()\n]{1,64}\))){0,2}"
_CLOCK = re.compile(r"\d:\d\d")
_ASIDE = re.compile(r"[\[(]([^\])\n]*)[\])]")
_FENCE = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)([^\n]*+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Style:
    """How a kind of text names its speakers.

    label    the beginning of a line that may name one. Groups: `word`, or `headed` in a heading; `alone` where no
             colon follows; `before`, `aside`, `beside` and `behind` for times and names in brackets
    part     the line that begins another conversation
    ruler    the line that may part messages
    escaped  backslashes before any of these, or before a fence
    """

    label: re.Pattern[str]
    part: re.Pattern[str]
    ruler: re.Pattern[str]
    escaped: re.Pattern[str]


def _style(label: str, part: str, ruler: str = "(?!)") -> Style:
    either = re.sub(r"\(\?P<\w+>", "(?:", f"(?:{label}|{part}|{ruler}|[ \\t]*(?:```|~~~))")
    patterns = (f"^(?:{label})", f"^{part}", f"^{ruler}", rf"^\\++(?={either})")
    return Style(*(re.compile(pattern, re.MULTILINE) for pattern in patterns))


_STAMP = r"\[[^\]\[\n]{0,40}\d:\d\d[^\]\[\n]{0,40}\]|\d[\d/.:, -]{3,24}(?:[ ]?[AaPp][Mm])?[ ]+-"
_COLON = r"[ \t]*(?::(?=\s|\Z)|：)"
_SIGN = r"(?:[^\w\s*_:#>`\[(-]{1,8}[ ]?)?"  # an emoji
PLAIN = _style(
    label=rf"(?P<before>(?:{_STAMP})[ \t]*)?(?P<word>{_WORDS})(?P<aside>{_ASIDES}){_COLON}",
    part=r"=====[ ]conversation[ ]\d+[ ]=====[ \t]*\r?$",
)
MARKDOWN = _style(
    label=rf"[#]{{1,6}}[ \t]+{_SIGN}[*_]{{0,3}}{_SIGN}(?P<headed>{_WORDS})(?P<behind>{_ASIDES})"
    rf"[*_]{{0,3}}:?[*_]{{0,3}}[ \t]*\r?$"
    rf"|_?\*\*{_SIGN}(?P<word>{_WORDS})(?P<aside>{_ASIDES})"
    rf"(?::[ ]?\*\*_?|\*\*_?(?P<beside>{_ASIDES})(?:{_COLON}|(?P<alone>[ \t]*\r?$)))",
    part=r"[#][ ]Conversation[ ]\d+[ \t]*\r?$",
    ruler=r"(?:-{3,}|\*{3,}|_{3,})[ \t]*\r?$",
)
STYLES = (PLAIN, MARKDOWN)


@dataclass(frozen=True, slots=True)
class Label:
    """Who begins to speak where: text[start:end] is the label; `sure` is one that tells by itself that it is one."""

    start: int
    end: int
    word: str
    role: str
    name: str | None
    time: str | None
    sure: bool


def labels(text: str, form: Style, start: int = 0, end: int | None = None) -> list[Label]:
    """The labels in `text[start:end]` outside of fenced code.

    A word for a role, and a speaker with a time, counts anywhere; any other name only where no such word or speaker
    is the user.
    """
    found = [_label(match) for match in unfenced(text, form.label, start, end)]
    known = knows_user(found)
    return [label for label in found if label.sure or (not known and _is_name(label.word))]


def knows_user(found: Sequence[Label]) -> bool:
    """Whether labels tell who the user is, so that mere names are no speakers."""
    return any(label.sure and label.role == "user" for label in found)


def is_talk(found: Sequence[Label]) -> bool:
    """Whether a text with these labels is a transcript: two turns, and where only names tell, one speaks again."""
    if any(label.sure for label in found):
        return len(found) > 1
    often = Counter(label.word for label in found)
    return len(often) > 1 and max(often.values()) > 1


def unfenced(text: str, pattern: re.Pattern[str], start: int = 0, end: int | None = None) -> Iterator[re.Match[str]]:
    """The matches of `pattern` in `text[start:end]` that begin outside of fenced code."""
    end = len(text) if end is None else end
    code = [span for span, closed in _fences(text[start:end]) if closed]
    begins = [start + a for a, _ in code]
    for match in pattern.finditer(text, start, end):
        n = bisect_right(begins, match.start()) - 1
        if n < 0 or start + code[n][1] <= match.start():
            yield match


def _fences(text: str) -> Iterator[tuple[tuple[int, int], bool]]:
    """Fenced code, and whether it is closed. One that is not is its first line: what follows is read as text."""
    if "```" not in text and "~~~" not in text:
        return
    lines = [(*match.span(), match[1], match[2].strip()) for match in _FENCE.finditer(text)]
    longest = _longest_closing(lines)
    at = 0
    while at < len(lines):
        start, end, mark, about = lines[at]
        at += 1
        if longest[at][mark[0]] < len(mark):
            yield (start, end), False
        elif mark[0] not in about:
            while lines[at][3] or not lines[at][2].startswith(mark):
                at += 1
            yield (start, lines[at][1]), True
            at += 1


def _longest_closing(lines: Sequence[tuple[int, int, str, str]]) -> list[dict[str, int]]:
    """For each line and the end, by character, the length of the longest fence from there on that can close."""
    longest = [{"`": 0, "~": 0}]
    for _, _, mark, about in reversed(lines):
        ahead = longest[-1]
        longest.append(ahead if about else {**ahead, mark[0]: max(len(mark), ahead[mark[0]])})
    return longest[::-1]


def _label(match: re.Match[str]) -> Label:
    held = {key: value for key, value in match.groupdict().items() if value is not None}
    word = (held.get("word") or held["headed"]).removesuffix(" said")
    role = ROLES.get(word.lower())
    asides = _ASIDE.findall("".join(held.get(key, "") for key in ("aside", "beside", "behind")))
    times = [aside for aside in (held.get("before", ""), *asides) if _CLOCK.search(aside)]
    names = [aside for aside in asides if not _CLOCK.search(aside)]
    name = next(iter(names), None) if role else word
    mere = "headed" in held or "alone" in held
    return Label(
        start=match.start(),
        end=match.end(),
        word="" if mere else word,
        role=role or "user",
        name=name,
        time=times[0].strip("[]() \t-") if times else None,
        sure=role is not None or (bool(times) and not mere),
    )


def _is_name(word: str) -> bool:
    return bool(word) and word.lower() not in NO_NAMES and all(p[0].upper() == p[0] for p in word.split())


def aside(name: str | None) -> str:
    """A speaker's name behind a role's word; nothing where there is none."""
    clean = re.sub(r"[\[\]():\s]+", " ", name or "").strip()[:64]
    return f" ({clean})" if clean else ""


def escape(text: str, form: Style, known: bool) -> str:
    """`text` with a backslash before each line that would be read as another turn, or hide the next ones.

    known  whether the labels around it tell who the user is
    """
    found = [_label(match) for match in unfenced(text, form.label)]
    places = {label.start for label in found if label.sure or (not known and _is_name(label.word))}
    places |= {m.start() for pattern in (form.part, form.escaped) for m in unfenced(text, pattern)}
    places |= {start for (start, _), closed in _fences(text) if not closed}
    places |= {m.start() for m in unfenced(text, form.ruler) if m.end() == len(text)}
    return _edited(text, sorted(places), "\\", 0)


def unescape(text: str, form: Style) -> str:
    """The inverse of `escape`."""
    if "\\" not in text:
        return text
    return _edited(text, [m.start() for m in unfenced(text, form.escaped)], "", 1)


def _edited(text: str, places: Sequence[int], put: str, skip: int) -> str:
    """`text` with `put` in place of `skip` characters at each of `places`."""
    bounds = [0, *places]
    parts = [
        text[a + (skip if n else 0) : b] for n, (a, b) in enumerate(zip(bounds, [*places, len(text)], strict=True))
    ]
    return put.join(parts)
