"""Versions of the same content, such as a file read again: one stays whole, the others are diffs against it."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from boildown.pipeline import Context
from boildown.stages.repeats import Part, Savings, copies, parts, refer
from boildown.text import deltas
from boildown.transcript import Place, Transcript

LEAST_LINE = 8
HOLDERS = 8
CANDIDATES = 2
LEAST_COMMON = 0.5


@dataclass(frozen=True, slots=True)
class Delta:
    """Keep the newest of several versions of a content whole, and write the others as diffs from it.

    A part of a larger text, such as some lines of a file that was read whole, is written as the numbers of its lines.
    Versions are found by the lines that they share, wherever they stand. Each diff is applied when it is made, and
    used only if it gives the text back letter by letter and takes at most half of its tokens.
    """

    REASON = "another version of it is in the transcript"

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        found = parts(transcript.messages, context)
        pairs = list(copies(found))
        again = {copy.place for copy, _ in pairs}
        search = _Search(context)
        search.run([p for p in found if p.place not in again and p.image is None])
        savings: Savings = {}
        for part, kept in (*pairs, *((p, p) for p in found if p.place in search.versions)):
            base, change = search.versions.get(kept.place, (kept, deltas.Delta()))
            mark = part.refer(base, change)
            if part.free and (saved := part.saves(mark, context)):
                savings[part.place] = mark, saved
        return refer(transcript, context, savings)


class _Search:
    """The versions found so far: the part that each is made from, which stays whole, and how."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.versions: dict[Place, tuple[Part, deltas.Delta]] = {}
        self.bases: set[Place] = set()
        self.lines: dict[Place, deltas.Lines] = {}

    def run(self, texts: Sequence[Part]) -> None:
        """First each text from a newer one, the newest first; then what is left from any, the smallest first."""
        self.lines = {p.place: deltas.split(p.content) for p in texts}
        index = _Index(self.lines)
        for part in (*(p for p in texts if not p.free), *(p for p in reversed(texts) if p.free)):
            if not self.add(part, index.holders(part)):
                index.add(part)
        whole = sorted((p for p in texts if p.place not in self.versions), key=lambda p: len(p.content))
        index = _Index(self.lines, whole)
        for part in whole:
            if part.place not in self.bases:
                self.add(part, (p for p in index.holders(part) if p is not part and p.place not in self.versions))

    def add(self, part: Part, bases: Iterable[Part]) -> bool:
        """Make `part` a version of the base that saves most, if one is worth it."""
        best, most = None, 0
        for base in bases if part.free else ():
            old, new = self.lines[base.place], self.lines[part.place]
            change = deltas.delta(old, new)
            if change is not None and deltas.applied(old, change) == part.content:
                saved = part.saves(part.refer(base, change), self.context)
                if saved > most:
                    best, most = (base, change), saved
        if best is None:
            return False
        self.versions[part.place] = best
        self.bases.add(best[0].place)
        return True


class _Index:
    """Which parts hold a line. Of each line the last few holders are kept, so that a search is linear in the text."""

    def __init__(self, lines: dict[Place, deltas.Lines], texts: Iterable[Part] = ()) -> None:
        self.lines = lines
        self.parts: defaultdict[str, deque[Part]] = defaultdict(lambda: deque(maxlen=HOLDERS))
        for part in texts:
            self.add(part)

    def add(self, part: Part) -> None:
        for line in self.telling(part):
            self.parts[line].append(part)

    def telling(self, part: Part) -> Iterator[str]:
        """The distinct lines that are long enough to tell one text from another."""
        return (line for line in dict.fromkeys(self.lines[part.place].lines) if len(line.strip()) >= LEAST_LINE)

    def holders(self, part: Part) -> list[Part]:
        """The parts that share most of the text of `part`, the likeliest first."""
        common: Tally[Place] = Tally()
        known: dict[Place, Part] = {}
        total = 0
        for line in self.telling(part):
            total += len(line)
            for other in self.parts.get(line, ()):
                known[other.place] = other
                common[other.place] += len(line)
        return [known[place] for place, size in common.most_common(CANDIDATES + 1) if size >= LEAST_COMMON * total]
