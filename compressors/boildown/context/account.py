"""How a context came to be, as data."""

from __future__ import annotations

from dataclasses import dataclass

from boildown.context.retrieval import Found
from boildown.pipeline import Step
from boildown.report import Fate
from boildown.transcript import Note


@dataclass(frozen=True, slots=True)
class Shares:
    """The tokens that each part of a context takes."""

    system: int = 0
    summary: int = 0
    recent: int = 0
    retrieved: int = 0
    query: int = 0


@dataclass(frozen=True, slots=True)
class Account:
    """How a context came to be.

    whole     whether the conversation is in it as it was, so that nothing had to be summed up
    found     the pieces that were retrieved
    messages  what became of each message of the conversation
    read      tokens of the conversation
    steps     what led from these to `tokens`
    """

    budget: int
    tokens: int
    shares: Shares
    whole: bool
    found: tuple[Found, ...] = ()
    messages: tuple[Fate, ...] = ()
    breakpoints: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    read: int = 0
    steps: tuple[Step, ...] = ()
