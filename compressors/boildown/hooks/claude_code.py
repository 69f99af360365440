"""Claude Code: where its settings are, which hooks go there, and what they do.

As its documentation has it (code.claude.com/docs/en/hooks). A hook gets JSON on stdin. What PreCompact says on stdout
becomes instructions for the summary, and its exit code 2 stops the compaction: so nothing is said, and it is always 0.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from boildown.archive.places import absolute
from boildown.errors import InputError
from boildown.hooks.handover import Desk, remember, write_page
from boildown.hooks.settings import commands

if TYPE_CHECKING:
    from logging import Logger

RUN = "hook claude-code --run"
"""What is in the command of each hook of ours, and in no other's"""
_NEVER_FAILS = " || exit 0"
"""Also where boildown is gone, or another version without this command, whose exit code 2 would stop a compaction"""
EVENTS = {"PreCompact": ("manual|auto", 120), "SessionStart": ("startup|resume|compact", 30)}
"""The events, when they are of interest, and the seconds that a hook may take"""
FRESH = 7 * 24 * 3600
"""Seconds after which a page is of no interest to a new session"""
LOG = "hook.log"
_LOG_SIZE = 500_000


def settings_file(project: str | None) -> Path:
    """The settings of a project, or of the user where none is named."""
    if project is not None:
        return Path(project) / ".claude" / "settings.json"
    return _home() / "settings.json"


def _home() -> Path:
    return Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")


def default_archive() -> str:
    """Where sessions are archived if nobody says where."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return str(Path(data) / "boildown" / "claude-code")


def entries(command: str) -> dict[str, dict[str, object]]:
    """What goes into the settings, by event, for `command` to be run."""
    return {
        event: {
            "matcher": matcher,
            "hooks": [{"type": "command", "command": f"{command}{_NEVER_FAILS}", "timeout": seconds}],
        }
        for event, (matcher, seconds) in EVENTS.items()
    }


def installed(data: bytes | None, where: str) -> str | None:
    """The command that the hooks in the settings `data` run; None where there are none."""
    found = commands(data, RUN, where)
    return found[0].removesuffix(_NEVER_FAILS) if found else None


@dataclass(frozen=True, slots=True)
class Event:
    """What the client says of what happened. `source` is how a session started: startup, resume, clear, compact."""

    name: str
    session: str
    transcript: Path
    source: str = ""


def event(data: bytes) -> Event:
    """The event that the client put on stdin. Raises InputError."""
    try:
        said = json.loads(data)
        name, session, transcript = said["hook_event_name"], said["session_id"], said["transcript_path"]
        source = said.get("source", "")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        said = None
    if said is None or not all(isinstance(v, str) for v in (name, session, transcript, source)):
        raise InputError(
            "<stdin>: not what Claude Code tells a hook: a JSON object with hook_event_name, session_id and "
            "transcript_path. This is run by the client; 'boildown hook claude-code --install' sees to it."
        )
    return Event(name, session, Path(transcript).expanduser(), source)


def run(happened: Event, place: str) -> str:
    """Do what there is to do in the archive `place`, and return what to say on stdout, which may be nothing.

    The session's file is only read. Each part is done although another fails; the first error is raised at the end.
    """
    desk = Desk(absolute(place), happened.transcript.parent.name, happened.session)
    if happened.name == "PreCompact":
        os.makedirs(desk.folder, mode=0o700, exist_ok=True)
        with _logged(desk.folder) as log:
            _archive(happened, desk, log)
    elif happened.name == "SessionStart" and os.path.isdir(desk.folder):
        with _logged(desk.folder) as log:
            return _told(happened, desk, log)
    return ""


def _archive(happened: Event, desk: Desk, log: Logger) -> None:
    start = time.perf_counter()
    data, where = happened.transcript.read_bytes(), str(happened.transcript)
    errors = list[Exception]()
    for work in (write_page, remember):
        try:
            work(desk, data, where)
        except Exception as error:
            errors.append(error)
    for other in errors[1:]:
        log.error("%s: %s", desk.session, other)
    if errors:
        raise errors[0]
    log.info("%s: archived, %d bytes in %.1f s", desk.session, len(data), time.perf_counter() - start)


def _told(happened: Event, desk: Desk, log: Logger) -> str:
    page = _page(happened, desk)
    if page is None:
        return ""
    log.info("%s: told of %s (%s)", desk.session, page.name, happened.source)
    told = {"hookEventName": happened.name, "additionalContext": page.read_text(encoding="utf-8")}
    return json.dumps({"hookSpecificOutput": told})


def _page(happened: Event, desk: Desk) -> Path | None:
    """The page of the session itself; where it has none and does not go on, the newest one of its project."""
    if happened.source not in ("startup", "resume", "compact"):
        return None
    if desk.page.exists():
        return desk.page
    newest = desk.newest() if happened.source != "resume" else None
    return newest if newest and time.time() - newest.stat().st_mtime < FRESH else None


@contextmanager
def _logged(folder: str) -> Iterator[Logger]:
    """A log in `folder` that does not grow without end, with a traceback for what fails."""
    import logging
    from logging.handlers import RotatingFileHandler

    log = logging.Logger("boildown.hooks", logging.INFO)
    handler = RotatingFileHandler(Path(folder) / LOG, maxBytes=_LOG_SIZE, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    try:
        yield log
    except Exception:
        log.exception("failed")
        raise
    finally:
        handler.close()
