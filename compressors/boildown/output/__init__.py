"""Structured output of tools: what kind a text is, and how each kind is said in fewer tokens."""

from __future__ import annotations

import re
from typing import Protocol

from boildown.output import diagnostics, diffs, listings, logs, matches, records, runs, terminal, values


class Rule(Protocol):
    """What is known of one kind of output. Every function is linear in its text.

    sniff     whether a text is of the kind, told strictly: a text that no rule claims is only cleaned
    lossless  the text in fewer characters, nothing that it says left out
    lossy     the text with what is expected left out, and what is left out named in its place
    """

    def sniff(self, text: str, /) -> bool: ...
    def lossless(self, text: str, /) -> str: ...
    def lossy(self, text: str, /) -> str: ...


RULES: dict[str, Rule] = {
    "json": values,
    "json lines": records,
    "diff": diffs,
    "test run": runs,
    "log": logs,
    "diagnostics": diagnostics,
    "matches": matches,
    "listing": listings,
}
"""By name, in the order in which they are asked."""

# Codex writes these lines above what a command printed, Claude Code the last one.
_ENVELOPE = re.compile(
    r"(?:(?:Command|Chunk ID|Wall time|Process exited with code|Original token count): ?[^\n]*\n|"
    r"Process exited with code \d+\n)+Output:\n(?:Total output lines: \d+\n\n)?|Exit code \d+\n"
)
_NUMBERED = re.compile(r"(?:[^\n]*\n)?[ \t]*\d+(?:→|\t)")


def kind(text: str) -> str:
    """The name of the rule that claims `text`, without the lines that an agent writes above it; "" for none."""
    body = terminal.plain(text[_head(text) :])
    return next((name for name, rule in RULES.items() if rule.sniff(body)), "")


def condense(text: str, lossy: bool = False) -> str:
    """`text` by the rules of its kind: without loss, or with what is expected left out."""
    at = _head(text)
    head, body = text[:at], text[at:]
    if _NUMBERED.match(body):  # A numbered read of a file: an edit may need it letter by letter.
        return text
    body = terminal.plain(body)
    rule = next((rule for rule in RULES.values() if rule.sniff(body)), None)
    if rule is None:
        return head + terminal.folded(body, terminal.MANY)
    return head + (rule.lossy(body) if lossy else rule.lossless(body))


def _head(text: str) -> int:
    match = _ENVELOPE.match(text)
    return match.end() if match else 0
