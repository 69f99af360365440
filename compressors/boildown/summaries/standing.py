"""From a conversation to one whose older part is a summary: what all stages share that have summaries written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from boildown.errors import UsageError
from boildown.pipeline import Context
from boildown.summaries.carrier import Before, before, message, placed
from boildown.summaries.floor import plan
from boildown.summaries.summary import Summary
from boildown.summaries.writing import Writer
from boildown.transcript import Message, Summarized, Transcript


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
    """`transcript` with its older part summed up by `write`, and about the newest `recent` tokens as they were.

    ratio  tokens of what is summed up / tokens of the summary, where the target leaves as much
    """
    was = before(transcript.messages)
    bare = transcript.with_messages(was.messages)
    split = plan(bare, context, recent, ratio)
    if split is None:
        return transcript
    older = [m for m in was.messages[: split.first] if not m.pinned]
    if not older:
        return transcript
    # Applied anew with another target, it says the same: what was written is paid for.
    written = context.again((write, recent), older, lambda: write(writer, older, was.summary, split.summary))
    return _standing(bare, was, older, written, context, writer.name)


def _standing(
    bare: Transcript, was: Before, older: Sequence[Message], written: Written, context: Context, name: str
) -> Transcript:
    gone = {m.id for m in older}
    kept = [m for m in was.messages if m.id not in gone]
    covers = dict.fromkeys((*was.covers, *(i for m in older for i in (m.id, *m.covers))))
    how = f"{len(covers)} of them, by {name}"
    carrier = message(written.summary, how, list(covers), "; ".join(note.why for note in written.account.cut))
    source = context.source.messages if context.source else bare.messages
    account = replace(written.account, covered=sum(context.sizes(older)), verbatim=len(written.summary.verbatim))
    done = bare.with_messages(placed(carrier, kept, source))
    return replace(done, summaries=(*bare.summaries, account))


def asked(context: Context, name: str, stage: str) -> Writer:
    """Who writes for `stage`. Raises UsageError where there is no model to ask."""
    if context.model is None:
        raise UsageError(f"the stage {stage!r} asks a model, and this was given none: Context(..., model=...).")
    return Writer(context.model, name, context.counter)


def check(ratio: float, chunk: int) -> None:
    """Raise ValueError for options that make no sense."""
    if not 1 < ratio < float("inf"):
        raise ValueError(f"ratio={ratio} is no number above 1.")
    if chunk < 200:
        raise ValueError(f"chunk={chunk} is below 200 tokens, too few to sum up.")
