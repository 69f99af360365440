"""Which sentence says something newer than an earlier one: another value of the same thing, or that it is over."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from boildown.facts.claims import NUMBER, Value, ends, olds, topic, values

_MEASURED = (NUMBER, "date", "clock")
_HERE = 6
"""Messages back to which "actually, it is Friday" may refer"""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A sentence as one that others may supersede.

    order  where it comes: later ones may supersede it       by  who says it
    place  of its message in its session; -1 where the session is another one than is looked at
    """

    sentence: str
    by: str
    order: tuple[float, int]
    topic: frozenset[str]
    values: tuple[Value, ...]
    olds: tuple[str, ...]
    ended: bool

    @property
    def changes(self) -> bool:
        """Whether it can supersede anything."""
        return bool(self.olds) or self.ended or any(value.changed for value in self.values)


Rule = Callable[[Assertion, Assertion], bool]
"""Whether the first, which was said later, makes the second stale"""


def assertion(sentence: str, by: str, order: tuple[float, int]) -> Assertion:
    """A sentence by somebody, read."""
    return Assertion(
        sentence, by, order, topic(sentence), tuple(values(sentence)), tuple(olds(sentence)), ends(sentence)
    )


def supersedes(later: Assertion, earlier: Assertion) -> bool:
    """Whether `later`, which was said after it, makes `earlier` stale."""
    if any(_newer(new, old, later, earlier) for new in later.values for old in earlier.values):
        return True
    shared = later.topic & earlier.topic
    if any(shared - topic(old) and _says(earlier.sentence, old) and not _says_olds(earlier, old) for old in later.olds):
        return True
    enough = len(shared) >= 2 and 2 * len(shared) >= min(len(later.topic), len(earlier.topic))
    return later.ended and not earlier.ended and later.by == earlier.by and enough


def surely(later: Assertion, earlier: Assertion) -> bool:
    """Whether `later` makes `earlier` stale also where nobody asked for either, and nothing else says that they meet.

    A number, a date or a clock time has to have the same words around it, and a value that is named as over a sentence
    about the same.
    """
    if not supersedes(later, earlier):
        return False
    newer = [(n, o) for n in later.values for o in earlier.values if _newer(n, o, later, earlier)]
    if any(not n.kind.startswith(_MEASURED) or _alike(n.near, o.near) for n, o in newer):
        return True
    shared = later.topic & earlier.topic
    return not newer and 2 * len(shared) >= min(len(later.topic), len(earlier.topic))


def superseded(found: Sequence[Assertion], by: Rule = supersedes) -> dict[int, int]:
    """The indexes of those that hold no longer, each with that of the newest one that says so.

    by  what tells whether one supersedes another that was said before it
    """
    holding = defaultdict[str, list[int]](list)
    slots = defaultdict[str, list[int]](list)
    ends: dict[int, int] = {}
    for n in sorted(range(len(found)), key=lambda n: found[n].order):
        one = found[n]
        if one.changes:
            near = {k for word in one.topic for k in holding[word]} | {
                k for v in one.values for k in slots[v.kind][-_HERE:]
            }
            ends.update((k, n) for k in near if found[k].order < one.order and by(one, found[k]))
        for word in one.topic:
            holding[word].append(n)
        for value in one.values:
            slots[value.kind].append(n)
    return ends


def _alike(new: frozenset[str], old: frozenset[str]) -> bool:
    shared, least = len(new & old), min(len(new), len(old))
    return shared == least >= 2 or shared >= max(3, 0.7 * least)


def _newer(new: Value, old: Value, later: Assertion, earlier: Assertion) -> bool:
    if new.kind != old.kind or new.value == old.value or not new.changed:
        return False
    if any(other.kind == new.kind and other.value == new.value for other in earlier.values):
        return False
    if not new.kind.startswith(_MEASURED):
        return later.by == earlier.by
    if new.kind == f"{NUMBER}:" and new.nouns and old.nouns and not new.nouns & old.nouns:
        return False
    if not new.near:
        return new.changed == 2 and 0 <= later.order[1] - earlier.order[1] <= _HERE
    shared = len(new.near & old.near)
    if new.changed == 1:
        return shared >= 3
    return shared >= 2 or shared == min(len(new.near), len(old.near)) > 0


def _says(sentence: str, words: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", sentence, re.IGNORECASE) is not None


def _says_olds(earlier: Assertion, old: str) -> bool:
    """Whether the earlier one spoke of the same value as one that held no longer."""
    return old in earlier.olds
