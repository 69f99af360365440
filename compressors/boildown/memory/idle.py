"""Sessions that nobody goes on with: since when, and a compressed copy of them beside their source."""

from __future__ import annotations

import re
from dataclasses import dataclass

from boildown.archive.manifest import Manifest, load
from boildown.archive.originals import keep
from boildown.archive.store import Archive, digest
from boildown.errors import LostError, NotMetError, UsageError
from boildown.memory.times import moment
from boildown.run import Job, conversations, reader, run

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_LEAST = 0.9
"""A copy that is there already is taken where it fills so much of what it may be large"""


@dataclass(frozen=True, slots=True)
class Copy:
    """A compressed copy: the tokens of its source, and its own."""

    tokens_in: int
    tokens_out: int


def seconds(text: str) -> float:
    """`90s`, `30m`, `1h`, `2d` or `1w` in seconds. Raises UsageError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", text.strip().lower())
    if found is None:
        raise UsageError(f"--idle {text!r} is no time. Write 30m, 1h, 2d: a number of s, m, h, d or w.")
    return float(found[1]) * _SECONDS[found[2]]


def last_activity(data: bytes, where: str, modified: float | None = None, read_as: str | None = None) -> float | None:
    """Seconds since 1970 of the newest message in the file `data`; `modified` where no message says when it was.

    Raises InputError.
    """
    format, plain, _ = reader(data, where, read_as)
    times = (moment(m.time) for t in conversations(format, plain, where) for m in t.messages)
    return max((at for at in times if at is not None), default=modified)


def compressed(archive: Archive, data: bytes, where: str, job: Job) -> Copy:
    """Keep the file `data` and what `job` makes of it in `archive`: how large both are.

    Both are found by the hash of the file: what was kept before is not made again. What cannot be made as small as
    asked for, since too much of it is pinned, is kept as it is.
    """
    made = _made(archive, data, job.ratio or 1.0)
    if made is not None:
        return made
    try:
        written, report = run(data, where, job)
    except NotMetError:
        written, report = data, run(data, where, Job(job.stages, job.pipeline, ratio=1.0, read_as=job.read_as))[1]
    with archive.transaction():
        archive.put(written)
    keep(archive, data, written, report)
    return Copy(report.tokens_in, report.tokens_out)


def _made(archive: Archive, data: bytes, ratio: float) -> Copy | None:
    """The copy of `data` that is there, if it is about as small as asked for."""
    for filed in archive.made_from(digest(data)):
        try:
            archive.get(filed.output)
            manifest = load(archive.get(filed.manifest))
        except LostError:
            continue
        copy = _copy(manifest)
        if _LEAST <= copy.tokens_out * ratio / max(copy.tokens_in, 1) <= 1 or filed.output == filed.source:
            return copy
    return None


def _copy(manifest: Manifest) -> Copy:
    found = manifest.conversations
    return Copy(sum(c.tokens_in for c in found), sum(c.tokens_out for c in found))
