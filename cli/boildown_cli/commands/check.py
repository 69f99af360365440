"""`boildown check`: which conversations are too large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import TOKENIZER, Files, MeasureName, ReadAs

if TYPE_CHECKING:
    from boildown.transcript import Note


def check(
    files: Files,
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", min=1, metavar="TOKENS", help="Tokens that a conversation may have.")
    ],
    read_as: ReadAs = None,
    tokenizer: MeasureName = TOKENIZER,
) -> None:
    """Fail when a conversation is larger than a number of tokens.

    Prints each such conversation with its size. Exit code 1 where there is one, 2 where a file could not be read.

    \b
    boildown check transcripts/ --max-tokens 32000
    """
    from boildown.errors import InputError, NotMetError
    from boildown_cli.files import expand
    from boildown_cli.terminal import number, one_line, say, tell

    checked = over = unread = 0
    for path in expand(files):
        try:
            for name, tokens in _sizes(path, read_as, tokenizer):
                checked += 1
                if tokens > max_tokens:
                    over += 1
                    tell(f"{one_line(name)}: {tokens:,} tokens, {tokens - max_tokens:,} over")
        except InputError as error:
            unread += 1
            say(f"Error: {error}")
    said = f"{number(checked, 'conversation')} checked, {over:,} over {max_tokens:,} tokens"
    say(said + (f", {number(unread, 'file')} not read" if unread else ""))
    if unread or over:
        raise typer.Exit(InputError.exit_code if unread else NotMetError.exit_code)


def _sizes(path: str, read_as: str | None, tokenizer: str) -> Iterator[tuple[str, int]]:
    """Each conversation of a file: where it is, and its tokens."""
    from boildown.provider.measure import Measure, measured
    from boildown_cli.files import opened, title
    from boildown_cli.render import note_lines
    from boildown_cli.terminal import say

    name = title(path)
    format, found = opened(path, read_as)

    def sized(measure: Measure) -> tuple[list[tuple[str, int]], tuple[Note, ...]]:
        return [(t.title, measure.total(t)) for t in found()], measure.notes

    sizes, notes = measured(tokenizer, found, format.INFO.framing, sized)
    for text in note_lines(notes):
        say(text)
    for n, (called, tokens) in enumerate(sizes, 1):
        place = f", conversation {n}" if len(sizes) > 1 else ""
        yield name + place + (f" ({called})" if called and place else ""), tokens
