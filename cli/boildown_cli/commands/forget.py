"""`boildown forget`: a user's messages erased from an archive, and looked for afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import MemoryFolder, SessionName, name_of_text

if TYPE_CHECKING:
    from boildown.memory.forgetting import Plan, Proof


def forget(
    folder: MemoryFolder,
    user: Annotated[
        str,
        typer.Option(
            "--user",
            metavar="USER",
            callback=name_of_text,
            help="Whose messages; '' is who has no name.",
            show_default=False,
        ),
    ],
    session: SessionName = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and erase nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase a user's messages from an archive, and look whether any is left.

    Erased are their messages with the index and the vectors, the originals and compressed copies that nobody else
    needs, their checkpoints, the ledgers that hooks wrote of their sessions, and all answers of models that are kept,
    since these tell in other words what was said.
    Then every file is searched for the passages of what was erased: exit code 1 says that some were found, and it names
    the files. What others said, too, stays theirs. Nothing is erased while 'follow' is at one of the sessions. Your own
    files are never touched.

    \b
    boildown forget --user ada --archive memory --dry-run
    boildown forget --user ada --archive memory --yes
    boildown forget --user ada --session chat --archive memory
    """
    from boildown.memory.forgetting import forget as erase
    from boildown_cli.terminal import tell

    plan, proof = erase(folder, user, session, dry_run=True)
    if dry_run:
        tell(_told(plan, "would go"))
        return
    _ask(plan, user, yes)
    plan, proof = erase(folder, user, session)
    tell(_told(plan, "erased"))
    if proof is not None:
        tell(_proved(proof))
        if proof.found:
            raise typer.Exit(1)


def _ask(plan: Plan, user: str, yes: bool) -> None:
    """Raise UsageError where nobody can be asked, Abort where the answer is no."""
    import sys

    from boildown.errors import UsageError
    from boildown_cli.terminal import one_line, say

    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("forget cannot be undone, and there is nobody to ask. Give --yes, or --dry-run to look first.")
    say(_told(plan, "will go"))
    typer.confirm(f"Erase this of {one_line(user) or 'who has no name'}?", abort=True, err=True)


def _told(plan: Plan, what: str) -> str:
    from boildown_cli.terminal import number, one_line

    names = one_line(", ".join(plan.sessions), 200)
    kept = plan.kept
    records, answers = number(len(kept.objects), "record"), number(len(plan.answers), "answer")
    ledgers = number(len(plan.pages), "ledger")
    lines = [
        f"{what}: {number(plan.messages, 'message')} of {number(len(plan.sessions), 'session')} ({names})",
        f"{what}: {number(len(kept.filed), 'archived output')} with what gives back their sources, {records}",
        f"{what}: {number(len(plan.state), 'checkpoint')}, {ledgers}, {answers} of models (all)",
    ]
    if plan.beside:
        lines.append(f"the originals of these sessions went with it, since one file held both: {_names(plan.beside)}")
    if plan.shared:
        lines.append(f"{number(plan.shared, 'passage')} stay, since others said them, too; they are not looked for")
    if kept.left:
        lines.append(f"some of these stand in originals that were archived without a user: {_names(kept.left)}")
    if plan.short:
        lines.append(f"{number(plan.short, 'message')} too short to be told from others': erased, not looked for")
    return "\n".join(lines)


def _names(names: tuple[str, ...]) -> str:
    from boildown_cli.terminal import one_line

    return one_line(", ".join(names), 200)


def _proved(proof: Proof) -> str:
    from boildown_cli.terminal import number, one_line

    where = f"{number(proof.files, 'file')} ({proof.bytes:,} bytes) and {number(proof.objects, 'unpacked record')}"
    looked = f"{number(proof.passages, 'passage')} looked for in {where}: {proof.found:,} found"
    return "\n".join([looked, *(f"found in {one_line(path, 200)}" for path in proof.where)])
