"""The table of rules: which hold for which format, and what to do about each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from boildown.validity import anthropic, claude_code, codex, openai, pairs, turns
from boildown.validity.session import Found, Session

Check = Callable[[Session], Iterator[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name in reports, what finds where it is broken, and what mends it."""

    name: str
    check: Check
    remedy: str


BY_HAND = "repair does not mend it: "

COMMON = (
    Rule("ambiguous-call", pairs.ambiguous_calls, "repair gives the later call and its result an id of their own"),
    Rule("repeated-result", pairs.repeated_results, "repair keeps the first"),
    Rule("orphan-result", pairs.orphan_results, "repair takes it out, as the providers' clients do before they send"),
    Rule("orphan-call", pairs.orphan_calls, "repair adds a result that says that none was recorded"),
    Rule("user-first", turns.user_first, BY_HAND + "put the user's message before it"),
    Rule("alternation", turns.alternation, "repair joins them"),
)
"""Rules of every format."""

LATE = Rule("late-result", pairs.late_results, "repair moves it behind its call")
BY_ID = frozenset({"codex", "openai-responses"})
"""Formats whose results are found by their call's id, wherever they stand."""

_CONTENT = (
    Rule("hollow-thinking", anthropic.hollow_thinking, "repair takes it out"),
    Rule("ending-in-thinking", anthropic.ending_in_thinking, "repair takes the thought out"),
    Rule("thinking-behind-call", anthropic.thinking_behind_call, BY_HAND + "a signed thought may not be moved"),
    Rule("empty-text", anthropic.empty_texts, "repair takes it out"),
    Rule("empty-message", anthropic.empty_messages, "repair takes it out"),
    Rule("reused-call", pairs.reused_calls, "repair gives the later call and its result an id of their own"),
    Rule("results-first", anthropic.results_first, "repair puts the results first"),
)

OF_FORMAT: dict[str, tuple[Rule, ...]] = {
    "openai": (
        Rule("missing-content", openai.missing_content, BY_HAND + "say what it said, or take the message out"),
        Rule("empty-calls", openai.empty_calls, "repair takes the empty list out"),
        Rule("unreadable-call", openai.unreadable_calls, BY_HAND + "give the call an id, a name and JSON as text"),
        Rule("result-without-id", openai.results_without_id, BY_HAND + "name the call that it answers"),
    ),
    "anthropic": (
        *_CONTENT,
        Rule("trailing-blank", anthropic.trailing_blanks, "repair takes the blank out"),
    ),
    "claude-code": (
        Rule(
            "repeated-uuid", claude_code.repeated_uuids, "repair takes a copy out, and gives another record a new uuid"
        ),
        Rule("split-message", claude_code.split_messages, "repair moves it to its message"),
        Rule("dangling-parent", claude_code.dangling_parents, "repair names the nearest record before it"),
        Rule("circular-parent", claude_code.circular_parents, "repair names the nearest record before it"),
        Rule("dangling-source", claude_code.dangling_sources, "repair names the record of the call"),
        *_CONTENT,
    ),
    "codex": (
        Rule("missing-header", codex.missing_header, BY_HAND + "put back its first line, `session_meta`"),
        Rule("mismatched-output", codex.mismatched_outputs, "repair makes it the kind that its call has"),
    ),
}
"""Rules of one format, before the common ones: pairing is looked at when the records are in order."""


def rules(format: str) -> tuple[Rule, ...]:
    """The rules of the format called `format`, in the order in which they are looked at and mended."""
    late = () if format in BY_ID else (LATE,)
    return (*OF_FORMAT.get(format, ()), *COMMON[:3], *late, *COMMON[3:])
