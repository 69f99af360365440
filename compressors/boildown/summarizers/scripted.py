"""A model that answers as it is told to, for tests of what asks one: no network, no key, the same each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from boildown.errors import ModelError
from boildown.summarizers.calls import Answer, Outcome, Request, Spending


class Scripted:
    """Answers with what `reply` makes of a request, or with the error that it raises; `asked` are all requests."""

    def __init__(self, reply: Callable[[Request], str]) -> None:
        self.asked: list[Request] = []
        self._reply = reply

    @property
    def spending(self) -> Spending:
        return Spending(calls=len(self.asked))

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        self.asked += requests
        return [self._outcome(request) for request in requests]

    def _outcome(self, request: Request) -> Outcome:
        try:
            return Answer(self._reply(request))
        except ModelError as error:
            return error
