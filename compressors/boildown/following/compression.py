"""From the lines that are held to fewer: read as a file, compressed by what the window's use asks for, and written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from boildown import registry
from boildown.errors import BudgetError, CostError, ModelError
from boildown.formats import Format
from boildown.formats.convert import convert
from boildown.formats.source import lines as split
from boildown.formats.source import parse
from boildown.pipeline import Named, Pins
from boildown.policy import Policy
from boildown.repair import repair
from boildown.report import ConversationReport
from boildown.run import Job, boil
from boildown.stages.auto import Auto
from boildown.summarizers.calls import Model
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Message, Transcript, groups

_SYSTEM = 0.25
"""The share of the window up to which the system's first messages stay as they are"""
_STANDING = 0.2
"""The share of the window up to which what was compressed last stays as it is, the newest first"""


@dataclass(frozen=True, slots=True)
class Held:
    """Lines that are held, and what is known of the messages in them.

    names  of the messages, in their order; those without one were added since, and are `m1` and on from `first`
    cut    the names of those that were cut the last time that something was
    """

    lines: tuple[bytes, ...] = ()
    names: tuple[str, ...] = ()
    first: int = 1
    cut: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compressed:
    """What is held now: its tokens, and the account of how it came to be. `note` says what a model did not do."""

    held: Held
    tokens: int
    account: ConversationReport
    note: str = ""


@dataclass(frozen=True, slots=True)
class Compressor:
    """Compresses what is held, by `policy`, whose `levels` stand in a file where they are not those of boildown."""

    policy: Policy
    encoding: str
    levels: str = ""
    model: Model | None = None
    redact: bool = True

    def __call__(self, held: Held, format: Format) -> Compressed:
        transcript = named(read(held.lines, format), held)
        counter = Counter(tokenizer(self.encoding), format.INFO.framing)
        pinned = self._pinned(transcript, held.cut, counter)
        try:
            result, account, note = self._boiled(pinned, format, counter)
        except BudgetError:
            result, account, note = self._boiled(transcript, format, counter)
        if account.tokens_out == account.tokens_in:
            same = replace(held, names=tuple(m.id for m in transcript.messages))
            return Compressed(same, account.tokens_in, account, note)
        names = tuple(_names(result.messages, {m.id for m in transcript.messages}))
        lines = bare(b"".join(format.write([result])), format)
        now = read(lines, format).messages
        if len(now) != len(names):  # A consumer's demand took one out or joined two, so that names are of no use.
            names = tuple(f"m{n}" for n in range(1, len(now) + 1))
        cut = frozenset(fate.id for fate in account.messages if fate.fate == "changed")
        return Compressed(Held(lines, names, held.first, cut), counter.total(now), account, note)

    def _boiled(
        self, transcript: Transcript, format: Format, counter: Counter
    ) -> tuple[Transcript, ConversationReport, str]:
        try:
            return *boil(transcript, format.INFO, counter, self._job(self.policy.model)), ""
        except (ModelError, CostError) as error:
            return *boil(transcript, format.INFO, counter, self._job("")), f"cut offline: {error}"

    def _job(self, model: str) -> Job:
        stages = [Named("auto", Auto(self.policy.window, self.levels, model), Auto.REASON)]
        if model and self.redact:
            stages.insert(0, registry.make("redact", {}))
        return Job(stages, "auto", window=self.policy.window, pins=Pins(system=False), model=self.model)

    def _pinned(self, transcript: Transcript, cut: frozenset[str], counter: Counter) -> Transcript:
        """With pins on the system's first messages, and on what was compressed last, as far as there is room."""
        messages, sizes = transcript.messages, counter.messages(transcript.messages)
        first = next((n for n, m in enumerate(messages) if m.role != "system"), len(messages))
        stay = set(range(first)) if sum(sizes[:first]) <= _SYSTEM * self.policy.window else set[int]()
        room = _STANDING * self.policy.window
        for members in reversed(groups(messages)):
            size = sum(sizes[n] for n in members)
            if any(messages[n].id in cut for n in members) and size <= room:
                stay.update(members)
                room -= size
        return transcript.with_messages(replace(m, pinned=n in stay) for n, m in enumerate(messages))


def read(lines: Sequence[bytes], format: Format) -> Transcript:
    """The conversation in some lines; an empty one where there are none."""
    return next(iter(format.read(b"".join(lines)))) if lines else Transcript(())


def named(transcript: Transcript, held: Held) -> Transcript:
    """`transcript` with the names that its messages have in the stream, in which they have gone from long ago."""
    messages = transcript.messages
    later = (f"m{n}" for n in range(held.first, held.first + len(messages)))
    known = held.names if len(held.names) <= len(messages) else ()
    names = (*known, *(next(later) for _ in messages[len(known) :]))
    if len(set(names)) != len(names):
        return transcript
    renamed = tuple(replace(m, id=name) for m, name in zip(messages, names, strict=True))
    source = replace(transcript.source, messages=renamed) if transcript.source else None
    return replace(transcript, messages=renamed, source=source)


def _names(messages: Sequence[Message], known: set[str]) -> Iterator[str]:
    """The names that messages go by from now on: one that was added has that of the first that it stands for."""
    for message in messages:
        yield message.id if message.id in known or not message.covers else message.covers[0]


def bare(data: bytes, format: Format) -> tuple[bytes, ...]:
    """The lines of a file that are messages, mended: what is only carried would grow for ever."""
    records = list(split(data))
    said = {n for m in read(records, format).messages for n in m.records}
    kept = [line for n, line in enumerate(records) if n in said or (format.INFO.name == "codex" and _opens(line))]
    return tuple(split(mended(kept, format)))


def mended(lines: Sequence[bytes], format: Format) -> bytes:
    """The lines as a file that its consumer accepts. OpenAI's rules are about tools: without any, none is broken."""
    data = b"".join(lines)
    sound = not data or (format.INFO.name == "openai" and b"tool" not in data and b"function" not in data)
    return data if sound else repair(format, data).data


def _opens(line: bytes) -> bool:
    """Whether a record of a rollout says what session it is."""
    try:
        value = parse(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and (value.get("type") == "session_meta" or "instructions" in value)


def converted(data: bytes, format: Format, to: Format) -> bytes:
    """A file of one format in another; itself where they are the same."""
    if not data or to.INFO.name == format.INFO.name:
        return data
    sayable, _ = convert(read([data], format), to.INFO)
    return b"".join(to.write([sayable]))
