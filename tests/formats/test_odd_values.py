"""A record that holds a value of another kind than its format has there is read, or refused with a message."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boildown import registry
from boildown.errors import BoildownError
from boildown.repair import repair
from boildown.run import Job, conversations, reader, run
from boildown.validity import violations
from roundtrip import SAMPLES

ODD: list[Any] = [None, 0, True, -1.5, "", "x", [], {}, [{}], ["x"], {"a": 1}, [None], [[]]]
JSON = sorted(p for p in SAMPLES.iterdir() if p.suffix in (".json", ".jsonl", ".traj"))
FORMATS = ("openai", "anthropic", "claude-code", "codex", "gemini", "sharegpt", "chatgpt", "langchain", "pi")
SOME = 15
"""Edits of each sample in the default run, and those of them that are also cut and converted"""
FEW = 3

Place = tuple[str | int, ...]


def places(value: Any, at: Place = (), kind: Place = ()) -> Iterator[tuple[Place, Place]]:
    """Where the values inside a value are, and the same without the indexes of lists."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inside:
        here = (*kind, key if isinstance(value, dict) else "*")
        yield (*at, key), here
        yield from places(held, (*at, key), here)


def put(value: Any, at: Place, odd: Any) -> Any:
    """`value` with `odd` at one place."""
    if not at:
        return odd
    if isinstance(value, dict):
        return {key: put(held, at[1:], odd) if key == at[0] else held for key, held in value.items()}
    return [put(held, at[1:], odd) if n == at[0] else held for n, held in enumerate(value)]


def edits(sample: Path) -> list[tuple[int, Place, Any]]:
    """A record, a place in it and what to put there: the first place of each kind, and every odd value."""
    first: dict[object, tuple[int, Place]] = {}
    for n, record in enumerate(records(sample)):
        sort = (record.get("type"), record.get("role")) if isinstance(record, dict) and not whole(sample) else ()
        for at, kind in places(record):
            first.setdefault((repr(sort), kind), (n, at))
    return [(n, at, odd) for n, at in first.values() for odd in ODD]


def whole(sample: Path) -> bool:
    return sample.suffix != ".jsonl"


def records(sample: Path) -> list[Any]:
    data = sample.read_bytes()
    return [json.loads(data)] if whole(sample) else [json.loads(line) for line in data.splitlines()]


def edited(sample: Path, n: int, at: Place, odd: Any) -> bytes:
    held = records(sample)
    held[n] = put(held[n], at, odd)
    return b"".join(json.dumps(record).encode() + b"\n" for record in held)


def stand(data: bytes, to: str = "") -> None:
    """A file is read and written back as it was, and without half of it, or it is said what is wrong with it.

    With `to`, it is also cut, and converted to that format.
    """
    try:
        format, plain, _ = reader(data, "the file")
        held = list(conversations(format, plain, "the file"))
    except BoildownError:
        return
    assert b"".join(format.write(held)) == plain
    violations(format, plain)
    repair(format, plain)
    for one in held:
        b"".join(format.write([one.with_messages(one.messages[::2])]))
    cut, converted = Job(registry.parse("window"), "window", ratio=2.0), Job([], "", write_as=to)
    for job in (cut, converted) if to else ():
        try:
            run(data, "the file", job)
        except BoildownError:
            continue


@pytest.mark.parametrize("sample", JSON, ids=lambda path: path.name)
def test_values_of_another_kind_are_read_or_refused(sample: Path) -> None:
    chance = random.Random(sample.name)
    found = edits(sample)
    for number, (n, at, odd) in enumerate(chance.sample(found, min(SOME, len(found)))):
        try:
            stand(edited(sample, n, at, odd), chance.choice(FORMATS) if number < FEW else "")
        except Exception as error:
            error.add_note(f"{sample.name}, record {n + 1}, {'.'.join(map(str, at))} = {odd!r}")
            raise
