"""Reading a stream as it comes, minding signals meanwhile, and giving out its context on demand."""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from boildown_cli import files
from boildown_cli.terminal import silence

if TYPE_CHECKING:
    from boildown.following.follower import Follower
    from boildown.following.tail import Lines

POLL = 0.2
"""Seconds between two looks at a file"""
AT_MOST = 1.0
"""Seconds between two times that the output is written because the stream went on"""
_CHUNK = 1 << 16


class Signals:
    """What was asked for by signals, and a pipe that wakes up whoever waits for input.

    asked        SIGUSR1: the context is wanted      stopped      SIGTERM or SIGINT: the stream is to end
    interrupted  it was SIGINT
    """

    def __init__(self) -> None:
        self.asked = self.stopped = self.interrupted = False
        self.wake, self._waking = os.pipe()
        for handle in (self.wake, self._waking):
            os.set_blocking(handle, False)

    @contextmanager
    def held(self) -> Iterator[Signals]:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
        before = [signal.signal(number, self._handle) for number in numbers]
        waking = signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        try:
            yield self
        finally:
            signal.set_wakeup_fd(waking)
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGUSR1:
            self.asked = True
        else:
            self.stopped = True
            self.interrupted = self.interrupted or number == signal.SIGINT

    def awaken(self) -> None:
        """Wake up whoever waits; from any thread."""
        with suppress(BlockingIOError):  # A pipe that is full wakes as well.
            os.write(self._waking, b"\0")

    def wait(self, seconds: float | None, *handles: int) -> bool:
        """Wait for one of `handles` to have something, a signal or another thread: whether it was a handle."""
        ready, _, _ = select.select([self.wake, *handles], [], [], seconds)
        if self.wake in ready:
            with suppress(BlockingIOError):
                while os.read(self.wake, _CHUNK):
                    pass
        return any(handle in ready for handle in handles)


class Outlet:
    """Where the context goes: to a file at most once a second, to stdout after each message, or at the end."""

    def __init__(self, follower: Follower, path: str | None, each: bool, to: str | None) -> None:
        self._follower = follower
        self._path = path
        self._each = each
        self._to = to
        self._changed = path is not None
        self._written = 0.0

    def refresh(self) -> None:
        """The context has changed."""
        self._changed = True

    def came(self) -> None:
        """A message came."""
        self._changed = True
        if self._each:
            self._print()

    def asked(self) -> None:
        """The context is wanted now."""
        if self._path is None:
            self._print()
        else:
            self._write(self._path)

    def due(self) -> float | None:
        """Seconds until the file is to be written; None where it says what there is to say. Writes it if it is time."""
        if self._path is None or not self._changed:
            return None
        left = self._written + AT_MOST - time.monotonic()
        if left > 0:
            return left
        self._write(self._path)
        return None

    def end(self) -> None:
        """The stream has ended."""
        if self._path is not None:
            self._write(self._path)
        elif not self._each:
            files.write([(files.STDOUT, self._follower.context(self._to))])

    def _write(self, path: str) -> None:
        files.write([(path, self._follower.context(self._to))])
        self._changed, self._written = False, time.monotonic()

    def _print(self) -> None:
        """A line of JSON: how many messages have come, the tokens of the context, the level, and its records."""
        state = self._follower.state
        records = [line for line in self._follower.context(self._to).splitlines() if line.strip()]
        head = {"message": state.tally.messages, "tokens": state.tokens, "level": state.reached}
        line = json.dumps(head)[:-1].encode() + b', "context": [' + b", ".join(records) + b"]}\n"
        try:
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            silence(sys.stdout)


def followed(follower: Follower, path: str, outlet: Outlet) -> bool:
    """Follow the stream until it ends or is stopped, and save it: whether it was interrupted."""
    from boildown.following.tail import Lines

    signals = Signals()
    follower.compressed = signals.awaken
    with signals.held():
        cutter = Lines()
        source = _piped(signals, outlet) if path == files.STDIN else _tailed(signals, outlet, follower, cutter)
        for data in source:
            for line in cutter.cut(data):
                _add(follower, line, outlet)
            if follower.ready:
                outlet.refresh()
            if signals.asked:
                signals.asked = False
                outlet.asked()
            if signals.stopped:
                break
        if path == files.STDIN and not signals.stopped and cutter.waiting:
            _add(follower, cutter.waiting, outlet)
        follower.finish()
        outlet.end()
    return signals.interrupted


def _add(follower: Follower, line: bytes, outlet: Outlet) -> None:
    if follower.add(line):
        outlet.came()


def _piped(signals: Signals, outlet: Outlet) -> Iterator[bytes]:
    """What comes on stdin until it ends; b"" where something else is to be looked after."""
    handle = sys.stdin.fileno()
    while True:
        if not signals.wait(outlet.due(), handle):
            yield b""
        elif data := os.read(handle, _CHUNK):
            yield data
        else:
            return


def _tailed(signals: Signals, outlet: Outlet, follower: Follower, cutter: Lines) -> Iterator[bytes]:
    """What is appended to the file, for ever; b"" where there is nothing, or something else to be looked after."""
    from boildown.following.tail import Tail

    tail = Tail(follower.stream.input, follower.state.offset)
    while True:
        data = tail.more()
        if data is None:
            cutter.waiting = b""
            tail.reopen(follower.begin())
            continue
        yield data
        if not data:
            due = outlet.due()
            signals.wait(POLL if due is None else min(POLL, due))
        else:
            outlet.due()
