"""Putting a conversation together again from its records, some of them gone, changed, moved or new."""

from __future__ import annotations

from dataclasses import dataclass, field

from boildown.formats.layout import Frame
from boildown.transcript import Source


@dataclass(slots=True)
class Edit:
    """What becomes of records.

    gone     left out              moved  record -> the record that it comes to stand behind
    changed  record -> its bytes   new    record -> the bytes of records to stand behind it
    """

    gone: set[int] = field(default_factory=set)
    changed: dict[int, bytes] = field(default_factory=dict)
    moved: dict[int, int] = field(default_factory=dict)
    new: dict[int, list[bytes]] = field(default_factory=dict)


def rebuilt(source: Source, frame: Frame, edit: Edit) -> bytes:
    """The conversation's part of its file. Records that the edit does not name keep their bytes."""
    behind: dict[int, list[int]] = {}
    for record, leader in sorted(edit.moved.items()):
        behind.setdefault(leader, []).append(record)
    items: list[tuple[int, bytes]] = []
    for record in range(len(source.records)):
        if record in edit.moved:
            continue
        waiting = [record]
        while waiting:
            place = waiting.pop(0)
            if place not in edit.gone:
                items.append((place, edit.changed.get(place, source.records[place])))
            items += [(-1, made) for made in edit.new.get(place, ())]
            waiting = behind.get(place, []) + waiting
    return source.before + frame.join(items) + source.after
