"""What the scripted server on the loopback says at /v1/messages/batches."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from model_server import ModelServer, Received, Reply

PATH = "/v1/messages/batches"


@dataclass
class Batch:
    """A batch as it was created. `left`: how often it will yet be said to be in progress."""

    id: str
    created: float
    received: Received
    left: int
    gone: bool = False
    archived: bool = False
    lines: list[bytes] = field(default_factory=list)

    @property
    def asked(self) -> dict[str, Received]:
        """What was asked, by custom_id, each as a single call would have been received."""
        path, headers = self.received.path, self.received.headers
        return {one["custom_id"]: Received(path, headers, one["params"]) for one in self.received.body["requests"]}


class BatchEndpoint:
    """Answers what `server.answer` would, the last request first.

    polls   how often each new batch is said to be in progress
    fate    what becomes of a request that no model answers: `expired`, `canceled`, or the type of an error
    script  replied to the next creations, in order; with `lost` batches, the batch is created all the same
    cuts    bytes after which the next downloads of results are cut, in order
    url     where the results are said to be
    """

    def __init__(self, server: ModelServer, url: str) -> None:
        self.batches: list[Batch] = []
        self.polls = 1
        self.polled = 0
        self.listed = 0
        self.downloads = 0
        self.fate: Callable[[Received], str | None] = lambda _: None
        self.script: list[Reply] = []
        self.lost = 0
        self.cuts: list[int] = []
        self._server = server
        self.url = url

    def post(self, received: Received) -> Reply:
        if received.path != PATH:
            return _json({"type": "error", "error": {"type": "not_found_error", "message": "?"}}, 404)
        if self.script and not self.lost:
            return self.script.pop(0)
        count = len(self.batches) + 1
        batch = Batch(f"msgbatch_{count}", time.time(), received, self.polls)
        self.batches.append(batch)
        if self.lost:
            self.lost -= 1
            reply = self.script.pop(0)
            if reply.held is not None:
                reply.held.wait(60)
            return reply
        return _json(self._said(batch))

    def get(self, path: str) -> Reply:
        if path.partition("?")[0] == PATH:
            self.listed += 1
            newest = [self._said(batch) for batch in reversed(self.batches)]
            return _json({"data": newest, "has_more": False, "first_id": None, "last_id": None})
        found = re.fullmatch(rf"{PATH}/(\w+)(/results)?", path)
        batch = next((b for b in self.batches if found and b.id == found[1] and not b.gone), None)
        if batch is None or found is None:
            return _json({"type": "error", "error": {"type": "not_found_error", "message": "no such batch"}}, 404)
        if found[2]:
            self.downloads += 1
            cut = self.cuts.pop(0) if self.cuts else None
            return Reply(body=b"".join(self.lines(batch)), headers={"content-type": "application/x-jsonl"}, cut=cut)
        self.polled += 1
        batch.left -= 1
        return _json(self._said(batch))

    def _said(self, batch: Batch) -> dict[str, Any]:
        ended = batch.left < 0
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        counts["succeeded" if ended else "processing"] = len(batch.asked)
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts,
            "created_at": datetime.fromtimestamp(batch.created, UTC).isoformat(),
            "expires_at": datetime.fromtimestamp(batch.created + 86400, UTC).isoformat(),
            "ended_at": None,
            "results_url": f"{self.url}{PATH}/{batch.id}/results" if ended and not batch.archived else None,
        }

    def lines(self, batch: Batch) -> list[bytes]:
        if not batch.lines:
            found = ({"custom_id": name, "result": self._result(one)} for name, one in batch.asked.items())
            batch.lines = [json.dumps(line).encode() + b"\n" for line in reversed(list(found))]
        return batch.lines

    def _result(self, asked: Received) -> dict[str, Any]:
        fate = self.fate(asked)
        if fate in ("expired", "canceled"):
            return {"type": fate}
        if fate is not None:
            error = {"type": fate, "message": f"it is an {fate}"}
            return {"type": "errored", "error": {"type": "error", "error": error, "request_id": None}}
        message = json.loads(self._server.answer(asked).bytes(asked.body["model"]))
        return {"type": "succeeded", "message": message}


def _json(value: dict[str, Any], status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(value).encode())
