"""Which capitalized words are ordinary ones at the head of a sentence, and which are names: by how they are written."""

from __future__ import annotations

from functools import cache

_ENDINGS = ("", "s", "es", "d", "ed", "ing", "ly", "er", "e")
_BEGINNINGS = ("", "re", "un", "de", "pre", "non", "over", "sub")


@cache
def _ranks() -> dict[str, int]:
    """The words of o200k_base as they stand inside of a text, commonest first, and how common each is."""
    from importlib.resources import files

    from boildown.tokens import unpack

    tokens = unpack((files("boildown") / "ranks" / "o200k_base.xz").read_bytes())
    words = ((token[1:].decode("utf-8", "replace"), rank) for token, rank in tokens.items() if token[:1] == b" ")
    return {word: rank for word, rank in words if len(word) > 1 and word.isalpha()}


@cache
def is_ordinary(word: str) -> bool:
    """Whether a capitalized word is written without a capital more often than with one.

    Byte pairs are merged in the order of their frequency (Sennrich et al. 2016), so the ranks of " decided" and
    " Decided" tell which of the two is the commoner. An inflected form is as ordinary as what it is made from.
    """
    ranks, low = _ranks(), word.lower()
    if word in ranks or low in ranks:
        return low in ranks and ranks[low] < ranks.get(word, len(ranks) * 2)
    return any(stem != low and stem in ranks and is_ordinary(stem.capitalize()) for stem in _stems(low))


def _stems(word: str) -> set[str]:
    bare = {word[len(begin) :] for begin in _BEGINNINGS if word.startswith(begin)}
    cut = {stem[: len(stem) - len(end)] for stem in bare for end in _ENDINGS if stem.endswith(end)}
    # "stopping" is made from "stop", "caching" from "cache".
    cut |= {stem[:-1] for stem in cut if stem[-1:] == stem[-2:-1]} | {f"{stem}e" for stem in cut}
    return {stem for stem in cut if len(stem) > 3}
