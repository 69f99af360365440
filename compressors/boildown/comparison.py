"""What became of each message of a source in an output: by the archive's word, or by looking at both."""

from __future__ import annotations

import difflib
import re
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from boildown.report import Fate
from boildown.text.words import WORD
from boildown.transcript import Block, Message, Opaque, Text, Thinking, ToolCall, ToolResult

ALIKE = 0.5
"""The share of a message's words that another must have, for the one to be made from the other."""
_CANDIDATES = 8
_PARTS = re.compile(r"\s+|\w+|[^\w\s]")
_LONG = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """A source message and what stands for it in the output. `id` is its id there; `after` is empty where it went.

    fate    its `fate` may also be "added": a message of the output that no source message became
    """

    fate: Fate
    before: str = ""
    after: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """A conversation as it is compared: its messages, their tokens, and those of the whole."""

    messages: Sequence[Message]
    tokens: Sequence[int]
    total: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two conversations' messages beside each other."""

    title: str
    tokens_in: int
    tokens_out: int
    rows: tuple[Row, ...]


def readable(message: Message) -> str:
    """All of a message as text for people: what was said, calls with their arguments, results, reasoning."""
    return "\n".join(filter(None, map(_readable, message.blocks)))


def _readable(block: Block) -> str:
    match block:
        case Text(text):
            return text
        case ToolCall(name=name, arguments=arguments):
            return f"[call] {name} {arguments}"
        case ToolResult(text=text, media=media, is_error=is_error):
            said = [f"[{'error' if is_error else 'result'}] {text}", *(_readable(m) for m in media)]
            return "\n".join(said)
        case Thinking(text):
            return f"[thinking] {text}"
        case Opaque(kind=kind, text=text, media_type=media):
            return f"[{' '.join(filter(None, (kind, media)))}]" + (f" {text}" if text else "")
        case _:
            assert_never(block)


def compare(old: Side, new: Side, known: Sequence[Fate] | None = None) -> Comparison:
    """A row for each message of `old` in order, and for each of `new` that is none of them, where it stands.

    `known` are the fates of the messages of `old`, where they are known. Otherwise they are told by the texts: equal
    ones are kept, one whose words the other has is changed, one that is said by a kept message is stood for.
    """
    if known is None:
        survivors: Sequence[int] = range(len(old.messages))
    else:
        survivors = [i for i, fate in enumerate(known) if fate.fate in ("kept", "changed")]
    pairs = _paired([old.messages[i] for i in survivors], new.messages, known is not None)
    became = {survivors[i]: j for j, i in pairs.items()}
    fates = known or _fates(old, new, became)
    return Comparison(old.title, old.total, new.total, tuple(_rows(old, new, fates, became)))


def _rows(old: Side, new: Side, fates: Sequence[Fate], became: dict[int, int]) -> Iterator[Row]:
    paired, place = set(became.values()), 0

    def added(end: int) -> Iterator[Row]:
        for j in range(place, end):
            if j not in paired:
                fate = Fate("", new.messages[j].role, "added", 0, new.tokens[j])
                yield Row(fate, "", readable(new.messages[j]), new.messages[j].id)

    for i, (message, fate) in enumerate(zip(old.messages, fates, strict=True)):
        if i in became:
            j = became[i]
            yield from added(j)
            place = max(place, j + 1)
            yield Row(fate, readable(message), readable(new.messages[j]), new.messages[j].id)
        else:
            yield Row(fate, readable(message))
    yield from added(len(new.messages))


def _fates(old: Side, new: Side, became: dict[int, int]) -> list[Fate]:
    """What the texts tell. A message that went is stood for where a kept one of its role says the same."""
    keys = [_key(m) for m in old.messages]
    said = {keys[i]: old.messages[i].id for i in became}
    fates = []
    for i, message in enumerate(old.messages):
        fate = Fate(message.id, message.role, "dropped", old.tokens[i], 0)
        if i in became:
            same = keys[i] == _key(new.messages[became[i]])
            fate = replace(fate, fate="kept" if same else "changed", tokens_out=new.tokens[became[i]])
        elif keys[i] in said:
            fate = replace(fate, fate="stood for", by=said[keys[i]], reason="a kept message says it")
        fates.append(fate)
    return fates


def _key(message: Message) -> tuple[str, str]:
    return message.role, readable(message)


def _paired(old: Sequence[Message], new: Sequence[Message], all_kept: bool) -> dict[int, int]:
    """New index -> the old index that became it, in the same order on both sides."""
    if all_kept and [m.role for m in old] == [m.role for m in new]:
        return dict(enumerate(range(len(old))))
    return _heaviest_chain(_candidates(old, new), len(old))


Candidate = tuple[int, int, float]
"""(new index, old index, how much they have in common)"""


def _candidates(old: Sequence[Message], new: Sequence[Message]) -> Iterator[Candidate]:
    """Pairs that could be one message: equal ones, those of one tool call, and those that share rare words."""
    words = [frozenset(WORD.findall(readable(m).lower())) for m in old]
    same, callers, holders = defaultdict[object, list[int]](list), dict[object, int](), _holders(words)
    for i, message in enumerate(old):
        same[_key(message)].append(i)
        for call in _calls(message):
            callers.setdefault((message.role, call), i)
    for j, message in enumerate(new):
        near = j * len(old) / len(new)
        equal = sorted(same.get(_key(message), ()), key=lambda i: abs(i - near))[:_CANDIDATES]
        yield from ((j, i, 2.0) for i in equal)
        yield from ((j, callers[message.role, c], 0.4) for c in _calls(message) if (message.role, c) in callers)
        if not equal:
            yield from ((j, i, alike) for i, alike in _similar(message, old, words, holders))


def _calls(message: Message) -> Iterator[str]:
    for block in message.blocks:
        if isinstance(block, ToolCall):
            yield block.id
        elif isinstance(block, ToolResult):
            yield block.call_id


def _holders(words: Iterable[frozenset[str]]) -> dict[str, list[int]]:
    """Which messages hold a word."""
    holders: dict[str, list[int]] = defaultdict(list)
    for i, found in enumerate(words):
        for word in found:
            holders[word].append(i)
    return holders


def _similar(
    message: Message, old: Sequence[Message], words: Sequence[frozenset[str]], holders: dict[str, list[int]]
) -> Iterator[tuple[int, float]]:
    """Old messages of this one's role that have most of its words, found by the rarest of these."""
    own = frozenset(WORD.findall(readable(message).lower()))
    rare = sorted((w for w in own if w in holders), key=lambda w: (len(holders[w]), w))[: 2 * _CANDIDATES]
    votes = Tally(i for w in rare for i in holders[w][:1000] if old[i].role == message.role)
    for i, _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))[:_CANDIDATES]:
        common = len(own & words[i])
        if common >= ALIKE * len(own):
            yield i, common / len(own) + 0.1 * common / len(own | words[i])


def _heaviest_chain(candidates: Iterable[Candidate], size: int) -> dict[int, int]:
    """The candidates of greatest weight in all that ascend on both sides, by a Fenwick tree of best prefixes."""
    best: list[tuple[float, int]] = [(0.0, -1)] * (size + 1)
    chain: list[tuple[int, int, int]] = []
    for j, i, weight in sorted(candidates, key=lambda c: (c[0], -c[1], -c[2])):
        top, place = (0.0, -1), i
        while place:
            top = max(top, best[place], key=lambda b: b[0])
            place &= place - 1
        chain.append((j, i, top[1]))
        found, place = (top[0] + weight, len(chain) - 1), i + 1
        while place <= size:
            best[place] = max(best[place], found, key=lambda b: b[0])
            place += place & -place
    link = max(best, key=lambda b: b[0])[1]
    pairs: dict[int, int] = {}
    while link >= 0:
        j, i, link = chain[link]
        pairs[j] = i
    return pairs


Change = tuple[Literal["same", "gone", "new"], str]


def changes(before: str, after: str) -> list[Change]:
    """The texts merged: what both have, what only `before` has and what only `after` has, word by word.

    Very long texts are compared line by line.
    """
    cut = str.splitlines if max(len(before), len(after)) > _LONG else None
    old, new = (cut(t, True) if cut else _PARTS.findall(t) for t in (before, after))
    found: list[Change] = []
    for _, a, b, c, d in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if old[a:b] == new[c:d]:
            found.append(("same", "".join(old[a:b])))
            continue
        found += [("gone", "".join(old[a:b]))] if a < b else []
        found += [("new", "".join(new[c:d]))] if c < d else []
    return found
