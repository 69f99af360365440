"""A user's own conversations as training data: with questions, or by what their later turns came back to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from boildown.measure.questions import Question
from boildown.scoring.labels import Example, by_later, by_questions
from boildown.transcript import Transcript

LEAST_MESSAGES = 6
"""Of fewer messages nothing is learned: nothing is far enough apart"""
HELD_OUT = 5
"""Every so many-th conversation is not trained on but looked at afterwards"""


def examples(
    found: Iterable[tuple[str, Transcript]], questions: Mapping[str, Sequence[Question]] | None = None
) -> Iterator[Example]:
    """The conversations from which something can be learned. `found` has the name of each one's file.

    With `questions`, by file, those conversations that have any; without, all, by what later turns said or used again.
    Raises InputError for evidence that a conversation does not have.
    """
    for name, transcript in found:
        if questions is not None and name in questions:
            yield by_questions(transcript.messages, questions[name])
        elif questions is None and len(transcript.messages) >= LEAST_MESSAGES:
            yield by_later(transcript.messages)


def parted(held: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """What is trained on, and what is left out to look at: every fifth, where there are that many."""
    left = [e for n, e in enumerate(held) if n % HELD_OUT == HELD_OUT - 1]
    return [e for n, e in enumerate(held) if n % HELD_OUT != HELD_OUT - 1], left
