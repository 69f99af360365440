"""What a shell command does to files, as far as one look at it tells: reads, writes, deletes, searches, or runs."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deed:
    """A thing done: its kind (a value of `actions.Kind`), what to, as the command says it, and in which folder.

    lines   where it is a read of some of a file's lines: the first and the last
    """

    kind: str
    target: str
    lines: tuple[int, int] | None = None
    folder: str = ""


LAST = 10**9
"""The last line of a file, however many it has"""
READERS = {"cat", "nl", "head", "tail", "sed", "bat", "less", "more", "awk"}
FILTERS = {"cat", "head", "tail", "sed", "nl"}
SEARCHERS = {"rg", "grep", "find", "fd", "ls", "tree", "ag", "ack", "git grep", "git ls-files"}
_AHEAD = re.compile(r"^\s*(?:cd\s+(\S+)\s*(?:&&|;)\s*)+")
_PRINTED = re.compile(r"(\d+)(?:,(\d+|\$))?p")
_NUMBERED = re.compile(r"NR\s*>=\s*(\d+)\s*&&\s*NR\s*<=\s*(\d+)")
_JOINTS = {"&&", "||", ";", "&", "|", "|&", "(", ")"}
_WRITES = {">", ">>", "&>", ">|"}


def deeds(command: str, folder: str = "") -> list[Deed]:
    """What `command` does, run in `folder`: one deed, or one for each file that it writes or deletes."""
    shown = command.strip()
    if ahead := _AHEAD.match(shown):
        folder = posixpath.join(folder, ahead[1])
        shown = shown[ahead.end() :]
    segments, joints = _segments(shown)
    if not segments:
        return [Deed("ran", command.strip())]
    written = [Deed(kind, path, folder=folder) for words in segments for kind, path in _written(words)]
    if written:
        return written
    read = _read(segments, folder) if joints <= {"|"} else None
    if read:
        return [read]
    first = segments[0]
    kind = "searched" if first[0] in SEARCHERS or " ".join(first[:2]) in SEARCHERS else "ran"
    return [Deed(kind, command.strip())]


def _segments(command: str) -> tuple[list[list[str]], set[str]]:
    """The words of each simple command, and what stands between them; nothing where it is no shell that can be split.

    What a here-document holds is no part of the command.
    """
    text = command.partition("<<")[0]
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars="&|;()<>")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return [], set()
    found: list[list[str]] = [[]]
    for word in words:
        if word in _JOINTS:
            found.append([])
        else:
            found[-1].append(word)
    return [s for s in found if s], _JOINTS.intersection(words)


def _written(words: list[str]) -> list[tuple[str, str]]:
    """(kind, path) of each file that a simple command writes or deletes."""
    found: list[tuple[str, str]] = []
    for n, word in enumerate(words[1:], 1):
        into = words[n + 1] if word in _WRITES and n + 1 < len(words) else ""
        if into and not into.startswith(("/dev/", "&")) and words[n - 1] != "2":
            found.append(("created" if word == ">" else "edited", into))
    plain = [w for w in words[1:] if not w.startswith("-")]
    if words[0] in ("rm", "unlink") or words[:2] == ["git", "rm"]:
        found += [("deleted", w) for w in plain if w != "rm"]
    elif words[0] in ("mv", "cp") and len(plain) == 2:
        found += [("deleted", plain[0])] * (words[0] == "mv") + [("created", plain[1])]
    elif words[0] == "touch" or (words[0] == "tee" and plain):
        found += [("created", w) for w in plain]
    elif words[0] == "sed" and any(w.startswith("-i") for w in words) and len(plain) >= 2:
        found.append(("edited", plain[-1]))
    return [(kind, path) for kind, path in found if "*" not in path and "$" not in path]


def _read(segments: list[list[str]], folder: str) -> Deed | None:
    """The read of one file, or of lines of it, that a pipeline is."""
    first, *rest = segments
    if first[0] not in READERS or any(words[0] not in FILTERS for words in rest):
        return None
    paths = [w for w in first[1:] if not w.startswith("-") and not _PRINTED.fullmatch(w) and not w.isdigit()]
    paths = [w for w in paths if not _NUMBERED.search(w) and ("/" in w or "." in w)]
    if len(paths) != 1 or any(c in paths[0] for c in "*?{}$ "):
        return None
    return Deed("read", paths[0], _lines(segments), folder)


def _lines(segments: list[list[str]]) -> tuple[int, int] | None:
    for words in segments:
        for word in words[1:]:
            if found := _NUMBERED.search(word):
                return int(found[1]), int(found[2])
            if words[0] == "sed" and (found := _PRINTED.fullmatch(word)):
                last = found[2] or found[1]
                return int(found[1]), LAST if last == "$" else int(last)
        if words[0] in ("head", "tail"):
            count = next((int(d[0]) for w in words[1:] if (d := re.search(r"\d+", w))), 10)
            return (1, count) if words[0] == "head" else (LAST - count, LAST)
    return None
