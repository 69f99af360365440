"""What stands for a span that no model would sum up: what the offline pipeline leaves of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from boildown.pipeline import Context
from boildown.selection import shrink
from boildown.summaries.summary import Summary, item
from boildown.text.pieces import words
from boildown.text.units import units
from boildown.tokens import Counter
from boildown.transcript import Framing, Message, Transcript

_A_HEAD = 4
"""Tokens of who speaks, about"""


def cut(messages: Sequence[Message], earlier: Sequence[Summary], tokens: int, counter: Counter) -> Summary:
    """The words worth most of `messages`, behind `earlier`, in at most `tokens` as a summary's body."""
    held = [(name, line) for one in earlier for name, line in one.lines()]
    kept = shortened(_summary(held), tokens // 2 if messages else tokens, counter)
    room = tokens - sum(counter.texts([kept.body()]))
    lines = _pruned(messages, room, counter) if messages else []
    before = [line for one in earlier for line in one.cut]
    return within(Summary(kept.sections, cut=(*before, *lines)), tokens, counter)


def _summary(held: Sequence[tuple[str, str]]) -> Summary:
    sections: dict[str, tuple[str, ...]] = {}
    for name, line in held:
        sections[name] = (*sections.get(name, ()), line)
    return Summary(sections)


def _pruned(messages: Sequence[Message], room: int, counter: Counter) -> list[str]:
    """Who speaks and some of the words of each message, a line each."""
    context = Context(Counter(counter.tokenizer, Framing(message=_A_HEAD)), room)
    left = shrink(Transcript(tuple(messages)), context, words, max(0, room)).messages
    return [f"{message.name or message.role}: {message.text}" for message in left if message.text]


def shortened(summary: Summary, tokens: int, counter: Counter) -> Summary:
    """`summary` with as many of its lines as take at most `tokens`: the first of every section come first.

    A line is cut where a sentence of it ends.
    """
    if sum(counter.texts([summary.body()])) <= tokens:
        return summary
    ranked = sorted(
        ((n, name, line) for name, held in summary.sections.items() for n, line in enumerate(held)), key=lambda r: r[0]
    )
    kept, left = list[tuple[str, str]](), tokens
    for _, name, line in ranked:
        for short in _beginnings(line):
            size = sum(counter.texts([item(short) + "\n"]))
            if size <= left:
                kept.append((name, short))
                left -= size
                break
    while kept and sum(counter.texts([_summary(kept).body()])) > tokens:
        kept.pop()
    return _summary(kept)


def _beginnings(line: str) -> Iterator[str]:
    """A line, and what is left of it without its last sentence, its last two, and so on."""
    ends = [unit.end for unit in units(line)]
    yield from (line[:end].rstrip() for end in reversed(ends))


def within(summary: Summary, tokens: int, counter: Counter) -> Summary:
    """`summary` with the oldest of what was cut left out, and then lines, until it takes at most `tokens`."""
    while summary.cut and sum(counter.texts([summary.body()])) > tokens:
        summary = replace(summary, cut=summary.cut[1:])
    return summary if summary.cut else shortened(summary, tokens, counter)
