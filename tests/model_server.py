"""A server on the loopback that answers as a test tells it to, and remembers what it was asked.

It has Message Batches where a test gives it some (batch_server.py).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

KEY = "sk-test-0123456789"
USAGE = {"input_tokens": 1000, "output_tokens": 100, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}


@dataclass(frozen=True)
class Reply:
    """What is sent back: a message that says `text`, or with `body` just those bytes.

    `held` is waited for before anything is sent, `cut` is after how many bytes of the body the connection is closed.
    """

    text: str = "Fine."
    stop: str = "end_turn"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    usage: Mapping[str, int] = field(default_factory=lambda: USAGE)
    body: bytes | None = None
    held: threading.Event | None = None
    cut: int | None = None

    def bytes(self, model: str) -> bytes:
        if self.body is not None:
            return self.body
        if self.status != 200:
            return json.dumps({"type": "error", "error": {"type": "an_error", "message": self.text}}).encode()
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [{"type": "text", "text": self.text}] if self.text else [],
            "stop_reason": self.stop,
            "stop_sequence": None,
            "usage": self.usage,
        }
        return json.dumps(message).encode()


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def system(self) -> str:
        return "".join(block["text"] for block in self.body["system"])

    @property
    def said(self) -> str:
        return "".join(block["text"] for block in self.body["messages"][0]["content"])


class Desk(Protocol):
    """What answers at /v1/messages/batches."""

    def post(self, received: Received) -> Reply: ...

    def get(self, path: str) -> Reply: ...


class ModelServer:
    """`script` is replied first, in order; then what `answer` makes of a request. `most` were open at a time.

    `received` are single calls; what comes for batches goes to `batches`, where there are some.
    """

    def __init__(self, port: int = 0) -> None:
        self.received: list[Received] = []
        self.batches: Desk | None = None
        self.script: list[Reply] = []
        self.answer: Callable[[Received], Reply] = lambda _: Reply()
        self.most = self._open = 0
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._http.daemon_threads = True
        self._http.handle_error = lambda *_: None  # a client that has left is what some tests are about
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def reply(self, received: Received) -> Reply:
        with self._lock:
            self.received.append(received)
            self._open += 1
            self.most = max(self.most, self._open)
            if self.script:
                return self.script.pop(0)
        return self.answer(received)

    def done(self) -> None:
        with self._lock:
            self._open -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                received = Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                if self.path.startswith("/v1/messages/batches"):
                    self._send(outer.batches.post(received) if outer.batches else Reply("no such file", status=404))
                    return
                reply = outer.reply(received)
                if reply.held is not None:
                    reply.held.wait(60)
                outer.done()
                self._send(reply, body["model"])

            def do_GET(self) -> None:
                self._send(outer.batches.get(self.path) if outer.batches else Reply("no such file", status=404))

            def _send(self, reply: Reply, model: str = "") -> None:
                data = reply.bytes(model)
                self.send_response(reply.status)
                for name, value in {"content-type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: reply.cut])
                self.close_connection = reply.cut is not None

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler

    @contextmanager
    def running(self) -> Iterator[ModelServer]:
        thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()
