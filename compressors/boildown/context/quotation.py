"""The message that quotes what was retrieved: in the order of time, each with where it is from and how well it fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from boildown.context.retrieval import Found
from boildown.transcript import Block, Message, Text

ID = "retrieved"
CLOSE = "[end of what was retrieved]"
HERE = "this conversation"
CUT = "…"
_QUOTATION = re.compile(rf"\[retrieved \d+ earlier [^\n]*\]\n(?s:.*?){re.escape(CLOSE)}\n*")


def quotation(found: Sequence[Found], covers: Sequence[str] = ()) -> Message:
    """The message: the user's, since every consumer takes one from there."""
    many = len({f.place for f in found})
    head = f"[retrieved {many} earlier {'messages' if many > 1 else 'message'}, with scores from 0 to 1]"
    text = "\n".join((head, *_lines(found), CLOSE))
    return Message(ID, "user", (Text(text),), covers=tuple(covers), pinned=True)


def line(found: Found) -> str:
    """About what a piece takes in the message."""
    return f"{_head([found])}{CUT}{found.text}\n"


def _lines(found: Sequence[Found]) -> Iterator[str]:
    ordered = sorted(found, key=lambda f: (f.place, f.part))
    for where, some in groupby(ordered, _where):
        yield f"-- {where}"
        for _, parts in groupby(some, lambda f: f.place):
            held = list(parts)
            yield f"{_head(held)}{_text(held)}"


def _where(found: Found) -> str:
    """The session, and the day where it is known."""
    session = f"session {found.session}" if found.session else HERE
    return ", ".join(filter(None, (session, _day(found.said.time))))


def _day(time: str) -> str:
    return time[:10] if re.match(r"\d{4}-\d\d-\d\d", time) else time


def _head(parts: Sequence[Found]) -> str:
    one = parts[0].said
    return f"{one.id} {max(part.score for part in parts):.2f} {one.name or one.role}: "


def _text(parts: Sequence[Found]) -> str:
    """The pieces of one message, with … where something was left out."""
    said, reached = "", 0
    for part in parts:
        number, many = part.part
        said += ("" if number == reached else f"{CUT} " if not said else f" {CUT} ") + part.text
        reached = number + 1
    return said.strip() + (f" {CUT}" if reached < many else "")


def without(messages: Sequence[Message]) -> list[Message]:
    """`messages` without what was retrieved for an earlier question."""
    left = []
    for message in messages:
        blocks = [_unquoted(block) for block in message.blocks] if message.role == "user" else list(message.blocks)
        if blocks == list(message.blocks):
            left.append(message)
        elif kept := [b for b in blocks if not isinstance(b, Text) or b.text.strip()]:
            left.append(message.with_blocks(kept))
    return left


def _unquoted(block: Block) -> Block:
    return replace(block, text=_QUOTATION.sub("", block.text)) if isinstance(block, Text) else block
