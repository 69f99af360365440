"""A file that is done in slices: its items, those that were done in an earlier run, and the output that they make."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from boildown.batch import places, slices
from boildown.batch.items import Item, Result, Todo
from boildown.batch.journal import Entry, Journal, slice_name
from boildown.batch.output import SLICES, Output
from boildown.errors import BoildownError
from boildown.formats import Format

SUMMED = ("conversations", "messages", "bytes_in", "bytes_out", "tokens_in", "tokens_out", "cut", "seconds")


@dataclass(slots=True)
class Sliced:
    """A file of which `done` slices of `count` are done; with `closed` there are no more.

    total    the figures of those that are done, or what the first that failed said
    content  the hash of the whole content
    """

    todo: Todo
    count: int = 0
    done: int = 0
    closed: bool = False
    ended: bool = False
    content: str = ""
    total: Result | None = None

    def add(self, result: Result) -> None:
        """Note what became of one more slice. After a failure, nothing else counts."""
        self.done += 1
        if self.failed:
            return
        if self.total is None or result.status not in ("done", "unchanged"):
            self.total = replace(result, source=self.todo.input.source, target=self.todo.target)
        else:
            sums = {name: getattr(self.total, name) + getattr(result, name) for name in SUMMED}
            self.total = replace(self.total, **sums)

    @property
    def failed(self) -> bool:
        return self.total is not None and self.total.status not in ("done", "unchanged")


@dataclass(slots=True)
class Slicer:
    """Slices under way, by their names in the journal."""

    out: Output
    journal: Journal
    settings: str
    force: bool
    under_way: dict[str, Sliced] = field(default_factory=dict)

    def items(self, one: Sliced, form: Format) -> Iterator[tuple[Item, Result | None]]:
        """The file's slices, each with what became of it in an earlier run, where that is still there."""
        source, hashed = one.todo.input.source, hashlib.sha256()
        try:
            for piece in slices.cut(source, form):
                if one.failed:
                    break
                hashed.update(piece.data)
                item = self._item(one, piece, form)
                one.count += 1
                before = None if self.force else self._before(item)
                if before is None:
                    self.under_way[item.name] = one
                else:
                    one.add(before)
                yield item, before
        except BoildownError as error:
            one.count += 1
            one.add(Result(source, one.todo.target, "unreadable", str(error)))
        one.closed, one.content = True, hashed.hexdigest()

    def _item(self, one: Sliced, piece: slices.Slice, form: Format) -> Item:
        asked, name = one.todo.input, slice_name(one.todo.input.name, one.count)
        target = places.join(self.out.slices(asked.name), f"{one.count:08}")
        where = f"{asked.source}, from line {piece.line}"
        return Item(
            name, asked.source, target, where, asked.named, piece.weight, data=piece.data, read_as=form.INFO.name
        )

    def _before(self, item: Item) -> Result | None:
        found = self.journal.get(item.name)
        if found is None or found.settings != self.settings or item.data is None:
            return None
        if found.result.content != hashlib.sha256(item.data).hexdigest():
            return None
        return found.result if places.stamp(item.target) == found.result.stamp else None

    def take(self, item: Item, result: Result) -> Sliced | None:
        """The file whose slice `item` is; None where it is none."""
        one = self.under_way.pop(item.name, None)
        if one is not None:
            if result.status == "done":
                self.journal.put(item.name, Entry((result.bytes_in, ""), self.settings, result))
            one.add(result)
        return one

    def whole(self, one: Sliced, staging: str) -> Result | None:
        """What became of the file: None where slices are missing yet, or it was told before."""
        if one.ended or not (one.failed or (one.closed and one.done == one.count)):
            return None
        one.ended = True
        assert one.total is not None
        if one.failed:
            return one.total
        name, target = one.todo.input.name, one.todo.target
        folder = self.out.slices(name)
        try:
            parts = (places.join(folder, f"{n:08}") for n in range(one.count))
            output = places.write_joined(target, parts, staging)
        except BoildownError as error:
            return replace(one.total, status="unreadable", error=str(error))
        self.journal.forget_slices(name)
        places.remove(folder)
        return replace(one.total, status="done", content=one.content, output=output, stamp=places.stamp(target))

    def clean(self) -> None:
        """Remove the folder of slices where there are none: those of a file that failed are taken up again."""
        if not places.is_remote(self.out.folder):
            with suppress(OSError):
                os.rmdir(places.join(self.out.folder, SLICES))
