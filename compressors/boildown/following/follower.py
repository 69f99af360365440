"""A stream that is followed: records taken in, compressed beside that, kept in a store, and saved now and again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from boildown.following.checkpoint import Checkpoint, save
from boildown.following.compression import Compressed, Held, converted
from boildown.following.records import Reader, Record, followed
from boildown.following.state import State
from boildown.following.tail import beginning
from boildown.formats import Format, load
from boildown.memory.archiving import said
from boildown.memory.messages import Origin, Said
from boildown.policy import Policy
from boildown.scoring.choice import LEARNED

if TYPE_CHECKING:
    from boildown.memory.messages import Memory

Tell = Callable[[str], None]
Compress = Callable[[Held, Format], Compressed]


@dataclass(frozen=True, slots=True)
class Stream:
    """What is followed, and where its state goes.

    input   the file's absolute path, or - for stdin
    folder  the archive's directory; without one, nothing is saved
    every   messages after which it is saved
    """

    session: str
    user: str = ""
    input: str = "-"
    folder: str = ""
    every: int = 100


class Follower:
    """The state of a stream and what is done with it. One thread calls it; another compresses.

    Attribute `compressed`: called when a compression is done, by the other thread; for a thread that waits for input.
    """

    def __init__(
        self,
        stream: Stream,
        reader: Reader,
        policy: Policy,
        compress: Compress,
        tell: Tell,
        store: Memory | None = None,
    ) -> None:
        self.stream = stream
        self.reader = reader
        self.state = State(policy)
        self.compressed: Callable[[], None] = lambda: None
        self._compress = compress
        self._tell = tell
        self._store = store
        self._place = 0
        self._unsaved = 0
        self._fresh: list[Said] = []
        self._pool = ThreadPoolExecutor(1, "compress")
        self._work: tuple[Future[Compressed], Held, int] | None = None
        self._until = inf

    def add(self, line: bytes) -> int:
        """Take in a line of the input: how many messages came with it. Waits only where the window is full."""
        self.state.offset += len(line)
        self.state.read.update(line)
        before = self.state.tally.messages
        for record in self.reader.records(line):
            self._take(record)
        self.state.tally.bad = self.reader.bad
        came = self.state.tally.messages - before
        self._unsaved += came
        if self.stream.folder and self._unsaved >= self.stream.every:
            self.save()
        return came

    def _take(self, record: Record) -> None:
        self.state.add(record)
        if self._store is not None:
            number = self.state.tally.messages
            self._fresh += said(replace(m, id=f"m{number}") for m in record.messages)
        if self.state.tokens >= self._until:
            self.poll(wait=True)
        while self._work is None and self.state.due:
            self._begin()
            if self.state.tokens >= self._until:
                self.poll(wait=True)
        if self._work is None and self.reader.format is not None:
            self.state.trim(self.reader.format)

    def _begin(self) -> None:
        """Compress what is held, beside reading on until the use of the window passes the next level."""
        assert self.reader.format is not None
        before = self.state.snapshot()
        future = self._pool.submit(self._compress, before, self.reader.format)
        self._work = future, before, self.state.tally.messages
        self._until = self.state.next
        future.add_done_callback(lambda _: self.compressed())

    @property
    def busy(self) -> bool:
        """Whether a compression is under way, or was not taken over."""
        return self._work is not None

    @property
    def ready(self) -> bool:
        """Whether a compression is done that was not taken over."""
        return self._work is not None and self._work[0].done()

    def poll(self, wait: bool = False) -> None:
        """Take over what a compression has made, if it is done; with `wait`, when it is.

        Where nobody asks for the context meanwhile, that is done where the next level begins and nowhere else, so that
        the same input makes the same context however long compressing takes.
        """
        if self._work is None or not (wait or self.ready):
            return
        future, before, messages = self._work
        self._work, self._until = None, inf
        done = future.result()
        self.state.settle(done, before, messages)
        account = done.account
        why = next((f"{note.what[6:]}: {note.where}" for note in account.notes if note.what[:5] == "auto:"), "")
        if account.tokens_out < account.tokens_in:
            self._tell(f"compressed {account.tokens_in:,} -> {done.tokens:,} tokens; {why}")
        if done.note:
            self._tell(done.note)

    def finish(self) -> None:
        """Take over what is being compressed, compress what is still to be, and save."""
        self.poll(wait=True)
        while self.state.full and self.state.due:
            self._begin()
            self.poll(wait=True)
        if self.stream.folder:
            self.save()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def context(self, to: str | None = None) -> bytes:
        """The conversation to go on with, in its own format or another."""
        if self.reader.format is None:
            return b""
        self.poll(wait=self.state.full)
        data = self.state.context(self.reader.format)
        return converted(data, self.reader.format, load(to)) if to else data

    def save(self) -> None:
        """Put new messages into the store, then write a checkpoint: a kill between the two makes none twice."""
        self._unsaved = 0
        if self.reader.format is None:
            return
        if self._store is not None and self._fresh:
            where = os.path.basename(self.stream.input)
            with self._store.transaction():
                origin = Origin(self.stream.session, self.stream.user, file=where)
                self._place = self._store.append(origin, self._fresh, self._place)
            self.state.tally.archived += len(self._fresh)
            self._fresh = []
        save(self.stream.folder, self._checkpoint(self.reader.format.INFO.name))

    def _checkpoint(self, format: str) -> Checkpoint:
        state = self.state
        return Checkpoint(
            session=self.stream.session,
            user=self.stream.user,
            input=self.stream.input,
            format=format,
            offset=state.offset,
            digest=state.read.hexdigest(),
            window=state.policy.window,
            tokenizer=self.reader.encoding,
            scorer=LEARNED,
            level=state.reached,
            tokens=state.tokens,
            place=self._place,
            first=state.held.first,
            settled=state.settled,
            names=list(state.held.names),
            cut=sorted(state.held.cut),
            compressed=_text(state.held.lines),
            recent=_text(line for line, _ in state.recent),
            sizes=[tokens for _, tokens in state.recent],
            base=state.base,
            counters=asdict(state.tally),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint. What was read of the input is for the caller to compare."""
        self.reader.format = followed(load(checkpoint.format), checkpoint.input)
        checkpoint.restore(self.state)
        self.reader.bad = self.state.tally.bad
        self._place = checkpoint.place

    def begin(self) -> int:
        """Where to go on in the file that has the path now: behind what was read, if that is what it begins with.

        Else it is another file, and the state begins anew.
        """
        read = beginning(self.stream.input, self.state.offset)
        if read is not None and read.digest() == self.state.read.digest():
            return self.state.offset
        self._tell(f"{self.stream.input} is another file now: it begins anew")
        self.reset()
        return 0

    def reset(self) -> None:
        """Begin anew, as with another file. What the store has stays."""
        if self._work is not None:
            self._work[0].cancel()
            self._work, self._until = None, inf
        if self.stream.folder:
            self.save()
        self.state = State(self.state.policy)
        self.reader = Reader(self.reader.where, self.reader.encoding, self.reader.read_as)
        self._place = 0


def _text(lines: Iterable[bytes]) -> list[str]:
    return [line.decode("utf-8", "surrogateescape") for line in lines]
