"""Reading and writing files: all of a file or nothing, `-` for the standard streams, errors that say what next."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from boildown.errors import BoildownError, InputError, UsageError
from boildown_cli.terminal import silence

if TYPE_CHECKING:
    from boildown.formats import Format
    from boildown.transcript import Transcript

SUFFIXES = (".json", ".jsonl", ".traj")
STDIN = STDOUT = "-"


def title(path: str) -> str:
    """How a file is called in messages."""
    return "<stdin>" if path == STDIN else path


def read(path: str) -> bytes:
    """All bytes of a file, or of stdin for `-`."""
    try:
        if path == STDIN:
            if sys.stdin is None:
                raise InputError("standard input is closed. Name a file instead of '-'.")
            return sys.stdin.buffer.read()
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.{_near(path)}") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a directory. Name a file in it.") from None
    except PermissionError:
        raise InputError(f"{path}: you may not read it. Change its permissions, or copy it.") from None
    except OSError as error:
        raise InputError(f"{title(path)}: it cannot be read: {error.strerror or error}.") from None


def _near(path: str) -> str:
    import difflib

    folder, name = os.path.split(path)
    try:
        near = difflib.get_close_matches(name, os.listdir(folder or "."), 1)
    except OSError:
        return f" There is no directory {folder!r} either."
    return f" Did you mean {os.path.join(folder, near[0])}?" if near else ""


def conversations(path: str, read_as: str | None = None) -> tuple[Format, Iterator[Transcript]]:
    """The format of a file, or of stdin for `-`, and its conversations."""
    format, found = opened(path, read_as)
    return format, found()


def opened(path: str, read_as: str | None = None) -> tuple[Format, Callable[[], Iterator[Transcript]]]:
    """As `conversations`, which may be gone through several times."""
    from boildown import run

    format, data, _ = run.reader(read(path), title(path), read_as)
    return format, lambda: run.conversations(format, data, title(path))


def expand(paths: Sequence[str]) -> Iterable[str]:
    """`paths` with each directory replaced by the files in it, as `walked` finds them."""
    return (path for path, _ in walked(paths))


def walked(paths: Sequence[str]) -> Iterator[tuple[str, str | None]]:
    """Each file of `paths`, and the directory that it was found in, which is None for one that was named.

    Of a directory that is the files with one of SUFFIXES, at any depth, in order. A text or Markdown file is read where
    it is named: in a directory most are no transcripts, as a README is none.
    """
    for path in paths:
        if path == STDIN or not os.path.isdir(path):
            yield path, None
            continue
        found = sorted(str(p) for p in Path(path).rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not found:
            raise InputError(
                f"{path}: there is no {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file in this directory."
            )
        yield from ((name, path) for name in found)


def check_target(path: str, option: str) -> None:
    """Raise UsageError where `path` cannot be written, before the work is done."""
    if path == STDOUT:
        return
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise UsageError(f"{option} {path}: this is a directory. Name a file in it.")
    if not os.path.isdir(folder):
        raise UsageError(f"{option} {path}: there is no directory {folder!r}. Make it first.")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise UsageError(f"{option} {path}: you may not write to it. Change its permissions, or name another file.")
    if not _is_special(path) and not os.access(folder, os.W_OK):
        raise UsageError(f"{option} {path}: you may not make a file in {folder!r}. Name another place.")


def keep(path: str) -> str:
    """Keep the file as `path`.bak, or with the first number behind it that is free: the backup's name.

    A link where the file system has links: what another process still writes to the file is then in the backup.
    """
    for number in count(1):
        name = f"{path}.bak{number if number > 1 else ''}"
        try:
            os.link(os.path.realpath(path), name)
        except FileExistsError:
            continue
        except OSError:
            if os.path.lexists(name):
                continue
            shutil.copy2(path, name)
        break
    return name


def _is_special(path: str) -> bool:
    """Whether `path` is a device or a pipe: written to, never replaced."""
    return os.path.exists(path) and not os.path.isfile(path)


def write(outputs: Sequence[tuple[str, bytes]]) -> None:
    """Write files, each whole or not at all: none takes its name before all are on disk. `-` is stdout."""
    waiting: list[tuple[str, str]] = []
    done: list[str] = []
    try:
        for path, data in outputs:
            if path != STDOUT and not _is_special(path):
                waiting.append(_beside(os.path.realpath(path), data))
        for path, data in outputs:
            if path == STDOUT:
                _to_stdout(data)
            elif _is_special(path):
                Path(path).write_bytes(data)
        while waiting:
            os.replace(*waiting[0])
            done.append(waiting.pop(0)[1])
    except KeyboardInterrupt:
        whole = f"written: {', '.join(done)}" if done else "no file was written"
        raise KeyboardInterrupt(f"interrupted while writing; {whole}") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BoildownError(f"{error.filename or 'standard output'}: cannot be written: {error.strerror}.") from None
    finally:
        for temporary, _ in waiting:
            Path(temporary).unlink(missing_ok=True)


def _beside(path: str, data: bytes) -> tuple[str, str]:
    """`data` in a new file beside `path`, with the mode that `path` has or would get: (its name, `path`)."""
    handle, name = tempfile.mkstemp(dir=os.path.dirname(path), prefix=f".{os.path.basename(path)[:80]}.")
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.chmod(name, _mode(path))
    except BaseException:
        os.unlink(name)
        raise
    return name, path


def _mode(path: str) -> int:
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _to_stdout(data: bytes) -> None:
    """Write to stdout; a reader that has left early has all it wanted."""
    if sys.stdout is None:
        raise UsageError("standard output is closed. Name a file with -o.")
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        silence(sys.stdout)
