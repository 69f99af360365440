"""Sessions that are broken by small edits of a sample: record by record, by the lines that they have in it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from boildown import formats
from boildown.validity import Violation, violations
from roundtrip import SAMPLES

Records = list[Any]
Damage = Callable[[Records], Any]


def broken(sample: str, damage: Damage) -> bytes:
    """A sample whose records went through `damage`, which changes the list that it gets. Other lines keep their bytes.

    In samples that are one JSON value, the records are its messages.
    """
    data = (SAMPLES / sample).read_bytes()
    if sample.endswith(".json"):
        whole = json.loads(data)
        damage(whole["messages"] if isinstance(whole, dict) else whole)
        return json.dumps(whole, indent=1).encode() + b"\n"
    lines = {json.dumps(json.loads(line)): line for line in data.splitlines(keepends=True)}
    records = [json.loads(line) for line in data.splitlines()]
    damage(records)
    return b"".join(lines.get(text) or text.encode() + b"\n" for text in map(json.dumps, records))


def drop(*lines: int) -> Damage:
    """Without the records on these lines of the sample, counted from 1."""

    def damage(records: Records) -> None:
        for line in sorted(lines, reverse=True):
            del records[line - 1]

    return damage


def move(line: int, behind: int) -> Damage:
    """With the record on `line` behind the one on line `behind`."""
    return lambda records: records.insert(behind - (line < behind), records.pop(line - 1))


def copy(line: int, behind: int) -> Damage:
    """With a second copy of the record on `line` behind the one on line `behind`."""
    return lambda records: records.insert(behind, json.loads(json.dumps(records[line - 1])))


def put(line: int, value: Any, *path: str | int) -> Damage:
    """With `value` at `path` in the record on `line`."""

    def damage(records: Records) -> None:
        place = records[line - 1]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return damage


def both(*damages: Damage) -> Damage:
    return lambda records: [damage(records) for damage in damages]


def shaken(seed: int) -> Damage:
    """With some records lost, doubled, or in another place, the header's excepted."""

    def damage(records: Records) -> None:
        chance = random.Random(seed)
        for _ in range(chance.randint(1, 5)):
            place, other = chance.randrange(1, len(records)), chance.randrange(1, len(records))
            chance.choice([drop(place + 1), copy(place + 1, other), move(place + 1, other)])(records)

    return damage


def found(name: str, data: bytes) -> list[tuple[int, str]]:
    """(line, rule) of what is wrong."""
    return [(v.line, v.rule) for v in wrong(name, data)]


def wrong(name: str, data: bytes) -> list[Violation]:
    return violations(formats.load(name), data)
