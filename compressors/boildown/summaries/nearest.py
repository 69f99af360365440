"""The passages of a source that come nearest to a line, by the rare words that they share."""

from __future__ import annotations

from collections.abc import Sequence

from boildown.measure.content import rarity, words
from boildown.summaries.summary import Summary
from boildown.summarizers.reading import spoken
from boildown.text.units import units
from boildown.transcript import Message

_LONGEST = 240
"""Characters of a passage"""
_MOST = 2


class Passages:
    """What a span says, sentence by sentence, each with who says it."""

    def __init__(self, messages: Sequence[Message], summaries: Sequence[Summary] = ()) -> None:
        texts = [*map(spoken, messages), *(summary.body() for summary in summaries)]
        self._said = [
            (owner, text[unit.start : unit.end].strip()) for owner, text in enumerate(texts) for unit in units(text)
        ]
        self._heads = [text.partition("\n")[0] for text in texts]
        self._words = [frozenset(words(said)) for _, said in self._said]
        self._weigh = rarity(self._words)

    def near(self, line: str) -> str:
        """The few passages that share most with `line`, in their order."""
        wanted = frozenset(words(line))
        shares = [sum(map(self._weigh, wanted & held)) for held in self._words]
        best = sorted(range(len(shares)), key=lambda n: -shares[n])[:_MOST]
        return "\n".join(f"{self._heads[self._said[n][0]]}\n{self._said[n][1][:_LONGEST]}" for n in sorted(best))
