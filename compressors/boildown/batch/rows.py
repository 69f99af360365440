"""The report of a batch, a row a file, written as the files are done: JSON lines, CSV or Parquet by its ending."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, BinaryIO
from uuid import uuid4

from boildown.batch.items import Result
from boildown.errors import BoildownError, UsageError

COLUMNS = (*(f.name for f in fields(Result) if f.name != "stamp"), "saving")
ROWS_AT_ONCE = 1000
Add = Callable[[Result], None]


def ending(path: str) -> str:
    """The kind of report that a file's name asks for. Raises UsageError where it asks for none, or one is missing."""
    found = os.path.splitext(path)[1].lower()
    if found not in WRITERS:
        raise UsageError(f"--report {path}: rows are written as {', '.join(WRITERS)}. Let the name end in one.")
    if found == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise UsageError(
                f"--report {path}: Parquet needs pyarrow. Install it with: pip install 'boildown[parquet]'."
            ) from None
    return found


@contextmanager
def written(path: str | None) -> Iterator[Add]:
    """Takes the rows of the report at `path`, which takes its name when all are written, also where the run ends early.

    Without a path they go nowhere.
    """
    if path is None:
        yield lambda result: None
        return
    beside = f"{os.path.join(os.path.dirname(path), '.')}{os.path.basename(path)}.{uuid4().hex}"
    try:
        with open(beside, "xb") as file:
            rows = WRITERS[ending(path)](file)
            next(rows)
            try:
                yield lambda result: rows.send(_row(result))
            finally:
                rows.close()
        os.replace(beside, path)
    except OSError as error:
        raise BoildownError(f"--report {path}: it cannot be written: {error.strerror or error}.") from None
    finally:
        if os.path.exists(beside):
            os.replace(beside, path)


def _row(result: Result) -> dict[str, Any]:
    return {name: getattr(result, name) for name in COLUMNS}


Rows = Iterator[None]


def _json_lines(file: BinaryIO) -> Any:
    import orjson

    while True:
        row = yield
        try:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        except TypeError:  # A name may hold bytes that are no UTF-8.
            import json

            file.write(json.dumps(row).encode() + b"\n")


def _csv(file: BinaryIO) -> Any:
    text = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="")
    rows = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    rows.writeheader()
    try:
        while True:
            rows.writerow((yield))
    finally:
        text.flush()
        text.detach()


def _parquet(file: BinaryIO) -> Any:
    import pyarrow
    import pyarrow.parquet

    kinds = {"str": pyarrow.string(), "Status": pyarrow.string(), "int": pyarrow.int64(), "float": pyarrow.float64()}
    types = {f.name: kinds[str(f.type)] for f in fields(Result) if f.name != "stamp"} | {"saving": pyarrow.float64()}
    schema = pyarrow.schema([(name, types[name]) for name in COLUMNS])
    held: list[dict[str, Any]] = []
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        try:
            while True:
                row = yield
                held.append({k: _sound(v) for k, v in row.items()})
                if len(held) == ROWS_AT_ONCE:
                    writer.write_table(pyarrow.Table.from_pylist(held, schema))
                    held = []
        finally:
            writer.write_table(pyarrow.Table.from_pylist(held, schema))


def _sound(value: object) -> object:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


WRITERS: dict[str, Callable[[BinaryIO], Any]] = {".jsonl": _json_lines, ".csv": _csv, ".parquet": _parquet}
