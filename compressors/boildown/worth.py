"""What each word of a transcript is worth: rarity, first mention, sentence, message and speaker, in one table.

The worth of a word occurrence is `sqrt(idf)`, with idf = ln(1 + N / (1 + df)) over the N messages (Spärck Jones 1972),
a twentieth of that for function words, three times that for numbers, and divided by n ** 0.2 for its n-th mention, so
that a fact's second mention is worth less than its first (coverage, as in Lin and Bilmes 2011). Where a transcript uses
tools, paths, identifiers, hashes and numbers count five times more: later calls need them letter by letter. Sentences,
messages and speakers then multiply it: dense ones count more, sentences in which the speaker speaks of itself count
half as much again, and a role that talks at far greater length than the user is discounted, for its words are the
easier to do without.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from boildown.speaking import speakers
from boildown.table import STAMP, Table, Words, words
from boildown.text.words import FIRST_PERSON, FUNCTION, Joined, languages
from boildown.transcript import Message, works

if TYPE_CHECKING:
    from boildown.arrays import Bools, Floats, Ints
    from boildown.scoring.scorer import Scorer

FUNCTION_WORTH = 0.05
DIGIT_WORTH = 3.0
REPEAT = 0.2
OWN_WORDS = 1.5
SENTENCE_DENSITY = 0.5
MESSAGE_DENSITY = 1.0
IDENTIFIER_WORTH = 5.0
STAMP_WORTH = 2.0


def worth(
    found: Table, messages: Sequence[Message], costs: Floats, framing: Floats, scorer: Scorer | None = None
) -> Floats:
    """The worth of each piece. `costs` are its tokens, `framing` those each message costs besides its text."""
    import numpy as np

    working = works(messages)
    spoken, where, count = words(found, working), found.messages, len(found.kind)
    each = alone(spoken, where)
    if scorer and (scorer.tools or not working):
        each = each * scorer.correction(found, spoken, messages)
    piece = np.asarray(np.bincount(spoken.piece, each, count), float)
    stamps = [n for n, text in enumerate(found.types) if text[0] == "[" and STAMP.fullmatch(text)]
    piece = np.where(np.isin(found.kind, stamps), STAMP_WORTH, 1.0) * piece if stamps else piece
    own = spoken.among(FIRST_PERSON).astype(float)
    said = np.array([m.role in ("user", "assistant") for m in messages], bool)[where]
    size = int(found.unit.max(initial=-1)) + 1
    personal = np.bincount(found.unit, said * np.bincount(spoken.piece, own[spoken.word], count), size) > 0
    piece = piece * np.where(personal, OWN_WORDS, 1.0)[found.unit]
    piece = piece * density(found.unit, piece, costs, np.zeros(size))[found.unit] ** SENTENCE_DENSITY
    piece = piece * density(where, piece, costs, framing)[where] ** MESSAGE_DENSITY
    return np.asarray(piece * speakers(where, messages, costs)[where])


def alone(spoken: Words, messages: Ints) -> Floats:
    """(W,) what each word is worth by itself; `messages` are those of the pieces, ascending."""
    import numpy as np

    holders, nth = mentions(spoken.word, messages[spoken.piece], len(spoken.vocabulary))
    rarity = np.log1p(np.count_nonzero(np.diff(messages, prepend=-1)) / (1.0 + holders))
    value = np.sqrt(rarity) * np.where(function_words(spoken), FUNCTION_WORTH, 1.0)
    value = value * np.where(Joined(spoken.vocabulary).digits(), DIGIT_WORTH, 1.0)
    value[spoken.plain :] = IDENTIFIER_WORTH * np.maximum(value[spoken.plain :], 1.0)
    return np.asarray(value[spoken.word] * (np.arange(1, nth.max(initial=0) + 1) ** -REPEAT)[nth - 1])


def function_words(spoken: Words) -> Bools:
    """Which words of the vocabulary only hold sentences together, in the languages that the text is in."""
    import numpy as np

    seen = np.bincount(spoken.word, minlength=len(spoken.vocabulary))
    member = {language: spoken.among(listed) for language, listed in FUNCTION.items()}
    often = {language: int(seen[held].sum()) for language, held in member.items()}
    return np.asarray(np.any([member[language] for language in languages(often)], axis=0))


def mentions(kinds: Ints, holders: Ints, many: int) -> tuple[Ints, Ints]:
    """(many,) how many holders each kind has, and (W,) the how-manieth of its kind each is, 1 for the first.

    The holders ascend.
    """
    import numpy as np

    # Sorting numbers of 16 bits takes a sixth of the time.
    order = np.argsort(kinds.astype(np.uint16) if many <= 1 << 16 else kinds, kind="stable")
    ranked = kinds[order]
    opens = np.diff(ranked, prepend=-1) != 0
    held = np.bincount(ranked[opens | (np.diff(holders[order], prepend=-1) != 0)], minlength=many)
    sizes = np.bincount(kinds, minlength=many)
    nth = np.empty(len(kinds), np.int64)
    nth[order] = np.arange(1, len(kinds) + 1) - (np.cumsum(sizes) - sizes)[ranked]
    return held, nth


def density(holder: Ints, worths: Floats, costs: Floats, framing: Floats) -> Floats:
    """Worth per token of each holder (sentence or message), as a multiple of the mean."""
    import numpy as np

    size = len(framing)
    value = np.bincount(holder, worths, size) / np.maximum(np.bincount(holder, costs, size) + framing, 1.0)
    mean = float(value[value > 0].mean()) if (value > 0).any() else 1.0
    return np.asarray(value / mean)
