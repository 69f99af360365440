"""Where an archive is, as `--archive` names it: a directory, one whose messages are in LanceDB, or object storage."""

from __future__ import annotations

import os

from boildown.errors import UsageError

LANCE = "memory.lance"
"""The directory of messages in LanceDB, inside of an archive's"""
_PREFIX = "lance:"
_REMOTE = ("s3://", "gs://", "az://")


def is_remote(place: str) -> bool:
    """Whether an archive is on object storage."""
    return place.startswith(_REMOTE)


def in_lance(place: str) -> str | None:
    """The address of an archive's messages in LanceDB; None where they are in SQLite, or nowhere yet."""
    if is_remote(place):
        return f"{place.rstrip('/')}/{LANCE}"
    path = os.path.join(_directory(place), LANCE)
    return path if place.startswith(_PREFIX) or os.path.isdir(path) else None


def absolute(place: str) -> str:
    """What `place` is called from any directory."""
    prefix = _PREFIX if place.startswith(_PREFIX) else ""
    return place if is_remote(place) else prefix + os.path.abspath(_directory(place))


def local(place: str, what: str) -> str:
    """The directory of an archive. Raises UsageError where it has none; `what` is what needs one."""
    if is_remote(place):
        raise UsageError(
            f"--archive {place}: {what} in a directory of this machine, and object storage holds messages only. "
            "Name a directory, or lance:DIR for messages in LanceDB beside the rest."
        )
    return _directory(place)


def _directory(place: str) -> str:
    """The path in `place`. Shells leave the ~ of lance:~/DIR as it is."""
    return os.path.expanduser(place.removeprefix(_PREFIX)) if place.startswith(_PREFIX) else place
