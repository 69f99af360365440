"""Summaries of spans that follow one another, put together in the order of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from boildown.summaries.summary import SECTIONS, Summary, item
from boildown.tokens import Counter

Days = tuple[str, ...]
"""The first and the last day of a span, as `2027-05-14`; () where they are not known"""


def merged(parts: Iterable[tuple[Days, Summary]]) -> Summary:
    """Their lines by section, the oldest first, below the days that they are of, where those are known and change."""
    sections: dict[str, list[str]] = {}
    named: dict[str, str] = {}
    cut = list[str]()
    for days, summary in parts:
        for name, lines in summary.sections.items():
            held = sections.setdefault(name, [])
            label = _label(days) if days or name in named else ""
            held += [label, *lines] if label != named.get(name, "") else lines
            if label:
                named[name] = label
        cut += summary.cut
    return Summary({name: tuple(lines) for name, lines in sections.items()}, cut=tuple(cut))


def dated(days: Days, summary: Summary) -> Summary:
    """`summary` below its days."""
    return replace(merged([(days, summary)]), verbatim=summary.verbatim)


def room(days: Days, counter: Counter) -> int:
    """What it takes at most to name `days` in a summary."""
    return len(SECTIONS) * sum(counter.texts([f"{item(_label(days))}\n"])) if days else 0


def _label(days: Days) -> str:
    if not days:
        return "Undated:"
    return f"On {days[0]}:" if days[0] == days[-1] else f"From {days[0]} to {days[-1]}:"
