"""What is to be read, by files, directories, patterns and URLs, and the name of each output; no two may be one."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from boildown.batch import places
from boildown.batch.names import OWN, PACKED, SUFFIXES, is_read, output_name
from boildown.errors import InputError, UsageError

MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Input:
    """A file to read. `name` is its output's, below the output's directory; `named` says that a user named it."""

    source: str
    name: str
    named: bool


def find(given: Sequence[str], out: str, write_as: str | None = None) -> list[Input]:
    """The files that `given` means, each once. What is in the directory `out` is an output, unless it is named.

    A file's output goes right into `out`, the files of a directory where they stand below it, and those of a pattern
    where they stand below what comes before its first wildcard. Raises InputError and UsageError.
    """
    inside = out if places.is_remote(out) else os.path.realpath(out)
    found: dict[str, Input] = {}
    for path in given:
        for source, name, named in _files(places.plain(path), inside):
            one = Input(source, output_name(name, write_as), named)
            other = found.setdefault(one.name, one)
            if not _same(other.source, one.source):
                raise UsageError(
                    f"{other.source} and {one.source} would both become {places.join(out, one.name)}. Name the "
                    "directory that holds both, quote a pattern so that the shell leaves it as it is, or do one by one."
                )
    _check_kept(found, out)
    return list(found.values())


def _same(a: str, b: str) -> bool:
    return a == b or (not places.is_remote(a) and os.path.realpath(a) == os.path.realpath(b))


def _check_kept(found: dict[str, Input], out: str) -> None:
    """Raise UsageError where an output would take the place of an input."""
    local = not places.is_remote(out)
    top = (os.path.realpath(out) if local else out).rstrip("/") + "/"
    folder_of = cache(os.path.realpath)  # which asks for each folder on the way, as often as a folder has files
    for one in found.values():
        path = one.source
        if local and not places.is_remote(path):
            folder, name = os.path.split(path)
            path = os.path.realpath(path) if os.path.islink(path) else os.path.join(folder_of(folder), name)
        if path.startswith(top) and path[len(top) :] in found:
            raise UsageError(f"{one.source}: it would be overwritten by an output. Name another directory with -o.")


def _files(path: str, out: str) -> Iterator[tuple[str, str, bool]]:
    """Each file that `path` means, its name below the output's directory, and whether it was named."""
    if path == "-":
        raise UsageError("batch reads files. Use 'boildown compress -' for what comes from a pipe.")
    if places.is_remote(path):
        yield from _remote(path, out)
    elif os.path.isdir(path):
        yield from _below(path, path, out)
    elif os.path.lexists(path):
        yield path, os.path.basename(path), True
    elif MAGIC.search(path):
        base = os.path.dirname(path[: MAGIC.search(path).start()])  # type: ignore[union-attr]
        matches = [one for one in sorted(glob.glob(path, recursive=True)) if not _is_in(one, out)]
        if not matches:
            raise InputError(f"{path}: nothing has such a name. ** stands for directories at any depth.")
        for one in matches:
            if not os.path.isdir(one):
                yield one, os.path.relpath(one, base or ".").replace(os.sep, "/"), False
    else:
        raise InputError(f"{path}: there is no such file or directory.")


def _is_in(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(folder.rstrip("/") + os.sep)


def _below(folder: str, base: str, out: str) -> Iterator[tuple[str, str, bool]]:
    names = [name for name in places.walk(folder, out) if is_read(name) and not name.startswith(f"{OWN}/")]
    if not names or (not places.is_remote(folder) and os.path.realpath(folder) == out):
        endings = f"{', '.join(SUFFIXES)}, nor such a one with {' or '.join(PACKED)}"
        raise InputError(f"{folder}: there is no file to read in this directory, none with {endings}, besides outputs.")
    for name in names:
        yield places.join(folder, name), name, False


def _remote(url: str, out: str) -> Iterator[tuple[str, str, bool]]:
    try:
        with places.asking(url):
            yield from _found(url, out)
    except places.StoreError as error:
        raise InputError(f"{url}: {error}") from None
    except OSError as error:
        raise InputError(f"{url}: it cannot be looked at: {error}.") from None


def _found(url: str, out: str) -> Iterator[tuple[str, str, bool]]:
    store, wild = places.storage(url), MAGIC.search(url)
    store.invalidate_cache()
    if wild:
        base = store._strip_protocol(url[: wild.start()].rpartition("/")[0])
        for path in sorted(store.glob(url)):
            if is_read(path):
                yield store.unstrip_protocol(path), path[len(base) :].lstrip("/"), False
    elif store.isdir(url):
        yield from _below(url, url, out)
    elif store.exists(url):
        yield url, url.rstrip("/").rpartition("/")[2], True
    else:
        raise InputError(f"{url}: there is no such file or folder.")
