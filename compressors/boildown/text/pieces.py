"""Texts cut into pieces, all at once: columns instead of objects, for there are millions of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate, compress, islice
from typing import TYPE_CHECKING

from boildown.text.spans import CHARGED, CLOSES, OPENS, Span, clustered, groups, marks, wide_words
from boildown.text.words import batches

if TYPE_CHECKING:
    from boildown.arrays import Bools, Ints

_LAST_BLANK = 0x3000


@dataclass(frozen=True, slots=True)
class Pieces:
    """The P pieces of some texts, in reading order.

    many        of each text               start, end  (P,) the span in that text
    kind        (P,) index into `types`    types       what they say; a string may stand there twice
    """

    many: Ints
    start: Ints
    end: Ints
    kind: Ints
    types: list[str]

    def within(self, sizes: Sequence[Sequence[int]]) -> Pieces:
        """The same pieces as those of longer texts, each of them some of these texts in a row, of those `sizes`."""
        import numpy as np

        shift = np.array([at for held in sizes for at in accumulate([0, *held[:-1]][: len(held)])], np.int64)
        owner = np.repeat(np.arange(len(sizes)), [len(held) for held in sizes])
        many = np.bincount(np.repeat(owner, self.many), minlength=len(sizes))
        moved = np.repeat(shift, self.many)
        return replace(self, many=many, start=self.start + moved, end=self.end + moved)


Cutter = Callable[[Sequence[str]], Pieces]
"""Texts -> the pieces of each that may be kept or dropped by themselves"""


def bare(texts: Sequence[str]) -> Pieces:
    """Each text is one piece, without the blanks at its ends."""
    import numpy as np

    ids: defaultdict[str, int] = defaultdict()
    ids.default_factory = ids.__len__
    left = list(map(str.lstrip, texts))
    said = list(map(str.rstrip, left))
    whole, rest = (np.fromiter(map(len, held), np.int64, len(texts)) for held in (texts, left))
    sizes = np.fromiter(map(len, said), np.int64, len(texts))
    kind = np.fromiter(map(ids.__getitem__, filter(None, said)), np.int64)
    there, start = sizes > 0, whole - rest
    return Pieces(there.astype(np.int64), start[there], (start + sizes)[there], kind, list(ids))


def mixed(texts: Sequence[str], wordy: Sequence[bool], cut: Cutter) -> Pieces:
    """Those texts that are `wordy` are cut, of the others each is one piece."""
    import numpy as np

    loose = np.array(wordy, bool)
    cuts = cut(list(compress(texts, wordy))), bare(list(compress(texts, (~loose).tolist())))
    many = np.empty(len(loose), np.int64)
    many[loose], many[~loose] = cuts[0].many, cuts[1].many
    rows = np.repeat(loose, many)
    start, end, kind = (np.empty(len(rows), np.int64) for _ in range(3))
    for here, found, first in ((rows, cuts[0], 0), (~rows, cuts[1], len(cuts[0].types))):
        start[here], end[here], kind[here] = found.start, found.end, found.kind + first
    return Pieces(many, start, end, kind, cuts[0].types + cuts[1].types)


def words(texts: Sequence[str]) -> Pieces:
    """The words of each text with what adjoins them, those of a protected span as one.

    The blanks between pieces belong to none. In scripts without blanks a word is a run of one script; in Thai, Lao,
    Khmer and Burmese, where words cannot be told without a dictionary, it is what stands between two blanks.
    """
    import numpy as np

    types = _Types()
    cuts = [_Words(batch, types).pieces() for batch in batches(texts)] or [bare([])]
    many, start, end, kind = (
        np.concatenate([getattr(cut, column) for cut in cuts]) for column in ("many", "start", "end", "kind")
    )
    used = np.bincount(kind, minlength=len(types.ids)) > 0
    return Pieces(many, start, end, (np.cumsum(used) - 1)[kind], list(compress(types.ids, used.tolist())))


class _Types:
    """The distinct words, and what each gives away by itself."""

    def __init__(self) -> None:
        self.ids: defaultdict[str, int] = defaultdict()
        self.ids.default_factory = self.ids.__len__
        self._given: list[Ints] = []
        self._many = 0

    def given(self) -> Ints:
        import numpy as np

        self._given.append(marks(list(islice(self.ids, self._many, None))))
        self._many = len(self.ids)
        return np.concatenate(self._given)


class _Words:
    """The words of some texts, which are joined with a line break between: where they stand, and their kinds."""

    def __init__(self, texts: Sequence[str], types: _Types) -> None:
        import numpy as np

        self.texts, self.types = texts, types
        self.joined = "\n".join(texts)
        sizes = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
        self.offset = np.cumsum(sizes) - sizes
        self.start, self.end = _runs(self.joined)
        self.said = self.joined.split()
        self.wide = wide_words(texts)
        for n, spans in self.wide.items():
            self._cut(n, spans)
        self.kind = np.fromiter(map(types.ids.__getitem__, self.said), np.int64, len(self.said))

    def pieces(self) -> Pieces:
        """The words, those of a protected span as one."""
        import numpy as np

        kind, start, end = self.kind, self.start, self.end
        found = list(self.groups())
        if found:
            first, last = np.array(found, np.int64).T
            depth = np.zeros(len(kind) + 1, np.int64)
            depth[first + 1] += 1
            depth[last + 1] -= 1
            left = np.cumsum(depth[:-1]) == 0
            end[first] = end[last]
            spans = zip(start[first].tolist(), end[first].tolist(), strict=True)
            kind[first] = [self.types.ids[self.joined[a:b]] for a, b in spans]
            kind, start, end = kind[left], start[left], end[left]
        owner = np.searchsorted(self.offset, start, "right") - 1
        shift = self.offset[owner]
        return Pieces(np.bincount(owner, minlength=len(self.texts)), start - shift, end - shift, kind, [])

    def _cut(self, n: int, spans: Sequence[Span]) -> None:
        """Let the words of text `n`, whose script has no blanks, stand at `spans`."""
        import numpy as np

        shift = int(self.offset[n])
        a, b = np.searchsorted(self.start, [shift, shift + len(self.texts[n])]).tolist()
        here = np.array(spans, np.int64).reshape(-1, 2).T + shift
        self.start = np.concatenate([self.start[:a], here[0], self.start[b:]])
        self.end = np.concatenate([self.end[:a], here[1], self.end[b:]])
        self.said[a:b] = [self.texts[n][i:j] for i, j in spans]

    def groups(self) -> Iterator[Span]:
        """The first and the last word of each protected span of several words."""
        import numpy as np

        flagged = self.types.given()[self.kind]
        at = np.flatnonzero(flagged)
        if not len(at):
            return
        owner = np.searchsorted(self.offset, self.start[at], "right") - 1
        opens = np.flatnonzero(np.diff(owner, prepend=-1))
        bounds = np.searchsorted(self.start, np.append(self.offset, len(self.joined) + 1))
        texts, until = owner[opens], np.append(opens[1:], len(at))
        given = np.bitwise_or.reduceat(flagged[at], opens)
        charged = (given & CHARGED > 0) | (given & (OPENS | CLOSES) == OPENS | CLOSES)
        places, marks = at.tolist(), flagged[at].tolist()
        columns = texts, bounds[texts], bounds[texts + 1], opens, until, charged
        for n, first, last, a, b, literal in zip(*(column.tolist() for column in columns), strict=True):
            said = self.said[first:last]
            if literal or n in self.wide:
                found = groups(self.texts[n], (self.start[first:last] - self.offset[n]).tolist(), said)
            else:
                found = clustered(said, [(i - first, m) for i, m in zip(places[a:b], marks[a:b], strict=True)])
            for i, j in found:
                yield first + i, first + j


@cache
def _blank() -> Bools:
    """Whether a character is blank; the last entry stands for all that come after it."""
    import numpy as np

    return np.array([chr(code).isspace() for code in range(_LAST_BLANK + 2)], bool)


def _runs(text: str) -> tuple[Ints, Ints]:
    """Where what stands between blanks starts and ends."""
    import numpy as np

    if text.isascii():
        blank = _blank()[np.frombuffer(text.encode("ascii"), np.uint8)]
    else:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        blank = _blank()[np.minimum(codes, _LAST_BLANK + 1)]
    edges = np.flatnonzero(np.diff(blank, prepend=True, append=True))
    return edges[::2], edges[1::2]
