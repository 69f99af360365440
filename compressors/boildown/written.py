"""Texts written with only some of their pieces, all at once: what stands between two that were no neighbours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from boildown.table import Table
from boildown.text.frames import framed

if TYPE_CHECKING:
    from boildown.arrays import Bools, Ints

NOTHING = "…"
MARKS = ".!?…。！？।؟"
FIRM = "`~|{}[]"
"""What ends code, a table's row or JSON, where a sentence's mark would be out of place."""
STOP = re.compile(r"[.!?…。！？।؟](?:(?<=[。！？।؟])|(?=[\"')\]]*(\s)))")
BREAK = re.compile("\n")
WIDE = re.compile("[\u2e80-\U0010ffff]")
"""Characters between which no blank is written"""

FAR = 1 << 62
_SPACES = ("", " ", "\n")

Run = tuple[int, int, int, str]
"""Text, start, end, and what stands before it, if anything is to"""


class Writing:
    """The texts of a table, to be written with different choices of its pieces."""

    def __init__(self, found: Table) -> None:
        import numpy as np

        self.found = found
        self.first = np.searchsorted(found.place, np.arange(len(found.texts) + 1))
        self.framed = np.array(list(map(bool, found.frames)), bool)
        self.wide = np.array([not t.isascii() and WIDE.search(t) is not None for t in found.texts], bool)
        self.goes_on = np.append(np.diff(found.unit) == 0, False)
        # One behind the other, parted by what is no blank and no mark.
        joined = "\0".join(found.texts)
        sizes = np.fromiter(map(len, found.texts), np.int64, len(found.texts)) + 1
        self.offset = np.cumsum(sizes) - sizes
        self.breaks = np.array([match.start() for match in BREAK.finditer(joined)], np.int64)
        stops = [(match.start(), match.start(match.lastindex or 0)) for match in STOP.finditer(joined)]
        # The mark that ends a sentence, and the blank that shows it; the last is FAR behind all.
        self.stops = np.array([*stops, (FAR, FAR)], np.int64).T

    def write(self, chosen: Bools, places: Ints) -> list[str]:
        """The texts of these places, ascending, with only the chosen pieces, of which each has at least one."""
        import numpy as np

        if not len(places):
            return []
        kept = np.flatnonzero(chosen)
        place = self.found.place[kept]
        many = np.bincount(place, minlength=len(self.found.texts))
        cut = np.zeros(len(many), bool)
        cut[places] = many[places] < np.diff(self.first)[places]
        rows = cut[place] & ~self.framed[place]
        owner, start, end = self._runs(kept[rows])
        before = [""] * len(owner)
        framed = [run for n in np.flatnonzero(cut & self.framed).tolist() for run in self._in_frames(n, chosen)]
        if framed:
            before += [shown for *_, shown in framed]
            more = np.array([run[:3] for run in framed], np.int64).T
            owner, start, end = np.concatenate([[owner, start, end], more], axis=1)
        texts = dict(self._joined(owner, start, end, before)) if before else {}
        last = kept[np.cumsum(many) - 1]
        short = cut & self.goes_on[last] & (last + 1 < self.first[1:])
        for n in np.flatnonzero(short).tolist():
            texts[n] = closed(texts[n], self.found.texts[n])
        return [texts.get(n) or self.found.texts[n] for n in places.tolist()]

    def _runs(self, kept: Ints) -> tuple[Ints, Ints, Ints]:
        """Neighbouring pieces of one text as they stand: their texts, where they start, where they end."""
        import numpy as np

        place = self.found.place[kept]
        starts = np.flatnonzero((np.diff(place, prepend=-1) != 0) | (np.diff(kept, prepend=-2) > 1))
        ends = np.append(starts[1:], len(kept)) - 1 if len(kept) else starts
        return place[starts], self.found.start[kept[starts]], self.found.end[kept[ends]]

    def _in_frames(self, n: int, chosen: Bools) -> Iterator[Run]:
        """The runs of a text with long code, JSON or tables, in their frames."""
        import numpy as np

        a, b = self.first[n], self.first[n + 1]
        pieces = list(zip(self.found.start[a:b].tolist(), self.found.end[a:b].tolist(), strict=True))
        kept = np.flatnonzero(chosen[a:b]).tolist()
        for (start, end), before in framed(self.found.texts[n], pieces, kept, self.found.frames[n]):
            yield n, start, end, before

    def _joined(self, owner: Ints, start: Ints, end: Ints, before: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Each text of which there are runs, of those; `before` is what stands before each, if anything is to.

        A line break stands between two where one stood, nothing between CJK characters, else a blank. A sentence that
        lost its end gets its mark back, so that it does not run on into the next.
        """
        import numpy as np

        texts = self.found.texts
        opens = np.diff(owner, prepend=-1) != 0
        bounds = np.flatnonzero(opens)
        shift = self.offset[owner]
        behind, ahead = np.append(-1, (end + shift)[:-1]), start + shift
        broken = np.searchsorted(self.breaks, behind) < np.searchsorted(self.breaks, ahead)
        spaces = map(_SPACES.__getitem__, np.where(opens, 0, 1 + broken).tolist())
        runs = zip(owner.tolist(), start.tolist(), end.tolist(), before, spaces, strict=True)
        parts = [text for n, a, b, shown, space in runs for text in (shown or space, texts[n][a:b])]
        for i in np.flatnonzero(self.wide[owner] & ~opens & ~broken).tolist():
            if not before[i] and _tight(texts[owner[i]], end[i - 1], start[i]):
                parts[2 * i] = ""
        stop, blank = self.stops[:, np.searchsorted(self.stops[0], behind)]
        for i in np.flatnonzero((stop < ahead) & (blank < ahead) & ~opens).tolist():
            last = parts[2 * i - 1][-1]
            if not before[i] and last not in MARKS and last not in FIRM:
                parts[2 * i] = texts[owner[i]][stop[i] - shift[i]] + parts[2 * i]
                parts[2 * i - 1] = parts[2 * i - 1][:-1] if last in ",;:" else parts[2 * i - 1]
        for n, a, b in zip(owner[bounds].tolist(), bounds.tolist(), [*bounds[1:].tolist(), len(owner)], strict=True):
            yield n, "".join(parts[2 * a : 2 * b])


def _tight(text: str, end: int, start: int) -> bool:
    """Whether no blank belongs between what ends and what starts there."""
    between = any(map(str.isspace, text[end:start]))
    return not between and any(WIDE.match(character) for character in (text[end - 1], text[start : start + 1]))


def closed(cut: str, text: str) -> str:
    """`cut` with the mark that ends `text`, or a sign that more followed, where the words at its end went."""
    ends = text.rstrip()
    if cut[-1] in MARKS or ends.endswith(cut[-8:]):
        return cut
    return cut.rstrip(",;:") + (ends[-1] if ends[-1] in MARKS else NOTHING)
