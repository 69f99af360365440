"""What an archive holds of each session: how much, from when, and how far it was compressed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from boildown.archive import store
from boildown.archive.manifest import load
from boildown.archive.places import is_remote, local
from boildown.archive.store import Archive
from boildown.errors import LostError
from boildown.memory.checkpoints import checkpoints
from boildown.memory.messages import Session, Whose
from boildown.memory.places import opened

VERBATIM, COMPRESSED = "verbatim", "compressed"


@dataclass(frozen=True, slots=True)
class Listed:
    """A session as it is listed.

    size        bytes of its messages' texts, as UTF-8
    first       and `last`: seconds since 1970 of the first and the last message whose time is known
    level       what its checkpoint says of how far it is compressed; else COMPRESSED where the archive knows of an
                output of its source, and VERBATIM where it does not
    tokens_in   of the source, and `tokens_out` of its newest output; None where the archive does not know them
    """

    user: str
    session: str
    title: str
    messages: int
    size: int
    first: float | None
    last: float | None
    level: str
    tokens_in: int | None = None
    tokens_out: int | None = None

    @property
    def saving(self) -> float | None:
        """The share of the source's tokens that its output does without."""
        return 1 - (self.tokens_out or 0) / self.tokens_in if self.tokens_in else None


def sessions(place: str, user: str | None = None) -> list[Listed]:
    """The sessions of `user`, or all, in the order in which they came. Raises ArchiveError."""
    with opened(place) as memory:
        found, sources, sizes = memory.sessions(user), memory.origins(), memory.sizes()
    if is_remote(place):  # which has no checkpoints, and no originals
        return [_listed(one, sizes.get((one.user, one.name), 0), {}, None) for one in found]
    folder = local(place, "listing")
    levels = {(one.user, one.session): one.level for one in checkpoints(folder) if one.level}
    with ExitStack() as stack:
        known = os.path.exists(os.path.join(folder, store.FILE))
        archive = stack.enter_context(store.opened(folder)) if known else None
        return [
            _listed(one, sizes.get(key, 0), levels, _tokens(archive, sources.get(key, ()), one.topic))
            for one in found
            for key in [(one.user, one.name)]
        ]


def _listed(one: Session, size: int, levels: Mapping[Whose, str], tokens: tuple[int, int] | None) -> Listed:
    level = levels.get((one.user, one.name), COMPRESSED if tokens else VERBATIM)
    known = tokens or (None, None)
    return Listed(one.user, one.name, one.topic, one.messages, size, one.first, one.last, level, *known)


def _tokens(archive: Archive | None, sources: Iterable[str], title: str) -> tuple[int, int] | None:
    """The tokens of a session's conversation, and those of the newest output of any of its sources.

    Of a file with several conversations it is the one with the session's title, where that is one's alone.
    """
    filed = [one for source in sources for one in archive.made_from(source)] if archive else []
    for one in sorted(filed, key=lambda one: one.made, reverse=True):
        if archive is None or one.output == one.source:
            continue
        with suppress(LostError):
            found = load(archive.get(one.manifest)).conversations
            named = found if len(found) == 1 else [c for c in found if c.title == title]
            if len(named) == 1 and named[0].tokens_in:
                return named[0].tokens_in, named[0].tokens_out
    return None
