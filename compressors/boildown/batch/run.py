"""A batch: what has changed since the last run becomes items, an engine does them, and the journal learns of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from boildown.batch import places, slices
from boildown.batch.cluster import cluster
from boildown.batch.futures import futures
from boildown.batch.inputs import Input
from boildown.batch.items import Item, Result, Todo
from boildown.batch.journal import Entry, Journal
from boildown.batch.output import Output
from boildown.batch.pool import Death, processes
from boildown.batch.sliced import Sliced, Slicer
from boildown.batch.threads import threads
from boildown.batch.work import Work
from boildown.errors import InputError
from boildown.formats import Format
from boildown.provider import model

Engine = Callable[[Work, Iterable[Item]], Iterator[tuple[Item, Result | Death]]]
"""Does items, in any order, wherever it likes; takes them only as it has room"""
Watch = Callable[[int, Result], None]
"""Called with the bytes of the sources that are done, and what became of them: of a file, or of a slice"""


def local(count: int, in_threads: bool = False) -> Engine:
    """Processes on this machine, or threads: to wait for a model, or where files are in this process's memory."""
    if in_threads:
        return lambda work, items: threads(work, items, count)
    return lambda work, items: processes(work, items, count)


def dask(count: int, address: str = "") -> Engine:
    """A Dask cluster: one of `count` processes on this machine, or the one at `address`."""
    return lambda work, items: futures(work, items, lambda: cluster(count, address))


class Batch:
    """Brings the outputs of `inputs` up to date: first `unchanged`, then `results`.

    todo   after `unchanged`, the inputs that have to be read
    force  nothing that was done before counts
    """

    def __init__(self, inputs: Sequence[Input], out: Output, journal: Journal, work: Work, force: bool = False) -> None:
        self.todo: list[Todo] = []
        self._inputs = inputs
        self._out = out
        self._journal = journal
        self._work = work
        self._force = force
        self._settings = work.settings()
        self._under_way: dict[str, Todo] = {}
        self._ready: deque[Result] = deque()
        self._slicer = Slicer(out, journal, self._settings, force)

    def unchanged(self) -> Iterator[Result]:
        """What became before of inputs that need no second look; all others are then in `todo`."""
        for one in self._inputs:
            try:
                stamp = places.stamp(one.source) or (0, "")
            except OSError:
                stamp = (0, "")
            before = None if self._force else self._before(one)
            if before is not None and before.stamp == stamp and before.result.source == one.source:
                yield self._again(before.result)
            else:
                known = before.result.content if before else ""
                self.todo.append(Todo(one, stamp, self._out.target(one.name), known))

    def _before(self, one: Input) -> Entry | None:
        """What is known of an input by these settings; None where its output is not as it was left."""
        found = self._journal.get(one.name)
        if found is None or found.settings != self._settings or (found.result.status == "skipped" and one.named):
            return None
        if found.result.status != "done":
            return found
        with suppress(OSError):
            return found if places.stamp(self._out.target(one.name)) == found.result.stamp else None
        return None

    def _again(self, result: Result) -> Result:
        return replace(result, status="unchanged", seconds=0.0) if result.status == "done" else result

    def results(self, engine: Engine, watch: Watch) -> Iterator[Result]:
        """What becomes of all in `todo`, in the order in which they are done."""
        for item, found in engine(self._work, self._items(watch)):
            result = _lost(item, found) if isinstance(found, Death) else found
            watch(item.weight, result)
            self._settle(item, result)
            while self._ready:
                yield self._ready.popleft()
        yield from self._ready
        self._slicer.clean()

    def _items(self, watch: Watch) -> Iterator[Item]:
        called = self._called()
        for todo in self.todo:
            one = todo.input
            form = self._form(todo)
            if form is not None:
                yield from self._slices(todo, form, watch)
                continue
            self._under_way[one.name] = todo
            yield Item(
                one.name,
                one.source,
                todo.target,
                one.source,
                one.named,
                todo.stamp[0],
                known=todo.known,
                called=called.get(one.name, ""),
            )

    def _called(self) -> dict[str, str]:
        """What the archive calls each output, by the names of all, so that those of one run are those of the next."""
        if not self._work.archive:
            return {}
        from boildown.memory.archiving import distinct

        return distinct([one.name for one in self._inputs])

    def _form(self, todo: Todo) -> Format | None:
        """The format of a file that is done in slices; None where it is done whole."""
        job, path = self._work.job, todo.input.source
        if self._work.archive or model(job.tokenizer) is not None or not slices.is_large(path, todo.stamp[0]):
            return None
        try:
            return slices.form(path, job.read_as, job.write_as)
        except InputError:
            return None  # It is told of where it is read as a whole.

    def _slices(self, todo: Todo, form: Format, watch: Watch) -> Iterator[Item]:
        if todo.known and slices.digest(todo.input.source) == todo.known:
            self._finish(todo, Result(todo.input.source, todo.target, "unchanged", content=todo.known))
            return
        one = Sliced(todo)
        for item, before in self._slicer.items(one, form):
            if before is None:
                yield item
            else:
                watch(item.weight, before)
        self._whole(one)

    def _settle(self, item: Item, result: Result) -> None:
        one = self._slicer.take(item, result)
        if one is not None:
            self._whole(one)
        else:
            self._finish(self._under_way.pop(item.name), result)

    def _whole(self, one: Sliced) -> None:
        """Finish a file of which all slices are done, or one has failed; once."""
        result = self._slicer.whole(one, self._work.staging)
        if result is not None:
            self._finish(one.todo, result)

    def _finish(self, todo: Todo, result: Result) -> None:
        """Note what became of an input, where that would be the same again."""
        name = todo.input.name
        if result.status == "unchanged":
            before = self._journal.get(name)
            assert before is not None
            result = replace(before.result, source=todo.input.source)
            self._journal.put(name, Entry(todo.stamp, self._settings, result))
            self._ready.append(self._again(result))
            return
        offline = self._work.job.model is None
        if result.status in ("done", "skipped") or (result.status == "not met" and offline):
            self._journal.put(name, Entry(todo.stamp, self._settings, result))
        self._ready.append(result)


def _lost(item: Item, death: Death) -> Result:
    why = f"{item.where}: the process that worked on it died, and so did a second one: {death}. Try it by itself."
    return Result(item.source, item.target, "lost", why)
