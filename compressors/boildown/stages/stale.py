"""Reads that are out of date: their file was read again or changed later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from boildown.actions import CHANGES, FILE, Action, Kind, actions
from boildown.pipeline import Context
from boildown.results import marked, result_at
from boildown.shell import LAST
from boildown.transcript import Message, Place, Transcript


@dataclass(frozen=True, slots=True)
class Stale:
    """A read of a file that was read again or changed later gives way to a word on that, the oldest first."""

    REASON = "its file was read again or changed later"

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        messages = transcript.messages
        return marked(transcript, context, _marks(messages, context))


def _marks(messages: Sequence[Message], context: Context) -> Iterator[tuple[Place, str]]:
    for action, cause in outdated(actions(messages)):
        if action.result is not None:
            size = context.counter.texts([result_at(messages, action.result).text])[0]
            when = "read again" if cause.kind is Kind.READ else cause.kind
            yield action.result, f"[stale {_what(action)}, {size:,} tokens: {when} in {messages[cause.call[0]].id}]"


def _what(action: Action) -> str:
    lines = ""
    if action.lines:
        first, last = action.lines
        lines = f" from line {first}" if last >= LAST else f" lines {first}-{last}"
    return f"{'read' if action.kind is Kind.READ else 'view'} of {action.target}{lines}"


def outdated(done: Sequence[Action]) -> list[tuple[Action, Action]]:
    """(what showed a file, the next action after which that is out of date), the oldest first.

    A read is out of date where its file changed or where its lines were read again, what a change showed of its file
    where that was read as a whole.
    """
    later: dict[str, list[Action]] = {}
    found: list[tuple[Action, Action]] = []
    for action in reversed(done):
        if action.kind not in FILE or action.failed:
            continue
        after = later.setdefault(action.file, [])
        cause = next((a for a in reversed(after) if _outdates(a, action)), None)
        if cause is not None:
            found.append((action, cause))
        after.append(action)
    return found[::-1]


def _outdates(later: Action, earlier: Action) -> bool:
    if later.call == earlier.call:
        return False
    if later.kind in CHANGES:
        return earlier.kind is Kind.READ
    first, last = later.lines or (1, LAST)
    start, end = earlier.lines or (1, LAST)
    return first <= start and end <= last
