"""`boildown count`: tokens by role and kind."""

from __future__ import annotations

import sys
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import TOKENIZER, Files, MeasureName, ReadAs

if TYPE_CHECKING:
    from boildown.transcript import Note


@dataclass(frozen=True, slots=True)
class Count:
    """What a file holds. `by` maps (role, kind) to tokens, which `tokenizer` counted."""

    file: str
    format: str
    conversations: int
    messages: int
    by: Tally[tuple[str, str]]
    tokenizer: str = ""
    notes: tuple[Note, ...] = ()


def count(
    files: Files,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    read_as: ReadAs = None,
    tokenizer: MeasureName = TOKENIZER,
) -> None:
    """Count tokens by role and kind, per file and in all.

    What the format's API charges besides text (roles, delimiters) is shown as "framing".

    \b
    boildown count session.jsonl
    boildown count *.jsonl --json
    """
    from boildown.errors import InputError
    from boildown_cli.files import expand, title
    from boildown_cli.render import note_lines
    from boildown_cli.terminal import say

    counts, errors = [], []
    for path in expand(files):
        try:
            counts.append(_count(path, read_as, tokenizer))
        except InputError as error:
            errors.append({"file": title(path), "error": str(error)})
            say(f"Error: {error}")
    counted = "; ".join(dict.fromkeys(one.tokenizer for one in counts)) or tokenizer
    if as_json:
        _print_json(counts, errors, counted)
    elif counts:
        _print_table(counts)
        say(f"counted with {counted}")
    for text in note_lines([note for one in counts for note in one.notes]):
        say(text)
    if errors:
        raise typer.Exit(InputError.exit_code)


def _count(path: str, read_as: str | None, tokenizer: str) -> Count:
    from boildown.provider.measure import Measure, by_kind, measured
    from boildown_cli.files import opened, title

    format, found = opened(path, read_as)

    def counted(measure: Measure) -> Count:
        by: Tally[tuple[str, str]] = Tally()
        transcripts = messages = 0
        for transcript in found():
            transcripts += 1
            messages += len(transcript.messages)
            by.update(by_kind(measure, transcript))
        return Count(title(path), format.INFO.name, transcripts, messages, by, measure.name, measure.notes)

    return measured(tokenizer, found, format.INFO.framing, counted)


def _sum(counts: Sequence[Count]) -> Count:
    by: Tally[tuple[str, str]] = Tally()
    for one in counts:
        by.update(one.by)
    return Count(
        f"all {len(counts)} files", "", sum(c.conversations for c in counts), sum(c.messages for c in counts), by
    )


def _print_table(counts: Sequence[Count]) -> None:
    from boildown_cli.terminal import add_row, number, show, table

    rows = table(("file", "role", "kind", "tokens", "share"), left=3)
    for one in [*counts, _sum(counts)] if len(counts) > 1 else counts:
        what = f"{number(one.conversations, 'conversation')}, {number(one.messages, 'message')}"
        names = iter((one.file, f"{one.format}, {what}" if one.format else what))
        for (role, kind), tokens in one.by.most_common():
            add_row(rows, next(names, ""), role, kind, f"{tokens:,}", f"{tokens / one.by.total():.1%}")
        add_row(rows, next(names, ""), "all", "", f"{one.by.total():,}", "", strong=True, end=True)
    show(rows, sys.stdout)


def _print_json(counts: Sequence[Count], errors: object, tokenizer: str) -> None:
    from boildown_cli.files import STDOUT, write
    from boildown_cli.render import json_bytes

    total = _sum(counts)
    value = {
        "schema": 1,
        "tokenizer": tokenizer,
        "conversations": total.conversations,
        "messages": total.messages,
        "tokens": total.by.total(),
        "by": _by(total),
        "files": [
            {
                "file": one.file,
                "format": one.format,
                "conversations": one.conversations,
                "messages": one.messages,
                "tokens": one.by.total(),
                "by": _by(one),
            }
            for one in counts
        ],
        "errors": errors,
    }
    write([(STDOUT, json_bytes(value))])


def _by(count: Count) -> list[dict[str, object]]:
    return [{"role": role, "kind": kind, "tokens": tokens} for (role, kind), tokens in count.by.most_common()]
