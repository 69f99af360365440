"""One model for several threads: what they ask at one time is asked in one go, so that its limits hold for all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from boildown.errors import CostError, UsageError
from boildown.summarizers.calls import Model, Outcome, Request, Spending


@dataclass(slots=True)
class _Asked:
    """What one thread asks, and what came of it."""

    requests: Sequence[Request]
    outcomes: list[Outcome] = field(default_factory=list)
    error: BaseException | None = None
    done: bool = False


class Together:
    """Asks `model`, which one thread uses at a time: the first that comes asks for all that wait.

    `stop` is the error after which nothing more may be asked, such as a limit of cost.
    """

    def __init__(self, model: Model) -> None:
        self.stop: CostError | UsageError | None = None
        self._model = model
        self._waiting: list[_Asked] = []
        self._list = threading.Lock()
        self._turn = threading.Lock()

    @property
    def spending(self) -> Spending:
        return self._model.spending

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        mine = _Asked(requests)
        with self._list:
            self._waiting.append(mine)
        with self._turn:
            if not mine.done:
                with self._list:
                    asked, self._waiting = self._waiting, []
                self._answer(asked)
        if mine.error is not None:
            raise mine.error
        return mine.outcomes

    def _answer(self, asked: Sequence[_Asked]) -> None:
        try:
            if self.stop is not None:
                raise self.stop
            outcomes = iter(self._model.ask([request for one in asked for request in one.requests]))
            for one in asked:
                one.outcomes = [next(outcomes) for _ in one.requests]
        except BaseException as error:
            if isinstance(error, CostError | UsageError):
                self.stop = error
            for one in asked:
                one.error = error
        for one in asked:
            one.done = True
