"""boildown's own words inside a message, such as `[masked ...]`: a mark stays as it is or goes with its message.

Two kinds of mark refer to another block of the conversation, and `restore` puts the text back that they stand for:

    [same as Read(src/a.py) below #1a2b3c4d]
    [same as lines 120-180 of the same call above #1a2b3c4d, numbered 120-180]
    [delta from Read(src/a.py) below #1a2b3c4d, numbered 1-80]
    @@ -3,3 +3,4 @@
    ...

A reader finds the other block by the tool's name, what it was called for, and the direction. `restore` finds it by the
beginning of its text's SHA-256, which holds whatever went from between, and however the messages are numbered.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from boildown.text import deltas
from boildown.transcript import Block, Message, Opaque, Place, Text, ToolResult, Transcript

KINDS = ("masked", "stale", "same as", "delta from", "archived", "retrieved")
GONE = "…"

_MARK = re.compile(rf"\[(?:{'|'.join(KINDS)}) ")
_REFERENCE = re.compile(
    r"\[(?:same as|delta from) (?:lines (?P<spans>\d+-\d+(?:, \d+-\d+)*) of )?(?P<what>[^\n]+) (?P<where>above|below)"
    r" #(?P<digest>[0-9a-f]{8})(?:, numbered (?P<first>\d+)-(?P<last>\d+)(?: after (?P<after>\d+))?)?\]"
    r"(?:\n(?P<diff>(?s:.+)))?"
)


def is_mark(text: str) -> bool:
    """Whether a block's text is boildown's own: it begins with a bracket and one of `KINDS`."""
    return text[:1] == "[" and _MARK.match(text) is not None


@dataclass(frozen=True, slots=True)
class Reference:
    """A mark that refers to another block: what it is, where it stands, its digest, and how to make this text of it."""

    what: str
    where: str
    digest: str
    delta: deltas.Delta = deltas.Delta()

    def __str__(self) -> str:
        spans = ", ".join(f"{a}-{b}" for a, b in self.delta.spans)
        numbers, diff = self.delta.numbers, self.delta.diff
        numbered = f", numbered {numbers.first}-{numbers.last}" if numbers else ""
        after = f" after {numbers.after}" if numbers and numbers.after else ""
        kind = "delta from" if diff else "same as"
        of = f"lines {spans} of " if spans else ""
        head = f"[{kind} {of}{self.what} {self.where} #{self.digest}{numbered}{after}]"
        return f"{head}\n{diff}" if diff else head


def digest(text: str) -> str:
    """What a reference calls a block by: eight hexadecimal digits of its text's (or its image's) SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def reference(text: str) -> Reference | None:
    """The reference that a block's text is; None where it is none."""
    found = _REFERENCE.fullmatch(text) if is_mark(text) else None
    if found is None:
        return None
    spans = tuple((int(a), int(b)) for a, b in re.findall(r"(\d+)-(\d+)", found["spans"] or ""))
    numbers = (
        deltas.Numbers(int(found["first"]), int(found["last"]), int(found["after"] or 0)) if found["first"] else None
    )
    return Reference(found["what"], found["where"], found["digest"], deltas.Delta(spans, numbers, found["diff"] or ""))


def restore(transcript: Transcript) -> Transcript:
    """`transcript` with each reference replaced by what it stands for, letter by letter; the others stay."""
    found = _Found(transcript.messages)
    if not found.references:
        return transcript
    return transcript.with_messages(replaced(transcript.messages, found.restored))


def settled(transcript: Transcript, source: Sequence[Message]) -> Transcript:
    """`transcript` without references to what is no longer there, or no longer word for word.

    Such a text becomes `GONE`. Left alone is what is pinned, and what referred to nothing in the `source` already.
    """
    lost = _Found(transcript.messages).lost
    if not lost:
        return transcript
    before = {str(r) for r in _Found(source).lost.values()}
    gone: dict[Place, Block] = {}
    for (i, j), unmet in lost.items():
        block = transcript.messages[i].blocks[j]
        if not transcript.messages[i].pinned and str(unmet) not in before and isinstance(block, Text | ToolResult):
            gone[i, j] = replace(block, text=GONE)
    return transcript.with_messages(replaced(transcript.messages, gone))


def referred(transcript: Transcript) -> set[str]:
    """The digests of what the references of a transcript refer to."""
    return {r.digest for r in _Found(transcript.messages).references.values()}


class _Found:
    """The references of some messages: what each stands for, and those that refer to nothing."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.references = {
            (i, j): found
            for i, message in enumerate(messages)
            for j, block in enumerate(message.blocks)
            if isinstance(block, Text | ToolResult) and (found := reference(block.text)) is not None
        }
        self.restored: dict[Place, Block] = {}
        self.lost = dict(self.references)
        # Round by round, since a block that is restored may be what another refers to.
        known = dict(self._whole(messages)) if self.references else {}
        while made := {
            (i, j): block
            for (i, j), found in self.lost.items()
            if (block := _made(messages[i].blocks[j], found, known.get(found.digest))) is not None
        }:
            self.restored |= made
            self.lost = {place: found for place, found in self.lost.items() if place not in made}
            known |= {digest(b.text): b.text for b in made.values() if isinstance(b, Text | ToolResult)}

    def _whole(self, messages: Sequence[Message]) -> Iterator[tuple[str, str | Opaque]]:
        for i, message in enumerate(messages):
            for j, block in enumerate(message.blocks):
                if isinstance(block, Text | ToolResult) and (i, j) not in self.references:
                    yield digest(block.text), block.text
                for image in block.media if isinstance(block, ToolResult) else [block]:
                    if isinstance(image, Opaque) and image.data:
                        yield digest(image.data), image


def _made(block: Block, found: Reference, base: str | Opaque | None) -> Block | None:
    """What a reference stands for, given what it refers to; None where it cannot be made."""
    if isinstance(base, Opaque):
        if isinstance(block, ToolResult):
            return replace(block, text="", media=(replace(base, at=min(block.at, 0)),))
        return replace(base, at=block.at) if isinstance(block, Text) else None
    if base is None or not isinstance(block, Text | ToolResult):
        return None
    text = deltas.applied(deltas.split(base), found.delta) if found.delta != deltas.Delta() else base
    return None if text is None else replace(block, text=text)


def replaced(messages: Sequence[Message], blocks: Mapping[Place, Block]) -> Iterator[Message]:
    """`messages` with other blocks at some places."""
    held = {i for i, _ in blocks}
    for i, message in enumerate(messages):
        if i not in held:
            yield message
        else:
            yield message.with_blocks(blocks.get((i, j), block) for j, block in enumerate(message.blocks))
