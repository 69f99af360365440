"""What `dedup` and `delta` share: which blocks may become references, what those are called, and which ones pay."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from boildown.actions import arguments
from boildown.marks import Reference, digest, is_mark, reference, replaced
from boildown.pipeline import Context
from boildown.text.deltas import Delta
from boildown.transcript import Block, Message, Opaque, Place, Text, ToolCall, ToolResult, Transcript

LEAST_CHARACTERS = 80
LEAST_SAVED = 24
LEAST_GAIN = 1.0
LONGEST_NAME = 60
MAIN = ("file_path", "path", "notebook_path", "command", "cmd", "pattern", "query", "url")
"""Arguments that tell best what a call was for; where a call has none of them, its first text does."""

WHOLE = Delta()

Savings = dict[Place, tuple[Block, int]]
"""What may stand in a block's place, and the tokens that it saves"""


@dataclass(frozen=True, slots=True)
class Part:
    """A block that may be referred to.

    image  what it shows, if it is no text            name  what it is called: a result by its call
    free   whether it may become a reference itself
    """

    place: Place
    block: Text | ToolResult | Opaque
    image: Opaque | None
    name: str
    free: bool

    @property
    def said(self) -> bool:
        """Whether somebody said it, and no tool."""
        return not isinstance(self.block, ToolResult)

    @property
    def content(self) -> str:
        return self.image.data if self.image else self.block.text

    def refer(self, base: Part, change: Delta = WHOLE) -> Block:
        """The block with a reference to `base` for its content."""
        name = "the same call" if self.name == base.name and not base.said else base.name
        where = "above" if base.place < self.place else "below"
        mark = str(Reference(name, where, digest(base.content), change))
        if isinstance(self.block, ToolResult):
            return replace(self.block, text=mark, media=() if self.image else self.block.media)
        return Text(mark, self.block.at)

    def saves(self, mark: Block, context: Context) -> int:
        """Tokens that `mark` saves in the block's place; 0 where they are not worth it, or the mark cannot be read."""
        new = mark.text if isinstance(mark, Text | ToolResult) else ""
        before, after = context.counter.texts([self.block.text, new])
        saved = before + (self.image.tokens if self.image else 0) - after
        return saved if saved >= max(LEAST_SAVED, after * LEAST_GAIN) and reference(new) is not None else 0


def parts(messages: Sequence[Message], context: Context) -> list[Part]:
    """The texts that are long enough to be worth a reference, the images and the documents, in order."""
    return list(_parts(messages, context))


def _parts(messages: Sequence[Message], context: Context) -> Iterator[Part]:
    names: dict[str, str] = {}
    for i, message in enumerate(messages):
        # Messages of words alone that may be written as one: a mark would stand among other words there.
        joined = context.rules.alternate and all(isinstance(b, Text) for b in message.blocks)
        free = not message.pinned and not joined
        for j, block in enumerate(message.blocks):
            if isinstance(block, ToolCall):
                names[block.id] = called(block)
            elif isinstance(block, Text | ToolResult) and len(block.text) >= LEAST_CHARACTERS:
                if not is_mark(block.text):
                    name = f"the {message.role}'s text"
                    if isinstance(block, ToolResult):
                        name = names.get(block.call_id, "a tool's result")
                    yield Part((i, j), block, None, name, free)
            elif isinstance(block, ToolResult | Opaque) and (image := _image(block)) is not None:
                yield Part((i, j), block, image, f"the {image.kind}", free)


def _image(block: ToolResult | Opaque) -> Opaque | None:
    """The image or document that a block is, or that is all of a result."""
    if isinstance(block, ToolResult):
        alone = len(block.media) == 1 and not block.text and block.media[0].at == min(block.at, 0)
        return _image(block.media[0]) if alone else None
    return block if block.kind in ("image", "document") and block.data else None


def called(call: ToolCall) -> str:
    """A call in a few words, each of them whole: `Read(src/a.py)`."""
    given = arguments(call)
    if isinstance(given, dict):
        given = next((given[key] for key in (*MAIN, *given) if isinstance(given.get(key), str)), "")
    words = given.partition("\n")[0].split() if isinstance(given, str) else []
    shown = words[:1]
    for word in words[1:]:
        if len(" ".join(shown)) + len(word) > LONGEST_NAME:
            shown.append("…")
            break
        shown.append(word)
    return f"{' '.join(call.name.split())}({' '.join(shown)})"


def copies(found: Sequence[Part]) -> Iterator[tuple[Part, Part]]:
    """(copy, the part that stays whole) for parts of the same content.

    What is pinned stays; else the first that somebody said, for it was discussed there; else the newest result, for an
    agent works with what it read last.
    """
    alike: dict[tuple[str, bool], list[Part]] = defaultdict(list)
    for part in found:
        alike[part.content, part.image is None].append(part)
    for held in alike.values():
        pinned, said = (p for p in held if not p.free), (p for p in held if p.said)
        kept = next(pinned, None) or next(said, held[-1])
        yield from ((p, kept) for p in held if p is not kept and p.free)


def refer(transcript: Transcript, context: Context, savings: Savings) -> Transcript:
    """References put in until the target is met: those that save most first, so that few messages are changed.

    The last one is the least that suffices, so that no room is left unused.
    """
    by_size = sorted(savings.items(), key=lambda item: (item[1][1], item[0]))
    left, chosen = context.count(transcript), dict[Place, Block]()
    while by_size and left > context.target:
        enough = bisect_left(by_size, left - context.target, key=lambda item: item[1][1])
        place, (block, saved) = by_size.pop(min(enough, len(by_size) - 1))
        chosen[place] = block
        left -= saved
    return transcript.with_messages(replaced(transcript.messages, chosen)) if chosen else transcript
