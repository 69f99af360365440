"""The facts that messages state, the newest first, each before those that it supersedes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date
from itertools import dropwhile

from boildown.facts.claims import NUMBER, values
from boildown.facts.days import WEEKDAYS, relative
from boildown.facts.kinds import Kind, decided, stated, told
from boildown.facts.superseding import Assertion, assertion, superseded, surely
from boildown.measure.facts import Kind as Concrete
from boildown.measure.facts import names, shown
from boildown.memory.messages import Said
from boildown.summaries.dates import told as days
from boildown.text.kinds import Kind as UnitKind
from boildown.text.units import units
from boildown.transcript import Message

_SAID = (UnitKind.SENTENCE, UnitKind.ITEM)
_HEADED = re.compile(r"\A\s*[\[(][^\])\n]{6,60}[\])]")
_CAPITALS = re.compile(r"\b[^\W\d_a-z][\w'’-]+(?:[^\S\n][^\W\d_a-z][\w'’-]+)*")
LONGEST = 400
"""Characters of a fact's text that are shown"""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that was stated.

    kinds          what it is, the first being what it is listed as
    values         dates, resolved where they were said by their distance; numbers with their units; names
    text           the sentence
    ids            of the messages, the one that states it first       by, time  who said it, and when
    superseded_by  the id of the message that says something newer, "" where none does
    model          the one that found it, "" where rules did
    """

    kinds: tuple[Kind, ...]
    values: tuple[str, ...]
    text: str
    ids: tuple[str, ...]
    by: str
    time: str
    superseded_by: str = ""
    model: str = ""


def facts(said: Sequence[Said], more: Sequence[Fact] = ()) -> list[Fact]:
    """What a session's messages state, by kind, the newest first. What was superseded stands behind what did it.

    `more` are facts that were found otherwise, each of one message.
    """
    beside = defaultdict[str, list[Fact]](list)
    for fact in more:
        beside[fact.ids[0]].append(fact)
    stamps = [one.time or None for one in said]
    found = list[tuple[Fact, Assertion]]()
    for n, (one, day) in enumerate(zip(said, days(stamps, [one.text for one in said]), strict=True)):
        found += (
            (replace(fact, text=fact.text[:LONGEST]), assertion(stated(fact.text), fact.by, (0.0, n)))
            for fact in merged([*_of(one, day), *beside[one.id]])
        )
    stale = superseded([one for _, one in found], surely)
    marked = [
        replace(f, superseded_by=found[stale[n]][0].ids[0]) if n in stale else f for n, (f, _) in enumerate(found)
    ]
    order = _ordered(stale, len(marked))
    return sorted([marked[n] for n in order], key=lambda f: list(Kind).index(f.kinds[0])) + entities(said, more)


def merged(found: Sequence[Fact]) -> list[Fact]:
    """The facts of a message, one for each sentence that states some; names are for `entities`."""
    by_text: dict[str, Fact] = {}
    for fact in found:
        if fact.kinds == (Kind.ENTITY,):
            continue
        known = by_text.setdefault(fact.text, fact)
        kinds = tuple(kind for kind in Kind if kind in (*known.kinds, *fact.kinds))
        values = {value.casefold(): value for value in (*fact.values, *known.values)}
        by_text[fact.text] = replace(known, kinds=kinds, values=tuple(values.values()))
    return list(by_text.values())


def _ordered(stale: dict[int, int], count: int) -> list[int]:
    """The newest first, and behind each those that it superseded."""
    placed = dict[int, None]()

    def place(n: int) -> None:
        if n not in placed:
            placed[n] = None
            for old in sorted((k for k, by in stale.items() if by == n), reverse=True):
                place(old)

    for n in [*(n for n in reversed(range(count)) if n not in stale), *reversed(range(count))]:
        place(n)
    return list(placed)


def speaks(one: Said | Message) -> bool:
    """Whether a message is a person's: a model's and a tool's state what is generally so, but for decisions."""
    return one.role not in ("assistant", "tool", "system", "developer") or (bool(one.name) and one.role != "tool")


def without_date(text: str) -> str:
    """A message without the date in brackets with which it may begin."""
    return _HEADED.sub("", text, count=1)


def sentences(text: str) -> Iterator[str]:
    """The sentences and list items of a text, in one line each."""
    for start, end, kind in units(text):
        if kind in _SAID and (sentence := " ".join(text[start:end].split())):
            yield sentence


def _of(one: Said, day: date | None) -> Iterator[Fact]:
    if one.role == "tool":
        return
    for sentence in sentences(without_date(one.text)):
        said = stated(sentence)
        kinds = told(said)
        if not speaks(one):
            kinds &= {Kind.DECISION} if decided(said) else set()
            if not kinds:
                continue
        dates, numbers = _dates(said, day), _numbers(said)
        kinds |= ({Kind.DATE} if dates else set()) | ({Kind.NUMBER} if numbers else set())
        if kinds:
            listed = tuple(kind for kind in Kind if kind in kinds)
            yield Fact(listed, (*dates, *numbers), sentence, (one.id,), one.name or one.role, one.time)


def _dates(sentence: str, day: date | None) -> tuple[str, ...]:
    stated = (normal for (kind, normal), _ in shown(sentence) if kind is Concrete.DATE)
    return tuple(dict.fromkeys([*stated, *(value for _, value in relative(sentence, day))]))


def _numbers(sentence: str) -> tuple[str, ...]:
    """The numbers as they stand, but for those of one digit or a word that have no unit."""
    found = (v for v in values(sentence) if v.kind.startswith(NUMBER))
    return tuple(dict.fromkeys(v.shown for v in found if v.kind != f"{NUMBER}:" or sum(map(str.isdigit, v.shown)) > 1))


def entities(said: Sequence[Said], more: Sequence[Fact] = ()) -> list[Fact]:
    """The names that people named, those named most often first, each with its messages and the first sentence.

    Behind them stand the names of `more`.
    """
    texts = [" ".join(sentences(one.text)) if speaks(one) else "" for one in said]
    known = names(texts) - set(WEEKDAYS)
    speakers = {word for one in said for word in one.name.lower().split()}
    where: dict[str, list[int]] = {}
    for n, text in enumerate(texts):
        for name in dict.fromkeys(_named(text, known - speakers)):
            where.setdefault(name, []).append(n)
    often = sorted(where.items(), key=lambda item: -len(item[1]))
    listed = {name.casefold(): _entity(name, [said[n] for n in held]) for name, held in often}
    for fact in more:
        if fact.kinds == (Kind.ENTITY,):
            name = fact.values[0].casefold()
            same = listed.setdefault(name, fact)
            if same.model:
                ids = tuple(dict.fromkeys((*same.ids, *fact.ids)))
                listed[name] = replace(same, text=same.text[:LONGEST], ids=ids)
    return list(listed.values())


def _named(text: str, known: AbstractSet[str]) -> Iterator[str]:
    """The names in a text, those of several words as one."""
    for run in _CAPITALS.findall(text):
        words = list(dropwhile(lambda word: word.lower() not in known, run.split()))
        if words:
            yield " ".join(words)


def _entity(name: str, said: Sequence[Said]) -> Fact:
    first = said[0]
    sentence = next((s for s in sentences(first.text) if name in s), name)
    return Fact(
        (Kind.ENTITY,), (name,), sentence[:LONGEST], tuple(one.id for one in said), first.name or first.role, first.time
    )
