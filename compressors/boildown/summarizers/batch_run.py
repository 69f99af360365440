"""One run's way through Message Batches: those that are open, those that are missing, and what came of each request."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from boildown.errors import BoildownError, ModelError
from boildown.summarizers import batch_wire
from boildown.summarizers.account import Account
from boildown.summarizers.answers import Answers
from boildown.summarizers.batch_wire import NoBatchesError, UnsureError
from boildown.summarizers.calls import Outcome, Request
from boildown.summarizers.failures import place
from boildown.summarizers.journal import Journal, Note
from boildown.summarizers.said import Said
from boildown.summarizers.wire import RETRIES, Wire

PAUSE = 1.0
LONGEST = 60
TRIES = 2
"""Batches that a request is put in by one run, where it came out of the first without an answer"""
FAILURES = 10
"""How often in a row a batch may be asked after in vain"""

Tell = Callable[[str], None]


class Run:
    """The way of what is `asked`, by key, through batches.

    What was asked twice without an answer keeps the error of the second time.
    """

    def __init__(
        self,
        wire: Wire,
        answers: Answers,
        account: Account,
        journal: Journal,
        asked: Mapping[str, Request],
        tell: Tell,
        pause: float,
    ) -> None:
        self._wire = wire
        self._answers = answers
        self._account = account
        self._tell = tell
        self._pause = pause
        self._asked = asked
        self._models = {name: request.model for name, request in asked.items()}
        self._stop: BoildownError | None = None
        self._journal = journal
        self._found: dict[str, Outcome] = {}
        self._why: dict[str, ModelError] = {}
        self._tries = Counter[str]()

    async def __call__(self) -> dict[str, Outcome]:
        while missing := {name: request for name, request in self._asked.items() if name not in self._found}:
            self._account.open.clear()
            async with self._journal.locked():
                notes = await self._left(missing)
                taken = {name for note in notes for name in note.requests}
                self._account.open.extend(self._account.bound(missing[name]) for name in taken & missing.keys())
                left = {n: request for n, request in missing.items() if n not in taken}
                notes += await self._posted({n: request for n, request in left.items() if not self._known(n, request)})
            for note in notes:
                await self._awaited(note)
            if self._stop is not None:
                raise self._stop
        return self._found

    def _known(self, name: str, request: Request) -> bool:
        """Whether another run, whose batch has ended since then, took the answer of a request that was missing."""
        outcome = self._answers.get(request)
        if outcome is not None:
            self._found[name] = self._account.add_cached(outcome)
        return outcome is not None

    async def _left(self, missing: Mapping[str, Request]) -> list[Note]:
        """The batches with some of `missing` that other runs left open, or wait for at this time."""
        notes, wanted = list[Note](), set(missing)
        for note in self._journal.notes():
            if wanted.isdisjoint(note.requests):
                continue
            try:
                found = note if note.batch else await self._found_again(note)
            except ModelError as error:
                self._give_up(note, error)
                continue
            if found is None:
                self._journal.drop(note)
                continue
            self._tell(f"{_name(found)}: already open")
            notes.append(found)
            wanted.difference_update(found.requests)
        return notes

    async def _posted(self, asked: Mapping[str, Request]) -> list[Note]:
        """New batches of `asked`; none where it hangs on what those under way will cost whether they may be sent."""
        for name in asked:
            if self._tries[name] == TRIES:
                self._found[name] = self._why.get(name) or ModelError(f"{place(self._wire.url)}: no answer in a batch.")
        asked = {name: request for name, request in asked.items() if name not in self._found}
        bound = sum(map(self._account.bound, asked.values()))
        if not asked or not self._account.room(bound, f"a batch of {_requests(len(asked))}"):
            return []
        notes = [await self._created(part) for part in batch_wire.chunks(asked)]
        return [note for note in notes if note is not None]

    async def _created(self, part: Mapping[str, Request]) -> Note | None:
        """A batch of `part`, noted before it is waited for; None where it could not be created."""
        self._tries.update(part.keys())
        try:
            note = await self._sent(self._journal.intend(list(part)), part)
        except ModelError as error:
            self._found |= dict.fromkeys(part, error)
            return None
        self._tell(f"{_name(note)}: sent; most end within an hour, all within a day")
        return note

    async def _sent(self, note: Note, part: Mapping[str, Request]) -> Note:
        """`note` with its batch. Where nobody said whether that was taken, it is looked for before it is sent again.

        Raises UnsureError where it is not found at last: the note stays, and the next run looks for it.
        """
        for pause in [*islice(_pauses(self._pause), RETRIES), None]:
            try:
                return self._journal.created(note, await batch_wire.create(self._wire, part))
            except UnsureError:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
                again = await self._found_again(note)
                if again is not None:
                    return again
            except (BoildownError, NoBatchesError):
                self._journal.drop(note)
                raise
        raise AssertionError("the last time it was sent or an error")

    async def _found_again(self, note: Note) -> Note | None:
        """`note` with the batch that seems to have been created for it. Raises UnsureError where nobody says."""
        others = {other.batch for other in self._journal.notes()}
        try:
            batch = await batch_wire.find(self._wire, note, others)
        except ModelError as error:
            raise UnsureError(str(error)) from None
        return None if batch is None else self._journal.created(note, batch)

    async def _awaited(self, note: Note) -> None:
        """Wait until `note`'s batch has ended, and take its answers."""
        failures, done = 0, 0
        for pause in _pauses(self._pause):
            await asyncio.sleep(pause)
            try:
                state = await batch_wire.state(self._wire, note.batch)
            except ModelError as error:
                failures += 1
                if failures == FAILURES:
                    self._give_up(note, error)
                    break
                continue
            failures = 0
            if state is None:
                self._tell(f"batch {note.batch} is gone, and its answers with it")
                self._journal.drop(note)
                break
            if state.ended:
                await self._read(note)
                break
            if state.done != done:
                done = state.done
                self._tell(f"{_name(note)}: {done:,} done")

    async def _read(self, note: Note) -> None:
        """Take the answers of a batch that has ended, one by one, and from the start where they are cut off."""
        wanted = set(note.requests)
        for pause in [*islice(_pauses(self._pause), RETRIES), None]:
            try:
                async for name, result in batch_wire.results(self._wire, note.batch, self._models):
                    if name in wanted:
                        wanted.remove(name)
                        self._take(name, result)
            except ModelError as error:
                if pause is None:
                    self._give_up(note, error)
                    return
                await asyncio.sleep(pause)
            else:
                break
        answered = sum(name in self._found for name in note.requests)
        self._tell(f"{_name(note)}: ended, {answered:,} answered")
        self._journal.drop(note)

    def _take(self, name: str, result: Said | BoildownError) -> None:
        """Keep what came of a request, also where only another run asks for it, for that is paid, too."""
        request = self._asked.get(name)
        if isinstance(result, Said) and request is not None:
            self._account.add(request, result.usage)
            self._answers.put(request, result)
            self._found[name] = result.outcome(request)
        elif isinstance(result, Said):
            self._answers.put_of(name, "", result)
        elif isinstance(result, ModelError):
            self._why[name] = result
        else:
            self._stop = result

    def _give_up(self, note: Note, error: ModelError) -> None:
        """Leave a batch to the next run."""
        self._found |= {name: error for name in note.requests if name in self._asked and name not in self._found}


def _pauses(first: float) -> Iterator[float]:
    """Seconds to wait, longer every time."""
    pause = first
    while True:
        yield pause
        pause = min(pause * 1.5, first * LONGEST)


def _name(note: Note) -> str:
    return f"batch {note.batch} of {_requests(len(note.requests))}"


def _requests(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"
