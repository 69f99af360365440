"""Which words of a conversation were needed later: by questions, by values that were used, by what later turns say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import sqrt

from boildown.measure.questions import Question, evidence
from boildown.text.words import content, rarity
from boildown.transcript import Message, ToolCall

Needs = list[dict[str, float]]
"""For each message, its words that were needed and how much, 0 for the others"""

APART = 3
"""Messages between a statement and what counts as coming back to it"""
COMMON = 0.1
"""The share of the messages from which on a word is a topic, not something that is come back to"""


@dataclass(frozen=True, slots=True)
class Example:
    """A conversation with what of it was needed."""

    messages: Sequence[Message]
    needs: Needs


def by_questions(messages: Sequence[Message], asked: Iterable[Question]) -> Example:
    """What the answers and the questions say in the words of the messages that hold them.

    A question is worth 1 for the words of its answer and 1 for its own, shared among them by rarity, and each word's
    part among the messages that say it.
    """
    held = [content(m.text) for m in messages]
    rare = rarity(held)
    needs: Needs = [{} for _ in messages]
    places = {m.id: n for n, m in enumerate(messages)}
    for one in asked:
        answer, holders = content(one.answer), tuple(evidence(one, places))
        for wanted in (answer, content(one.text) - answer):
            _share(wanted, holders, held, rare, needs)
    return Example(messages, needs)


def _share(
    wanted: set[str], holders: Sequence[int], held: list[set[str]], rare: Mapping[str, float], needs: Needs
) -> None:
    sayers: defaultdict[str, list[int]] = defaultdict(list)
    for i in holders:
        for word in sorted(wanted & held[i]):
            sayers[word].append(i)
    total = sum(rare[word] for word in sorted(sayers))
    for word, said in sayers.items():
        for i in said:
            needs[i][word] = needs[i].get(word, 0.0) + rare[word] / total / sqrt(len(said))


def by_values(messages: Sequence[Message], values: Iterable[tuple[int, str]]) -> Example:
    """The words of values that something used: each value with how many messages stood before it was."""
    held = [content(m.text) for m in messages]
    needs: Needs = [{} for _ in messages]
    for before, value in values:
        wanted = content(value)
        for i in range(min(before, len(messages))):
            for word in wanted & held[i]:
                needs[i][word] = 1.0
    return Example(messages, needs)


def by_later(messages: Sequence[Message]) -> Example:
    """What is said, and then said or used again by a call some turns later: the rarer, the more.

    Words of more than a tenth of the messages are topics, and what is repeated at once is the same talk.
    """
    held = [content(m.text) for m in messages]
    used = [
        held[i] | content(" ".join(b.arguments for b in m.blocks if isinstance(b, ToolCall)))
        for i, m in enumerate(messages)
    ]
    often = Counter(chain.from_iterable(held))
    rare = rarity(held)
    last: dict[str, int] = {}
    needs: Needs = [{} for _ in messages]
    for i in range(len(messages) - 1, -1, -1):
        for word in held[i]:
            if last.get(word, 0) > i + APART and often[word] <= max(2, COMMON * len(messages)):
                needs[i][word] = rare[word]
        for word in used[i]:
            last.setdefault(word, i)
    return Example(messages, needs)
