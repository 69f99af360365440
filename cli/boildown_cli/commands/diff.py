"""`boildown diff`: a file and the compressed one, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated

import typer

from boildown_cli.options import TOKENIZER, ArchiveFolder, ReadAs, TokenizerName, WriteAs

if TYPE_CHECKING:
    from boildown.archive.manifest import Manifest
    from boildown.comparison import Comparison, Row, Side

FATES = ("kept", "changed", "stood for", "dropped", "added")


def diff(
    original: Annotated[str, typer.Argument(metavar="ORIGINAL", help="The file as it was, or - for stdin.")],
    small: Annotated[str, typer.Argument(metavar="FILE", help="The compressed file, or - for stdin.")],
    archive: ArchiveFolder = None,
    read_as: ReadAs = None,
    write_as: WriteAs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with the whole texts.")] = False,
    tokenizer: TokenizerName = TOKENIZER,
) -> None:
    """Show what was kept, changed, folded and dropped, side by side.

    With --archive, and a file that is known there, what became of each message and why is what the report said.
    Otherwise it is told by the texts. The exit code is 0 whether or not the files differ.

    \b
    boildown diff session.jsonl small.jsonl --archive originals | less
    """
    from boildown_cli import files

    data = {path: files.read(path) for path in (original, small)}
    manifest = _manifest(data[original], data[small], archive)
    old = list(_sides(data[original], files.title(original), read_as, tokenizer))
    new = list(_sides(data[small], files.title(small), write_as, tokenizer))
    compared = list(_compared(old, new, manifest))
    if as_json:
        _print_json(compared, manifest is not None, files.title(original), files.title(small))
    else:
        _print(compared, manifest is not None)


def _manifest(original: bytes, small: bytes, folder: str | None) -> Manifest | None:
    """What the archive says of the two, if it knows them."""
    from boildown.archive.originals import find
    from boildown.archive.store import digest, opened

    if folder is None:
        return None
    with opened(folder) as archive:
        known = {filed.source for filed in archive.filed(digest(small))}
        return find(archive, small, "", digest(original)) if digest(original) in known else None


def _sides(data: bytes, where: str, read_as: str | None, tokenizer: str) -> Iterator[Side]:
    from boildown.comparison import Side
    from boildown.run import conversations, reader
    from boildown.tokens import Counter
    from boildown.tokens import tokenizer as load

    format, plain, _ = reader(data, where, read_as)
    counter = Counter(load(tokenizer), format.INFO.framing)
    for transcript in conversations(format, plain, where):
        messages = transcript.messages
        yield Side(messages, counter.messages(messages), counter.total(messages), transcript.title)


def _compared(old: Sequence[Side], new: Sequence[Side], manifest: Manifest | None) -> Iterator[Comparison]:
    """Conversations are paired by their place."""
    from boildown.comparison import Side, compare

    for n, (before, after) in enumerate(zip_longest(old, new, fillvalue=Side((), ()))):
        known = None
        if manifest is not None and n < len(manifest.conversations):
            known = [entry.fate for entry in manifest.conversations[n].messages]
        yield compare(before, after, known)


def _print(compared: Sequence[Comparison], known: bool) -> None:
    from boildown_cli.sides import LEGEND, print_rows, reasons
    from boildown_cli.terminal import one_line, say, tell

    for n, one in enumerate(compared, 1):
        if len(compared) > 1:
            tell(one_line(f"conversation {n}{': ' if one.title else ''}{one.title}"))
        print_rows(one.rows)
        tell("")
    for line in (LEGEND, *reasons(row for one in compared for row in one.rows), _summary(compared)):
        tell(line)
    if not known:
        say("told by the texts; with --archive DIR, as when it was compressed, the reasons are known")


def _summary(compared: Sequence[Comparison]) -> str:
    from boildown_cli.terminal import number

    counts = _tally([row for one in compared for row in one.rows])
    messages = sum(counts.values()) - counts["added"]
    told = ", ".join(f"{count:,} {fate}" for fate, count in counts.items() if count or fate != "added")
    before, after = sum(one.tokens_in for one in compared), sum(one.tokens_out for one in compared)
    return f"{number(messages, 'message')}: {told}; {before:,} -> {number(after, 'token')}"


def _tally(rows: Sequence[Row]) -> dict[str, int]:
    return {fate: sum(row.fate.fate == fate for row in rows) for fate in FATES}


def _print_json(compared: Sequence[Comparison], known: bool, original: str, small: str) -> None:
    from boildown_cli.files import STDOUT, write
    from boildown_cli.render import json_bytes

    value = {
        "schema": 1,
        "original": original,
        "compressed": small,
        "known": known,
        "conversations": [_account(one) for one in compared],
    }
    write([(STDOUT, json_bytes(value))])


def _account(compared: Comparison) -> dict[str, object]:
    return {
        "title": compared.title,
        "tokens_in": compared.tokens_in,
        "tokens_out": compared.tokens_out,
        "fates": _tally(compared.rows),
        "messages": [
            {
                **{name: getattr(row.fate, name) for name in row.fate.__slots__},
                "id_after": row.id,
                "before": row.before,
                "after": row.after,
            }
            for row in compared.rows
        ],
    }
