"""Questions whose answers have to survive: reading them, and how much of the answers and their evidence does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boildown.errors import InputError
from boildown.measure.content import Weigh, words
from boildown.measure.statements import ENOUGH, NARROWEST
from boildown.measure.windows import Index
from boildown.transcript import Message

WINDOW = 40
"""Words within which an answer has to stand with what was asked"""
_FORM = '{"question": "...", "answer": "...", "evidence": ["m3", 7]}'


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its answer, and the messages that hold it: ids (`m3`) or indexes from 0."""

    text: str
    answer: str
    evidence: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """What survives of the answers to questions.

    total     questions whose answer the original states; `skipped` are the others
    share     the mean share of such an answer that survives
    evidence  of all questions that name evidence, the share whose every message survives; None where none names any
    """

    total: int
    share: float
    evidence: float | None
    skipped: int = 0


def read(path: str) -> list[Question]:
    """The questions of a JSONL file. Raises InputError with the line where one is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{path}: the questions cannot be read: {error.strerror}. Name a JSONL file.") from None
    except ValueError:
        raise InputError(f"{path}: the questions are not UTF-8. Save the file as UTF-8.") from None
    found = [_question(line, f"{path}:{n}") for n, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise InputError(f"{path}: there are no questions in it. Write one a line: {_FORM}")
    return found


def _question(line: str, where: str) -> Question:
    import orjson

    try:
        value = orjson.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: this is no JSON: {error}. Write one question a line: {_FORM}") from None
    if not isinstance(value, dict):
        raise InputError(f"{where}: this is no object. Write one question a line: {_FORM}")
    evidence = value.get("evidence") or []
    if not isinstance(evidence, list) or not all(type(e) in (str, int) for e in evidence):
        raise InputError(f"{where}: evidence is no list of message ids or indexes. Write {_FORM}")
    return Question(_text(value, "question", where), _text(value, "answer", where), tuple(evidence))


def _text(value: dict[str, Any], key: str, where: str) -> str:
    """The text at `key`; a number is taken as one, for answers often are."""
    found = value.get(key)
    if isinstance(found, int | float) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not found.strip():
        raise InputError(f"{where}: {key} is no text. Write {_FORM}")
    return found


@dataclass(frozen=True, slots=True)
class Probe:
    """A question as it is looked for: its answer's words and its own, by weight, and the words of its evidence.

    whole  what the original reaches; 0 where it does not state the answer
    """

    answer: dict[str, float]
    asked: dict[str, float]
    evidence: tuple[tuple[str, ...], ...]
    whole: float

    def survives(self, index: Index) -> float:
        """The share of the answer that stands in a text near to what was asked, 1 where the original's does."""
        return min(index.best(self.answer, self.asked, WINDOW) / self.whole, 1.0)


def probes(
    questions: Sequence[Question], messages: Sequence[Message], spoken: Sequence[list[str]], weigh: Weigh, index: Index
) -> list[Probe]:
    """What is looked for: of each answer the words that the evidence, or else the original, holds.

    spoken  the words of each of `messages`; `index` is that of all of them
    """
    places = {m.id: n for n, m in enumerate(messages)}
    found = []
    for question in questions:
        held = tuple(tuple(spoken[n]) for n in evidence(question, places))
        known = {w for said in held for w in said} if held else index.places.keys()
        answer = {w: weight for w in words(question.answer) if w in known and (weight := weigh(w))}
        asked = {w: x for w in words(question.text) if w in known and w not in answer and (x := weigh(w))}
        found.append(Probe(answer, asked, held, index.best(answer, asked, WINDOW) if answer else 0.0))
    return found


def evidence(question: Question, places: dict[str, int]) -> Iterator[int]:
    """The indexes of the messages that a question names. `places` is the index of each message's id.

    Raises InputError for one that there is not.
    """
    for named in question.evidence:
        place = places.get(named, -1) if isinstance(named, str) else named
        if not 0 <= place < len(places):
            raise InputError(
                f"the question {question.text[:60]!r} names the message {named!r} as evidence, which the original does "
                f"not have. Name ids from m1 to m{len(places)}, or indexes from 0 to {len(places) - 1}."
            )
        yield place


def answers(probed: Sequence[Probe], weigh: Weigh, index: Index) -> Answers:
    """What of the answers and the evidence survives in a text."""
    stands: dict[tuple[str, ...], bool] = {}
    for said in {said for probe in probed for said in probe.evidence}:
        wanted = {w: weight for w in said if (weight := weigh(w))}
        stands[said] = not wanted or index.reaches(wanted, {}, max(NARROWEST, len(said)), ENOUGH)
    evident = [all(stands[said] for said in probe.evidence) for probe in probed if probe.evidence]
    shares = [probe.survives(index) for probe in probed if probe.whole]
    return Answers(
        total=len(shares),
        share=sum(shares) / len(shares) if shares else 1.0,
        evidence=sum(evident) / len(evident) if evident else None,
        skipped=len(probed) - len(shares),
    )
