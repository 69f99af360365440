"""A tree of summaries of summaries: chunks, groups of about five of them, groups of those, built from below.

What a node is asked for depends on what is below it and on nothing else, so that more messages or another target leave
the answers as they are: of appended messages only the last chunk and the branch above it are new. An answer that is too
long is cut, not asked for again, so that what models read is bounded: 1 + 1/ratio + 1/ratio^2 + ... times the source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from boildown.summaries.anchored import account
from boildown.summaries.chunks import Chunk, chunks, cuts
from boildown.summaries.fallback import within
from boildown.summaries.merging import Days, dated, merged, room
from boildown.summaries.shifts import Shifts
from boildown.summaries.source import who_speaks
from boildown.summaries.standing import Written
from boildown.summaries.summary import SECTIONS, Summary
from boildown.summaries.times import days
from boildown.summaries.writing import Made, Task, Writer
from boildown.transcript import Message

_LEAST = 40
"""Tokens below which a summary is rather cut than summed up once more"""
_NAMED = 8
"""A summary has to be so many times longer than the days that are named in it."""
_SHORT = 8
"""The last chunk may be short: its summary is as long as that of a chunk of this share."""


@dataclass(frozen=True, slots=True)
class Node:
    """The summary of a span.

    first  the number of its first chunk      ends  its first and its last message
    size   tokens of the summary's body, its days included
    parts  the nodes that it sums up; none where it sums up messages
    speakers  who speaks in it
    """

    made: Made
    size: int
    first: int
    ends: Chunk
    days: Days = ()
    parts: tuple[Node, ...] = ()
    speakers: frozenset[str] = frozenset()

    @property
    def summary(self) -> Summary:
        """What was made of the span, below its days."""
        return dated(self.days, self.made.summary)


@dataclass(frozen=True, slots=True)
class Tree:
    """Sums up messages in spans of at most `chunk` tokens, and `group` or so of those summaries in one, and so on.

    ratio  tokens of what a node sums up / tokens of its summary, at least
    """

    chunk: int
    ratio: float
    group: int

    def __call__(self, writer: Writer, messages: Sequence[Message], earlier: Summary | None, tokens: int) -> Written:
        """The summaries of the finest level that fits into `tokens`, finer for what is newer, in the order of time."""
        spans = chunks(messages, self.chunk, writer.counter)
        leaves = self._leaves(writer, spans)
        size = sum(writer.counter.texts([earlier.body()])) if earlier else 0
        before = [Node(Made(replace(earlier, verbatim=())), size, 0, ())] if earlier else []
        growth = Growth(self, writer, Shifts(spans).before)
        chosen = growth.filled(growth.fitting([*before, *leaves], tokens), tokens)
        summary = within(told(chosen), tokens, writer.counter)
        above = [(node.ends, node.made) for node in growth.grown]
        return Written(summary, account(writer.name, spans, [leaf.made for leaf in leaves], above))

    def _leaves(self, writer: Writer, spans: Sequence[Chunk]) -> list[Node]:
        sizes = [sum(writer.counter.messages(span)) for span in spans]
        dates = [self.named(days(span), writer) for span in spans]
        demands = [max(size, min(self.chunk // _SHORT, size * self.ratio)) / self.ratio for size in sizes]
        tasks = [
            Task(_room(demand, date, writer), span, bounded=True)
            for demand, date, span in zip(demands, dates, spans, strict=True)
        ]
        return [
            node(writer, made, n, (span[0], span[-1]), date, speakers=who_speaks(span))
            for n, (made, span, date) in enumerate(zip(writer.write(tasks), spans, dates, strict=True))
        ]

    def named(self, found: Days, writer: Writer) -> Days:
        """The days that a summary names: none where its chunks are so small that they would be much of it."""
        return found if _NAMED * room(found, writer.counter) * self.ratio <= self.chunk else ()


def told(nodes: Sequence[Node]) -> Summary:
    """What `nodes` say, as one summary."""
    return merged((node.days, node.made.summary) for node in nodes)


def node(
    writer: Writer,
    made: Made,
    first: int,
    ends: Chunk,
    date: Days,
    parts: tuple[Node, ...] = (),
    speakers: frozenset[str] = frozenset(),
) -> Node:
    size = sum(writer.counter.texts([dated(date, made.summary).body()]))
    speakers = speakers.union(*(part.speakers for part in parts))
    return Node(made, size, first, ends, date, parts, speakers)


class Growth:
    """The levels above the chunks' summaries, as far as they are needed; `grown` are their nodes."""

    def __init__(self, tree: Tree, writer: Writer, shift: Callable[[int], float]) -> None:
        self.grown = list[Node]()
        self._tree = tree
        self._writer = writer
        self._shift = shift
        self._titles = sum(writer.counter.texts([Summary(dict.fromkeys(SECTIONS, ("",))).body()]))

    def fitting(self, nodes: Sequence[Node], tokens: int) -> list[Node]:
        """`nodes`, the oldest of them summed up level by level until they fit into `tokens`, or one is left.

        All that are summed up on one level are asked for at once.
        """
        nodes = list(nodes)
        while self._size(nodes) > tokens and self._worth_more(nodes, tokens):
            groups = self._groups(nodes)
            old = self._needed(groups, self._size(nodes) - tokens)
            above, below = self._summed_up(groups[:old]), [node for group in groups[old:] for node in group]
            # Levels are never mixed in one group, so that a group is the same whatever the room.
            if self._size([*above, *below]) > tokens:
                above, below = [*above, *self._summed_up(groups[old:])], []
            nodes = [*above, *below]
        return nodes

    def _needed(self, groups: Sequence[tuple[Node, ...]], tokens: int) -> int:
        """How many of `groups` have to be summed up, the first first, to save so many tokens."""
        old = 0
        while old < len(groups) and tokens > 0:
            if len(groups[old]) > 1:
                tokens -= self._size(groups[old]) - self._titles - self._demand(groups[old])
            old += 1
        return old

    def filled(self, nodes: Sequence[Node], tokens: int) -> list[Node]:
        """`nodes` with the newest of those that are sums in detail again, as far as `tokens` has room for it.

        The last one for which it has is shortened, unless more than half of it would have to go.
        """
        left, found = tokens - self._size(nodes), list[Node]()
        for n, node in reversed(list(enumerate(nodes))):
            room, size = left + node.size, self._size(node.parts)
            if node.parts and room < size / 2:
                return [*nodes[: n + 1], *found]
            if node.parts and room < size:
                return [*nodes[:n], *(self._shortened(part, room / size) for part in node.parts), *found]
            left = room - size if node.parts else left
            found = [*(node.parts or [node]), *found]
        return found

    def _size(self, nodes: Sequence[Node]) -> int:
        """Tokens of what `nodes` say together."""
        return sum(self._writer.counter.texts([told(nodes).body()]))

    def _worth_more(self, nodes: Sequence[Node], tokens: int) -> bool:
        """Whether another level is better than cutting at a sentence."""
        return len(nodes) > 1 or (nodes[0].size > 2 * tokens and self._demand(nodes) >= _LEAST)

    def _groups(self, nodes: Sequence[Node]) -> list[tuple[Node, ...]]:
        """Neighbours, half as many as `group` or half as many more, apart at the deepest shifts."""
        most = self._tree.group * 3 // 2
        ends = cuts(
            [1] * len(nodes), self._tree.group // 2 + 1, most, partial(self._before, nodes), [True] * len(nodes)
        )
        return [tuple(nodes[start:end]) for start, end in pairwise([0, *ends])]

    def _before(self, nodes: Sequence[Node], at: int) -> float:
        return self._shift(nodes[at].first)

    def _demand(self, nodes: Sequence[Node]) -> int:
        return max(1, int(sum(node.size for node in nodes) / self._tree.ratio))

    def _summed_up(self, groups: Sequence[tuple[Node, ...]]) -> list[Node]:
        """A node for each group. One that is alone is passed on, unless there is no other."""
        many = [group for group in groups if len(group) > 1 or len(groups) == 1]
        dates = [self._tree.named(_days(group), self._writer) for group in many]
        tasks = [
            Task(
                _room(self._demand(group), date, self._writer),
                parts=tuple(one.summary for one in group),
                bounded=True,
                speakers=frozenset[str]().union(*(one.speakers for one in group)),
            )
            for group, date in zip(many, dates, strict=True)
        ]
        made = {
            group[0].first: node(self._writer, one, group[0].first, _ends(group), date, group)
            for group, date, one in zip(many, dates, self._writer.write(tasks), strict=True)
        }
        self.grown += made.values()
        return [made.get(group[0].first, group[0]) for group in groups]

    def _shortened(self, part: Node, share: float) -> Node:
        left = max(0, int(part.size * share) - room(part.days, self._writer.counter))
        made = replace(part.made, summary=within(part.made.summary, left, self._writer.counter))
        return node(self._writer, made, part.first, part.ends, part.days, speakers=part.speakers)


def _room(demand: float, date: Days, writer: Writer) -> int:
    """Tokens that a model may use of what a summary may take."""
    return max(1, int(demand) - room(date, writer.counter))


def _ends(group: Sequence[Node]) -> Chunk:
    held = [message for one in group for message in one.ends]
    return held[0], held[-1]


def _days(group: Sequence[Node]) -> Days:
    found = [day for one in group for day in one.days]
    return (found[0], found[-1]) if found else ()
