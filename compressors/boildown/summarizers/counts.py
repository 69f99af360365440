"""What a provider counts: asked of its endpoint, several requests at once, and none of them twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

from boildown.errors import ModelError
from boildown.formats.source import Json
from boildown.summarizers.answers import Answers
from boildown.summarizers.calls import Answer, Request
from boildown.summarizers.claude import AT_ONCE, finished
from boildown.summarizers.said import Said
from boildown.summarizers.wire import RETRIES, opened

KIND = "count_tokens"
TIMEOUT = 60.0


class Counts:
    """Asks the endpoint of `answers` for the tokens of turns, which costs nothing. `calls` are those that were made."""

    def __init__(self, answers: Answers, model: str, timeout: float = TIMEOUT, retries: int = RETRIES) -> None:
        self.calls = 0
        self.model = model
        self._answers = answers
        self._timeout = timeout
        self._retries = retries

    def ask(self, conversations: Sequence[Sequence[Json]]) -> list[int]:
        """The tokens of each list of turns. Raises ModelError or UsageError where there is no count to be had."""
        # A count is kept as the answer to a request that asks for no tokens.
        asked = [Request(self.model, KIND, json.dumps(turns), 0) for turns in conversations]
        missing = [request for request in dict.fromkeys(asked) if self._answers.get(request) is None]
        if missing:
            self._answers.check()
            finished(self._fetched(missing))
        return [self._known(request) for request in asked]

    def _known(self, request: Request) -> int:
        found = self._answers.get(request)
        if not isinstance(found, Answer) or not found.text.isdecimal():
            raise ModelError(f"the count in {self._answers.folder} went. Run again.")
        return int(found.text)

    async def _fetched(self, requests: Sequence[Request]) -> None:
        gate = asyncio.Semaphore(AT_ONCE)
        async with opened(self._answers.endpoint, self._timeout, self._retries) as wire:

            async def fetch(request: Request) -> None:
                async with gate:
                    tokens = await wire.counted(request.model, json.loads(request.prompt))
                    self.calls += 1
                    self._answers.put(request, Said(str(tokens)))

            await asyncio.gather(*map(fetch, requests))
