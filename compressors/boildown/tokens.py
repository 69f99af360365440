"""Counting tokens: offline, each distinct text once."""

from __future__ import annotations

import json
import os
import re
from codecs import getincrementaldecoder
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol, assert_never

from boildown.errors import UsageError
from boildown.transcript import Block, Framing, Message, Opaque, Text, Thinking, ToolCall, ToolResult

if TYPE_CHECKING:
    from tiktoken import Encoding


class Tokenizer(Protocol):
    """What turns text into tokens. Any text is accepted, lone surrogates and special tokens' names included."""

    name: str

    def count(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text."""

    def split(self, text: str) -> list[str]:
        """The text of each token. A character made of several tokens stands at the last, the others are empty."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What tiktoken's constructors hold besides the ranks; they cannot be asked, for they download."""

    pattern: str
    special: dict[str, int]


VOCABULARIES = {
    "o200k_base": Vocabulary(
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    ),
    "cl100k_base": Vocabulary(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
}


@lru_cache
def tokenizer(name: str = "o200k_base", *, fast: bool | None = None) -> Tokenizer:
    """The tokenizer of that name: toktok-rs where it is installed (`fast` demands or refuses it), else tiktoken.

    Raises UsageError for a name that is not known. Ranks are loaded at the first count.
    """
    if name.partition(":")[0] == "anthropic":
        raise UsageError(
            f"{name} counts whole conversations, in 'compress', 'count' and 'check'; here parts are counted. "
            f"Choose one of: --tokenizer {', '.join(VOCABULARIES)}."
        )
    if name not in VOCABULARIES:
        raise UsageError(f"unknown tokenizer {name!r}. Choose one of: {', '.join(VOCABULARIES)}.")
    if fast is False:
        return Tiktoken(name)
    try:
        return Toktok(name)
    except ImportError:
        if fast:
            raise UsageError("toktok-rs is not installed. Install it with: pip install 'boildown[fast]'.") from None
        return Tiktoken(name)


class Tiktoken:
    """OpenAI's tiktoken on the ranks that lie in this package."""

    def __init__(self, encoding: str) -> None:
        self.name = f"{encoding} ({_release('tiktoken')})"
        self._name = encoding

    @cached_property
    def _encoding(self) -> Encoding:
        return encoding(self._name)

    def count(self, texts: Sequence[str]) -> list[int]:
        return _in_pieces(texts, self._lengths)

    def split(self, text: str) -> list[str]:
        encoding, decoder = self._encoding, getincrementaldecoder("utf-8")()
        tokens = [token for piece in pieces(text) for token in encoding.encode_ordinary(piece)]
        return [decoder.decode(token) for token in encoding.decode_tokens_bytes(tokens)]

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        encode = self._encoding.encode_ordinary

        def lengths(chunk: Sequence[str]) -> list[int]:
            return [len(encode(text)) for text in chunk]

        chunks = list(_chunks(texts))
        if min(len(chunks), _WORKERS) < 2:
            return lengths(texts)
        from concurrent.futures import ThreadPoolExecutor

        # Not `encode_ordinary_batch`: its one future a text costs more than the second thread gives.
        with ThreadPoolExecutor(_WORKERS) as pool:
            return [n for part in pool.map(lengths, chunks) for n in part]


class Toktok:
    """toktok-rs, `boildown[fast]`: the same counts, some ten times faster, its ranks compiled in.

    Raises ImportError where it is not installed.
    """

    def __init__(self, encoding: str) -> None:
        self._batch_count: Callable[[list[str], str], list[int]] = import_module("toktok").batch_count
        self.name = f"{encoding} ({_release('toktok-rs')})"
        self._name = encoding

    @cached_property
    def _slow(self) -> Tiktoken:
        return Tiktoken(self._name)

    def count(self, texts: Sequence[str]) -> list[int]:
        return _in_pieces(texts, self._lengths)

    def split(self, text: str) -> list[str]:
        # toktok counts without making tokens, and its way to the tokens is private.
        return self._slow.split(text)

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        try:
            return self._batch_count(list(texts), self._name)
        except UnicodeEncodeError:
            return self._batch_count([_whole_characters(text) for text in texts], self._name)


def _release(distribution: str) -> str:
    from importlib.metadata import version

    return f"{distribution} {version(distribution)}"


def encoding(name: str) -> Encoding:
    """A tiktoken encoding that needs neither network nor cache."""
    from importlib.resources import files

    from tiktoken import Encoding

    vocabulary = VOCABULARIES[name]
    ranks = unpack((files("boildown") / "ranks" / f"{name}.xz").read_bytes())
    return Encoding(name, pat_str=vocabulary.pattern, mergeable_ranks=ranks, special_tokens=vocabulary.special)


def unpack(packed: bytes) -> dict[bytes, int]:
    """Tokens to ranks, from what `scripts/pack_ranks.py` made.

    Inside the xz: the number of tokens (4 bytes, big-endian), the length of each (1 byte), the tokens; by rank.
    """
    import lzma

    data = lzma.decompress(packed)
    start = 4 + int.from_bytes(data[:4], "big")
    bounds = accumulate(data[4:start], initial=start)
    return {data[begin:end]: rank for rank, (begin, end) in enumerate(pairwise(bounds))}


# Where the count of a text is the sum of the counts of its parts: both patterns always end a token there.
_SEAM = re.compile(r"\n[^\s/]|[A-Za-z] [A-Za-z]")
_PIECE = 1 << 16
# tiktoken's regex engine overflows its stack in 700,000 to 1,000,000 blanks in a row, with a panic that is no
# Exception. Runs below this many are never cut, none is left above twice as many.
_BLANKS = 100_000
_CHUNK = 1 << 18
# On two cores two threads took 0.6 to 0.7 of one thread's time; more were not measured to help.
_WORKERS = min(2, os.cpu_count() or 1)


def pieces(text: str) -> list[str]:
    """The text in parts that can be counted one by one: no sum differs unless `is_estimated(text)`."""
    if len(text) <= _PIECE:
        return [text]
    cuts = sorted({*_seams(text), *_blank_cuts(text)})
    return [text[start:end] for start, end in pairwise((0, *cuts, len(text)))]


def is_estimated(text: str) -> bool:
    """Whether the text has a run of blanks that had to be cut, so that its count may be off by a few tokens."""
    return next(_blank_cuts(text), None) is not None


def _seams(text: str) -> Iterator[int]:
    place = 0
    while (match := _SEAM.search(text, place + _PIECE)) is not None:
        place = match.start() + 1
        yield place


def _blank_cuts(text: str) -> Iterator[int]:
    for place in range(_BLANKS, len(text) - _BLANKS + 1, _BLANKS):
        if text[place].isspace() and text[place : place + _BLANKS].isspace():
            yield place


def _in_pieces(texts: Sequence[str], lengths: Callable[[Sequence[str]], list[int]]) -> list[int]:
    if max(map(len, texts), default=0) <= _PIECE:
        return lengths(texts)
    parts = [pieces(text) for text in texts]
    counts = iter(lengths([piece for part in parts for piece in part]))
    return [sum(islice(counts, len(part))) for part in parts]


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Neighbouring texts of about _CHUNK characters together."""
    start = size = 0
    for end, text in enumerate(texts, 1):
        size += len(text)
        if size >= _CHUNK:
            yield texts[start:end]
            start, size = end, 0
    if start < len(texts):
        yield texts[start:]


def _whole_characters(text: str) -> str:
    """Surrogate pairs made one character and lone surrogates replaced, as tiktoken does."""
    try:
        text.encode()
        return text
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Charge(NamedTuple):
    """One part of what a message costs: `tokens`, and those of `text`."""

    kind: str
    tokens: int
    text: str = ""


class Counter:
    """Counts messages by what a format's API charges; each distinct text is encoded once.

    Attribute `estimated`: the number of distinct texts so far whose count may be off by a few tokens.
    """

    def __init__(self, tokenizer: Tokenizer, framing: Framing) -> None:
        self.tokenizer = tokenizer
        self.framing = framing
        self.estimated = 0
        self._known = {"": 0}
        # By identity, for hashing a message costs as much as adding it up; each is held, so that its id stays its own.
        self._sizes: dict[int, int] = {}
        self._held: list[Message] = []
        self._values: dict[str, str] = {}

    def texts(self, texts: Iterable[str]) -> list[int]:
        """Tokens of each text, without any framing."""
        texts = list(texts)
        known = self._known
        missing = list(dict.fromkeys([text for text in texts if text not in known]))
        if missing:
            known.update(zip(missing, self.tokenizer.count(missing), strict=True))
            self.estimated += sum([is_estimated(text) for text in missing if len(text) > _PIECE])
        return list(map(known.__getitem__, texts))

    def messages(self, messages: Sequence[Message]) -> list[int]:
        """Tokens of each message, framing included."""
        sizes = self._sizes
        missing = [message for message in messages if id(message) not in sizes]
        if missing:
            charges = [list(self._charges(message)) for message in missing]
            counts = iter(self.texts([charge.text for part in charges for charge in part]))
            for message, part in zip(missing, charges, strict=True):
                sizes[id(message)] = sum([charge.tokens + next(counts) for charge in part])
            self._held += missing
        return list(map(sizes.__getitem__, map(id, messages)))

    def total(self, messages: Sequence[Message]) -> int:
        """Tokens of a conversation: its messages and what is charged once; 0 where there are none."""
        return sum(self.messages(messages)) + self.framing.reply if messages else 0

    def forget(self) -> None:
        """Let go of what was counted, so that a file of many conversations takes the memory of the largest."""
        self._known = {"": 0}
        self._sizes.clear()
        self._held.clear()
        self._values.clear()

    def by_kind(self, messages: Sequence[Message]) -> dict[tuple[str, str], int]:
        """Tokens by role and kind; their sum is `total`.

        Kinds: text, tool call, tool result, thinking, image, other, framing. A speaker's name is framing, and so is
        what is charged once, which stands with the assistant.
        """
        charges = [(message.role, charge) for message in messages for charge in self._charges(message)]
        counts = self.texts(charge.text for _, charge in charges)
        tally = Tally({("assistant", "framing"): self.framing.reply if messages else 0})
        for (role, charge), count in zip(charges, counts, strict=True):
            tally[role, charge.kind] += charge.tokens + count
        return {key: tokens for key, tokens in tally.items() if tokens}

    def _charges(self, message: Message) -> Iterator[Charge]:
        yield Charge("framing", self.framing.message)
        if message.name:
            yield Charge("framing", self.framing.name, message.name)
        for block in message.blocks:
            yield from self._block(block)

    def _block(self, block: Block) -> Iterator[Charge]:
        match block:
            case Text():
                yield Charge("text", 0, block.text)
            case ToolCall():
                yield Charge("framing", self.framing.block)
                yield Charge("tool call", 0, block.name)
                yield Charge("tool call", 0, self._shown(block.arguments))
            case ToolResult():
                yield Charge("framing", self.framing.block)
                yield Charge("tool result", 0, block.text)
                for part in block.media:
                    yield from self._block(part)
            case Thinking():
                yield Charge("framing", self.framing.block)
                yield Charge("thinking", 0, block.text)
            case Opaque():
                yield Charge("image", block.tokens)
                yield Charge("other", 0, block.text)
            case _:
                assert_never(block)

    def _shown(self, arguments: str) -> str:
        """The arguments as the model sees them."""
        if not self.framing.values:
            return arguments
        if arguments not in self._values:
            self._values[arguments] = bare_values(arguments)
        return self._values[arguments]


def bare_values(arguments: str) -> str:
    """The values of a JSON object or array, a line each, without keys; other text as it is."""
    if not arguments.lstrip().startswith(("{", "[")):
        return arguments
    try:
        # Pairs, because a key may come twice; numbers as they were written.
        tree = json.loads(
            arguments,
            object_pairs_hook=lambda pairs: [value for _, value in pairs],
            parse_int=str,
            parse_float=str,
            parse_constant=str,
        )
        return "\n".join(_leaves(tree))
    except (ValueError, RecursionError):
        return arguments


def _leaves(tree: object) -> Iterator[str]:
    if isinstance(tree, list):
        for item in tree:
            yield from _leaves(item)
    else:
        yield tree if isinstance(tree, str) else json.dumps(tree)
