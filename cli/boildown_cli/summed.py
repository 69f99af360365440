"""What model-made stages and a judge took and made: their calls, and the summaries in a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from boildown.errors import NotMetError
from boildown_cli.terminal import dollars, number, one_line

if TYPE_CHECKING:
    from boildown.report import ConversationReport, Report
    from boildown.summarizers.calls import Spending
    from boildown.transcript import Summarized


def told(report: Report) -> Iterator[str]:
    """Lines for people: what became of the summaries, what the calls took, and a warning where spans were cut."""
    every = _made(report.conversations)
    made = [one for one in every if one.spans]
    if made:
        yield _summed_up(made)
    for why in dict.fromkeys(note.why for one in every if not one.spans for note in one.cut):
        yield f"note: no summary was written of {'some' if made else 'this'}: {one_line(why)}"
    if report.spending is not None:
        yield f"model: {spent(report.spending)}"
    said = cut(report)
    if said:
        yield f"warning: {said}. --strict makes this an error."


def account(made: Summarized) -> dict[str, object]:
    """How a summary came to be, for JSON."""
    figures = {name: getattr(made, name) for name in made.__slots__}
    return {**figures, "left": _left([made]), "readings": made.read / made.covered if made.covered else 0.0}


def _made(conversations: Sequence[ConversationReport]) -> list[Summarized]:
    return [one for conversation in conversations for one in conversation.summaries]


def _left(made: Sequence[Summarized]) -> int:
    """Lines that say what their source does not, and are still there."""
    return sum(one.found - one.mended - one.dropped for one in made)


def _summed_up(made: Sequence[Summarized]) -> str:
    covered, spans, away, read, facts, found, mended, dropped = (
        sum(getattr(one, name) for one in made)
        for name in ("covered", "spans", "spans_cut", "read", "verbatim", "found", "mended", "dropped")
    )
    names = ", ".join(dict.fromkeys(one.model for one in made))
    times = f"{read / covered:.2f} times" if covered else "never"
    said = (
        f"summaries by {names}: {covered:,} tokens in {number(spans, 'span')}"
        f"{f', {away:,} of them cut offline' if away else ''}, each read {times} ({read:,}); "
        f"{number(found, 'line')} not borne out by the source: {mended:,} mended, {dropped:,} dropped, "
        f"{_left(made):,} left; {number(facts, 'fact')} word for word"
    )
    return one_line(said)


def check_whole(report: Report) -> None:
    """Raise NotMetError where a span was cut offline for want of a summary."""
    said = cut(report)
    if said:
        raise NotMetError(
            f"{report.input}: {said}. Nothing was written: run again where the endpoint failed, with another --model "
            "where its answers, which are kept, were no use, or without --strict."
        )


def cut(report: Report) -> str:
    """What was cut offline for want of a summary, and why the first was; "" where nothing was."""
    made = [one for one in _made(report.conversations) if one.spans]  # without any, it was better so
    notes = [note for one in made for note in one.cut]
    if not notes:
        return ""
    spans, all_spans = sum(one.spans_cut for one in made), sum(one.spans for one in made)
    few = [f"{spans:,} of {number(all_spans, 'span')}"] if spans else []
    few += [number(len(notes) - spans, "group") + " of summaries"] if len(notes) > spans else []
    were = "was" if len(notes) == 1 else "were"
    return f"{' and '.join(few)} {were} cut offline instead of being summed up: {one_line(notes[0].why).rstrip('.')}"


def spent(spending: Spending) -> str:
    """What calls took."""
    cost = "which cost nobody knows what" if spending.dollars is None else dollars(spending.dollars)
    used = f"{spending.usage.prompt:,} tokens in, {spending.usage.output:,} out"
    return f"{number(spending.calls, 'call')}, {number(spending.cached, 'answer')} from before; {used}; {cost}"


def at_most(spending: Spending, names: Sequence[str]) -> str:
    """What calls of the models called `names` would take."""
    cost = "at prices that nobody knows" if spending.dollars is None else f"at most {dollars(spending.dollars)}"
    if spending.dollars and spending.shared is not None and spending.shared < spending.dollars:
        cost += f", {dollars(spending.shared)} where the endpoint caches the conversations"
    used = f"at most {spending.usage.prompt:,} tokens in and {spending.usage.output:,} out"
    known, models = number(spending.cached, "answer"), one_line(", ".join(names))
    return f"{number(spending.calls, 'call')} of {models}, {known} from before; {used}; {cost}"
