"""The oldest messages move to an archive, from which they can be recalled; a short message says how many."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from boildown.pipeline import Context
from boildown.placing import placed
from boildown.transcript import Message, Text, Transcript, groups

ID = "archived"
_MARK = re.compile(r"\[archived ([\d,]+) earlier messages?: 'boildown recall' finds (?:it|them)\]")


@dataclass(frozen=True, slots=True)
class Archive:
    """Move the oldest messages to the archive, until the budget is met; a short message says how many are there.

    Nothing is stored here, for a stage may be applied several times before there is an output: what is taken out
    stands in `Transcript.archived`, and whoever writes the output puts it into a store first.
    """

    REASON = "it is in the archive"

    keep: int = field(
        default=20, metadata={"help": "where more stages follow, the newest messages, which are left to them"}
    )

    def __post_init__(self) -> None:
        if self.keep < 0:
            raise ValueError(f"keep={self.keep} is below 0.")

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        messages = transcript.messages
        gone = self._oldest(transcript, context)
        if not gone:
            return transcript
        gone.update(i for i, m in enumerate(messages) if m.id == ID)
        kept = [m for i, m in enumerate(messages) if i not in gone]
        left = [messages[i] for i in sorted(gone)]
        told = placed(_message(left), kept, min(gone))
        if context.counter.total(told) <= max(context.target, context.count(transcript)):
            kept = told
        archived = (*transcript.archived, *(m for m in left if _MARK.fullmatch(m.text) is None))
        return replace(transcript, messages=tuple(kept), archived=archived)

    def _oldest(self, transcript: Transcript, context: Context) -> set[int]:
        """The oldest messages, as many as the target demands; calls go with their results."""
        messages, sizes = transcript.messages, context.sizes(transcript.messages)
        end = len(messages) - (0 if context.last else self.keep)
        over = context.count(transcript) - context.target
        gone: set[int] = set()
        for members in groups(messages):
            if over <= 0:
                break
            if members[-1] >= end or any(messages[i].pinned for i in members):
                continue
            over += (0 if gone else _room(messages, context)) - sum(sizes[i] for i in members)
            gone.update(members)
        return gone


def _room(messages: Sequence[Message], context: Context) -> int:
    """The tokens that it takes at most to say how many of `messages` went."""
    return sum(context.sizes([_message(messages)]))


def _message(gone: Sequence[Message]) -> Message:
    """What says that `gone` are in the archive, and those that a message of an earlier run stands for among them."""
    count = sum(map(_stands_for, gone))
    what = f"[archived {count:,} earlier {'messages' if count > 1 else 'message'}: "
    text = f"{what}'boildown recall' finds {'them' if count > 1 else 'it'}]"
    return Message(ID, "user", (Text(text),), covers=tuple(_covers(gone)), pinned=True)


def _covers(gone: Sequence[Message]) -> Iterator[str]:
    for message in gone:
        yield from message.covers if message.id == ID else (message.id, *message.covers)


def _stands_for(message: Message) -> int:
    """How many messages are in the archive when this one is."""
    earlier = _MARK.match(message.text)
    if earlier is None:
        return 1
    return int(earlier[1].replace(",", "")) + (earlier.end() < len(message.text.rstrip()))
