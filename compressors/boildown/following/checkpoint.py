"""A stream's state on disk, DIR/checkpoints/NAME.json: whole or not at all, with the one before as a fallback."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from boildown.errors import ArchiveError, BusyError
from boildown.following.compression import Held
from boildown.following.state import State, Tally
from boildown.memory.checkpoints import FOLDER, checkpoints
from boildown.report import tool_version

VERSION = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state as it is kept, with all that is needed to go on.

    input       the file's path, or - for stdin      offset, digest  what was read of it: bytes, and their SHA-256
    place       how many messages the store has been given
    names, cut  of messages in `compressed`, the lines that the last compression left, a summary or ledger among them;
                the messages in `recent` came since, and are `m1` and on from `first`
    scorer      what scored words when they were cut
    """

    session: str
    user: str
    input: str
    format: str
    offset: int
    digest: str
    window: int
    tokenizer: str
    scorer: str
    level: str
    tokens: int
    place: int
    first: int
    settled: int
    names: list[str]
    cut: list[str]
    compressed: list[str]
    recent: list[str]
    sizes: list[int]
    base: int
    counters: dict[str, int]
    version: int = VERSION
    boildown: str = field(default_factory=tool_version)

    @property
    def lines(self) -> list[bytes]:
        return [line.encode("utf-8", "surrogateescape") for line in (*self.compressed, *self.recent)]

    def restore(self, state: State) -> None:
        """Put all of it into `state`, but for what was read of the input."""
        lines = self.lines
        many = len(self.compressed)
        state.held = Held(tuple(lines[:many]), tuple(self.names), self.first, frozenset(self.cut))
        state.recent = list(zip(lines[many:], self.sizes, strict=True))
        state.base, state.added, state.settled = self.base, sum(self.sizes), self.settled
        state.level = state.policy.at(self.settled)
        state.tally = Tally(**self.counters)


@dataclass(frozen=True, slots=True)
class Found:
    """The checkpoint that holds, if there is any, and what is wrong with the newest, if that is not the one."""

    checkpoint: Checkpoint | None
    trouble: str = ""


def name(session: str, user: str) -> str:
    """A file's name for a user's session: some of its own name to be seen by, and a hash that makes it the only one."""
    seen = re.sub(r"[^A-Za-z0-9_-]+", "-", session).strip("-")[:40]
    told = hashlib.sha256(f"{user}\0{session}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{seen}-{told}" if seen else told


def save(folder: str, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` in place of the last one, which is kept as NAME.previous.json. Raises ArchiveError."""
    place = Path(folder) / FOLDER
    path = place / f"{name(checkpoint.session, checkpoint.user)}.json"
    new, before = path.with_name(f".{path.name}.new"), path.with_suffix(".previous.json")
    try:
        place.mkdir(parents=True, exist_ok=True)
        with open(new, "wb", opener=_private) as file:
            file.write(_dumped(checkpoint))
            file.flush()
            os.fsync(file.fileno())
        _keep(path, before)
        os.replace(new, path)
        _settle(place)
    except OSError as error:
        raise ArchiveError(
            f"{path}: the checkpoint cannot be written: {error.strerror}. Make room, or check the permissions."
        ) from None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep(path: Path, before: Path) -> None:
    """Give `path` the name `before` as well, so that there is a checkpoint at any moment."""
    waiting = before.with_name(f".{before.name}.new")
    waiting.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        os.link(path, waiting)
        os.replace(waiting, before)
        waiting.unlink(missing_ok=True)  # Where both are one file already, replacing does nothing.


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _dumped(checkpoint: Checkpoint) -> bytes:
    value = asdict(checkpoint)
    value = {"version": value.pop("version"), **value}
    try:
        return orjson.dumps(value)
    except TypeError:  # A line that is no UTF-8 is held with surrogate escapes, which orjson refuses.
        return json.dumps(value).encode()


def load(folder: str, session: str, user: str = "") -> Found:
    """The newest checkpoint of a user's session that is whole. Raises ArchiveError where a newer boildown made it."""
    path = Path(folder) / FOLDER / f"{name(session, user)}.json"
    trouble = ""
    for one in (path, path.with_suffix(".previous.json")):
        try:
            return Found(_checked(_read(one), one, session, user), trouble)
        except FileNotFoundError:
            continue
        except ValueError as error:
            trouble = trouble or f"{one}: {error}"
    return Found(None, trouble)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ArchiveError(f"{path}: it cannot be read: {error.strerror}. Check its permissions.") from None
    except (ValueError, RecursionError):
        raise ValueError("this is no checkpoint, or half of one") from None


def _checked(value: Any, path: Path, session: str, user: str) -> Checkpoint:
    """The checkpoint that `value` is. Raises ValueError where it is none, or of another session."""
    version = value.get("version") if isinstance(value, dict) else None
    if isinstance(version, int) and version > VERSION:
        raise ArchiveError(f"{path}: a newer boildown made it (version {version}). Install that version.")
    if version != VERSION:
        raise ValueError(f"this is a checkpoint of version {version!r}, which is not known here")
    known = {f.name for f in fields(Checkpoint)}
    if known - value.keys():
        raise ValueError(f"the checkpoint lacks {min(known - value.keys())!r}")
    found = Checkpoint(**{key: item for key, item in value.items() if key in known})
    if not _sound(found) or (found.session, found.user) != (session, user):
        raise ValueError("the checkpoint does not hold together")
    return found


def _sound(found: Checkpoint) -> bool:
    lists = (found.names, found.cut, found.compressed, found.recent)
    texts = all(isinstance(one, list) and all(isinstance(line, str) for line in one) for one in lists)
    sizes = isinstance(found.sizes, list) and all(isinstance(n, int) for n in found.sizes)
    counters = isinstance(found.counters, dict) and found.counters.keys() == {f.name for f in fields(Tally)}
    numbers = (found.offset, found.window, found.tokens, found.place, found.first, found.settled, found.base)
    whole = all(isinstance(n, int) and n >= 0 for n in numbers)
    return texts and sizes and counters and whole and len(found.sizes) == len(found.recent)


def lock(folder: str, session: str, user: str) -> Path:
    """The file that is locked while a user's session is followed."""
    return Path(folder, FOLDER, f".{name(session, user)}.lock")


def beside(folder: str, session: str, user: str) -> list[Path]:
    """The checkpoints of a user's session, and what a kill left of one that was being written."""
    told = name(session, user)
    names = (f"{told}.json", f".{told}.json.new", f"{told}.previous.json", f".{told}.previous.json.new")
    return [path for one in names if (path := Path(folder, FOLDER, one)).is_file()]


def _is_at(path: Path, handle: int) -> bool:
    """Whether the file that is open is the one that has the path."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(path), os.fstat(handle))
    return False


@contextmanager
def locked(folder: str, session: str, user: str) -> Iterator[None]:
    """No other process follows the session meanwhile, or forgets it. Raises BusyError where one does."""
    import fcntl  # which Windows has not, where nothing is followed

    place = Path(folder) / FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        path = lock(folder, session, user)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ArchiveError(f"{place}: it cannot be written to: {error.strerror}. Check its permissions.") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_at(path, handle):  # It was forgotten between the two.
            raise BlockingIOError
        yield
    except BlockingIOError:
        raise BusyError(
            f"--archive {folder}: another process follows the session {session!r}. Stop it, or name another --session."
        ) from None
    finally:
        os.close(handle)


def discard(folder: str, session: str, user: str = "") -> None:
    """Remove the newest checkpoint, so that the one before it is the newest."""
    (Path(folder) / FOLDER / f"{name(session, user)}.json").unlink(missing_ok=True)


def sessions(folder: str, user: str = "") -> list[str]:
    """The sessions of a user that have a checkpoint, by name."""
    found = (one for one in checkpoints(folder) if one.path.suffix == ".json" and one.is_of(user))
    return sorted({one.session for one in found})
