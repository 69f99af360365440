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
from boildown.text.words import FIRST_PERSON, FUNCTION, languages
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


def rarity(spoken: Words, messages: Ints) -> Floats:
    """ln(1 + N / (1 + df)) of each word, df being the number of the N messages that hold it."""
    import numpy as np

    span = int(messages.max(initial=0)) + 1
    pairs = np.unique(spoken.word * span + messages[spoken.piece])
    df = np.bincount(pairs // span, minlength=len(spoken.vocabulary))
    return np.log1p(len(np.unique(messages)) / (1.0 + df))


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
    piece = np.bincount(spoken.piece, each, count)
    piece = (
        piece * np.array([STAMP_WORTH if t[0] == "[" and STAMP.fullmatch(t) else 1.0 for t in found.types])[found.kind]
    )
    own = spoken.among(FIRST_PERSON).astype(float)
    said = np.array([m.role in ("user", "assistant") for m in messages], bool)[where]
    size = int(found.unit.max(initial=-1)) + 1
    personal = np.bincount(found.unit, said * np.bincount(spoken.piece, own[spoken.word], count), size) > 0
    piece = piece * np.where(personal, OWN_WORDS, 1.0)[found.unit]
    piece = piece * density(found.unit, piece, costs, np.zeros(size))[found.unit] ** SENTENCE_DENSITY
    piece = piece * density(where, piece, costs, framing)[where] ** MESSAGE_DENSITY
    return np.asarray(piece * speakers(where, messages, costs)[where])


def alone(spoken: Words, messages: Ints) -> Floats:
    """(W,) what each word is worth by itself; `messages` are those of the pieces."""
    import numpy as np

    plain = function_words(spoken)
    digits = np.array([not w.isalpha() and any(map(str.isdigit, w)) for w in spoken.vocabulary], bool)
    value = np.sqrt(rarity(spoken, messages)) * np.where(plain, FUNCTION_WORTH, 1.0)
    value = value * np.where(digits, DIGIT_WORTH, 1.0)
    value[spoken.plain :] = IDENTIFIER_WORTH * np.maximum(value[spoken.plain :], 1.0)
    return np.asarray(value[spoken.word] * mention(spoken.word) ** -REPEAT)


def function_words(spoken: Words) -> Bools:
    """Which words of the vocabulary only hold sentences together, in the languages that the text is in."""
    import numpy as np

    seen = np.bincount(spoken.word, minlength=len(spoken.vocabulary))
    member = {language: spoken.among(listed) for language, listed in FUNCTION.items()}
    often = {language: int(seen[held].sum()) for language, held in member.items()}
    return np.asarray(np.any([member[language] for language in languages(often)], axis=0))


def mention(kinds: Ints) -> Floats:
    """1 for the first of its kind, 2 for the second, and so on."""
    import numpy as np

    order = np.argsort(kinds, kind="stable")
    ranked = kinds[order]
    first = np.concatenate([[True], ranked[1:] != ranked[:-1]]) if len(kinds) else np.zeros(0, bool)
    starts = np.flatnonzero(first)
    nth = np.empty(len(kinds))
    nth[order] = np.arange(len(kinds)) - np.repeat(starts, np.diff(np.append(starts, len(kinds)))) + 1
    return nth


def density(holder: Ints, worths: Floats, costs: Floats, framing: Floats) -> Floats:
    """Worth per token of each holder (sentence or message), as a multiple of the mean."""
    import numpy as np

    size = len(framing)
    value = np.bincount(holder, worths, size) / np.maximum(np.bincount(holder, costs, size) + framing, 1.0)
    mean = float(value[value > 0].mean()) if (value > 0).any() else 1.0
    return np.asarray(value / mean)
