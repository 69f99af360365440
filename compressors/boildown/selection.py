"""Choosing pieces under a budget: by marginal worth per token, what a message costs to open included.

The choice maximizes worth - price x tokens over all sets of pieces, where a group of messages that holds any piece pays
for its framing as well: a Lagrangian relaxation of the knapsack problem (Everett 1963). For a price the best set is
found group by group; the price is found by bisection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import TYPE_CHECKING

from boildown.joining import Joining
from boildown.pipeline import Context
from boildown.scoring.choice import LEARNED, chosen, scored
from boildown.scoring.scorer import Scorer
from boildown.table import Table, table
from boildown.text.pieces import Cutter
from boildown.transcript import Message, Text, ToolResult, Transcript, groups
from boildown.worth import worth
from boildown.written import NOTHING, Writing

if TYPE_CHECKING:
    from boildown.arrays import Bools, Floats, Ints

MOST_DRAFTS = 8
MANY = 64
SLACK = 0.01
NEARLY = 0.995
TIES = 0.01


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be chosen: P pieces in G groups.

    group      (P,) the group of each piece            worth, cost   (P,) its worth, its tokens
    fixed      (G,) tokens that a group costs once      value         (G,) worth that comes with those
    """

    group: Ints
    worth: Floats
    cost: Floats
    fixed: Floats
    value: Floats

    def choose(self, price: float) -> tuple[Bools, Bools]:
        """(P,) the pieces worth their tokens at `price` a token, and (G,) the groups that are worth opening."""
        import numpy as np

        gain = self.worth - price * self.cost
        total = np.bincount(self.group, np.maximum(gain, 0.0), len(self.fixed)) + self.value - price * self.fixed
        opened = total > 0
        return (gain > 0) & opened[self.group], opened

    def up_to(self, largest: float) -> Offer:
        """The offer without what costs more than `largest` tokens; of pieces that are worth the same, the first first.

        Without that order a price takes all of them or none, and words of one short text are often worth the same.
        """
        import numpy as np

        order = np.linspace(1.0, 1.0 - TIES, len(self.worth))
        return replace(self, worth=np.where(self.cost > largest, 0.0, self.worth * order))

    def tokens(self, price: float) -> float:
        """What the choice at `price` costs."""
        chosen, opened = self.choose(price)
        return float(self.cost[chosen].sum() + self.fixed[opened].sum())

    def price(self, room: float, known: dict[float, float] | None = None) -> float:
        """The lowest price, within a thousandth, at which the choice costs at most `room` tokens.

        `known` holds what the choice costs at the prices that were tried before.
        """
        known = {} if known is None else known

        def dear(price: float) -> bool:
            if price not in known:
                known[price] = self.tokens(price)
            return known[price] > room

        low, high = 0.0, 1e-9
        while high < 1e12 and dear(high):
            low, high = high, high * 8
        while low and high - low > 1e-3 * high:
            middle = (low + high) / 2
            low, high = (middle, high) if dear(middle) else (low, middle)
        return high


def shrink(
    transcript: Transcript,
    context: Context,
    cut: Cutter,
    room: int,
    largest: float = float("inf"),
    scorer: str = LEARNED,
) -> Transcript:
    """Take out the pieces that are worth least until the transcript costs at most `room` tokens, and nearly all of it.

    Pieces of more than `largest` tokens are not kept: where one is, the rest cannot fill the room that it leaves.
    Pieces cost other tokens in a row than alone, so two choices are counted exactly, one that fits and one that does
    not quite; the newest groups then take the larger choice for as long as the room allows.
    """
    cutting = context.again((cut, scorer), transcript.messages, lambda: _Cutting.of(transcript, context, cut, scorer))
    if cutting is None or context.count(transcript) <= room:
        return transcript
    free = room - cutting.taken
    if free <= 0:
        return cutting.build(lambda g: ())
    cutting.offer, cutting.known = cutting.whole.up_to(min(free, largest)), {}
    tight, loose = cutting.bracket(free)
    filled = cutting.filled(tight, loose, free)
    return cutting.build(lambda g: filled.get(g, ()))


Draft = dict[int, tuple[Message, ...]]
"""The messages of each group that is kept, as they would be written"""


class _Cutting:
    """One transcript being cut: its table, its groups, and drafts of it at different prices."""

    def __init__(self, transcript: Transcript, context: Context, found: Table, scorer: str) -> None:
        import numpy as np

        self.transcript, self.context, self.found, self.scorer = transcript, context, found, scorer
        messages = transcript.messages
        self.members = groups(messages)
        self.pinned = np.array([any(messages[i].pinned for i in members) for members in self.members], bool)
        owner = np.zeros(len(messages), np.int64)
        for g, members in enumerate(self.members):
            owner[list(members)] = g
        self.held = held = self.pinned[owner]
        sizes = np.array(context.sizes(messages), float)
        self.taken = int(sizes[held].sum()) + context.counter.framing.reply
        self.whole = self.offer = self._offer(owner, np.where(held, 0.0, sizes))
        self.writing = Writing(found)
        self.chosen = np.zeros(len(found.kind), bool)
        self.texts = [""] * len(found.texts)
        self.cuts: dict[int, Message | None] = {}
        self.known: dict[float, float] = {}
        self.at = {(p.message, p.block): n for n, p in enumerate(found.places)}
        self.index = {m.id: i for i, m in enumerate(messages)}
        self.joining = Joining(messages, context)

    def _offer(self, owner: Ints, sizes: Floats) -> Offer:
        """What can be chosen, `sizes` being the tokens of the messages that are not pinned.

        A group's framing is worth nothing, its calls and images what the text is worth on average.
        """
        import numpy as np

        found, messages, count = self.found, self.transcript.messages, self.context.counter
        cost = np.array(count.texts([" " + t for t in found.types]), float)[found.kind]
        holder = [p.message for p in found.places]
        framing = np.maximum(sizes - np.bincount(holder, count.texts(found.texts), len(messages)), 0.0)
        scorer = chosen(self.scorer)
        if scorer is None or isinstance(scorer, Scorer):
            value = worth(found, messages, cost, framing, scorer)
        else:
            value = scored(scorer, found, messages, cost, framing)
        marks = np.bincount(holder, minlength=len(messages))
        fixed = np.bincount(owner, framing + marks, len(self.members))
        bare = float(count.framing.message) * np.bincount(owner, minlength=len(self.members))
        given = np.maximum(fixed - bare, 0.0) * (value.sum() / max(cost.sum(), 1.0))
        if len(self.members) == 1:  # Nothing competes with its framing, which must not price out single words.
            given = np.full(1, np.inf)
        return Offer(owner[found.messages], value, cost, np.asarray(fixed, float), given)

    @classmethod
    def of(cls, transcript: Transcript, context: Context, cut: Cutter, scorer: str) -> _Cutting | None:
        found = table(transcript.messages, cut)
        return cls(transcript, context, found, scorer) if len(found.kind) else None

    def draft(self, room: float) -> Draft:
        """The best choice for `room` estimated tokens."""
        import numpy as np

        chosen, opened = self.offer.choose(self.offer.price(room, self.known))
        self.write(chosen)
        drafted = {}
        for g in np.flatnonzero(opened & ~self.pinned).tolist():
            kept = tuple(m for i in self.members[g] if (m := self.cut(i)) is not None)
            if kept:
                drafted[g] = kept
        return drafted

    def write(self, chosen: Bools) -> None:
        """Bring `texts` in line with a choice: only those are written anew of which other pieces are chosen."""
        import numpy as np

        place = self.found.place
        anew = np.bincount(place[chosen != self.chosen], minlength=len(self.texts)) > 0
        some = np.bincount(place[chosen], minlength=len(self.texts)) > 0
        written = np.flatnonzero(anew & some)
        for n in np.flatnonzero(anew & ~some).tolist():
            self.texts[n] = ""
        for n, text in zip(written.tolist(), self.writing.write(chosen, written), strict=True):
            self.texts[n] = text
        for n in np.flatnonzero(anew).tolist():
            self.cuts.pop(self.found.places[n].message, None)
        self.chosen = chosen

    def cut(self, i: int) -> Message | None:
        """Message `i` with only the chosen pieces; None where nothing of it is left."""
        if i not in self.cuts:
            self.cuts[i] = self._cut(i)
        return self.cuts[i]

    def _cut(self, i: int) -> Message | None:
        message, blocks = self.transcript.messages[i], []
        for j, block in enumerate(message.blocks):
            n = self.at.get((i, j))
            if n is None:
                blocks.append(block)
                continue
            text = self.texts[n]
            if isinstance(block, ToolResult):
                blocks.append(block if text == block.text else replace(block, text=text or NOTHING))
            elif text:
                blocks.append(replace(block, text=text) if isinstance(block, Text) and text != block.text else block)
        return message.with_blocks(blocks) if blocks else None

    def sizes(self, draft: Draft) -> dict[int, int]:
        """Exact tokens of each group of a draft."""
        flat = [m for kept in draft.values() for m in kept]
        counts = iter(self.context.sizes(flat))
        return {g: sum(next(counts) for _ in kept) for g, kept in draft.items()}

    def size(self, draft: Draft) -> int:
        """Exact tokens of a draft, joined."""
        return sum(self.sizes(draft).values()) - self.joining.saved(self.laid(draft))

    def laid(self, draft: Draft) -> list[Message | None]:
        """What is left of each message, in its place."""
        kept = [m if held else None for m, held in zip(self.transcript.messages, self.held, strict=True)]
        for messages in draft.values():
            for message in messages:
                kept[self.index[message.id]] = message
        return kept

    def filled(self, tight: Draft, loose: Draft, free: int) -> Draft:
        """`tight`, its newest groups as they are in `loose` for as long as `free` tokens allow."""
        sizes, larger = self.sizes(tight), self.sizes(loose)
        kept = self.laid(tight)
        left = free - sum(sizes.values()) + self.joining.saved(kept)
        filled = dict(tight)
        for g in sorted(larger, reverse=True):
            if larger[g] <= sizes.get(g, 0):
                continue
            places = [(self.index[m.id], m) for m in loose[g]]
            extra = larger[g] - sizes.get(g, 0) + sum(self.joining.lost(kept, at, m) for at, m in places)
            if extra <= left:
                filled[g], left = loose[g], left - extra
                for at, message in places:
                    kept[at] = message
        return filled

    def bracket(self, free: int) -> tuple[Draft, Draft]:
        """Two drafts: one that fits `free` tokens by exact count, and one a little larger that need not."""
        room, below, above = float(free), 0.0, float("inf")
        low, high = (-1, Draft()), (0, Draft())
        for _ in range(MOST_DRAFTS):
            draft = self.draft(room)
            size = self.size(draft)
            if size <= free:
                below, low = room, max(low, (size, draft), key=itemgetter(0))
                room = max(room * free * (1 + SLACK) / max(size, 1), room + 1)
            else:
                above, high = room, (size, draft)
                room = min(room * free * (1 - SLACK) / size, room - 1)
            many = len(self.members) >= MANY and high[0] and high[0] - low[0] <= 0.1 * free
            if many or low[0] >= NEARLY * free or above - below < 1:
                break
            if not below < room < above:
                room = (below + above) / 2
        return low[1], high[1] or low[1]

    def build(self, kept: Callable[[int], tuple[Message, ...]]) -> Transcript:
        """The transcript of the pinned groups and what `kept` gives for the others, in order."""
        now: dict[str, Message] = {}
        for g, members in enumerate(self.members):
            chosen = [self.transcript.messages[i] for i in members] if self.pinned[g] else kept(g)
            now.update((m.id, m) for m in chosen)
        left = [now[m.id] for m in self.transcript.messages if m.id in now]
        return self.transcript.with_messages(self.joining.joined(left))
