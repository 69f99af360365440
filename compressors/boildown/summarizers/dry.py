"""What calls would cost, without a call: a model that answers with what was answered before, or a stand-in."""

from __future__ import annotations

from collections.abc import Sequence

from boildown.summarizers.account import Account
from boildown.summarizers.answers import Answers
from boildown.summarizers.calls import Answer, Outcome, Request, Spending


class DryRun:
    """Counts what is asked and not yet answered, each call with all that it could take."""

    def __init__(self, answers: Answers, account: Account) -> None:
        self._answers = answers
        self._account = account
        self._contexts: set[str] = set()

    @property
    def spending(self) -> Spending:
        return self._account.spending

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        found = {request: self._answered(request) for request in dict.fromkeys(requests)}
        return [found[request] for request in requests]

    def _answered(self, request: Request) -> Outcome:
        known = self._answers.get(request)
        if known is not None:
            return self._account.add_cached(known)
        self._account.add_at_most(request, read=request.context in self._contexts)
        self._contexts.add(request.context)
        return Answer(request.stand_in)
