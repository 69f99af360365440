"""`boildown repair`: mend what breaks a session."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import ReadAs

if TYPE_CHECKING:
    from boildown.repair import Repaired


def repair(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file to mend, or - for stdin.")],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; stdout otherwise.")
    ] = None,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Write to FILE itself, and keep what it was in FILE.bak.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Mend the file also while it is being written.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be mended, and write nothing.")] = False,
    read_as: ReadAs = None,
) -> None:
    """Mend what breaks a session, and leave every other byte as it was.

    Says each mend on stderr. Exit code 1 where something is left that cannot be mended without inventing it.

    \b
    boildown repair session.jsonl --dry-run
    boildown repair session.jsonl --in-place
    boildown repair session.jsonl -o mended.jsonl
    """
    from boildown.errors import NotMetError
    from boildown_cli.busy import refuse, settled
    from boildown_cli.files import STDIN, check_target, read, title

    target = _target(file, output, in_place)
    if not dry_run:
        check_target(target, "--in-place" if in_place else "-o")
    watched = file != STDIN and not force and not dry_run
    before = settled(file) if watched else None
    data = read(file)
    mended, written = _repaired(file, data, read_as)
    if watched:
        refuse(file, before)
    _say(title(file), mended, dry_run)
    if not dry_run:
        _write(file, target, data, written)
    if mended.left:
        raise typer.Exit(NotMetError.exit_code)


def _target(file: str, output: str | None, in_place: bool) -> str:
    from boildown.errors import UsageError
    from boildown_cli.files import STDIN, STDOUT

    if in_place and output is not None:
        raise UsageError("--in-place and -o are two places to write to. Give one of them.")
    if in_place and file == STDIN:
        raise UsageError("--in-place needs a file, and standard input is none. Name the file, or leave it out.")
    if output not in (None, STDOUT) and os.path.realpath(str(output)) == os.path.realpath(file):
        raise UsageError(f"-o {output}: this is the file itself. Use --in-place, which keeps what it was in a backup.")
    return file if in_place else STDOUT if output is None else output


def _repaired(file: str, data: bytes, read_as: str | None) -> tuple[Repaired, bytes]:
    """What became of the file, and its bytes in the encoding that it had."""
    from boildown.repair import repair as mend
    from boildown.run import conversations, reader
    from boildown_cli.files import title

    format, plain, code = reader(data, title(file), read_as)
    for _ in conversations(format, plain, title(file)):
        pass  # What cannot be read is told of here, with its place.
    mended = mend(format, plain)
    return mended, code.bom + code.encode(mended.data) if mended.data != plain else data


def _say(name: str, mended: Repaired, dry_run: bool) -> None:
    from boildown_cli.terminal import number, one_line, say

    for v in mended.mended:
        say(f"{one_line(name)}:{v.line}: {v.rule}: {one_line(v.what)}: {v.remedy}")
    for v in mended.left:
        say(f"{one_line(name)}:{v.line}: {v.rule}: {one_line(v.what)}: LEFT: {v.remedy}")
    done = "would be mended" if dry_run else "mended"
    say(f"{number(len(mended.mended), 'violation')} {done}, {len(mended.left):,} left")


def _write(file: str, target: str, data: bytes, written: bytes) -> None:
    from boildown_cli.files import keep, write
    from boildown_cli.terminal import say

    if target != file:
        write([(target, written)])
    elif written != data:
        backup = keep(file)
        try:
            write([(file, written)])
        except BaseException:
            os.unlink(backup)
            raise
        say(f"what it was is in {backup}")
