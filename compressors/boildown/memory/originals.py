"""Which of the sources that an archive keeps are needed by one user alone, and taking them out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass

from boildown.archive.manifest import load
from boildown.archive.store import Archive, Filed
from boildown.errors import LostError
from boildown.memory.traces import Search


@dataclass(frozen=True, slots=True)
class Kept:
    """What goes: what is filed of sources and their outputs, and the objects that nothing else needs.

    left  names of sources that are nobody's and stay, though some of the passages stand in them
    """

    filed: tuple[Filed, ...] = ()
    objects: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the files whose originals go."""
        return tuple(dict.fromkeys(one.name for one in self.filed))


@dataclass(frozen=True, slots=True)
class Owned:
    """Whose sources are: hashes of those that are to go, and of those that other users have, which stay.

    A source that is nobody's, as one that was compressed and never archived, goes where a whole one of `messages`
    stands in it, each the passages of a longer text that the user wrote: mere phrases may be anybody's.
    """

    going: AbstractSet[str]
    others: AbstractSet[str]
    messages: Sequence[AbstractSet[str]]


def planned(archive: Archive, search: Search, owned: Owned, shared: AbstractSet[str]) -> tuple[Kept, set[str]]:
    """What goes, and the passages that stay, which `shared` are among: those that others said.

    Raises LostError where the account of a source is damaged: what it needs cannot be told then.
    """
    holding = dict(_holding(archive, search))
    needs = {one: _needed(archive, one) for one in archive.all_filed()}
    held = {one: set[str]().union(*(holding.get(name, ()) for name in needs[one])) for one in needs}
    others = set(shared).union(*(held[one] for one in needs if one.source in owned.others))
    own = [one for one in owned.messages if not one <= others]
    gone = {
        one
        for one in needs
        if one.source not in owned.others and (one.source in owned.going or any(m <= held[one] for m in own))
    }
    still = set[str]().union(*(needs[one] for one in needs if one not in gone))
    staying = others.union(*(held[one] for one in needs if one not in gone))
    left = dict.fromkeys(
        one.name for one in needs if one not in gone and one.source not in owned.others and not held[one] <= others
    )
    objects = tuple(name for name in archive.names() if name not in still)
    return Kept(tuple(one for one in needs if one in gone), objects, tuple(left)), staying


def _holding(archive: Archive, search: Search) -> Iterator[tuple[str, set[str]]]:
    """The objects that hold any of the passages. What is damaged cannot be looked into."""
    for name in archive.names():
        try:
            found = search.found(archive.get(name))
        except LostError:
            continue
        if found:
            yield name, found


def _needed(archive: Archive, filed: Filed) -> set[str]:
    """The objects that it takes to give back a source, and its output where that is kept."""
    return {filed.manifest, filed.output, *load(archive.get(filed.manifest)).objects}


def unpacked(archive: Archive) -> Iterator[bytes]:
    """Every object in the archive, as it was put, but for those that are damaged."""
    for name in archive.names():
        with suppress(LostError):
            yield archive.get(name)
