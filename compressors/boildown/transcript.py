"""Message, Transcript and the blocks: the one thing that flows from format to stage to format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from operator import eq
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody said. `at` is the block's place in its source content, -1 where it has none."""

    text: str
    at: int = -1


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model made. `arguments` is JSON text, as the source has it where it has text."""

    id: str
    name: str
    arguments: str
    at: int = -1


@dataclass(frozen=True, slots=True)
class Opaque:
    """What is carried and never edited: an image, a document, a block of a kind that is not known.

    kind        "image", "document", "audio", or the source's own name for it
    tokens      its size where it is not text
    text        what a model would read of it, counted as text
    media_type  and `data` (base64, or a URL): what an image is, so that another format can be given it
    """

    kind: str
    tokens: int = 0
    text: str = ""
    media_type: str = ""
    data: str = ""
    at: int = -1


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave back to the call with id `call_id`. `media` are its parts that are not text."""

    call_id: str
    text: str
    media: tuple[Opaque, ...] = ()
    is_error: bool = False
    at: int = -1


@dataclass(frozen=True, slots=True)
class Thinking:
    """The model's reasoning. With a `signature` it is whole or absent, never edited."""

    text: str
    signature: str = ""
    at: int = -1


Block = Text | ToolCall | ToolResult | Thinking | Opaque
_SAID = (Text, ToolResult)


Place = tuple[int, int]
"""A block of some messages: message index, block index"""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    id       `m1`, `m2`, ... by place in its conversation; unique there
    role     "system", "user", "assistant" or "tool"; another source role is carried as it is
    name     who speaks, where the source says more than the role
    time     when, as the source wrote it
    covers   ids of the source messages that this one stands for, besides itself
    pinned   must come out as it went in
    records  indexes of its source records in `Source.records`
    note     what the report is to say of it and of those that it stands for
    """

    id: str
    role: str
    blocks: tuple[Block, ...]
    name: str | None = None
    time: str | None = None
    covers: tuple[str, ...] = ()
    pinned: bool = False
    records: tuple[int, ...] = ()
    note: str = ""

    @property
    def text(self) -> str:
        """All that the message says in words, tool results included, a line break between blocks."""
        return "\n".join([b.text for b in self.blocks if isinstance(b, _SAID) and b.text])

    def with_blocks(self, blocks: Iterable[Block]) -> Message:
        # Not `replace`, which takes three times as long: there are many messages.
        blocks, who = tuple(blocks), (self.name, self.time, self.covers, self.pinned, self.records, self.note)
        return Message(self.id, self.role, blocks, *who)


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader met and carried, or the target format cannot say.

    `what` is a kind that can be counted ("bad line"), `where` a place ("line 12"), `why` a sentence.
    """

    what: str
    where: str
    why: str = ""


START, END = "start", "end"


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """A place up to which the consumer is asked to cache the prompt. It is no text and takes no tokens.

    after  the id of the message at whose end it stands, START for the end of the tools and the system text, or END for
           that of the last message
    ttl    how long it lasts: "5m" or "1h"
    """

    after: str
    ttl: str = "5m"


@dataclass(frozen=True, slots=True)
class Redaction:
    """A secret that gave way to a placeholder, in how many places. The secret is shown nowhere."""

    kind: str
    placeholder: str
    secret: str = field(repr=False)
    places: int = 0


@dataclass(frozen=True, slots=True)
class Summarized:
    """How a message came to be that a model wrote.

    id        the message's
    model     its name
    spans     in how many parts the source was summed up
    covered   tokens of the messages that it stands for
    read      tokens of those, and of summaries of them, that the model was sent, answers from before included
    found     lines that said what their source does not say; they were `mended`, or `dropped`
    verbatim  facts that were put beside the lines, word for word
    cut       why spans (a note with `SPAN`), or summaries of them (`SUMMARIES`), were cut offline instead, and which
    """

    SPAN: ClassVar[str] = "cut offline"
    SUMMARIES: ClassVar[str] = "summaries cut offline"

    id: str
    model: str
    spans: int = 0
    covered: int = 0
    read: int = 0
    found: int = 0
    mended: int = 0
    dropped: int = 0
    verbatim: int = 0
    cut: tuple[Note, ...] = ()

    @property
    def spans_cut(self) -> int:
        """How many of the spans were cut offline."""
        return sum(note.what == self.SPAN for note in self.cut)


@dataclass(frozen=True, slots=True)
class Source:
    """What a transcript was read from: all that its format needs to write it back.

    records      the raw bytes of each record, in file order, those that are no message included
    messages     the messages as they were read
    before       raw bytes of the file between the conversation before and this one
    after        raw bytes behind the last conversation of the file
    layout       private to the format
    ahead        what the consumer is shown before the messages and no stage touches: definitions of tools
    breakpoints  those that it has
    """

    format: str
    records: Sequence[bytes]
    messages: tuple[Message, ...]
    before: bytes = b""
    after: bytes = b""
    layout: object = None
    notes: tuple[Note, ...] = ()
    ahead: str = ""
    breakpoints: tuple[Breakpoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """A conversation: its messages in order, where they came from, and breakpoints to put in besides the source's.

    `redactions` are the secrets that stood in it, `summaries` tell of the messages that models wrote, and `archived` is
    what is to be in an archive before this is written.
    """

    messages: tuple[Message, ...]
    source: Source | None = None
    title: str = ""
    breakpoints: tuple[Breakpoint, ...] = ()
    redactions: tuple[Redaction, ...] = ()
    summaries: tuple[Summarized, ...] = ()
    archived: tuple[Message, ...] = ()

    def with_messages(self, messages: Iterable[Message]) -> Transcript:
        return replace(self, messages=tuple(messages))

    def unchanged(self) -> Iterator[tuple[Message, bool]]:
        """Each message, and whether it is as it was read (pins and covers aside)."""
        read = {m.id: m for m in self.source.messages} if self.source else {}
        for message in self.messages:
            was = read.get(message.id)
            yield message, was is not None and was.blocks == message.blocks and was.role == message.role


def works(messages: Iterable[Message]) -> bool:
    """Whether tools are used."""
    return any(isinstance(block, ToolCall | ToolResult) for message in messages for block in message.blocks)


def media(block: Block) -> tuple[Opaque, ...]:
    """The parts of a block that are not text."""
    return block.media if isinstance(block, ToolResult) else (block,) if isinstance(block, Opaque) else ()


def groups(messages: Sequence[Message]) -> list[tuple[int, ...]]:
    """The smallest sets of messages that never part a tool call from its results, as ascending indexes.

    Sets come in the order of their first member. A result belongs to the last call before it with its id.
    """
    leader = list(range(len(messages)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    caller: dict[str, int] = {}
    for i, message in enumerate(messages):
        for block in message.blocks:
            if isinstance(block, Text):
                continue
            if isinstance(block, ToolCall):
                caller[block.id] = i
            elif isinstance(block, ToolResult) and block.call_id in caller:
                a, b = find(caller[block.call_id]), find(i)
                leader[max(a, b)] = min(a, b)
    if all(map(eq, leader, count())):
        return [(i,) for i in leader]
    members: dict[int, list[int]] = {}
    for i in range(len(messages)):
        members.setdefault(find(i), []).append(i)
    return [tuple(m) for m in members.values()]


@dataclass(frozen=True, slots=True)
class Framing:
    """What a format's API charges besides text, in tokens.

    message  each message: role and delimiters        name   a speaker's name, besides the name's own tokens
    block    each tool call, tool result or thinking   reply  once a conversation
    values   tool arguments are shown to the model as bare values, not as JSON text
    """

    message: int = 4
    name: int = 1
    block: int = 3
    reply: int = 0
    values: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a format's consumer demands of an output, besides paired tool calls.

    alternate   two messages of one role (and name) in a row are one message
    user_first  the first message that is not the system's is the user's
    joins       not a demand: neighbours of one role and name that were cut may be one message
    """

    alternate: bool = False
    user_first: bool = False
    joins: bool = False


EVERYTHING = frozenset({"text", "tool call", "tool result", "thinking", "image", "document", "system", "name"})


@dataclass(frozen=True, slots=True)
class FormatInfo:
    """A format's entry for listings: what it is, an example, its costs, its demands, and what it can say.

    plain  a message is bare text, without blanks at its ends and without halves of characters
    """

    name: str
    title: str
    example: str
    framing: Framing = field(default_factory=Framing)
    rules: Rules = field(default_factory=Rules)
    says: frozenset[str] = EVERYTHING
    plain: bool = False
