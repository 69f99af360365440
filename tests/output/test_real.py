"""Real results: what is said without loss reads back line by line, and no number, path or name is made up."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache

import pytest

from boildown import output
from boildown.errors import InputError
from boildown.run import conversations, reader
from boildown.transcript import ToolResult
from roundtrip import DATA

SHAPES = re.compile(r"https?://[^\s\"'`<>)\]}]*\w|\b\w+_\w+\b|(?<!\S)(?:/[\w.-]+)+|\d(?:[\d.:-]*\d)?")
OWN = re.compile(r"\[(?:\.\.\.|and|x) [^\]\n]*\]|\[\d+\](?=[{:])|[{} ,:=()/-]+")


@cache
def results() -> tuple[str, ...]:
    """The distinct results of some sessions."""
    found: dict[str, None] = {}
    for path in [*sorted(DATA.glob("codex/**/*.jsonl"))[:9], *sorted(DATA.glob("claude-code/**/*.jsonl"))[:9]]:
        try:
            form, plain, _ = reader(path.read_bytes(), path.name)
            blocks = [b for t in conversations(form, plain, path.name) for m in t.messages for b in m.blocks]
        except InputError:
            continue
        found.update((b.text, None) for b in blocks if isinstance(b, ToolResult) and len(b.text) < 40_000)
    return tuple(found)


def some(*kinds: str) -> list[str]:
    texts = [text for text in results() if output.kind(text) in kinds]
    if not texts:
        pytest.skip("../shared/data is not there: real conversations are not part of the clone")
    return texts


def spread_out(text: str, source: set[str]) -> Iterator[str]:
    """The lines of matches or of a listing, paths put back."""
    path = ""
    for row in text.split("\n"):
        name = posixpath.basename(path)
        if braced := re.fullmatch(r"(.*/)\{(.*)\}", row):
            yield from (braced[1] + part for part in braced[2].split(","))
        elif row in source:
            yield row
        elif name and row.startswith((f"{name}:", f"{name}-")):
            yield path + row[len(name) :]
        elif name and re.match(r"\d+[:-]", row):
            yield f"{path}{row.lstrip('0123456789')[0]}{row}"
        else:
            path = row


def test_matches_and_paths_read_back_line_by_line() -> None:
    for text in some("matches", "listing"):
        tight = output.condense(text)
        rows = [row.rstrip() for row in text.rstrip("\n").split("\n")]
        if "(also as " not in tight and "─" not in text and "[x " not in tight:
            assert [row.rstrip() for row in spread_out(tight.rstrip("\n"), set(text.split("\n")))] == rows


def test_nothing_is_shown_that_the_result_lacks() -> None:
    for text in some(*output.RULES):
        plain = output.terminal.plain(text)
        for lossy in (False, True):
            shown = OWN.sub(" ", output.condense(text, lossy))
            known = set(SHAPES.findall(OWN.sub(" ", plain)))
            assert {part for part in SHAPES.findall(shown) if part not in known and part not in plain} == set()
