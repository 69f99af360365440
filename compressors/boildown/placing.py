"""Where a message that a stage adds may stand: not before the system's, and not between a tool call and its result."""

from __future__ import annotations

from collections.abc import Sequence

from boildown.transcript import Message, groups


def placed(message: Message, kept: Sequence[Message], place: int) -> list[Message]:
    """`kept` with `message` at `place`, an index, or at the nearest one where it may stand."""
    for members in reversed(groups(kept)):
        if members[0] < place <= members[-1]:
            place = members[0]
    while place < len(kept) and kept[place].role == "system":
        place += 1
    return [*kept[:place], message, *kept[place:]]
