"""`boildown hook`: what a coding agent's client runs by itself when it compacts a session or begins one."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from glob import escape, glob
from pathlib import Path
from typing import Annotated

import typer

from boildown.errors import UsageError
from boildown_cli import completion

AGENTS = ("claude-code",)


def hook(
    agent: Annotated[
        str,
        typer.Argument(
            metavar="AGENT",
            help="Whose client: claude-code.",
            autocompletion=completion.agents,
        ),
    ],
    install: Annotated[bool, typer.Option("--install", help="Put the hooks into the client's settings.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take them out again.")] = False,
    run: Annotated[bool, typer.Option("--run", help="What the client runs: an event on stdin.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the change to the settings only.")] = False,
    project: Annotated[
        str, typer.Option("--project", metavar="DIR", help="The project whose settings these are.")
    ] = ".",
    user: Annotated[bool, typer.Option("--user", help="The settings of all your projects instead.")] = False,
    archive: Annotated[
        str | None, typer.Option("--archive", metavar="DIR", help="Where sessions are archived, and their ledgers.")
    ] = None,
) -> None:
    """Archive a coding agent's sessions before they are compacted, and tell the next what they did.

    Before Claude Code compacts a session, the session goes to the archive, and a ledger of it to a file there: files,
    commands, errors, to-dos, with placeholders for secrets. When the session goes on, or within a week another one of
    the project begins, Claude is told that ledger. Without --archive, ~/.local/share/boildown/claude-code is the
    archive. The session's own file is only read. A failure is logged in the archive, and never stops the client.

    \b
    boildown hook claude-code --install --dry-run
    boildown hook claude-code --install --user --archive ~/sessions
    boildown hook claude-code --uninstall
    """
    if run:
        _run(agent, archive)
        return
    if agent not in AGENTS:
        raise UsageError(f"{agent}: boildown has no hooks for this. There are some for {', '.join(AGENTS)}.")
    if install == uninstall:
        raise UsageError("what is to be done? Give either --install or --uninstall.")
    if not (user or os.path.isdir(project)):
        raise UsageError(f"--project {project}: there is no such directory. Name the project's own.")
    _change(install, None if user else project, archive, dry_run)


def _run(agent: str, archive: str | None) -> None:
    """Never fails: in Claude Code an exit code of 2 would stop the compaction."""
    from boildown_cli.terminal import say

    try:
        from boildown.hooks import claude_code

        if agent not in AGENTS:
            raise UsageError(f"{agent}: boildown has no hooks for this.")
        happened = claude_code.event(sys.stdin.buffer.read())
        told = claude_code.run(happened, archive or claude_code.default_archive())
        sys.stdout.write(told)
        sys.stdout.flush()
    except Exception as error:
        say(f"boildown hook: {type(error).__name__}: {error}")


def _change(install: bool, project: str | None, archive: str | None, dry_run: bool) -> None:
    """Put the hooks into the settings or take them out, or only tell how."""
    from boildown.hooks import claude_code, settings
    from boildown.hooks.handover import directory
    from boildown.memory.places import check
    from boildown_cli.files import read
    from boildown_cli.terminal import say

    if archive is not None and install:
        directory(archive)
        check(archive, write=True)
    path = str(claude_code.settings_file(project))
    before = read(path) if os.path.lexists(path) else None
    there = claude_code.installed(before, path)
    clean, backup = (before, None) if before is None or there is None else _clean(path, before, there)
    after = settings.added(clean, claude_code.entries(_command(archive)), path) if install else clean
    if after == before:
        say(f"{path}: the hooks are {'there already' if install else 'not there'}; nothing was changed")
    elif dry_run:
        _show(path, before, after)
    else:
        _replace(path, after, keep=there is None)
        if backup and not install:
            os.unlink(backup)
        say(f"{path}: the hooks are {'in' if install else 'out'}. Sessions that begin from now on go by it.")


def _clean(path: str, data: bytes, command: str) -> tuple[bytes | None, str | None]:
    """The settings without hooks of ours, None for no file, and the backup that they are, if they are one.

    Where nothing else was changed since they were put in, that is what was there before, byte for byte.
    """
    from boildown.hooks import claude_code, settings

    backups = sorted(glob(f"{escape(path)}.bak*"))
    candidates = [*(Path(backup).read_bytes() for backup in backups), None]
    found = settings.origin(data, claude_code.entries(command), candidates, path)
    if found is not None:
        return candidates[found], backups[found] if found < len(backups) else None
    return settings.removed(data, claude_code.RUN, path), None


def _command(archive: str | None) -> str:
    """What the client is to run: boildown by its name, where that is found outside of this environment, too."""
    from boildown.archive.places import absolute
    from boildown.hooks.claude_code import RUN

    found = shutil.which("boildown")
    if found is None:
        program = f"{shlex.quote(sys.executable)} -m boildown_cli"
    elif sys.prefix != sys.base_prefix and Path(found).is_relative_to(sys.prefix):
        program = shlex.quote(found)
    else:
        program = "boildown"
    return f"{program} {RUN}" + (f" --archive {shlex.quote(absolute(archive))}" if archive else "")


def _show(path: str, before: bytes | None, after: bytes | None) -> None:
    """The change, as a diff."""
    from difflib import unified_diff

    from boildown_cli.terminal import tell

    old, new = ((data or b"").decode("utf-8", "replace").splitlines() for data in (before, after))
    was, becomes = ("/dev/null" if data is None else path for data in (before, after))
    for line in unified_diff(old, new, was, becomes, lineterm=""):
        tell(line)


def _replace(path: str, after: bytes | None, keep: bool) -> None:
    """Write the settings, or delete the file for None; with a backup of what is there now, if it is to be kept."""
    from boildown.errors import BoildownError
    from boildown_cli import files

    try:
        if after is None:
            os.unlink(path)
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if keep and os.path.exists(path):
            files.keep(path)
    except OSError as error:
        raise BoildownError(f"{path}: cannot be changed: {error.strerror}. Nothing was changed.") from None
    files.write([(path, after)])
