"""Cutting a transcript to a budget: the pieces that are worth most per token, counted exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress
from operator import itemgetter
from typing import TYPE_CHECKING

from boildown.joining import Joining
from boildown.offer import Offer
from boildown.pipeline import Context
from boildown.scoring.choice import LEARNED, chosen, scored
from boildown.scoring.scorer import Scorer
from boildown.table import Table, part, table
from boildown.text.pieces import Cutter
from boildown.transcript import Block, Message, Opaque, Thinking, ToolCall, ToolResult, Transcript, groups
from boildown.worth import worth
from boildown.written import MARKS, NOTHING, Writing

if TYPE_CHECKING:
    from boildown.arrays import Bools, Floats, Ints

MOST_DRAFTS = 8
MANY = 64
SLACK = 0.01
NEARLY = 0.995
MOST_PARTS = 4
ENDING = 1.0
"""Tokens that a sentence or an item costs besides its words: its mark, or the line break before the next"""


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
    not quite; the newest groups then take the larger choice for as long as the room allows, and parts of it fill the
    room that is left.
    """
    cutting = context.again((cut, scorer), transcript.messages, lambda: _Cutting.of(transcript, context, cut, scorer))
    if cutting is None or context.count(transcript) <= room:
        return transcript
    free = room - cutting.taken
    if free <= 0:
        return cutting.build(cutting.nothing)
    cutting.offer, cutting.known = cutting.whole.up_to(min(free, largest)), {}
    return cutting.build(cutting.filled(*cutting.bracket(free), free))


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be left of P pieces in N texts in M messages.

    chosen  (P,) which pieces are left
    texts   (N) what is left of each text, "" where it goes
    kept    (M,) which messages are left, of those that may go
    sizes   (M,) their exact tokens, 0 for the others
    """

    chosen: Bools
    texts: list[str]
    kept: Bools
    sizes: Ints

    def with_messages(self, other: Draft, taken: Bools, found: Table, holder: Ints) -> Draft:
        """This draft, the messages `taken` and their texts from the other; `holder` is the message of each text."""
        import numpy as np

        both = zip(self.texts, other.texts, taken[holder].tolist(), strict=True)
        texts = [new if there else old for old, new, there in both]
        chosen = np.where(taken[found.messages], other.chosen, self.chosen)
        return Draft(chosen, texts, np.where(taken, other.kept, self.kept), np.where(taken, other.sizes, self.sizes))


class _Cutting:
    """One transcript being cut: its table, its groups, and drafts of it at different prices.

    `read` is the table that the texts were cut in, where that was of more messages.
    """

    def __init__(self, transcript: Transcript, context: Context, found: Table, scorer: str, read: Table) -> None:
        import numpy as np

        self.transcript, self.context, self.found, self.scorer = transcript, context, found, scorer
        self.read = read
        messages, count = transcript.messages, context.counter
        self.members = groups(messages)
        self.owner = np.empty(len(messages), np.int64)
        self.owner[list(chain.from_iterable(self.members))] = np.repeat(
            np.arange(len(self.members)), list(map(len, self.members))
        )
        pinned = np.array([m.pinned for m in messages], bool)
        self.held = (np.bincount(self.owner, pinned, len(self.members)) > 0)[self.owner]
        self.holder = np.array([p.message for p in found.places], np.int64)
        sizes = np.array(context.sizes(messages), np.int64)
        self.taken = int(sizes[self.held].sum()) + count.framing.reply
        rest = sizes - self._of_messages(count.texts(found.texts))
        self.whole = self.offer = self._offer(np.where(self.held, 0.0, np.maximum(rest, 0)))
        self.writing = Writing(found)
        self.chosen = np.zeros(len(found.kind), bool)
        blocks = [messages[p.message].blocks[p.block] for p in found.places]
        # What stands for a text of which nothing is left, and what a text costs besides its tokens, where there is one.
        self.empty = [NOTHING if isinstance(block, ToolResult) else "" for block in blocks]
        self.extra = np.array([count.framing.block if isinstance(b, Thinking) else 0 for b in blocks], np.int64)
        self.rest = rest - self._of_messages(self.extra)
        self.bare = np.array([len(m.blocks) for m in messages]) > np.bincount(self.holder, minlength=len(messages))
        self.texts = list(self.empty)
        self.tokens = np.array(count.texts(self.texts), np.int64)
        none = np.zeros(len(messages), np.int64)
        self.nothing = Draft(self.chosen, self.texts, none > 0, none)
        self.known: dict[float, float] = {}
        self.joining = Joining(messages, context)

    def _of_messages(self, values: Sequence[int] | Ints) -> Ints:
        """(M,) the sums of what the texts of each message have."""
        import numpy as np

        return np.bincount(self.holder, values, len(self.transcript.messages)).astype(np.int64)

    def _offer(self, framing: Floats) -> Offer:
        """What can be chosen, `framing` being the tokens of each message besides its texts, 0 for those that stay.

        A group's framing is worth nothing, its calls and images what the text is worth on average.
        """
        import numpy as np

        found, messages, count = self.found, self.transcript.messages, self.context.counter
        cost = np.array(count.texts([" " + t for t in _unmarked(found)]), float)[found.kind]
        scorer = chosen(self.scorer)
        if scorer is None or isinstance(scorer, Scorer):
            value = worth(found, messages, cost, framing, scorer)
        else:
            value = scored(scorer, found, messages, cost, framing)
        marks = np.bincount(self.holder, minlength=len(messages))
        fixed = np.bincount(self.owner, framing + marks, len(self.members))
        bare = float(count.framing.message) * np.bincount(self.owner, minlength=len(self.members))
        given = np.maximum(fixed - bare, 0.0) * (value.sum() / max(cost.sum(), 1.0))
        first = np.flatnonzero(np.diff(found.unit, prepend=-1))
        group, ending = self.owner[found.messages[first]], np.where(found.wordy[first], ENDING, 0.0)
        if len(self.members) == 1:  # Nothing competes with its framing, and neither must price out single words.
            given, ending = np.full(1, np.inf), np.zeros(len(first))
        return Offer(found.unit, group, value, cost, ending, np.asarray(fixed, float), given)

    @classmethod
    def of(cls, transcript: Transcript, context: Context, cut: Cutter, scorer: str) -> _Cutting | None:
        """None where there is nothing to cut. Texts that were cut before, among others, are not cut anew."""
        before = context.again.last((cut, scorer))
        known = before.read if isinstance(before, _Cutting) else None
        some = part(known, transcript.messages) if known else None
        found = some or table(transcript.messages, cut)
        return cls(transcript, context, found, scorer, known if known and some else found) if len(found.kind) else None

    def draft(self, room: float) -> Draft:
        """The best choice for `room` estimated tokens."""
        return self._drafted(*self.offer.choose(self.offer.price(room, self.known)))

    def _drafted(self, chosen: Bools, opened: Bools) -> Draft:
        """What these pieces make, in these groups."""
        import numpy as np

        self._write(chosen)
        there = np.fromiter(map(bool, self.texts), bool, len(self.texts))
        kept = opened[self.owner] & ~self.held & (self.bare | (self._of_messages(there) > 0))
        sizes = self.rest + self._of_messages(self.tokens + self.extra * there)
        return Draft(chosen, self.texts, kept, np.where(kept, sizes, 0))

    def _write(self, chosen: Bools) -> None:
        """Bring `texts` and `tokens` in line with a choice: only what other pieces are chosen of is written anew."""
        import numpy as np

        place = self.found.place
        anew = np.bincount(place[chosen != self.chosen], minlength=len(self.texts)) > 0
        some = np.bincount(place[chosen], minlength=len(self.texts)) > 0
        written = np.flatnonzero(anew & some)
        self.chosen, self.texts = chosen, list(self.texts)
        for n in np.flatnonzero(anew & ~some).tolist():
            self.texts[n] = self.empty[n]
        for n, text in zip(written.tolist(), self.writing.write(chosen, written), strict=True):
            self.texts[n] = text
        changed = np.flatnonzero(anew)
        self.tokens[changed] = self.context.counter.texts(map(self.texts.__getitem__, changed.tolist()))

    def said(self, draft: Draft) -> list[str | None]:
        """What is left of the text of each message, where any may be joined; None where it goes."""
        if not self.joining.whole:
            return [None] * len(draft.kept)
        there = (draft.kept | self.held).tolist()
        said = [text if stays else None for text, stays in zip(self.joining.texts, there, strict=True)]
        for i, text in zip(self.holder.tolist(), draft.texts, strict=True):
            if there[i]:
                said[i] = text
        return said

    def size(self, draft: Draft) -> int:
        """The exact tokens of a draft."""
        return int(draft.sizes.sum()) - self.joining.saved(self.said(draft))

    def filled(self, tight: Draft, loose: Draft, free: int) -> Draft:
        """`tight`, its newest groups as they are in `loose` for as long as `free` tokens allow, then some in part."""
        import numpy as np

        more = np.bincount(self.owner, loose.sizes - tight.sizes, len(self.members))
        said, larger = self.said(tight), self.said(loose)
        left = free - int(tight.sizes.sum()) + self.joining.saved(said)
        taken = np.zeros(len(self.members), bool)
        for g in np.flatnonzero(more > 0)[::-1].tolist():
            grown = [(i, text) for i in self.members[g] if (text := larger[i]) is not None]
            extra = int(more[g]) + sum(self.joining.lost(said, i, text) for i, text in grown)
            if extra <= left:
                taken[g], left = True, left - extra
                for i, text in grown:
                    said[i] = text
        draft = tight.with_messages(loose, taken[self.owner], self.found, self.holder)
        for g in np.flatnonzero((more > 0) & ~taken)[::-1][:MOST_PARTS].tolist():
            if left <= (1 - NEARLY) * free:
                break
            draft = self._with_part(draft, loose, g, free)
            left = free - self.size(draft)
        return draft

    def _with_part(self, draft: Draft, loose: Draft, group: int, free: int) -> Draft:
        """`draft` with as much of what `loose` has of a group besides as `free` tokens allow.

        Sentence by sentence, those first that are worth most per token, and of the last one its best words.
        """
        import numpy as np

        inside = self.owner[self.found.messages] == group
        more = np.flatnonzero(inside & loose.chosen & ~draft.chosen)
        sentence, worth, cost = self.found.unit[more], self.offer.worth[more], self.offer.cost[more]
        whole = np.bincount(sentence, worth) / np.maximum(np.bincount(sentence, cost), 1.0)
        more = more[np.lexsort((-worth / cost, sentence, -whole[sentence]))]
        opened = np.bincount(self.owner, draft.kept, len(self.members)) > 0
        opened[group] = True
        low, high, best = 0, len(more), draft
        while high - low > 1:
            many, chosen = (low + high) // 2, draft.chosen.copy()
            chosen[more[:many]] = True
            tried = self._drafted(chosen, opened)
            fits = self.size(tried) <= free
            low, high, best = (many, high, tried) if fits else (low, many, best)
        return best

    def bracket(self, free: int) -> tuple[Draft, Draft]:
        """Two drafts: one that fits `free` tokens by exact count, and one a little larger that need not."""
        room, below, above = float(free), 0.0, float("inf")
        most, least = -1, 0
        low = high = self.nothing
        for _ in range(MOST_DRAFTS):
            draft = self.draft(room)
            size = self.size(draft)
            if size <= free:
                below = room
                most, low = max((most, low), (size, draft), key=itemgetter(0))
                room = max(room * free * (1 + SLACK) / max(size, 1), room + 1)
            else:
                above, least, high = room, size, draft
                room = min(room * free * (1 - SLACK) / size, room - 1)
            many = len(self.members) >= MANY and least and least - most <= 0.1 * free
            if many or most >= NEARLY * free or above - below < 1:
                break
            if not below < room < above:
                room = (below + above) / 2
        return low, high if high.kept.any() else low

    def build(self, draft: Draft) -> Transcript:
        """The transcript of the messages that stay and what a draft leaves of the others, in order."""
        texts = {(p.message, p.block): text for p, text in zip(self.found.places, draft.texts, strict=True)}
        left = list[Message]()
        there = (draft.kept | self.held).tolist()
        for i, message in compress(enumerate(self.transcript.messages), there):
            blocks = message.blocks if self.held[i] else tuple(_left(message.blocks, i, texts))
            left.append(message if blocks == message.blocks else message.with_blocks(blocks))
        return self.transcript.with_messages(self.joining.joined(left))


def _unmarked(found: Table) -> list[str]:
    """What the pieces say, those of sentences without the mark that ends one: it is there whichever of them stay."""
    import numpy as np

    wordy = np.bincount(found.kind[found.wordy], minlength=len(found.types)) > 0
    return [(t.rstrip(MARKS) or t) if said else t for t, said in zip(found.types, wordy.tolist(), strict=True)]


def _left(blocks: Sequence[Block], i: int, texts: Mapping[tuple[int, int], str]) -> Iterator[Block]:
    """The blocks of message `i` with what is left of their texts; those that have none in `texts` stay."""
    for j, block in enumerate(blocks):
        text = texts.get((i, j))
        if text is None or isinstance(block, ToolCall | Opaque) or text == block.text:
            yield block
        elif text:
            yield replace(block, text=text)
