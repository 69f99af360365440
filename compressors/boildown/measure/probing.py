"""Probe questions: what a model is asked for to make, answer and score them, and how its answers are read.

The four kinds, and scoring an answer from 0 to 5 by a model, are those of Factory.ai's "Evaluating Context Compression
for AI Agents" (https://factory.ai/news/evaluating-compression, December 2025). Theirs are scored in six dimensions;
here an answer has one score, for what it says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from boildown.summarizers.calls import Request
from boildown.summarizers.tags import elements, fenced, rule

KINDS = {
    "recall": "a concrete fact that was stated, such as a number, a name, a date, a value or the text of an error",
    "artifact": "a file, a document or another thing that was made, changed or used, and what became of it",
    "continuation": "what is still open or is to be done next, and what is needed for it",
    "decision": "what was chosen or rejected, and why",
}
GIVEN = "given"
"""The kind of a question that was not made by a model"""
TOP = 5
TAGS = ("transcript", "question", "reference", "candidate", "probe", "kind", "answer", "reason", "score")

_PARTS = ("kind", "question", "answer")
_SEAM = re.compile(r"<\s*/?\s*probe\b[^<>]*>|(?=<\s*kind\b)", re.IGNORECASE)
_LONGEST = 1000
_A_PROBE = 200

_MAKE = f"""\
You write questions about a conversation, so that it can be found out later whether a shortened copy of it still says
what matters. {rule(["transcript"])}

There are four kinds of question:
{chr(10).join(f"{kind}: {what}" for kind, what in KINDS.items())}

Each question
- can be answered from the transcript alone, and has one right, short answer there;
- asks for one thing that somebody who goes on with this work or talk would need;
- names what it is about, so that it is understood without the transcript, and does not give its answer away.
Take them from all of the transcript, its beginning, its middle and its end.

Reply with the questions and nothing else, each in this form:
<probe><kind>recall</kind><question>...</question><answer>...</answer></probe>"""

_ANSWER = f"""\
You answer a question about a conversation from its transcript, and from nothing else. {rule(["transcript"])}

Be short and exact: names, numbers, paths, dates and wordings as they stand there. Where the transcript does not say,
the answer is: not stated

Reply in this form and with nothing else:
<answer>...</answer>"""

_SCORE = f"""\
You score an answer to a question by a reference, which is right. {rule(["question", "reference", "candidate"])}

5: it says all that the reference says
4: it says all that matters, and lacks a detail
3: it has the main point, and lacks or mistakes something that matters
2: it has a part of it
1: it is near the subject, and of little use
0: it is wrong, says that this is not stated, or does not answer
Only what it says counts, not its wording, its length or its manner. What is right and goes beyond the reference does no
harm; what contradicts it does.

Reply in this form and with nothing else:
<reason>one sentence</reason><score>a number from 0 to 5</score>"""

_AGAIN = "\n\nYour last reply was not in the form that is asked for. Reply with nothing but that form, and be short."
_FILL = "as many words as such a text has at most, or some more than that, " * 6


@dataclass(frozen=True, slots=True)
class ProbeQuestion:
    """A question with its kind, one of KINDS or GIVEN, and the answer that is right."""

    kind: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Score:
    """From 0 to TOP, and the judge's reason."""

    score: float
    reason: str


def making(model: str, transcript: str, each: int) -> Request:
    """Asks for `each` questions of each kind about a transcript in its fence."""
    stand_in = "".join(
        f"<probe><kind>{kind}</kind><question>{n} {_FILL}</question><answer>{_FILL}</answer></probe>"
        for kind in KINDS
        for n in range(each)
    )
    prompt = f"Write {each} questions of each kind, {each * len(KINDS)} in all."
    return Request(model, _MAKE, prompt, _LONGEST + _A_PROBE * each * len(KINDS), transcript, stand_in)


def made(text: str, each: int) -> list[ProbeQuestion] | None:
    """The first `each` questions of each kind in an answer, kind by kind; None where there are none at all."""
    parts = [[next(iter(elements(part, name)), "") for name in _PARTS] for part in _SEAM.split(text)]
    found = dict.fromkeys(ProbeQuestion(kind.lower(), *said) for kind, *said in parts if all(said))
    return [probe for kind in KINDS for probe in islice((p for p in found if p.kind == kind), each)] or None


def answering(model: str, transcript: str, probe: ProbeQuestion, number: int) -> Request:
    """Asks for the answer to a question; `number` keeps the stand-ins of a dry run apart."""
    prompt = f"{fenced('question', probe.question, TAGS)}\nAnswer it from the transcript above."
    return Request(model, _ANSWER, prompt, _LONGEST, transcript, f"<answer>{number} {_FILL}</answer>")


def answered(text: str) -> str | None:
    """The answer in a reply; None where there is none in the form that was asked for."""
    return next(filter(None, elements(text, "answer")), None)


def scoring(model: str, probe: ProbeQuestion, answer: str) -> Request:
    """Asks for the score of an answer. The judge does not learn which transcript it was given from."""
    said = {"question": probe.question, "reference": probe.answer, "candidate": answer}
    prompt = "\n".join(fenced(name, text, TAGS) for name, text in said.items())
    return Request(model, _SCORE, prompt, _LONGEST, stand_in="<reason></reason><score>0</score>")


_NUMBER = re.compile(r"([0-5](?:[.,]\d+)?)\s*(?:(?:/|out of)\s*5)?\s*\.?")


def scored(text: str) -> Score | None:
    """The score in a reply; None where there is none, several that differ, or one that is not from 0 to TOP."""
    numbers = [_NUMBER.fullmatch(inner) for inner in elements(text, "score")]
    values = {float(number[1].replace(",", ".")) if number else -1.0 for number in numbers}
    if len(values) != 1 or not 0 <= (value := values.pop()) <= TOP:
        return None
    return Score(value, next(iter(elements(text, "reason")), ""))


def again(request: Request) -> Request:
    """The same once more, after a reply of no use."""
    return replace(request, prompt=request.prompt + _AGAIN)


def kinds(probes: Sequence[ProbeQuestion]) -> list[str]:
    """The kinds that occur, in their order."""
    return [kind for kind in (*KINDS, GIVEN) if any(probe.kind == kind for probe in probes)]
