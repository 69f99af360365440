"""The output's directory: where its journal is, and what is not finished, which the next run clears away."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from boildown.batch import journal, places
from boildown.batch.journal import Journal
from boildown.batch.names import OWN
from boildown.errors import UsageError

SLICES = f"{OWN}/slices"
"""Below the output's directory, so that other machines get at it as they do at outputs"""


@dataclass(frozen=True, slots=True)
class Output:
    """A directory or a URL. `own` is a folder on this machine: in the directory, or for a URL in the user's cache."""

    folder: str
    own: str

    @property
    def staging(self) -> str:
        """For outputs that are not whole yet."""
        return os.path.join(self.own, "unfinished")

    def slices(self, name: str) -> str:
        """The folder of the done slices of the output `name`."""
        hashed = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        return places.join(self.folder, f"{SLICES}/{hashed}")

    def target(self, name: str) -> str:
        return places.join(self.folder, name)


def output(folder: str) -> Output:
    """The output's directory of that path or URL. Raises UsageError for what is none."""
    folder = places.plain(folder)
    if places.is_remote(folder):
        from boildown.summarizers.answers import folder as answers

        places.storage(folder)
        return Output(folder, str(answers().parent / "batch" / hashlib.sha256(folder.encode()).hexdigest()[:32]))
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise UsageError(f"--output {folder}: this is a file. Name a directory, which may be a new one.")
    return Output(folder, os.path.join(folder, OWN))


@contextmanager
def opened(out: Output, dry_run: bool = False) -> Iterator[Journal]:
    """The output's journal, no other process writing there. A dry run makes nothing that is not there."""
    path = os.path.join(out.own, "journal.db")
    if dry_run:
        with journal.opened(path if os.path.exists(path) else ":memory:") as found:
            yield found
        return
    try:
        os.makedirs(out.own, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--output {out.folder}: the directory cannot be made: {error.strerror}.") from None
    with journal.opened(path) as found:
        places.remove(out.staging)
        os.makedirs(out.staging)
        try:
            yield found
        finally:
            places.remove(out.staging)
