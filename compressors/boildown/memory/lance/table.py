"""The tables of messages in LanceDB: made, opened, locked, written in one step, and kept in few files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from boildown.archive import database
from boildown.archive.places import is_remote
from boildown.errors import ArchiveError, BoildownError, UsageError

if TYPE_CHECKING:
    import lancedb
    import pyarrow as pa

MESSAGES, VECTORS = "messages", "vectors"
_KIND, _VERSION = b"boildown", b"1"
_LOCK = "lock"
_MANY = 48
"""Files of rows from which on they are written together, so that reading one session stays fast"""
_KEPT = timedelta(minutes=2)
"""How long versions stay that somebody may be reading"""
_TRIES, _TIMEOUT = 8, timedelta(seconds=60)
_HINT = "Check the directory, or the address and the keys of the object storage"
_SOURCES = "/root/.cargo/"
"""Where LanceDB's own sources were when it was built: what comes after that in an error is of no use"""
_LOST = "A file of it is gone. Restore it from a copy, or archive the sources again elsewhere"
Row = Mapping[str, object]


class Table:
    """A table of rows told apart by `key`, of which nothing is there twice, however many write."""

    def __init__(self, table: lancedb.table.Table) -> None:
        self._table = table
        self._schema = table.schema
        self._see()

    def _see(self) -> None:
        self.version: int = self._table.version
        self._size: int = self._table.count_rows()

    @property
    def columns(self) -> list[str]:
        return list(self._schema.names)

    def renew(self) -> None:
        """See what others have written. Until then, all that is read is of one version."""
        self._table.checkout_latest()
        self._see()

    def rows(self, where: str, columns: Sequence[str]) -> pa.Table:
        """The `columns` of the rows for which `where`, a condition in SQL, holds."""
        return self._table.search().where(where).select(list(columns)).to_arrow()

    def holding(self, words: Sequence[str], where: str, columns: Sequence[str]) -> pa.Table:
        """The rows with `words` side by side, among those for which `where` holds, and their `_score` by BM25."""
        from lancedb.query import MatchQuery, PhraseQuery

        query = MatchQuery(words[0], "terms") if len(words) == 1 else PhraseQuery(" ".join(words), "terms")
        asked = self._table.search(query, query_type="fts").where(where, prefilter=True)
        return asked.select([*columns, "_score"]).limit(max(self._size, 1)).to_arrow()

    def count(self, where: str) -> int:
        return int(self._table.count_rows(where))

    def write(self, rows: Sequence[Row], over: bool = False, new: bool = True) -> None:
        """Add `rows` in one step, but for those that are there; with `over`, in their place. Others may write, too.

        new  whether those are added that are not there
        """
        import pyarrow as pa

        data = pa.Table.from_pylist(list(rows), schema=self._schema)
        for left in reversed(range(_TRIES)):
            merge = self._table.merge_insert("key")
            merge = merge.when_not_matched_insert_all() if new else merge
            try:
                (merge.when_matched_update_all() if over else merge).execute(data, timeout=_TIMEOUT)
                break
            except (OSError, RuntimeError, ValueError) as error:
                if not left or not _is_conflict(error):
                    raise
                self._table.checkout_latest()
        self._see()

    def delete(self, where: str) -> None:
        self._table.delete(where)
        self._see()

    def tend(self) -> None:
        """Write many small files together, and index the rest, now and again. What others hinder waits."""
        if self._table.stats()["fragment_stats"]["num_fragments"] >= _MANY:
            with suppress(OSError, RuntimeError, ValueError):
                self._table.optimize(cleanup_older_than=_KEPT)
            self.renew()

    def compact(self, alone: bool) -> None:
        """Have no earlier version left; where nobody else can be writing, `alone`, nor what a kill left behind."""
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that readers of earlier versions fail, which is meant
            self._table.optimize(cleanup_older_than=timedelta(0), delete_unverified=alone)
        self.renew()


def _is_conflict(error: Exception) -> bool:
    text = str(error).lower()
    return "concurrent" in text or "conflict" in text


def check(place: str, address: str, write: bool = False) -> None:
    """Raise ArchiveError where there are no messages to read, UsageError where none may be put, or LanceDB lacks."""
    _lancedb()
    if is_remote(place):
        return
    folder = os.path.dirname(address)
    if os.path.exists(os.path.join(folder, "memory.db")):
        raise UsageError(
            f"--archive {place}: its messages are in SQLite already (memory.db). Name another directory for LanceDB."
        )
    if os.path.isdir(address):
        return
    if not write:
        raise _missing(place, MESSAGES)
    database.check_directory(folder)


def _missing(place: str, name: str) -> ArchiveError:
    return ArchiveError(
        f"--archive {place}: there are no messages to recall (it holds no {name}.lance). "
        "Put some in with 'boildown archive FILE --archive PLACE', or name the place that has them."
    )


def _lancedb() -> Any:
    try:
        import lancedb
    except ImportError:
        raise UsageError(
            "messages in LanceDB need lancedb. Run pip install 'boildown[lance]', or name a directory for SQLite."
        ) from None
    return lancedb


@contextmanager
def connected(place: str, address: str, write: bool = False) -> Iterator[tuple[Table, Table]]:
    """The tables of messages and of vectors; with `write`, made where there are none. Errors become ArchiveError."""
    check(place, address, write)
    with told(place):
        found = _lancedb().connect(address)
        if write:
            with locked(address, is_remote(place)):
                tables = _made(place, found, MESSAGES), _made(place, found, VECTORS)
        else:
            tables = _there(place, found, MESSAGES), _there(place, found, VECTORS)
        yield tables


@contextmanager
def told(place: str) -> Iterator[None]:
    """What LanceDB raises becomes an ArchiveError."""
    try:
        yield
    except BoildownError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        said = " ".join(str(error).partition(_SOURCES)[0].split())[:300].rstrip(" ,.")
        lost = not is_remote(place) and "not found" in said.lower()
        raise ArchiveError(f"the archive in {place}: LanceDB says: {said}. {_LOST if lost else _HINT}.") from error


@contextmanager
def locked(address: str, remote: bool) -> Iterator[None]:
    """No other process writes meanwhile, where there is a lock: not on object storage, and not on Windows."""
    try:
        import fcntl
    except ImportError:
        fcntl = None  # type: ignore[assignment]
    if remote or fcntl is None:
        yield
        return
    os.makedirs(address, exist_ok=True)
    handle = os.open(os.path.join(address, _LOCK), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _there(place: str, found: Any, name: str) -> Table:
    try:
        table = found.open_table(name)
    except (FileNotFoundError, ValueError) as error:
        if "not found" in str(error).lower():
            raise _missing(place, name) from None
        raise
    _check_ours(place, table)
    return Table(table)


def _made(place: str, found: Any, name: str) -> Table:
    """The table of that name, made where there is none; what a kill left half made is made whole."""
    with suppress(ArchiveError):
        table = _there(place, found, name)
        _index(table._table, name)
        return table
    try:
        made = found.create_table(name, schema=_schema(name))
    except (OSError, RuntimeError, ValueError) as error:
        if "exist" not in str(error).lower() and not _is_conflict(error):
            raise
        time.sleep(0.2)
        made = found.open_table(name)
    _index(made, name)
    return Table(made)


def _check_ours(place: str, table: Any) -> None:
    version = (table.schema.metadata or {}).get(_KIND)
    if version is None:
        raise UsageError(f"--archive {place}: another program's tables are there. Name another place.")
    if int(version) > int(_VERSION):
        raise UsageError(f"--archive {place}: a newer boildown made it (schema {int(version)}). Install that version.")


def _schema(name: str) -> pa.Schema:
    import pyarrow as pa

    # The key is what makes two writers of one message write it once. Uncompressed, erased text can be looked for.
    key = pa.field("key", pa.string(), nullable=False, metadata={"lance-schema:unenforced-primary-key": "true"})
    texts = ("owner", "thread", *(("embedder",) if name == VECTORS else ("seat", "user", "session", "topic", "role",
             "name", "time", "called", "source", "file", "text", "terms")))  # fmt: skip
    more = [pa.field("vector", pa.binary())]
    if name == MESSAGES:
        numbers = {"place": pa.int32(), "moment": pa.float64(), "came": pa.int64(), "length": pa.int32()}
        more = [pa.field(called, kind) for called, kind in numbers.items()]
    plain = {"lance-encoding:compression": "none"}
    fields = [key, *(pa.field(one, pa.string(), metadata=plain) for one in texts), *more]
    return pa.schema(fields, metadata={_KIND: _VERSION})


def _index(table: Any, name: str) -> None:
    from lancedb.index import FTS, Bitmap, BTree

    # Terms are put in as the words of SQLite's index are, so nothing is to become of them.
    words = FTS(
        with_position=True,
        base_tokenizer="whitespace",
        max_token_length=None,
        lower_case=False,
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
    )
    wanted = {"key": BTree(), "thread": BTree(), "owner": Bitmap()}
    wanted |= {"seat": BTree(), "place": BTree(), "terms": words} if name == MESSAGES else {}
    for left in reversed(range(_TRIES)):
        there = {column for index in table.list_indices() for column in index.columns}
        try:
            for column in wanted.keys() - there:
                table.create_index(column, config=wanted[column], replace=True)
            return
        except (OSError, RuntimeError, ValueError) as error:  # as where another process makes them, too
            if not left or not _is_conflict(error):
                raise
            time.sleep(0.2)
            table.checkout_latest()
