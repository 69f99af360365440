"""A report as a table for people, and as JSON, CSV or Markdown for files."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from boildown.errors import UsageError
from boildown_cli import summed
from boildown_cli.terminal import add_row, dollars, number, one_line, say, show, table

if TYPE_CHECKING:
    from boildown.context.account import Account
    from boildown.context.retrieval import Found
    from boildown.pipeline import Step
    from boildown.report import ConversationReport, Report
    from boildown.transcript import Note

HEADS = ("stage", "before", "after", "saved", "seconds", "kept", "changed", "stood for", "dropped")


def ending(path: str) -> str:
    """The kind of report that a file's name asks for. Raises UsageError where it asks for none."""
    found = os.path.splitext(path)[1].lower()
    if found not in WRITERS:
        raise UsageError(f"--report {path}: a report is written as {', '.join(WRITERS)}. Let the name end in one.")
    return found


def report_bytes(report: Report, path: str) -> bytes:
    """The report in the format that `path` ends in."""
    return WRITERS[ending(path)](report)


def json_bytes(value: object) -> bytes:
    """`value`, dataclasses included, as indented JSON; also where it holds lone surrogates, which orjson refuses."""
    import orjson

    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        import json
        from dataclasses import asdict

        return json.dumps(value, indent=2, default=asdict).encode() + b"\n"


def _json(report: Report) -> bytes:
    """The report's fields and computed figures. README documents the keys; `schema` is their version."""
    return json_bytes(_value(report))


def _value(report: Report) -> dict[str, object]:
    figures = {name: getattr(report, name) for name in report.__slots__ if name not in ("conversations", "schema")}
    return {
        "schema": report.schema,
        **figures,
        "tokens_in": report.tokens_in,
        "tokens_out": report.tokens_out,
        "ratio": report.ratio,
        "saving": report.saving,
        "conversations": [_account(c) for c in report.conversations],
    }


def context_bytes(report: Report, account: Account, path: str) -> bytes:
    """The report on a context in the format that `path` ends in, with what was taken from where."""
    kind = ending(path)
    shares = [(part.name, getattr(account.shares, part.name)) for part in fields(account.shares)]
    if kind == ".json":
        found = [_found(one) for one in account.found]
        told = {"shares": dict(shares), "whole": account.whole, "retrieved": found, "breakpoints": account.breakpoints}
        return json_bytes({**_value(report), "context": told})
    if kind == ".md":
        heads = ("session", "message", "score")
        found_rows = [(f.session, f.said.id, f"{f.score:.2f}") for f in account.found]
        parts = _markdown_table(("part", "tokens"), [(name, f"{tokens:,}") for name, tokens in shares])
        lines = ["", "## Context", "", parts, "", *([_markdown_table(heads, found_rows)] if found_rows else [])]
        return _markdown(report) + ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")
    return report_bytes(report, path)


def _found(one: Found) -> dict[str, object]:
    part, parts = one.part
    said = {key: getattr(one.said, key) for key in ("id", "role", "name", "time")}
    return {**said, "session": one.session, "score": one.score, "part": part + 1, "parts": parts}


def _account(conversation: ConversationReport) -> dict[str, object]:
    return {
        "title": conversation.title,
        "budget": conversation.budget,
        "tokens_in": conversation.tokens_in,
        "tokens_out": conversation.tokens_out,
        "fates": conversation.tally(),
        "steps": conversation.steps,
        "messages": conversation.messages,
        "cache": conversation.cache,
        "redacted": conversation.redacted,
        "summaries": [summed.account(made) for made in conversation.summaries],
        "notes": conversation.notes,
    }


def _csv(report: Report) -> bytes:
    """A row for each source message."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("conversation", "id", "role", "fate", "tokens_in", "tokens_out", "by", "reason"))
    for n, conversation in enumerate(report.conversations, 1):
        for m in conversation.messages:
            rows.writerow((n, m.id, m.role, m.fate, m.tokens_in, m.tokens_out, m.by, m.reason))
    return text.getvalue().encode("utf-8", "backslashreplace")


def _markdown(report: Report) -> bytes:
    """Totals, then each conversation's steps and notes."""
    lines = [
        f"# {_cell(report.input)}",
        "",
        _summary(report) + ".",
        "",
        _markdown_table(
            ("", ""),
            [
                ("output", f"{report.output} ({report.format_in} to {report.format_out})"),
                ("tokens", f"{report.tokens_in:,} to {report.tokens_out:,}"),
                ("ratio", f"{report.ratio:.2f}"),
                ("saving", f"{report.saving:.1%}"),
                ("tokenizer", report.tokenizer),
                ("framing", report.framing),
                ("pipeline", report.pipeline),
                ("seconds", f"{report.seconds:.2f}"),
                ("boildown", report.boildown),
            ],
        ),
    ]
    lines += [line for text in summed.told(report) for line in ("", _cell(text))]
    for n, conversation in enumerate(report.conversations, 1):
        lines += ["", f"## Conversation {n}{': ' if conversation.title else ''}{_cell(conversation.title)}", ""]
        lines += _markdown_conversation(conversation)
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _markdown_conversation(conversation: ConversationReport) -> Iterable[str]:
    yield f"{conversation.tokens_in:,} tokens to {conversation.tokens_out:,}, budget {conversation.budget:,}."
    yield ""
    yield _markdown_table(HEADS, [_row(step) for step in conversation.steps] + [_total(conversation)])
    if conversation.cache:
        yield ""
        yield _cell(_cached([conversation])) + "."
    if conversation.notes:
        yield ""
        yield from (f"- {_cell(text)}" for text in note_lines(conversation.notes))


def _markdown_table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return one_line(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


WRITERS: dict[str, Callable[[Report], bytes]] = {".json": _json, ".csv": _csv, ".md": _markdown}


def print_report(report: Report) -> None:
    """Tell people, on stderr: a table of the stages, and under it the totals and what was noted."""
    steps = merged([c.steps for c in report.conversations])
    if steps:
        rows = table(HEADS)
        for n, step in enumerate(steps, 1):
            add_row(rows, *step, end=n == len(steps))
        add_row(rows, *_all(report), strong=True)
        show(rows, sys.stderr)
    say(f"{one_line(report.input)}: {_summary(report)}")
    if report.archive:
        kept = f"{number(report.archive.records, 'record')}, {report.archive.new:,} of them new"
        say(one_line(f"{report.input}: kept in {report.archive.folder}: {kept}; 'boildown expand' gives it back"))
    if any(c.cache for c in report.conversations):
        say(_cached(report.conversations))
    if any(c.redacted for c in report.conversations):
        say(_redacted(report.conversations))
    for text in summed.told(report):
        say(text)
    for text in note_lines([note for c in report.conversations for note in c.notes]):
        say(text)
    if report.estimated:
        say(f"note: long runs of blanks ({report.estimated:,}): these texts' counts may be off by a few tokens")


def _summary(report: Report) -> str:
    """The totals in a sentence: tokens, ratio, budget and how far it is filled."""
    said = f"{report.tokens_in:,} -> {report.tokens_out:,} tokens, ratio {report.ratio:.2f}, {report.saving:.1%} saved"
    budget, several = sum(c.budget for c in report.conversations), len(report.conversations)
    filled = f", {report.tokens_out / budget:.1%} filled" if budget else ""
    said += f"; budget {budget:,}{'' if several == 1 else ' in ' + number(several, 'conversation')}{filled}"
    if report.tokens_in == report.tokens_out and not any(c.steps for c in report.conversations):
        marked = any(c.cache and c.cache.breakpoints for c in report.conversations)
        said += f"; it fitted, nothing was changed{' but the breakpoints' if marked else ''}"
    return f"{said}; counted with {report.tokenizer}"


def _cached(conversations: Sequence[ConversationReport]) -> str:
    """What became of the provider's cache, all conversations together."""
    from boildown.caching import turns

    found = [c.cache for c in conversations if c.cache]
    cost, saves = sum(c.cost for c in found), sum(c.saves for c in found)
    stays, before = sum(c.stays for c in found), sum(c.tokens_in for c in conversations)
    match turns(cost, saves):
        case None if saves < 0:
            pays = "loses: what is left is too short to be cached"
        case None:
            pays = "never pays for the cache it broke"
        case 0:
            pays = "breaks no cache"
        case after:
            pays = f"pays for the cache it broke after {number(after, 'turn')}"
    put = number(sum(len(c.breakpoints) for c in found), "new breakpoint")
    figures = f"costs {dollars(cost)} once, {'saves' if saves >= 0 else 'loses'} {dollars(abs(saves))} a turn"
    said = f"cache: {put}; {stays:,} of {before:,} tokens stay cached"
    return one_line(f"{said}; at {found[0].model} prices the compression {pays} ({figures})")


def _redacted(conversations: Sequence[ConversationReport]) -> str:
    """What gave way to placeholders, all conversations together."""
    kinds = sorted({r.kind for c in conversations for r in c.redacted})
    found = [[r for c in conversations for r in c.redacted if r.kind == kind] for kind in kinds]
    said = (
        f"{rows[0].kind} {sum(r.secrets for r in rows)} in {number(sum(r.places for r in rows), 'place')}"
        for rows in found
    )
    return f"redacted: {', '.join(said)}"


def merged(accounts: Iterable[Iterable[Step]]) -> list[tuple[str, ...]]:
    """A row for each stage, its figures added up over all conversations."""
    sums: dict[str, list[Step]] = {}
    for steps in accounts:
        for step in steps:
            sums.setdefault(step.name, []).append(step)
    return [_cells(name, *map(sum, zip(*map(_figures, steps), strict=True))) for name, steps in sums.items()]


def _figures(step: Step) -> tuple[float, ...]:
    counts = (step.kept, len(step.changed), len(step.stood_for), len(step.dropped))
    return (step.before, step.after, step.seconds, *counts)


def _row(step: Step) -> tuple[str, ...]:
    return _cells(step.name, *_figures(step))


def _cells(name: str, before: float, after: float, seconds: float, *counts: float) -> tuple[str, ...]:
    return (
        name,
        f"{before:,}",
        f"{after:,}",
        f"{before - after:,}",
        f"{seconds:.2f}",
        *(f"{count:,}" for count in counts),
    )


def _total(conversation: ConversationReport) -> tuple[str, ...]:
    seconds = sum(step.seconds for step in conversation.steps)
    return _cells("all", conversation.tokens_in, conversation.tokens_out, seconds, *conversation.tally().values())


def _all(report: Report) -> tuple[str, ...]:
    tallies = [c.tally().values() for c in report.conversations]
    counts = [sum(column) for column in zip(*tallies, strict=True)]
    return _cells("all", report.tokens_in, report.tokens_out, report.seconds, *counts)


def note_lines(notes: Iterable[Note]) -> Iterable[str]:
    """Each kind of note with how often, the first places, and the first one's why."""
    kinds: dict[str, list[Note]] = {}
    for note in notes:
        kinds.setdefault(note.what, []).append(note)
    for what, found in kinds.items():
        places = ", ".join(note.where for note in found[:3]) + (", ..." if len(found) > 3 else "")
        why = f": {found[0].why}" if found[0].why else ""
        yield one_line(f"note: {what} ({len(found):,}): {places}{why}")
