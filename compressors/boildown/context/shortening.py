"""Making what was found fit: what fits the question best stays whole, what fits less is said in fewer words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from boildown.context.quotation import line
from boildown.context.retrieval import Found
from boildown.pipeline import Context
from boildown.selection import shrink
from boildown.text.pieces import words
from boildown.tokens import Counter
from boildown.transcript import Framing, Message, Rules, Text, Transcript

WHOLE = 0.5
"""The share of the room in which pieces stay whole"""
TIMES = 2.0
"""How many times as many tokens of pieces are taken up as there is room for"""
_TRIES = 6


def fitting(found: Sequence[Found], room: int, counter: Counter, size: Callable[[Sequence[Found]], int]) -> list[Found]:
    """As much of `found`, the best first, as takes up `room` by `size`: some whole, and words of others."""
    sizes = counter.texts(map(line, found))
    whole = _up_to(found, sizes, WHOLE * room)
    held = {id(one) for one in whole}
    rest = [(one, n) for one, n in zip(found, sizes, strict=True) if id(one) not in held]
    more = _up_to([one for one, _ in rest], [n for _, n in rest], (TIMES - WHOLE) * room)
    best, most, aim = list[Found](), -1, room
    for _ in range(_TRIES):
        tried = _shortened(whole, more, aim, counter)
        taken = size(tried) if tried else 0
        if most < taken <= room:
            best, most = tried, taken
        if 0.98 * room <= taken <= room or aim <= 0:
            break
        aim += (room - taken) if taken > room else max((room - taken) * 3 // 4, 1)
    return best


def _up_to(found: Sequence[Found], sizes: Sequence[int], room: float) -> list[Found]:
    taken = list[Found]()
    for one, size in zip(found, sizes, strict=True):
        if size <= room:
            taken.append(one)
            room -= size
    return taken


def _shortened(whole: Sequence[Found], more: Sequence[Found], room: int, counter: Counter) -> list[Found]:
    """`whole`, and `more` in as many words as `room` leaves."""
    some = sorted([*whole, *more], key=lambda one: (one.place, one.part))
    stay = {id(one) for one in whole}
    messages = tuple(
        Message(str(n), one.said.role, (Text(one.text),), one.said.name or None, pinned=id(one) in stay)
        for n, one in enumerate(some)
    )
    counting = Counter(counter.tokenizer, Framing(message=10, name=0))
    short = shrink(Transcript(messages), Context(counting, room, Rules()), words, room)
    return [replace(some[int(m.id)], text=m.text) for m in short.messages]
