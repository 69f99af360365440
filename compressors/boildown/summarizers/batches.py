"""Message Batches: all that is asked at once for half the price, within an hour as a rule and within a day always."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from boildown.errors import UsageError
from boildown.summarizers.account import Account
from boildown.summarizers.answers import Answers, unwritable
from boildown.summarizers.batch_run import PAUSE, Run, Tell
from boildown.summarizers.batch_wire import NoBatchesError
from boildown.summarizers.calls import Outcome, Request, Spending
from boildown.summarizers.claude import Claude, finished
from boildown.summarizers.failures import place
from boildown.summarizers.journal import Journal
from boildown.summarizers.wire import opened

FOLDER = "batches"


class Batches:
    """Asks the endpoint of `answers`, in batches, what was not answered before; `account` has Bounds that are batched.

    tell   called with what people may want to know: a batch that was sent, how far it is, what became of it
    pause  seconds before a batch is first asked after; then longer every time, up to sixty times that

    Open batches are noted beside the answers, so that a run that was killed is taken up by the next one with the same
    requests, and nothing is paid twice. What expired, was canceled or failed on its way is asked once more, in a
    batch again: who asks for half the price has time.
    """

    def __init__(self, answers: Answers, account: Account, tell: Tell | None = None, pause: float = PAUSE) -> None:
        self._answers = answers
        self._account = account
        self._tell = tell or (lambda _: None)
        self._pause = pause
        self._journal = Journal(answers.folder / FOLDER)
        self._alone = False

    @property
    def spending(self) -> Spending:
        return self._account.spending

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        """Raises KeyboardInterrupt with what becomes of the batches that are open."""
        return self._answers.asked(requests, self._account, self._fetched)

    def _fetched(self, requests: Sequence[Request]) -> dict[Request, Outcome]:
        if self._alone:
            return self._one_by_one(requests)
        asked = {self._answers.key(request): request for request in requests}
        try:
            found = finished(self._batched(asked))
        except NoBatchesError:
            return self._one_by_one(requests)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(self._interrupted(asked)) from None
        except OSError as error:
            raise unwritable(self._answers.folder / FOLDER, error) from None
        return {request: found[self._answers.key(request)] for request in requests}

    async def _batched(self, asked: Mapping[str, Request]) -> dict[str, Outcome]:
        async with opened(self._answers.endpoint) as wire:
            run = Run(wire, self._answers, self._account, self._journal, asked, self._tell, self._pause)
            try:
                return await run()
            finally:
                self._account.open.clear()

    def _interrupted(self, asked: Mapping[str, Request]) -> str:
        open = (note for note in self._journal.notes() if not asked.keys().isdisjoint(note.requests))
        names = [note.batch or "a batch that was just sent" for note in open]
        if not names:
            return "interrupted; no batch is open"
        where = place(self._answers.endpoint)
        return f"interrupted; {' and '.join(names)} will end at {where}: run again to take the answers"

    def _one_by_one(self, requests: Sequence[Request]) -> dict[Request, Outcome]:
        """For a server of one's own. Raises UsageError where the calls would be paid for, at the full price."""
        where = place(self._answers.endpoint)
        for request in requests:
            if self._account.priced(request.model):
                raise UsageError(
                    f"{where} has no Message Batches, and single calls of {request.model} cost the full price. "
                    "Leave --batch out to make them."
                )
        if not self._alone:
            self._tell(f"{where} has no Message Batches: calls are made one by one")
        self._alone = True
        return dict(zip(requests, Claude(self._answers, self._account).ask(requests), strict=True))
