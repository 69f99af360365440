"""What came back of a call, of use or not: it is paid for either way, and kept either way."""

from __future__ import annotations

from dataclasses import dataclass

from boildown.errors import AnswerError
from boildown.summarizers.calls import Answer, Request, Usage
from boildown.summarizers.failures import stopped


@dataclass(frozen=True, slots=True)
class Said:
    """A text, what it took, and why it ended, as the endpoint names it; None where it does not say."""

    text: str
    usage: Usage = Usage()
    reason: str | None = None

    def outcome(self, request: Request, cached: bool = False) -> Answer | AnswerError:
        """The answer; an error where the model refused, said nothing or was cut off."""
        error = stopped(self.reason, request.model, request.max_tokens, self.text)
        return Answer(self.text, self.usage, cached) if error is None else error
