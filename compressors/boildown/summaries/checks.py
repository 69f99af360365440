"""Whether what a summary says stands in its source."""

from __future__ import annotations

from collections.abc import Sequence

from boildown.measure.facts import concrete
from boildown.summaries.summary import Summary
from boildown.summarizers.reading import spoken
from boildown.transcript import Message


class Evidence:
    def __init__(self, facts):
        self.facts = facts

    @classmethod
    def of(cls, messages: Sequence[Message], summaries: Sequence[Summary] = ()) -> Evidence:
        return cls({f for t in [*map(spoken, messages), *(s.body() for s in summaries)] for f in concrete(t)})

    def unfounded(self, line: str) -> tuple[str, ...]:
        return tuple(f"{k.value} {v}" for k, v in concrete(line) if (k, v) not in self.facts)

    def misattributed(self, line: str) -> str:
        return ""
