"""From a conversation to one whose older part is a summary: what all stages share that have summaries written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from boildown.errors import UsageError
from boildown.pipeline import Context
from boildown.summaries.carrier import before, message
from boildown.summaries.floor import Floor, Split, complete, measured
from boildown.summaries.summary import Summary
from boildown.summaries.writing import Writer
from boildown.transcript import Message, Note, Summarized, Transcript

NO_ROOM = "a summary would have kept fewer facts than cutting does"


@dataclass(frozen=True, slots=True)
class Written:
    """A summary of some messages, and the account of how it came to be, whose counts of messages are still open."""

    summary: Summary
    account: Summarized


Write = Callable[[Writer, Sequence[Message], Summary | None, int], Written]
"""Sums up messages, and what an earlier run said of those before them, in at most so many tokens"""


def summed_up(
    transcript: Transcript, context: Context, writer: Writer, recent: int, ratio: float, write: Write
) -> Transcript:
    """`transcript` with its older part summed up by `write`, and at most the newest `recent` tokens as they were.

    Beside the summary stand facts, word for word, so that no fewer are kept than the offline pipeline would keep in the
    target; where there is no room for both, it is that pipeline which does the work.

    ratio  tokens of what is summed up / tokens of the summary, at least
    """
    planned = context.again((write, ratio), transcript.messages, lambda: _plan(transcript, context, recent, ratio))
    if context.target < planned.floor.target:
        planned = _plan(transcript, context, recent, ratio)
    if planned.split is None:
        note = Note(Summarized.SPAN, "the whole conversation", NO_ROOM)
        return _told(planned.floor.offline, Summarized("", writer.name, cut=(note,)))
    split = replace(planned.split, floor=replace(planned.floor, target=context.target))
    was, gone = before(transcript.messages), {m.id for m in split.older}
    older = [m for m in was.messages if m.id in gone]
    # Applied anew with more room, the stage says the same: what was written is paid for.
    written = context.again((write, split.summary), older, lambda: write(writer, older, was.summary, split.summary))
    return _standing(split, written, writer.name)


@dataclass(frozen=True, slots=True)
class _Planned:
    floor: Floor
    split: Split | None


def _plan(transcript: Transcript, context: Context, recent: int, ratio: float) -> _Planned:
    floor = measured(transcript, context)
    return _Planned(floor, floor.split(recent, ratio))


def _standing(split: Split, written: Written, name: str) -> Transcript:
    covers = dict.fromkeys(i for m in split.older for i in (m.id, *m.covers))
    how = f"{len(covers)} of them, {_by(name, written.account)}"
    summary = complete(split, written.summary, how)
    carrier = message(summary, how, list(covers), "; ".join(note.why for note in written.account.cut))
    account = replace(written.account, covered=split.covered, verbatim=len(summary.verbatim))
    return _told(split.placed(carrier), account)


def _by(name: str, account: Summarized) -> str:
    """Who summed up, which the output is to say where nobody did."""
    many = account.spans_cut
    if not many:
        return f"by {name}"
    if many == account.spans:
        return "cut offline, for want of an answer"
    return f"by {name}, {many} of {account.spans} parts cut offline, for want of an answer"


def _told(transcript: Transcript, account: Summarized) -> Transcript:
    return replace(transcript, summaries=(*transcript.summaries, account))


def asked(context: Context, name: str, stage: str) -> Writer:
    """Who writes for `stage`. Raises UsageError where there is no model to ask."""
    if context.model is None:
        raise UsageError(f"the stage {stage!r} asks a model, and this was given none: Context(..., model=...).")
    return Writer(context.model, name, context.counter)


def check(model: str, ratio: float, **sizes: int) -> None:
    """Raise ValueError for options that make no sense; `sizes` by their names are tokens of what a call is sent."""
    if not model.strip():
        raise ValueError(f"model={model!r} names no model.")
    if not 1 < ratio < float("inf"):
        raise ValueError(f"ratio={ratio} is no number above 1.")
    for name, size in sizes.items():
        if size < 200:
            raise ValueError(f"{name}={size} is below 200 tokens, too few to sum up.")
