"""Where files are, on this machine or behind a URL: reading, packed or not, and writing whole or not at all.

Only URLs need fsspec.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BufferedReader
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from boildown.errors import BoildownError, InputError, UsageError

Stamp = tuple[int, str]
"""A file's size in bytes, and what changes when it does: its time of change in nanoseconds, or what a store tells."""
MARKS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "updated", "created")
"""What stores call what changes with a file; the first that there is counts."""


LIBRARIES = ("botocore", "aiobotocore", "aiohttp", "google", "gcsfs", "azure")
"""What stores are spoken to with; their errors, as for want of a key or a connection, are often no OSError."""


class WriteError(BoildownError):
    """An output cannot be written."""


class StoreError(OSError):
    """A store cannot be asked."""


@contextmanager
def asking(path: str) -> Iterator[None]:
    """Makes a StoreError of what the libraries raise that a URL's store is spoken to with."""
    try:
        yield
    except Exception as error:
        of = {one.__module__.partition(".")[0] for one in type(error).__mro__}
        if isinstance(error, BoildownError) or not is_remote(path) or of.isdisjoint(LIBRARIES):
            raise
        why = f"its store cannot be asked: {str(error).rstrip('.') or type(error).__name__}"
        raise StoreError(f"{why}. Look at its address, your key for it and the network.") from None


def plain(path: str) -> str:
    """A path or URL, with file:// made a path."""
    return unquote(urlsplit(path).path) if path.startswith("file://") else path


def is_remote(path: str) -> bool:
    """Whether this is a URL."""
    return "://" in path


def in_memory(path: str) -> bool:
    """Whether the file is in this process's memory, where no other process finds it."""
    return path.startswith("memory://")


@cache
def _storage(protocol: str, url: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise UsageError(f"{url}: URLs need fsspec. Install it with: pip install 'boildown[remote]'.") from None
    try:
        return fsspec.url_to_fs(url)[0]
    except ImportError as error:
        raise UsageError(f"{url}: {str(error).rstrip('.')}. Install that package beside boildown.") from None
    except ValueError as error:
        raise UsageError(
            f"{url}: {str(error).rstrip('.')}. Give a path, or a URL such as s3://bucket/folder."
        ) from None


def storage(url: str) -> Any:
    """The fsspec file system of a URL. Raises UsageError where what opens it is not installed."""
    parts = urlsplit(url)
    return _storage(parts.scheme, f"{parts.scheme}://{parts.netloc}")


def join(folder: str, name: str) -> str:
    """The path or URL of `name`, with forward slashes, in `folder`."""
    if is_remote(folder):
        return f"{folder.rstrip('/')}/{name}"
    return os.path.join(folder, *name.split("/"))


def stamp(path: str) -> Stamp | None:
    """The stamp of a file; None where there is none. Raises OSError."""
    if is_remote(path):
        try:
            with asking(path):
                info = storage(path).info(path)
        except FileNotFoundError:
            return None
        marks = (str(info[key]) for key in MARKS if info.get(key) is not None)
        return int(info.get("size") or 0), next(marks, "")
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size, str(found.st_mtime_ns)


@contextmanager
def reading(path: str) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """A file's content, unpacked, and the file as it stands. Raises InputError for what cannot be read."""
    try:
        with (
            asking(path),
            cast(BinaryIO, storage(path).open(path, "rb") if is_remote(path) else open(path, "rb")) as file,
        ):
            yield _unpacked(file, path), file
    except StoreError as error:
        raise InputError(f"{path}: {error}") from None
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except PermissionError:
        raise InputError(f"{path}: you may not read it. Change its permissions, or copy it.") from None
    except (OSError, EOFError) as error:
        why = getattr(error, "strerror", None) or str(error) or "it ends in the middle"
        raise InputError(f"{path}: it cannot be read: {why}. Get a whole copy of it.") from None
    except BaseException as error:
        if type(error).__module__.partition(".")[0] in ("zlib", "zstandard", "zstd"):
            raise InputError(f"{path}: it cannot be unpacked: {error}. Get a whole copy of it.") from None
        raise


def _unpacked(file: BinaryIO, path: str) -> BinaryIO:
    if path.lower().endswith(".gz"):
        import gzip

        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    if path.lower().endswith(".zst"):
        from boildown.batch.zst import Frames

        return cast(BinaryIO, BufferedReader(Frames(file)))
    return file


def read(path: str) -> bytes:
    """All of a file's content, unpacked. Raises InputError."""
    with reading(path) as (file, _):
        return file.read()


def write(path: str, data: bytes, staging: str) -> None:
    """Write a file whole or not at all. `staging` is a folder on the disk of `path`, of no use for URLs.

    A store takes a file whole or not at all by itself. Raises WriteError.
    """
    with _writing(path):
        if is_remote(path):
            storage(path).pipe_file(path, data)
            return
        beside = os.path.join(staging, uuid4().hex)
        with open(beside, "wb") as file:
            file.write(data)
        _named(beside, path)


def write_joined(path: str, parts: Iterable[str], staging: str) -> str:
    """Write a file that is `parts` in a row, whole or not at all, without holding it: its SHA-256, in hex.

    Raises WriteError, or InputError for a part.
    """
    hashed = hashlib.sha256()
    beside = os.path.join(staging, uuid4().hex)
    with _writing(path):
        with open(beside, "wb") as file:
            for part in parts:
                data = read(part)
                hashed.update(data)
                file.write(data)
        if is_remote(path):
            storage(path).put_file(beside, path)
            os.unlink(beside)
        else:
            _named(beside, path)
    return hashed.hexdigest()


def _named(beside: str, path: str) -> None:
    try:
        os.replace(beside, path)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.replace(beside, path)


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        with asking(path):
            yield
    except StoreError as error:
        raise WriteError(f"{path}: {error}") from None
    except OSError as error:
        why = error.strerror or error
        raise WriteError(f"{path}: it cannot be written: {why}. Make room, or name another directory.") from None


def remove(folder: str) -> None:
    """Remove a folder and all in it, where there is one."""
    if not is_remote(folder):
        shutil.rmtree(folder, ignore_errors=True)
    elif storage(folder).exists(folder):
        storage(folder).rm(folder, recursive=True)


def walk(folder: str, without: str = "") -> Iterator[str]:
    """The files in a folder at any depth, by their names below it, in order; not those in the folder `without`.

    Links to folders are not followed, so that none is gone through twice or for ever.
    """
    if is_remote(folder):
        base = storage(folder)._strip_protocol(folder).rstrip("/")
        skipped = storage(folder)._strip_protocol(without).rstrip("/") + "/" if is_remote(without) else ""
        for path in sorted(storage(folder).find(base)):
            if not skipped or not path.startswith(skipped):
                yield path[len(base) :].lstrip("/")
        return
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if os.path.realpath(os.path.join(place, name)) != without)
        below = os.path.relpath(place, folder)
        for name in sorted(names):
            if os.path.isfile(os.path.join(place, name)):
                yield name if below == "." else os.path.join(below, name).replace(os.sep, "/")
