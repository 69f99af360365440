"""What is asked of a model, what it answers, and what a model is: the values that every stage with a model shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from boildown.errors import ModelError

MODEL = "claude-haiku-5-5"
"""The model that is asked where none is named"""


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a model. What is sent is `system`, then one message of the user: `context`, then `prompt`.

    system      the same for all calls of one kind, so that the endpoint can cache it
    context     what several calls share, such as a transcript: it is cached, too; "" where there is nothing
    max_tokens  of the answer, thoughts included; 21,333 at most, above which an answer would have to be streamed
    stand_in    an answer in the form that is asked for: what `--dry-run` goes on with
    thinking    tokens of `max_tokens` that the model may think with before it answers: 0, or 1,024 at least
    """

    model: str
    system: str
    prompt: str
    max_tokens: int
    context: str = ""
    stand_in: str = ""
    thinking: int = 0

    def __post_init__(self) -> None:
        if self.thinking and not 1024 <= self.thinking < self.max_tokens:
            raise ValueError(f"thinking={self.thinking}: give 1,024 at least, and less than max_tokens")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of calls as the endpoint charges them; `input` are those neither read from its cache nor written to it."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
        )

    @property
    def prompt(self) -> int:
        """All tokens that were sent."""
        return self.input + self.cache_read + self.cache_write


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said, without its thoughts. `cached`: it was said in an earlier run, and costs nothing now."""

    text: str
    usage: Usage = Usage()
    cached: bool = False


Outcome = Answer | ModelError


@dataclass(frozen=True, slots=True)
class Spending:
    """What calls have cost so far, or what they will cost at most.

    calls    those that were sent, or would be
    cached   answers that were there from an earlier run
    dollars  None where the prices of a model are not known
    shared   of calls that are not made, what the dollars come to where the endpoint caches the context of several calls
    """

    calls: int = 0
    cached: int = 0
    usage: Usage = Usage()
    dollars: float | None = 0.0
    shared: float | None = None


class Model(Protocol):
    """What answers requests: an endpoint, or a reckoning of what that would cost.

    `spending` is what all calls so far took.
    """

    @property
    def spending(self) -> Spending: ...

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """The outcome of each request, in their order: a call that failed for good leaves its error in its place.

        Raises UsageError or CostError where no further call can be made; answers that came are cached by then.
        """
