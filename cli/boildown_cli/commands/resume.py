"""`boildown resume`: the context of a session that was followed, to go on with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import MemoryFolder, Output, Quiet, UserName, WriteAs

if TYPE_CHECKING:
    from boildown.following.checkpoint import Checkpoint


def resume(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="The session's name.")],
    folder: MemoryFolder,
    user: UserName = "",
    write_as: WriteAs = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, metavar="N", help="Tokens that it may take.")
    ] = None,
    output: Output = "-",
    quiet: Quiet = False,
) -> None:
    """Print the context of a session that was followed, to go on with.

    It is what 'boildown follow' saved last: the summary, or what else is left of older messages, and the newest ones,
    as a conversation in the session's format or another. --max-tokens compresses it further.

    \b
    boildown resume session --archive memory > context.jsonl
    boildown resume session --archive memory --to anthropic --max-tokens 50000
    """
    from boildown.archive.places import local
    from boildown_cli.files import check_target, write

    check_target(output, "--output")
    found = _found(session, local(folder, "checkpoints are kept"), user)
    write([(output, _context(found, write_as, max_tokens))])
    if not quiet:
        _tell(found)


def _found(session: str, folder: str, user: str) -> Checkpoint:
    """The session's checkpoint. Raises ArchiveError where there is none that is whole."""
    from boildown.errors import ArchiveError
    from boildown.following.checkpoint import load, sessions
    from boildown_cli.terminal import one_line, say

    found = load(folder, session, user)
    if found.checkpoint is None and found.trouble:
        raise ArchiveError(f"{found.trouble}, and there is none before it. Run 'boildown follow' on its file again.")
    if found.checkpoint is None:
        there = sessions(folder, user)
        have = f"There are: {', '.join(there[:20])}." if there else "There are none; 'boildown follow' makes them."
        whose = f" of user {user!r}" if user else ""
        raise ArchiveError(one_line(f"--archive {folder}: session {session!r}{whose} has no checkpoint. {have}"))
    if found.trouble:
        say(one_line(f"{found.trouble}; the one before it is taken"))
    return found.checkpoint


def _context(found: Checkpoint, to: str | None, most: int | None) -> bytes:
    from boildown import registry
    from boildown.following.compression import converted, mended
    from boildown.formats import load
    from boildown.run import Job, run

    format = load(found.format)
    data = mended(found.lines, format)
    if most is None or not data:
        return converted(data, format, load(to)) if to else data
    job = Job(registry.parse(registry.DEFAULT), registry.DEFAULT, most, read_as=found.format, write_as=to)
    return run(data, f"session {found.session}", job)[0]


def _tell(found: Checkpoint) -> None:
    from boildown_cli.terminal import number, one_line, say

    text = f"{found.session}: {found.tokens:,} tokens after {number(found.counters['messages'], 'message')}"
    say(one_line(f"{text}, {found.tokens / found.window:.1%} of the window of {found.window:,}"))
