"""Which sentence says something newer than an earlier one: another value of the same thing, or that it is over."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from boildown.facts.claims import NUMBER, Value, ends, may_change, may_hold, olds, topic, values

_MEASURED = (NUMBER, "date", "clock")
_MANY = 250
"""Characters of a sentence from which on it may say too much to tell what a value in it is of"""
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
    return any(True for _ in _changed(later, earlier)) or _over(later, earlier)


def _changed(later: Assertion, earlier: Assertion) -> Iterator[tuple[Value, Value]]:
    """The values of `later`, each with that of `earlier` in whose place it comes."""
    return ((n, o) for n in later.values for o in earlier.values if _newer(n, o, later, earlier))


def _over(later: Assertion, earlier: Assertion) -> bool:
    """Whether `later` says of what `earlier` speaks of that it is over."""
    shared = later.topic & earlier.topic
    if any(shared - topic(old) and _says(earlier.sentence, old) and not _says_olds(earlier, old) for old in later.olds):
        return True
    return later.ended and not earlier.ended and later.by == earlier.by and _close(later.topic, earlier.topic)


def _close(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether two sentences on these topics speak of the same, where one says that it is over."""
    shared = len(a & b)
    return shared >= 2 and 2 * shared >= min(len(a), len(b))


class Reach:
    """Tells at a glance of most sentences that it makes no difference to `superseded` whether they are among others.

    telling  all those of the others that can supersede anything
    """

    def __init__(self, telling: Iterable[Assertion]) -> None:
        telling = list(telling)
        self._kinds = {value.kind for one in telling for value in one.values}
        self._olds = {old for one in telling for old in one.olds}
        self._ended = [one.topic for one in telling if one.ended]

    def __call__(self, sentence: str, about: frozenset[str]) -> bool:
        """Whether a sentence, which can supersede nothing, may matter; `about` is its topic."""
        if may_hold(sentence, self._kinds) or any(_close(topic, about) for topic in self._ended):
            return True
        return any(_says(sentence, old) for old in self._olds)


def surely(later: Assertion, earlier: Assertion) -> bool:
    """Whether `later` makes `earlier` stale also where nobody asked for either, and nothing else says that they meet.

    A number, a date or a clock time has to have the same words around it, and a value that is named as over a sentence
    about the same.
    """
    if changed := list(_changed(later, earlier)):
        return any(not new.kind.startswith(_MEASURED) or _alike(new.near, old.near) for new, old in changed)
    shared = later.topic & earlier.topic
    return 2 * len(shared) >= min(len(later.topic), len(earlier.topic)) and _over(later, earlier)


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


def outdated(spoken: Sequence[tuple[str, str, int]]) -> dict[int, int]:
    """The indexes of sentences of which a value holds no longer, surely, each with that of the newest that says so.

    That something is over ("not any more"), and sentences of more than _MANY characters, are left aside: what a word in
    them is about is hard to tell without a question.

    spoken  who says each, the sentence, and the place of its message
    """
    short = [n for n, (_, text, _) in enumerate(spoken) if len(text) <= _MANY]
    read = {n: _of_values(*spoken[n]) for n in short if may_change(spoken[n][1])}
    telling = {n: one for n, one in read.items() if one.changes}
    # Most sentences share no word with one that tells of a change, and reading takes time.
    about = frozenset[str]().union(*(one.topic for one in telling.values()))
    some = [n for n in short if n in telling or topic(spoken[n][1]) & about] if telling else []
    found = [telling.get(n) or _of_values(*spoken[n]) for n in some]
    return {some[old]: some[new] for old, new in superseded(found, surely).items()}


def _of_values(by: str, sentence: str, place: int) -> Assertion:
    return replace(assertion(sentence, by, (0.0, place)), ended=False)


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
