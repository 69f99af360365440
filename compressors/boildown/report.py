"""What happened to a file, as data that adds up: tokens in are tokens out and what each step took."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from boildown.caching import Caching
from boildown.pipeline import Step
from boildown.summarizers.calls import Spending
from boildown.transcript import Message, Note, Redaction, Summarized, Transcript

SCHEMA = 1


def tool_version() -> str:
    """The installed version of boildown."""
    try:
        return version("boildown")
    except PackageNotFoundError:
        return "0+unknown"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one source message.

    fate    "kept", "changed", "stood for" or "dropped"
    by      the message that stands for it, or the stage that changed or dropped it
    reason  the stage's reason, and what a stage noted of the message; often empty for what is kept
    """

    id: str
    role: str
    fate: str
    tokens_in: int
    tokens_out: int
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Redacted:
    """How many secrets of a kind gave way to placeholders, and in how many places."""

    kind: str
    secrets: int
    places: int


@dataclass(frozen=True, slots=True)
class ConversationReport:
    """One conversation's account. tokens_in - sum(step.before - step.after) == tokens_out, always."""

    title: str
    budget: int
    tokens_in: int
    tokens_out: int
    steps: tuple[Step, ...]
    messages: tuple[Fate, ...]
    notes: tuple[Note, ...] = ()
    cache: Caching | None = None
    redacted: tuple[Redacted, ...] = ()
    summaries: tuple[Summarized, ...] = ()

    def tally(self) -> dict[str, int]:
        """How many messages met each fate."""
        counts = Tally(f.fate for f in self.messages)
        return {fate: counts[fate] for fate in ("kept", "changed", "stood for", "dropped")}


@dataclass(frozen=True, slots=True)
class Archived:
    """Where the source is kept: the archive's directory, and the hashes that the output and the source go by there.

    records  what the source is made of, with what stands between; `new` of them were not in the archive before
    """

    folder: str
    output: str
    source: str
    records: int
    new: int


@dataclass(frozen=True, slots=True)
class Report:
    """A file's account. `schema` is the version of this structure; README documents it.

    spending  what the stages that ask a model took; None where none was asked
    """

    input: str
    output: str
    format_in: str
    format_out: str
    tokenizer: str
    framing: str
    pipeline: str
    conversations: tuple[ConversationReport, ...]
    seconds: float = 0.0
    estimated: int = 0
    archive: Archived | None = None
    spending: Spending | None = None
    schema: int = SCHEMA
    boildown: str = field(default_factory=tool_version)

    @property
    def tokens_in(self) -> int:
        return sum(c.tokens_in for c in self.conversations)

    @property
    def tokens_out(self) -> int:
        return sum(c.tokens_out for c in self.conversations)

    @property
    def ratio(self) -> float:
        """Input tokens / output tokens; 1.0 for an empty file."""
        return self.tokens_in / self.tokens_out if self.tokens_out else 1.0

    @property
    def saving(self) -> float:
        """The share of the input's tokens that is gone, 0 to 1."""
        return 1 - self.tokens_out / self.tokens_in if self.tokens_in else 0.0


def redacted(redactions: Iterable[Redaction]) -> tuple[Redacted, ...]:
    """The redactions of a conversation by kind, without the secrets."""
    secrets, places = Tally[str](), Tally[str]()
    for one in redactions:
        secrets[one.kind] += 1
        places[one.kind] += one.places
    return tuple(Redacted(kind, n, places[kind]) for kind, n in sorted(secrets.items()))


def fates(
    source: Sequence[Message],
    sizes_in: Sequence[int],
    result: Transcript,
    sizes_out: Sequence[int],
    steps: Sequence[Step],
) -> tuple[Fate, ...]:
    """Every source message with what became of it. Raises AssertionError if one vanished without a trace."""
    now = {m.id: (m, n) for m, n in zip(result.messages, sizes_out, strict=True)}
    stands = {i: m.id for m in result.messages for i in m.covers}
    added = {i for step in steps for i in step.added}
    same = {m.id for m in source if m.id in now and now[m.id][0].blocks == m.blocks}
    went = {i: step for step in steps for i in step.dropped}
    edited = {i: step for step in steps for i in (*step.changed, *step.restored)}
    found = []
    for message, tokens in zip(source, sizes_in, strict=True):
        if message.id in now:
            kept, left = now[message.id]
            step = None if message.id in same else edited.get(message.id)
            how = "kept" if message.id in same else "changed"
            fate = Fate(message.id, message.role, how, tokens, left, reason=kept.note)
            if step is not None:
                reason = "; ".join(filter(None, (step.reason, kept.note)))
                fate = Fate(message.id, message.role, "changed", tokens, left, step.name, reason)
        elif message.id in stands:
            by = stands[message.id]
            says = "a kept message says it" if by in same else "a kept message says what is left of it"
            reason = "an added message tells of it" if by in added else now[by][0].note or says
            fate = Fate(message.id, message.role, "stood for", tokens, 0, by, reason)
        else:
            step = went.get(message.id)
            assert step is not None, f"message {message.id} vanished without a trace"
            fate = Fate(message.id, message.role, "dropped", tokens, 0, step.name, step.reason)
        found.append(fate)
    return tuple(found)
