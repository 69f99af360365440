"""Message Batches over the wire: one is created, found again, asked after and read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from boildown.errors import BoildownError, ModelError
from boildown.summarizers.calls import Request
from boildown.summarizers.failures import OTHER, errored, place, translated
from boildown.summarizers.journal import Note
from boildown.summarizers.said import Said
from boildown.summarizers.wire import Wire, params, said

if TYPE_CHECKING:
    from anthropic import APIRequest, AsyncCallNext
    from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

MOST_REQUESTS = 100_000
MOST_BYTES = 256_000_000
"""What one batch takes: https://platform.claude.com/docs/en/build-with-claude/batch-processing#batch-limitations"""

PATH = "/v1/messages/batches"
NO_BATCHES = (404, 405, 501)
CLOCKS = 3600.0
"""Seconds that the endpoint's clock may be off, and creating a batch may take"""


@dataclass(frozen=True, slots=True)
class State:
    """How far a batch is. `done` is 0 until all are where the endpoint counts them only then, as Anthropic's does."""

    ended: bool
    done: int


class NoBatchesError(Exception):
    """The endpoint has no Message Batches."""


class UnsureError(ModelError):
    """A batch may have been created, and nobody said so."""


def chunks(asked: Mapping[str, Request]) -> Iterator[dict[str, Request]]:
    """`asked`, in their order, in as many parts as there have to be batches."""
    part, size = dict[str, Request](), 0
    for key, request in asked.items():
        needed = len(_line(key, request)) + 1
        if part and (len(part) == MOST_REQUESTS or size + needed > MOST_BYTES - 1000):
            yield part
            part, size = {}, 0
        part[key] = request
        size += needed
    if part:
        yield part


def _line(key: str, request: Request) -> bytes:
    """A request as it stands in the body of a batch."""
    return json.dumps({"custom_id": key, "params": params(request)}, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Body:
    """What creates a batch of `asked`, written while it is sent: the SDK would hold it four times.."""

    asked: Mapping[str, Request]

    def parts(self) -> Iterator[bytes]:
        for n, (key, request) in enumerate(self.asked.items()):
            yield (b"," if n else b'{"requests":[') + _line(key, request)
        yield b"]}"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts():
            yield part


async def create(wire: Wire, asked: Mapping[str, Request]) -> str:
    """The id of a new batch of `asked`, by their keys, which are the custom_ids: 1 to 64 letters, digits, `_` and `-`.

    Raises UnsureError where it may be there all the same; NoBatchesError, ModelError or UsageError where it is not.
    """
    from anthropic.types.messages import MessageBatch

    sdk, body = wire.sdk.with_middleware(_once(wire)), Body(asked)
    # Without a length it would go out in chunks, which not every server takes.
    headers = {"Content-Type": "application/json", "Content-Length": str(sum(map(len, body.parts())))}
    with wire.translating(next(iter(asked.values())).model):
        batch = await sdk.post(PATH, cast_to=MessageBatch, content=body, options={"headers": headers})
    if not _is_batch(batch):
        raise NoBatchesError
    return batch.id


def _once(wire: Wire) -> Any:
    """A middleware of the SDK, which would send a batch again where the answer to it was lost: it would be paid twice.

    What is refused, it may send again.
    """

    async def once(request: APIRequest, call_next: AsyncCallNext) -> Any:
        import anthropic

        try:
            response = await call_next(request)
        except anthropic.APIConnectionError as error:
            raise UnsureError(str(translated(error, "", wire.url, wire.secrets))) from None
        if response.status_code in NO_BATCHES:
            raise NoBatchesError
        if response.status_code >= 500 and response.status_code != 529:
            raise UnsureError(f"{place(wire.url)}: it failed to create a batch ({response.status_code}).")
        return response

    return once


async def find(wire: Wire, note: Note, others: Collection[str]) -> str | None:
    """The id of the batch that may have been created for `note`: the first of so many requests at about that time.

    Whether it is that one, only its results can say: no other answer has custom_ids in it. `others` are known.
    """
    import anthropic

    found = None
    with wire.translating(""):
        try:
            async for batch in wire.sdk.messages.batches.list(limit=100):  # the newest first
                if not _is_batch(batch) or batch.created_at.timestamp() < note.started - CLOCKS:
                    break
                near = batch.created_at.timestamp() <= note.started + CLOCKS
                if near and batch.id not in others and _total(batch) == len(note.requests):
                    found = batch.id
        except anthropic.APIStatusError as error:
            if error.status_code not in NO_BATCHES:
                raise
    return found


async def state(wire: Wire, batch: str) -> State | None:
    """How far `batch` is; None where it, or what came of it, is no longer to be had."""
    import anthropic

    with wire.translating(""):
        try:
            found = await wire.sdk.messages.batches.retrieve(batch)
        except anthropic.NotFoundError:
            return None
    if not _is_batch(found):
        raise ModelError(f"{place(wire.url)}: what it says of {batch} is no batch. Check ANTHROPIC_BASE_URL.")
    ended = found.processing_status == "ended"
    if ended and not found.results_url:  # 29 days after it was created
        return None
    return State(ended, _total(found) - found.request_counts.processing)


async def results(wire: Wire, batch: str, models: Mapping[str, str]) -> AsyncIterator[tuple[str, Said | BoildownError]]:
    """What came of each request, by its key, in any order, as it arrives. `models` are those asked, by key.

    Raises ModelError where the answer is cut short.
    """
    sdk = wire.sdk.with_middleware(_at_home(urlsplit(str(wire.sdk.base_url)).netloc))
    with wire.translating(""):
        async for one in await sdk.messages.batches.results(batch):
            key = str(getattr(one, "custom_id", ""))
            yield key, _result(one, models.get(key, ""), wire)


def _at_home(host: str) -> Any:
    """A middleware of the SDK, which would go to whatever host `results_url` names, with the key.

    A gateway passes on one at Anthropic's, where its key is none: the same path is asked of the gateway.
    """

    async def at_home(request: APIRequest, call_next: AsyncCallNext) -> Any:
        parts = urlsplit(request.url)
        if parts.netloc not in ("", host):
            request = request.copy(url=urlunsplit(("", "", parts.path, parts.query, "")))
        return await call_next(request)

    return at_home


def _result(one: MessageBatchIndividualResponse, model: str, wire: Wire) -> Said | BoildownError:
    """ModelError where the request may be asked again: no model answered, and it cost nothing."""
    where = place(wire.url)
    try:
        match one.result.type:
            case "succeeded":
                return said(one.result.message, wire.url)
            case "errored":
                failure = one.result.error.error
                return errored(failure.type, failure.message, model, wire.url, wire.secrets)
            case kind:
                return ModelError(f"{where}: the batch was {kind} before {model} had answered. Run again.")
    except ModelError as error:
        return error
    except AttributeError:  # the SDK takes a line of any form
        return ModelError(OTHER.format(where=where))


def _is_batch(found: object) -> bool:
    """Whether that is a batch, and not what a server says that has something else at that address."""
    return getattr(found, "type", None) == "message_batch" and getattr(found, "request_counts", None) is not None


def _total(batch: MessageBatch) -> int:
    counts = batch.request_counts
    return counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
