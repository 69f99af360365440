"""Messages alike: KMeans over their words, and of each cluster the message nearest to its centre."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from boildown.pipeline import Context
from boildown.text.words import LITTLE, WORD
from boildown.transcript import Message, Transcript, groups
from boildown.vectors import AUTO, CHOICES, WORDS, check_by, chosen, embedder

if TYPE_CHECKING:
    from boildown.arrays import Floats

TOPICS = 64
MOST_WORDS = 50_000
MOST_CLUSTERS = 1000
MOST_FITS = 5
MOST_ROUNDS = 30
MANY = 3000
NEARLY = 0.95

Group = tuple[int, ...]
"""Indexes of messages that go or stay together"""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Keep the message nearest to the centre of each cluster of like messages; it stands for the others in it.

    Vectors are TF-IDF without function words, reduced by latent semantic analysis (Deerwester et al. 1990). They are
    not normalized: the many messages that say little then lie close together, and one of them stands for all. There
    are as many clusters as the budget has room for, at most a thousand; the next nearest are kept where room is left.

    By meaning, vectors are an embedder's, of length 1.
    """

    REASON = "in a cluster that there was no room for"

    share: float = field(default=2.0, metadata={"help": "where more stages follow, stop at this many times the budget"})
    by: str = field(default=WORDS, metadata={"help": "what makes messages alike: 'words' or 'meaning'"})
    embedder: str = field(default=AUTO, metadata={"help": f"for by=meaning: {CHOICES}"})

    def __post_init__(self) -> None:
        check_by(self.by)
        if self.share < 1:
            raise ValueError(f"share={self.share} is below 1: it would leave less than the budget.")

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        excess = context.count(transcript) - (context.target if context.last else int(context.target * self.share))
        messages, sizes = transcript.messages, context.sizes(transcript.messages)
        free = [g for g in groups(messages) if not any(messages[i].pinned for i in g)]
        vectors = self._vectors(messages, free, context) if excess > 0 else None
        if vectors is None:
            return transcript
        costs = [sum(sizes[i] for i in g) for g in free]
        clusters = _search(vectors, costs, sum(costs) - excess, context.seed)
        kept = _nearest(clusters, costs, sum(costs) - excess)
        by = "" if self.by == WORDS else f", by {chosen(self.embedder)}"
        return transcript.with_messages(_told(messages, free, clusters, kept, by))

    def _vectors(self, messages: Sequence[Message], free: Sequence[Group], context: Context) -> Floats | None:
        """A row for each group; None where no text has a word that carries anything."""
        texts = [" ".join(messages[i].text for i in g) for g in free]
        if self.by == WORDS:
            return _vectors(texts, context.seed)

        def rows() -> Floats:
            return embedder(self.embedder, texts, context.seed).vectors(texts).astype(float)

        made = context.again((Cluster, self.embedder), messages, rows) if texts else None
        return made if made is not None and made.any() else None


def _vectors(texts: Sequence[str], seed: int) -> Floats | None:
    """A row for each text; None where no text has a word that carries anything."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from threadpoolctl import threadpool_limits

    weigh = TfidfVectorizer(analyzer=_words, sublinear_tf=True, norm=None, max_features=MOST_WORDS)
    try:
        matrix: Any = weigh.fit_transform(texts)
    except ValueError:  # An empty vocabulary.
        return None
    with threadpool_limits(1):  # Several threads add up in no fixed order.
        small = min(matrix.shape) <= TOPICS
        rows: Floats = matrix.toarray() if small else TruncatedSVD(TOPICS, random_state=seed).fit_transform(matrix)
    return rows


def _words(text: str) -> list[str]:
    return [word for word in WORD.findall(text.lower()) if word not in LITTLE]


def _search(vectors: Floats, costs: Sequence[int], room: int, seed: int) -> list[list[int]]:
    """As many clusters as `room` has tokens for the nearest of each, by a few fits."""
    most = min(len(costs), MOST_CLUSTERS)
    best: list[list[int]] = []
    size = -1
    number = room * len(costs) // max(sum(costs), 1)
    for _ in range(MOST_FITS):
        number = max(1, min(number, most))
        clusters = _clusters(vectors, number, seed)
        needed = sum(costs[c[0]] for c in clusters)
        if size < needed <= room or not best:
            best, size = clusters, needed if needed <= room else -1
        if NEARLY * room <= needed <= room or (needed <= room and number == most) or (needed > room and number == 1):
            break
        number = int(number * room * NEARLY / max(needed, 1)) + (needed <= room)
    return best


def _clusters(vectors: Floats, number: int, seed: int) -> list[list[int]]:
    """The members of each cluster, those nearest to its centre first."""
    import numpy as np
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from threadpoolctl import threadpool_limits

    kind = MiniBatchKMeans if len(vectors) > MANY else KMeans
    with threadpool_limits(1), warnings.catch_warnings(action="ignore"):  # Fewer kinds of messages than clusters.
        model = kind(number, random_state=seed, n_init=1, max_iter=MOST_ROUNDS).fit(vectors)
    far = np.linalg.norm(vectors - model.cluster_centers_[model.labels_], axis=1)
    found: dict[int, list[int]] = {}
    for n in np.lexsort((far.round(9), model.labels_)).tolist():
        found.setdefault(int(model.labels_[n]), []).append(n)
    return list(found.values())


def _nearest(clusters: Sequence[Sequence[int]], costs: Sequence[int], room: int) -> set[int]:
    """What there is `room` for: the nearest of each cluster, the largest clusters first, then the next nearest."""
    left = room

    def fits(entry: tuple[int, int, int]) -> bool:
        nonlocal left
        left -= costs[entry[2]]
        return left >= 0

    ranked = sorted((rank, -len(c), n) for c in clusters for rank, n in enumerate(c))
    return {n for _, _, n in takewhile(fits, ranked)}


def _told(
    messages: Sequence[Message], free: Sequence[Group], clusters: Sequence[Sequence[int]], kept: set[int], by: str
) -> Iterator[Message]:
    """The pinned messages and the kept ones, the nearest of each cluster standing for what went of it.

    Each one's note says which cluster that is, and `by` what.
    """
    notes: dict[int, str] = {}
    covers: dict[int, list[str]] = {}
    shown = sorted((c for c in clusters if c[0] in kept), key=lambda c: free[c[0]])
    for number, members in enumerate(shown, 1):
        size = sum(len(free[n]) for n in members)
        note = f"cluster {number} of {len(shown)}, {size} message{'s' if size > 1 else ''}{by}"
        notes.update((i, note) for n in members if n in kept for i in free[n])
        gone = sorted(i for n in members if n not in kept for i in free[n])
        covers[free[members[0]][0]] = [name for i in gone for name in (messages[i].id, *messages[i].covers)]
    loose = {i for g in free for i in g}
    for i, message in enumerate(messages):
        if i in notes:
            yield replace(message, covers=(*message.covers, *covers.get(i, ())), note=notes[i])
        elif i not in loose:
            yield message
