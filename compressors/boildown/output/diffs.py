"""Unified diffs: every changed line with the header of its hunk; the lines around it, unchanged, go."""

from __future__ import annotations

import re

from boildown.output.excerpt import excerpt

NOTE = "[... unchanged lines left out]"
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@", re.MULTILINE)
_FILE = re.compile(r"^(?:diff --git |--- [^\n]+\n\+\+\+ )", re.MULTILINE)
_REDUNDANT = re.compile(r"index [0-9a-f]+\.\.[0-9a-f]+|--- |\+\+\+ ")


def sniff(text: str) -> bool:
    return _HUNK.search(text) is not None and _FILE.search(text) is not None


def lossless(text: str) -> str:
    return text


def lossy(text: str) -> str:
    rows = text.rstrip("\n").split("\n")
    kept = _kept(rows)
    if all(kept):
        return text
    return "\n".join([NOTE, *excerpt(rows, kept, lambda run: "", least=1)])


def _kept(rows: list[str]) -> list[bool]:
    """Whether each row stays: what is no hunk's context, nor says again what `diff --git` said."""
    kept: list[bool] = []
    named = inside = False
    for row in rows:
        if row.startswith("diff --git "):
            named, inside = True, False
        elif _HUNK.match(row):
            inside = True
        elif inside and row[:1] not in ("", " ", "+", "-", "\\"):
            inside = False
        redundant = named and not inside and _REDUNDANT.match(row) is not None
        kept.append(not redundant and not (inside and row[:1] in ("", " ")))
    return kept
