"""`boildown train`: a scorer of words from one's own conversations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli import options

if TYPE_CHECKING:
    from boildown.scoring.scorer import Scorer
    from boildown.scoring.training import Caught
    from boildown.transcript import Transcript


def train(
    files: options.Files,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write the scorer; - is stdout.")
    ],
    questions: Annotated[
        list[str] | None,
        typer.Option(
            "--questions", metavar="FILE", help="What was asked of it, one such option a FILE, in their order."
        ),
    ] = None,
    read_as: options.ReadAs = None,
    quiet: options.Quiet = False,
) -> None:
    """Learn from your own conversations which words are needed later.

    Without questions, what later turns say or use again tells what earlier ones should have kept. The scorer begins
    with the one that is packed, and leaves it the further, the more there is to learn from. Every fifth conversation
    is left out, and tells whether it is the better one. A scorer is a file of numbers; nothing in it is ever run.

    \b
    boildown train ~/.claude/projects -o mine.json
    boildown train a.jsonl b.jsonl --questions a.qa.jsonl --questions b.qa.jsonl -o mine.json
    boildown compress chat.jsonl --ratio 5 --scorer mine.json > small.jsonl
    """
    from boildown.errors import NotMetError
    from boildown.measure.questions import read
    from boildown.scoring.corpus import examples, parted
    from boildown.scoring.scorer import dump, shipped
    from boildown.scoring.training import Source, caught, fit
    from boildown_cli import files as written
    from boildown_cli.terminal import number, say

    written.check_target(output, "--output")
    asked = options.asked(files, questions or [])
    known = {written.title(path): read(ask) for path, ask in asked if ask is not None} or None
    held = list(examples(_conversations((path for path, _ in asked), read_as), known))
    learned, left = parted(held)
    start = shipped()
    try:
        scorer = fit(
            [Source("own", learned)], start.general, start.weights, about=f"from {number(len(learned), 'conversation')}"
        )
    except ValueError as error:
        raise NotMetError(f"{error}, so there is nothing to learn. Give more or longer conversations.") from None
    written.write([(output, dump(scorer))])
    if not quiet:
        say(f"learned from {number(len(learned), 'conversation')}; {number(len(left), 'other')} left out to look at")
        _print(start, scorer, caught(left or learned, start, scorer), bool(left))


def _conversations(paths: Iterable[str], read_as: str | None) -> Iterator[tuple[str, Transcript]]:
    """Every conversation, with its file; what cannot be read is told of and passed over."""
    from boildown.errors import InputError
    from boildown_cli.files import conversations, title
    from boildown_cli.terminal import say

    seen = False
    for path in paths:
        try:
            for transcript in conversations(path, read_as)[1]:
                yield title(path), transcript
            seen = True
        except InputError as error:
            say(f"passed over: {error}")
    if not seen:
        raise InputError("none of the files could be read. 'boildown formats FILE' says what a file is.")


def _print(before: Scorer, after: Scorer, caught: Caught | None, left_out: bool) -> None:
    """The weights, and what the best fifth of the words holds."""
    import sys

    from boildown.scoring.features import NAMES
    from boildown_cli.terminal import add_row, say, show, table

    rows = table(["feature", "packed", "trained"])
    for name in NAMES:
        add_row(rows, name, f"{before.weights.get(name, 0):.2f}", f"{after.weights.get(name, 0):.2f}")
    show(rows, sys.stderr)
    if caught:
        where = (
            "conversations left out" if left_out else "conversations learned from (there are too few to leave one out)"
        )
        say(
            f"of what was needed in {where}, the best fifth of the words holds {caught.statistical:.1%} by statistics "
            f"alone, {caught.before:.1%} by the packed scorer, {caught.after:.1%} by this one"
        )
