"""What is there twice: messages, of which one stands for the others, and blocks, of which one stays whole."""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise

from boildown.pipeline import Context
from boildown.stages.paraphrases import paraphrases
from boildown.stages.repeats import Savings, copies, parts, refer
from boildown.text.restated import COURTESIES
from boildown.text.spans import _NEGATION
from boildown.text.words import WORD, numbered
from boildown.transcript import Message, Text, Transcript, groups
from boildown.vectors import AUTO, CHOICES, WORDS, check_by

LEAST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Dedup:
    """Keep one copy of what is there twice: of messages that say the same, word for word or nearly, of equal blocks.

    The kept message stands for the others. A block that is repeated word for word (a file read twice, a stack trace, an
    image) gives way to a reference to the copy that stays whole, where that saves tokens by count.

    A near copy goes only if it says no number that the kept one lacks, both deny the same, and the words that they
    share stand in the same order, `please` and the like aside: who pays whom is told by nothing else. Messages of fewer
    than five words are answers, not copies, and stay. Near copies are found by a prefix-filtered join on word sets
    (Chaudhuri, Ganti and Kaushik 2006; Xiao et al. 2008), which is exact and compares few pairs.

    By meaning, a near copy is one whose vector is near, and whose sentences state the same facts (`paraphrases`).
    """

    REASON = "said elsewhere in the transcript"

    threshold: float = field(
        default=0.85,
        metadata={"help": "share of distinct words that two messages must have in common, or their cosine, 0 to 1"},
    )
    by: str = field(default=WORDS, metadata={"help": "what makes messages alike: 'words' or 'meaning'"})
    embedder: str = field(default=AUTO, metadata={"help": f"for by=meaning: {CHOICES}"})

    def __post_init__(self) -> None:
        check_by(self.by)
        if not 0 < self.threshold <= 1:
            raise ValueError(f"threshold={self.threshold} is not above 0 and at most 1.")

    def __call__(self, transcript: Transcript, context: Context, /) -> Transcript:
        messages, left = transcript.messages, context.count(transcript)
        sizes = context.sizes(messages)
        stands, notes = dict[int, int](), defaultdict[int, list[str]](list)
        for copy, kept, note in self._copies(messages, context):
            if left <= context.target:
                break
            stands[copy] = kept
            notes[kept] += [note] if note else []
            left -= sizes[copy]
        transcript = transcript.with_messages(_covering(messages, stands, notes))
        if left <= context.target:
            return transcript
        return refer(transcript, context, same_blocks(transcript.messages, context))

    def _copies(self, messages: Sequence[Message], context: Context) -> Iterator[tuple[int, int, str]]:
        """(copy, the message that stands for it, what to note of that): exact ones first, the oldest first.

        Nothing stands for two steps.
        """
        candidates = _candidates(messages)
        same: dict[tuple[str, str | None, str], list[int]] = defaultdict(list)
        for i in candidates:
            same[messages[i].role, messages[i].name, messages[i].text].append(i)
        kept = []
        for alike in same.values():
            first = next((i for i in alike if messages[i].pinned), alike[-1])
            kept.append(first)
            yield from ((i, first, "") for i in alike if i != first and not messages[i].pinned)
        if self.by == WORDS:
            yield from ((*pair, "") for pair in sorted(near_copies(messages, sorted(kept), self.threshold)))
            return
        what = paraphrases, self.threshold, self.embedder
        for found in context.again(
            what, messages, lambda: paraphrases(messages, sorted(kept), self.threshold, self.embedder, context.seed)
        ):
            said = f"{messages[found.copy].id} says the same (cosine {found.cosine:.2f}, {found.embedder})"
            yield found.copy, found.kept, said


def same_blocks(messages: Sequence[Message], context: Context) -> Savings:
    """A reference for each copy of a block that is worth one."""
    marks = [(copy, copy.refer(kept)) for copy, kept in copies(parts(messages, context))]
    return {copy.place: (mark, saved) for copy, mark in marks if (saved := copy.saves(mark, context))}


def _candidates(messages: Sequence[Message]) -> list[int]:
    """Messages of text alone, long enough to be copies, in no tool exchange."""
    alone = [members[0] for members in groups(messages) if len(members) == 1]
    return [
        i
        for i in alone
        if messages[i].blocks
        and all(isinstance(b, Text) for b in messages[i].blocks)
        and len(messages[i].text.split(None, LEAST_WORDS)) >= LEAST_WORDS
    ]


def near_copies(messages: Sequence[Message], candidates: Sequence[int], threshold: float) -> Iterator[tuple[int, int]]:
    """(copy, kept) for messages whose word sets have a Jaccard similarity of at least `threshold`.

    The largest set of each family is kept, the newest of equals; each copy is compared with the kept one itself.
    """
    sets = _word_sets([messages[i] for i in candidates])
    index: defaultdict[int, deque[int]] = defaultdict(deque)
    for c in sorted(range(len(sets)), key=lambda c: (-len(sets[c]), not messages[candidates[c]].pinned, -c)):
        words, message = sets[c], messages[candidates[c]]
        prefix = words[: len(words) - math.ceil(threshold * len(words)) + 1]
        found = None
        held = [holders for word in prefix if (holders := index.get(word))]
        for holders in held:
            # The sets come in falling size, so what is too large for this one is too large for all that follow.
            while holders and threshold * len(sets[holders[0]]) > len(words):
                holders.popleft()
        if not message.pinned:
            for k in dict.fromkeys(chain.from_iterable(held)):
                if _stands_for(messages[candidates[k]], message, sets[k], words, threshold):
                    found = k
                    break
        if found is None:
            for word in prefix:
                index[word].append(c)
        else:
            yield candidates[c], candidates[found]


def _word_sets(messages: Sequence[Message]) -> list[list[int]]:
    """The distinct words of each message as ids, the rarest of all messages first."""
    import numpy as np

    texts = [m.text for m in messages]
    ids: dict[str, int] = {}
    number, holder = numbered(texts, ids)
    size = max(len(ids), 1)
    pairs = np.unique(holder * size + number)
    often = np.bincount(pairs % size, minlength=len(ids))
    by_name = np.array([ids[word] for word in sorted(ids)], np.int64)
    rank = np.empty(len(ids), np.int64)
    rank[by_name[np.argsort(often[by_name], kind="stable")]] = np.arange(len(ids))
    ranked = np.sort(pairs // size * size + rank[pairs % size])
    ends = np.cumsum(np.bincount(ranked // size, minlength=len(texts))).tolist()
    flat = (ranked % size).tolist()
    return [flat[a:b] for a, b in pairwise([0, *ends])]


def _stands_for(
    kept: Message, copy: Message, kept_words: Sequence[int], copy_words: Sequence[int], threshold: float
) -> bool:
    if (kept.role, kept.name) != (copy.role, copy.name):
        return False
    longest = max(len(kept_words), len(copy_words))
    if min(len(kept_words), len(copy_words)) < threshold * longest:
        return False
    common = len(set(kept_words).intersection(copy_words))
    union = len(kept_words) + len(copy_words) - common
    return common >= threshold * union and _exactly(kept, copy)


def _exactly(kept: Message, copy: Message) -> bool:
    """Whether `kept` denies no more and no less than `copy`, and holds its numbers and names, in its order."""
    said, other = kept.text.split(), copy.text.split()
    denied, denies = (Tally(w for w in map(str.lower, words) if w in _NEGATION) for words in (said, other))
    if denied != denies or not _particulars(copy.text) <= {bare.lower() for w in said for bare in _bare(w)}:
        return False
    return _in_order(WORD.findall(kept.text.lower()), WORD.findall(copy.text.lower()))


def _in_order(kept: Sequence[str], copy: Sequence[str]) -> bool:
    """Whether the words of `copy` that `kept` has at all stand in `kept` in the same order, each as often."""
    known, left = set(kept) - COURTESIES, iter(kept)
    return all(word in left for word in copy if word in known)


def _particulars(text: str) -> set[str]:
    """The words with a digit, and those that are capitalized elsewhere than at the very beginning."""
    found = text.split()
    named = {w for w in found[1:] if any(map(str.isupper, w))} | {w for w in found if any(map(str.isdigit, w))}
    return {bare.lower() for w in named for bare in _bare(w)}


def _bare(word: str) -> list[str]:
    return [stripped] if (stripped := word.strip(".,;:!?…\"'()[]*_“”„«»")) else []


def _covering(
    messages: Sequence[Message], stands: dict[int, int], notes: Mapping[int, Sequence[str]]
) -> Iterator[Message]:
    covers: dict[int, list[str]] = defaultdict(list)
    for copy in sorted(stands):
        kept = stands[copy]
        while kept in stands:
            kept = stands[kept]
        covers[kept] += [messages[copy].id, *messages[copy].covers]
    for i, message in enumerate(messages):
        if i not in stands:
            note = "; ".join(filter(None, (message.note, *notes.get(i, ()))))
            yield replace(message, covers=(*message.covers, *covers[i]), note=note) if i in covers else message
