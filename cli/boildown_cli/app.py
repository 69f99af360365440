"""The Typer app: one line a command, each imported when it is run."""

from __future__ import annotations

from typing import Annotated

import typer

from boildown_cli.lazy import SETTINGS, register

app = typer.Typer(
    name="boildown",
    help="Boil AI conversations down to a token budget, offline, and show where every token went.",
    epilog="'boildown COMMAND --help' has each command's options and examples.",
    **{**SETTINGS, "add_completion": True},
)

register(app, "compress", "Compress a file's conversations to a token budget.")
register(app, "batch", "Compress any number of files, in parallel; a second run does only what has changed.")
register(app, "expand", "Give back the file that a compressed one was made from, byte for byte.")
register(app, "show", "Print one message of a file, or of the file that it was made from.")
register(app, "diff", "Show what was kept, changed, folded and dropped, side by side.")
register(app, "archive", "Put conversations into an archive, where their messages can be found again.")
register(app, "hook", "Archive a coding agent's sessions before they are compacted, and tell the next what they did.")
register(app, "recall", "Find archived messages that answer a question.")
register(app, "context", "Make the best context for the next request, to be sent as it is.")
register(app, "sessions", "List the sessions of an archive.")
register(app, "facts", "List what was stated in a session, the newest first.")
register(app, "forget", "Erase a user's messages from an archive, and look whether any is left.")
register(app, "follow", "Keep a stream of messages within a model's window, for as long as it runs.")
register(app, "resume", "Print the context of a session that was followed, to go on with.")
register(app, "evaluate", "Measure what survives compression: facts, statements, answers, what later turns needed.")
register(app, "tune", "Find the pipeline and the ratio that make your files smallest and keep what you ask for.")
register(app, "plan", "Say which pipeline fits a conversation, and write it for compress.")
register(app, "train", "Learn from your own conversations which words are needed later.")
register(app, "count", "Count tokens by role and kind, per file and in all.")
register(app, "check", "Hold conversations to limits: size, growth, waste, what survives, secrets, validity.")
register(app, "validate", "Look for what breaks a session, and change nothing.")
register(app, "repair", "Mend what breaks a session, and leave every other byte as it was.")
register(app, "stages", "List the stages that a pipeline can have, with their options.")
register(app, "presets", "List the presets, or print one to copy and change.")
register(app, "formats", "List the file formats, or say which one a file is in.")


def _version(asked: bool) -> None:
    if asked:
        from boildown.report import tool_version

        typer.echo(f"boildown {tool_version()}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def begin(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
