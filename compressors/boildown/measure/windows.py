"""Whether words stand near to each other: the best window of a text for them."""

from __future__ import annotations

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

NEARLY = 1e-9

Part = Mapping[str, float]
"""Words that are looked for, and what each weighs"""


class Index:
    """A text's words and where each stands."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self.places: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(words):
            self.places[word].append(place)

    def __contains__(self, word: str) -> bool:
        return word in self.places

    def best(self, wanted: Part, also: Part, width: int) -> float:
        """The largest, over all windows of `width` words, of min(share of `wanted`, share of `also`), by weight.

        Where `also` is empty only `wanted` counts.
        """
        stretches = self._stretches(wanted, width)
        return max((self._slide(start, end, wanted, also, width) for start, end in stretches), default=0.0)

    def reaches(self, wanted: Part, also: Part, width: int, least: float) -> bool:
        """Whether the best window has `least`.

        Such a window holds one of any words of `wanted` that weigh more than 1 - `least` of it: only the places of
        the rarest of those are looked at.
        """
        if any(self._held(part) < least * sum(part.values()) - NEARLY for part in (wanted, also)):
            return False
        slack, anchors = (1 - least) * sum(wanted.values()) + NEARLY, list[str]()
        for word in sorted(wanted, key=lambda w: (len(self.places.get(w, ())), w)):
            if slack < 0:
                break
            slack -= wanted[word]
            anchors.append(word)
        stretches = self._stretches(anchors, width)
        return any(self._slide(start, end, wanted, also, width) >= least - NEARLY for start, end in stretches)

    def _held(self, part: Part) -> float:
        return sum(weight for word, weight in part.items() if word in self.places)

    def _stretches(self, anchors: Iterable[str], width: int) -> Iterator[tuple[int, int]]:
        """The stretches of text around the places of `anchors`, apart from each other."""
        start = end = 0
        for place in sorted(chain.from_iterable(self.places.get(word, ()) for word in anchors)):
            if place - width + 1 > end:
                yield start, end
                start = place - width + 1
            end = min(place + width, len(self.words))
        yield max(start, 0), end

    def _slide(self, start: int, end: int, wanted: Mapping[str, float], also: Mapping[str, float], width: int) -> float:
        """The best window inside of `words[start:end]`."""
        total, extra = sum(wanted.values()), sum(also.values())
        inside, best, have, held = Tally[str](), 0.0, 0.0, 0.0
        for place in range(start, end):
            word = self.words[place]
            if word in wanted or word in also:
                inside[word] += 1
                if inside[word] == 1:
                    have += wanted.get(word, 0.0)
                    held += also.get(word, 0.0)
                    best = max(best, min(have / total, held / extra if extra else 1.0))
            gone = self.words[place - width + 1] if place - width + 1 >= start else ""
            if gone in inside:
                inside[gone] -= 1
                if not inside[gone]:
                    del inside[gone]
                    have -= wanted.get(gone, 0.0)
                    held -= also.get(gone, 0.0)
        return 1.0 if best > 1 - NEARLY else best
