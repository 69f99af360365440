"""The lines that a ledger could have: one a file, command, search, message or to-do, and what each could tell."""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from math import exp

from boildown.actions import FILE, Action, Kind, actions
from boildown.identifiers import Stated, stated
from boildown.ledger.todos import Todo, todos
from boildown.table import WORDY
from boildown.text.units import units
from boildown.transcript import Message, Place, Text, ToolCall, ToolResult


class Section(StrEnum):
    """In the order in which they stand."""

    TODO = "To do"
    FILES = "Files"
    COMMANDS = "Commands"
    SEARCHES = "Searches"
    CALLS = "Calls"
    SAID = "Said"


SECTION = {Kind.RUN: Section.COMMANDS, Kind.FETCH: Section.COMMANDS, Kind.SEARCH: Section.SEARCHES}
HEAD_WORTH = {
    Kind.EDIT: 3.0,
    Kind.CREATE: 3.0,
    Kind.DELETE: 3.0,
    Kind.RUN: 1.5,
    Kind.FETCH: 1.5,
    Kind.READ: 1.0,
    Kind.SEARCH: 0.7,
    Kind.OTHER: 0.3,
}
DECIDES = re.compile(
    r"\b(?:decid\w*|agree[ds]?|instead of|let's|we(?:'ll| will)|going (?:with|to)|must|should not|never|root cause|"
    r"because|entschieden|beschlossen|décidé|decidido)\b|决定|решил",
    re.IGNORECASE,
)
ERROR = re.compile(
    r"\w(?:Error|Exception)\b|\b(?:error|fatal|panic|failed|undefined|cannot|can't|unable|denied|rejected|missing)\b"
    r"|not found|no such|doesn't want",
    re.IGNORECASE,
)
RULE = re.compile(r"[=_-]{3}")
"""What draws a line is a heading, which says that something failed, and not what."""
OWN_WORTH = 4.0
NUMBER_WORTH = 0.3
ERROR_WORTH = 3.0
DECISION_WORTH = 4.0
ASKED_WORTH = 6.0
OPEN_WORTH = 10.0
DONE_WORTH = 1.0
IDS = 3
LONGEST = 80
"""Characters of a command, an error or a sentence that a line repeats"""


@dataclass(frozen=True, slots=True)
class Detail:
    """Something that a line can tell: an identifier, an error, a sentence. `worth` is for each root of a token."""

    text: str
    worth: float


@dataclass(slots=True)
class Entry:
    """A line that a ledger can have.

    subject  the file, command, query or message that it is about        did   what was done, with message ids
    ids      of the messages that it tells of                            last  index of the newest of them
    """

    section: Section
    subject: str
    did: str = ""
    worth: float = 0.0
    ids: tuple[str, ...] = ()
    last: int = 0
    details: list[Detail] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Work:
    """What was said and done in some messages, whatever of them is taken out.

    said   where each identifier stands             done   what every call did
    asked  what each text asks for or decides       plans  the to-dos at the end
    own    how often each identifier is stated by somebody, and not by a tool
    """

    messages: Sequence[Message]
    said: Stated
    own: Mapping[str, int]
    done: list[Action]
    asked: dict[Place, list[Detail]]
    plans: list[Todo]

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Work:
        age = _ages(len(messages))
        asked = {
            (i, j): list(_sentences(message, block.text, age(i)))
            for i, message in enumerate(messages)
            for j, block in enumerate(message.blocks)
            if isinstance(block, Text)
        }
        said = stated(messages)
        told = (h for (i, j), h in said.blocks.items() if not isinstance(messages[i].blocks[j], ToolResult))
        return cls(messages, said, Tally(chain.from_iterable(told)), actions(messages), asked, todos(messages))


def entries(work: Work, gone: Callable[[Place], bool], visible: Set[str]) -> list[Entry]:
    """What could be told of the blocks that are `gone`, but for identifiers that are `visible` all the same."""
    messages, age = work.messages, _ages(len(work.messages))
    told = [
        a for a in work.done if a.kind is not Kind.PLAN and (gone(a.call) or (a.result is not None and gone(a.result)))
    ]
    found: dict[object, Entry] = {}
    owners: dict[Place, list[object]] = defaultdict(list)
    for key, held in _by_subject(told).items():
        found[key] = _entry(held, messages, age)
        for action in held:
            for place in filter(None, (action.call, action.result)):
                owners[place].append(key)
    for i, message in enumerate(messages):
        for j, block in enumerate(message.blocks):
            if isinstance(block, ToolCall | ToolResult) or not gone((i, j)):
                continue
            key = ("said", i)
            owners[i, j].append(key)
            if key not in found:
                found[key] = Entry(Section.SAID, f"{message.id} {message.role}", ids=(message.id,), last=i)
            found[key].details += work.asked.get((i, j), ())
    _share(work, found, owners, visible, age)
    return [*found.values(), *_plans(work.plans)]


def _ages(count: int) -> Callable[[int], float]:
    """exp(-a) with a = 1 for the first of `count` messages and 0 for the last: the older, the less it is worth."""
    return lambda i: exp((i + 1) / max(count, 1) - 1)


def _by_subject(told: Iterable[Action]) -> dict[object, list[Action]]:
    held: dict[object, list[Action]] = defaultdict(list)
    for action in told:
        held["file" if action.kind in FILE else action.kind, action.file or action.target].append(action)
    return held


def _entry(held: Sequence[Action], messages: Sequence[Message], age: Callable[[int], float]) -> Entry:
    last = held[-1]
    verbs: dict[str, list[str]] = defaultdict(list)
    for action in held:
        verb = _verb(action)
        verbs[verb].append(messages[action.call[0]].id)
    did = ", ".join(f"{verb} {_ids(ids)}".strip() for verb, ids in verbs.items())
    worth = max(HEAD_WORTH[a.kind] for a in held) * age(last.call[0])
    section = Section.FILES if last.kind in FILE else SECTION.get(last.kind, Section.CALLS)
    ids = tuple(dict.fromkeys(messages[p[0]].id for a in held for p in (a.call, a.result) if p is not None))
    entry = Entry(section, _short(last.target), did, worth, ids, last.call[0])
    errors: dict[str, float] = {}
    for action in held:
        if action.failed and action.result is not None and (error := _error(messages, action.result)):
            errors[f'"{error}"'] = ERROR_WORTH * age(action.call[0])
    entry.details += [Detail(text, worth) for text, worth in errors.items()]
    return entry


def _verb(action: Action) -> str:
    if action.kind in FILE:
        return f"{action.kind} failed" if action.failed else str(action.kind)
    return "failed" if action.failed else "ok"


def _ids(ids: Sequence[str]) -> str:
    ids = list(dict.fromkeys(ids))
    return " ".join(ids) if len(ids) <= IDS else f"{len(ids)}x, last {ids[-1]}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST].rsplit(' ', 1)[0]} …"


def _error(messages: Sequence[Message], place: Place) -> str:
    block = messages[place[0]].blocks[place[1]]
    lines = block.text.splitlines() if isinstance(block, ToolResult) else []
    told = [line.strip() for line in lines if ERROR.search(line) and not RULE.search(line)]
    return next((line for line in told if len(line) <= LONGEST), "")


def _sentences(message: Message, text: str, age: float) -> Iterator[Detail]:
    """What a user asked for first, and the sentences that decide something."""
    first = message.role == "user"
    for start, end, kind in units(text):
        said = " ".join(text[start:end].split())
        if kind not in WORDY or not 12 <= len(said) <= LONGEST:
            continue
        decides = DECIDES.search(said) is not None
        if first or decides:
            yield Detail(f'"{said}"', (ASKED_WORTH if first else DECISION_WORTH) * age)
        first = False


def _share(
    work: Work,
    found: dict[object, Entry],
    owners: dict[Place, list[object]],
    visible: Set[str],
    age: Callable[[int], float],
) -> None:
    """Give each identifier that only the taken-out part states to the entry about which most is to be told."""
    said, own = work.said, work.own
    holders: dict[str, dict[object, None]] = defaultdict(dict)
    for place, held in said.blocks.items():
        keys = dict.fromkeys(owners.get(place, ()))
        for identifier in set(held).difference(visible) if keys else ():
            holders[identifier].update(keys)
    worths = {
        i: (said.messages(i) + OWN_WORTH * own[i]) * age(last[-1]) * (NUMBER_WORTH if i.isdigit() else 1.0)
        for i, last in said.holders.items()
        if i in holders
    }
    # No identifier holds a line break.
    quoted = {key: "\n".join([d.text for d in entry.details]) for key, entry in found.items()}
    mass: dict[object, float] = {key: entry.worth for key, entry in found.items()}
    for identifier, worth in worths.items():
        for key in holders[identifier]:
            mass[key] += worth
    for identifier, worth in worths.items():
        key = max(holders[identifier], key=mass.__getitem__)
        entry = found[key]
        if identifier in entry.subject:
            entry.worth += worth
        elif identifier not in quoted[key]:
            entry.details.append(Detail(identifier, worth))


def _plans(plans: Iterable[Todo]) -> Iterator[Entry]:
    for todo in plans:
        worth = DONE_WORTH if todo.done else OPEN_WORTH
        state = "done" if todo.done else "open"
        yield Entry(Section.TODO, _short(todo.text), f"{state} {todo.id}", worth, (todo.id,), todo.last)
