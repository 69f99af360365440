"""What a conversation is like, in figures: who speaks, what tools said, what is there twice, how small it is to be."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from boildown import registry
from boildown.actions import Kind, actions
from boildown.measure.bench import Case
from boildown.pipeline import Context
from boildown.text.words import LITTLE, WORD, spoken
from boildown.transcript import Message

SAMPLE = 200_000
"""Characters of what people and models said that are looked at for the language"""
SAVERS = ("dedup", "delta")
"""The stages whose saving is measured alone, where nothing else is taken out"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted of a conversation; shares are of its tokens.

    target    tokens that it may take
    roles     messages by role, and `named` the speakers with a name
    kinds     shares of text, tool calls, tool results, thinking and so on
    savings   what each of SAVERS takes out by itself
    reread    files that a tool read more than once
    spoken    languages, by their function words
    """

    tokens: int
    target: int
    roles: dict[str, int]
    named: int
    kinds: dict[str, float]
    savings: dict[str, float]
    reread: int
    spoken: tuple[str, ...]

    @property
    def ratio(self) -> float:
        return self.tokens / self.target

    @property
    def messages(self) -> int:
        return sum(self.roles.values())

    def lines(self) -> Iterator[str]:
        """The figures in words. Nothing that somebody said stands in them."""
        who = ", ".join(f"{count:,} by {role}" for role, count in self.roles.items())
        names = f"; {self.named} name{'s' * (self.named > 1)}" if self.named else ""
        size = f"{self.tokens:,} tokens to become {self.target:,} ({self.ratio:.1f}x)"
        yield f"{self.messages:,} messages ({who}{names}), {size}"
        held = ", ".join(f"{kind} {share:.0%}" for kind, share in self.kinds.items() if share >= 0.005)
        yield f"tokens: {held}"
        files = f"; {self.reread} file{'s' * (self.reread > 1)} read more than once" if self.reread else ""
        twice, versions = (self.savings[name] for name in SAVERS)
        yield f"there twice: dedup alone takes {twice:.1%}; in versions: delta alone takes {versions:.1%}{files}"
        if self.spoken:
            yield f"language: {', '.join(self.spoken)}"


ROLES = frozenset({"system", "user", "assistant", "tool"})
SPEAKERS = frozenset({"user", "assistant"})


def figures(one: Case, target: int) -> Figures:
    """The figures of a conversation that has messages, and is to take `target` tokens."""
    messages, kinds = one.transcript.messages, Tally[str]()
    for (_, kind), tokens in one.counter.by_kind(messages).items():
        kinds[kind] += tokens
    return Figures(
        tokens=one.tokens,
        target=target,
        roles=dict(Tally(m.role if m.role in ROLES else "others" for m in messages).most_common()),
        named=len({m.name for m in messages if m.name and m.role in SPEAKERS}),
        kinds={kind: tokens / one.tokens for kind, tokens in kinds.most_common()},
        savings={name: _saving(name, one) for name in SAVERS},
        reread=_reread(messages),
        spoken=tuple(_spoken(m.text for m in messages if m.role in SPEAKERS)),
    )


def _saving(name: str, one: Case) -> float:
    context = Context(one.counter, 1, one.info.rules, source=one.transcript)
    stage = registry.make(name, {}).stage
    return 1 - context.count(stage(one.transcript, context)) / one.tokens


def _reread(messages: Sequence[Message]) -> int:
    read = Tally(a.file or a.target for a in actions(messages) if a.kind is Kind.READ)
    return sum(times > 1 for times in read.values())


def _spoken(texts: Iterable[str]) -> list[str]:
    said, left = Tally[str](), SAMPLE
    for text in texts:
        said.update(WORD.findall(text[:left].lower()))
        left -= min(left, len(text))
    return spoken(said) if any(said[word] for word in LITTLE) else []
