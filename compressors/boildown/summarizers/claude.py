"""Claude, or any model behind an endpoint with Anthropic's Messages API: several calls at once, none of them twice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from boildown.errors import CostError, ModelError, UnreachableError, UsageError
from boildown.summarizers.account import Account
from boildown.summarizers.answers import Answers
from boildown.summarizers.calls import Outcome, Request, Spending
from boildown.summarizers.locks import Locks
from boildown.summarizers.wire import RETRIES, TIMEOUT, Wire, opened

T = TypeVar("T")

AT_ONCE = 4
PAUSE = 0.2
"""Seconds until it is looked again whether another process has its answer"""


def endpoint() -> str:
    """The address that ANTHROPIC_BASE_URL names; "" for Anthropic's own. Raises UsageError where it is none."""
    url = os.environ.get("ANTHROPIC_BASE_URL", "").strip().rstrip("/")
    try:
        sound = not url or (urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname))
    except ValueError:
        sound = False
    if not sound:
        raise UsageError("ANTHROPIC_BASE_URL is no address. Set it to one such as http://127.0.0.1:8080, or unset it.")
    return url


@dataclass(slots=True)
class _Reach:
    """Whether the endpoint has ever answered, and how a call failed when nobody was there; then no other is tried."""

    answered: bool = False
    lost: UnreachableError | None = None

    def check(self) -> None:
        if self.lost is not None and not self.answered:
            raise self.lost


class Claude:
    """Asks the endpoint of `answers`, with the key that the SDK finds, what was not answered before.

    at_once  calls under way at a time
    timeout  seconds that an attempt may take
    retries  attempts after the first, which the SDK makes after 408, 409, 429, 5xx, timeouts and lost connections
    """

    def __init__(
        self,
        answers: Answers,
        account: Account,
        at_once: int = AT_ONCE,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
    ) -> None:
        self._answers = answers
        self._account = account
        self._at_once = at_once
        self._timeout = timeout
        self._retries = retries
        self._reach = _Reach()

    @property
    def spending(self) -> Spending:
        return self._account.spending

    def ask(self, requests: Sequence[Request]) -> list[Outcome]:
        return self._answers.asked(requests, self._account, lambda missing: finished(self._fetched(missing)))

    async def _fetched(self, requests: Sequence[Request]) -> dict[Request, Outcome]:
        found: dict[Request, Outcome] = {}
        async with opened(self._answers.endpoint, self._timeout, self._retries) as wire:
            with closing(Locks(self._answers.folder)) as locks:
                fetch = _Fetch(wire, self._answers, self._account, self._at_once, self._reach, locks, self._timeout)
                for wave in _waves(requests):
                    outcomes = await asyncio.gather(*map(fetch, wave))
                    if fetch.stop is not None:
                        raise fetch.stop
                    found |= zip(wave, outcomes, strict=True)
        return found


class _Fetch:
    """One request's way to the endpoint and back, while others are on theirs.

    `stop` is what keeps all further calls from being made; those under way are paid for, and end. What another process
    asks at the time is waited for, `patience` seconds at most, since that process may hang.
    """

    def __init__(
        self,
        wire: Wire,
        answers: Answers,
        account: Account,
        at_once: int,
        reach: _Reach,
        locks: Locks,
        patience: float,
    ) -> None:
        self.stop: UsageError | CostError | None = None
        self._wire = wire
        self._answers = answers
        self._account = account
        self._reach = reach
        self._locks = locks
        self._patience = patience
        self._gate = asyncio.Semaphore(at_once)
        self._paid = asyncio.Condition()

    async def __call__(self, request: Request) -> Outcome:
        name, waited = self._answers.key(request), 0.0
        while True:
            async with self._gate:
                with self._locks.held(name) as mine:
                    if mine or waited >= self._patience or self.stop is not None:
                        return await self._settled(request)
            await asyncio.sleep(PAUSE)
            waited += PAUSE

    async def _settled(self, request: Request) -> Outcome:
        """What another process was told meanwhile, or what comes of asking."""
        if (known := self._answers.get(request)) is not None:
            return self._account.add_cached(known)
        try:
            return await self._fetched(request)
        except ModelError as error:
            return error
        except (UsageError, CostError) as error:
            self.stop = self.stop or error
            return ModelError("not asked")

    async def _fetched(self, request: Request) -> Outcome:
        self._reach.check()
        bound = self._account.bound(request)
        async with self._paid:
            await self._paid.wait_for(lambda: self.stop is not None or self._account.room(bound))
            if self.stop is not None:
                raise self.stop
            self._account.open.append(bound)
        try:
            said = await self._wire.said(request)
            self._reach.answered = True
            self._account.add(request, said.usage)
        except UnreachableError as error:
            self._reach.lost = error
            raise
        finally:
            async with self._paid:
                self._account.open.remove(bound)
                self._paid.notify_all()
        self._answers.put(request, said)
        return said.outcome(request)


def _waves(requests: Sequence[Request]) -> list[list[Request]]:
    """`requests` in two parts: the first of those that share a context goes ahead, so that the rest find it cached."""
    ahead = {request.context: request for request in reversed(requests) if request.context}
    first = [request for request in requests if ahead.get(request.context, request) is request]
    return [first, [request for request in requests if ahead.get(request.context, request) is not request]]


def finished(work: Coroutine[Any, Any, T]) -> T:
    """What `work` comes to, also where a loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()
