"""`boildown validate`: what in a session its consumer would not accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import Files, ReadAs

if TYPE_CHECKING:
    from boildown.validity import Violation


def validate(
    files: Files,
    read_as: ReadAs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array instead.")] = False,
) -> None:
    """Look for what breaks a session, and change nothing.

    Prints file, line, rule, what is wrong and what to do. Exit code 1 where something is, 2 where a file is unreadable.

    \b
    boildown validate session.jsonl
    boildown validate ~/.claude/projects --json
    """
    from boildown.errors import InputError, NotMetError
    from boildown_cli.files import expand, title
    from boildown_cli.terminal import number, one_line, say, tell

    seen = unread = 0
    found: list[tuple[str, Violation]] = []
    for path in expand(files):
        try:
            ours = [(title(path), violation) for violation in _violations(path, read_as)]
        except InputError as error:
            unread += 1
            say(f"Error: {error}")
            continue
        seen += 1
        found += ours
        for name, v in () if as_json else ours:
            tell(f"{one_line(name)}:{v.line}: {v.rule}: {one_line(v.what)} ({v.remedy})")
    if as_json:
        tell(_json(found))
    said = f"{number(seen, 'file')} looked at, {number(len(found), 'violation')}"
    say(said + (f", {number(unread, 'file')} not read" if unread else ""))
    if unread or found:
        raise typer.Exit(InputError.exit_code if unread else NotMetError.exit_code)


def _violations(path: str, read_as: str | None) -> list[Violation]:
    from boildown.run import conversations, reader
    from boildown.validity import violations
    from boildown_cli.files import read, title

    name = title(path)
    format, data, _ = reader(read(path), name, read_as)
    for _ in conversations(format, data, name):
        pass  # What cannot be read is told of here, with its place.
    return violations(format, data)


def _json(found: list[tuple[str, Violation]]) -> str:
    import json
    from dataclasses import asdict

    return json.dumps([{"file": name, **asdict(violation)} for name, violation in found], indent=2)
