"""What a message is told by in any store, and where a new one stands among those of its session."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import log

from boildown.memory.messages import Said


def writable(text: str) -> str:
    """`text` without halves of characters, which no store can hold."""
    return text.encode("utf-8", "replace").decode()


def clean(said: Said) -> Said:
    """A message with writable texts only."""
    texts = (said.role, said.name, said.time, said.text)
    if all(text.isascii() for text in texts):
        return said
    role, name, time, text = map(writable, texts)
    return replace(said, role=role, name=name, time=time, text=text)


def told(said: Said) -> bytes:
    """A hash of all that a message says: 16 bytes."""
    return hashlib.sha256("\0".join((said.role, said.name, said.time, said.text)).encode()).digest()[:16]


def keys(said: Sequence[Said]) -> Iterator[bytes]:
    """What each message is told by: all that it says, and how many equal ones came before it. 20 bytes."""
    often: Counter[bytes] = Counter()
    for one in said:
        name = told(one)
        yield name + often[name].to_bytes(4)
        often[name] += 1


def placed(keys: Sequence[bytes], known: Mapping[bytes, int]) -> list[tuple[int, int, bytes]]:
    """The new ones of `keys`: the place that each comes after, -1 for none, its index and itself; in the new order."""
    after = -1 if any(key in known for key in keys) else len(known) - 1
    fresh = []
    for i, key in enumerate(keys):
        if key in known:
            after = known[key]
        else:
            fresh.append((after, i, key))
    return sorted(fresh, key=lambda one: one[0])


def idf(messages: int, holding: int) -> float:
    """How telling a word is that so many of the messages hold: the formula of SQLite's bm25()."""
    return max(log((messages - holding + 0.5) / (holding + 0.5)), 1e-6)
