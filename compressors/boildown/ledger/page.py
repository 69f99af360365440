"""A ledger as text, and back: `<ledger>`, a heading a section, a line an entry, `</ledger>`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from boildown.ledger.entries import Detail, Entry, Section

OPEN, CLOSE = "<ledger>", "</ledger>"
INTRODUCTION = "What was taken out of this conversation, by file, command and message; m1 is its first message."
AGED = "An id with ' is of the transcript before this one."
_PAGE = re.compile(rf"{OPEN}\n(.*?)\n{CLOSE}", re.DOTALL)
_ID = re.compile(r"(?<![\w'])m\d+'*(?![\w'])")
_BEFORE = 1.5
"""What an identifier of the ledger before is worth, beside one that a message states once"""


def render(chosen: Sequence[Entry]) -> str:
    """The page; empty where nothing is chosen."""
    lines = []
    for section in Section:
        held = sorted((e for e in chosen if e.section is section), key=lambda e: e.last)
        if held:
            lines += [f"{section}:", *(f"- {_line(entry)}" for entry in held)]
    if not lines:
        return ""
    aged = [AGED] if any("'" in i for e in chosen for i in _ID.findall(e.did)) else []
    return "\n".join([OPEN, INTRODUCTION, *aged, *lines, CLOSE])


def head(entry: Entry) -> str:
    """What begins an entry's line: `subject: what was done`."""
    return f"{entry.subject}: {entry.did}" if entry.did else entry.subject


def _line(entry: Entry) -> str:
    return " | ".join(filter(None, [head(entry), " ".join(d.text for d in entry.details)]))


def found(text: str) -> tuple[str, list[Entry]]:
    """The text without the ledgers in it, and their entries; message ids get a mark for each time they were told."""
    told = [entry for page in _PAGE.findall(text) for entry in _parse(page.split("\n"))]
    return _PAGE.sub("", text).strip("\n") if told else text, told


def _parse(lines: Iterable[str]) -> Iterator[Entry]:
    section = None
    names = {f"{s}:": s for s in Section}
    for text in lines:
        if text in names:
            section = names[text]
        elif section and text.startswith("- "):
            head, _, rest = text[2:].partition(" | ")
            subject, _, did = head.rpartition(": ") if ": " in head else (head, "", "")
            if section is Section.SAID:
                subject, did = _ID.sub(r"\g<0>'", head), ""
            details = [Detail(t, _BEFORE) for t in re.findall(r'"[^"]*"(?=\s|$)|\S+', rest)]
            yield Entry(section, subject, _ID.sub(r"\g<0>'", did), _BEFORE, (), -1, details)


def merged(old: Iterable[Entry], new: Sequence[Entry]) -> list[Entry]:
    """`new` with what the ledger before told: of the same subject in one line, and of others in lines of their own.

    To-dos are told as they stand now, where the session still keeps any.
    """
    known: dict[tuple[str, str], Entry] = {(e.section, e.subject): e for e in new if e.section is not Section.SAID}
    planned = any(e.section is Section.TODO for e in new)
    alone = []
    for entry in old:
        same = known.get((entry.section, entry.subject))
        if same is not None:
            held = {d.text for d in same.details}
            same.did = ", ".join(filter(None, [entry.did, same.did]))
            same.details += [d for d in entry.details if d.text not in held]
        elif not (planned and entry.section is Section.TODO):
            alone.append(entry)
    return [*alone, *new]
