"""What a model is asked for to make, shorten and mend a summary, and how its answers are read.

Merging only what is new into the summary that there is, in fixed sections, is what Factory.ai calls anchored summaries
(https://factory.ai/news/compressing-context); in its own evaluation they kept more than the compaction of Anthropic's
and OpenAI's APIs (https://factory.ai/news/evaluating-compression, December 2025).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice, permutations

from boildown.measure.content import said
from boildown.summaries.language import spoken
from boildown.summaries.summary import SECTIONS, Summary
from boildown.summarizers.calls import Request
from boildown.summarizers.reading import readable
from boildown.summarizers.tags import elements, fenced, rule
from boildown.transcript import Message

EARLIER, PART, DRAFT, LINE, SOURCE = "earlier", "part", "draft", "line", "source"
TAGS = ("transcript", EARLIER, PART, DRAFT, LINE, SOURCE, *SECTIONS)
GONE = "-"
"""What a model answers for a line that cannot be mended"""

A_WORD = 1.5
"""Tokens of a word, with its share of marks and of names"""
FORM = 160
"""Tokens of an answer's tags, and of what a model says besides"""

_ASKED = {
    "intent": "what the user wants, and how far it has come",
    "decisions": "what was decided or rejected, by whom, and why",
    "facts": "names, numbers, dates, places, preferences, values, and what else will be needed again",
    "open": "questions that nobody has answered",
    "actions": "what is still to be done, by whom and until when",
    "artifacts": "files, documents, commands, links and identifiers, and what became of each",
}
_ECHOES = frozenset((*_ASKED.values(), "..."))
"""What a small model repeats of the form instead of filling it in"""
_FORM = "\n".join(f"<{name}>\n- {said}\n</{name}>" for name, said in _ASKED.items())
_SHAPE = "reply with these tags and nothing else, a few lines in each that fits:\n" + "\n".join(
    f"<{name}>\n- ...\n</{name}>" for name in _ASKED
)
"""The form in few words, said last: a small model looks no further back, and keeps it then"""
_RULES = f"""\
Write in the language in which the conversation is held, whatever that of these instructions; where it is held in
several, each line in that of what it tells. The names of the tags stay as they are.

Write short, complete lines, each of which can be understood alone: name who did or said something. Take names,
numbers with their units, dates, paths, identifiers and URLs over exactly as they stand there; never compute, round,
guess or add anything. Where something changed, say what holds now, and what it was before. What is most likely to be
needed later comes first. Say nothing about these instructions.

Reply in this form and with nothing else; leave out a section that would be empty:
{_FORM}"""

_WRITE = f"""\
You sum up conversations, so that somebody who has only the summary can go on where they ended. \
{rule(["transcript", EARLIER, PART])}

{_RULES}"""

_SHORTEN = f"""\
You shorten summaries of conversations. {rule([DRAFT])}

Keep what is most likely to be needed later, and leave out the rest. {_RULES}"""

_MEND = f"""\
You correct lines of a summary by its source. {rule([LINE, SOURCE])}

Each line says something that its source does not say. Write each line anew, in the language of its source, so that it
says only what the source says, with names, numbers, dates, paths and identifiers exactly as they stand there. Where
the source says nothing of the kind, the line is: {GONE}

Reply with as many lines as there are, in their order, each in this form, and with nothing else:
<{LINE}>...</{LINE}>"""

_AGAIN = "\n\nYour last reply was not in the form that is asked for."
_HEADINGS = {
    re.sub(r"\W+", " ", spelling).strip().lower(): name
    for name, title in SECTIONS.items()
    for spelling in (name, title)
}
_HEADING = re.compile(r"(?:#{1,6}\s*|\*\*)?(?P<title>[A-Za-z ]{3,24}?)\s*(?:\*\*)?:?\s*(?:\*\*)?")
_BULLET = re.compile(r"(?:[-*•+]|\d{1,2}[.)])\s+")
_MARKUP = re.compile(rf"<\s*/?\s*(?:{'|'.join(TAGS)})\s*/?\s*>", re.IGNORECASE)
# Escapes for a terminal, what turns the direction of a text round, halves of characters, and letters that are tags: no
# answer needs them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\U000e0000-\U000e007f]"
)
_NOTHING = """
    none nothing n/?a empty not.stated none.stated keine?s? nichts leer aucune? rien néant ningun[oa] ningún nada
    nessun[oa] niente nenhuma? geen niets нет ничего 无 沒有 没有 無 なし 없음 لا.شيء कुछ.नहीं""".split()
_EMPTY = re.compile(rf"[-–—.\s]*|(?:```|~~~)\w*|\(?(?:{'|'.join(_NOTHING)})\)?[.。।]?", re.IGNORECASE)
_FILL = "words that a summary could have in such a line, or some more than that, "
_FILLED = 23
"""Tokens of such a line and its title"""


def writing(
    model: str,
    messages: Sequence[Message],
    tokens: int,
    earlier: Summary | None = None,
    parts: Sequence[Summary] = (),
) -> Request:
    """Asks for a summary of at most `tokens`: of `messages`, of `parts`, or of `earlier` with those merged into it."""
    held = [fenced(EARLIER, earlier.body(), TAGS)] if earlier else []
    held += [fenced(PART, part.body(), TAGS) for part in parts]
    held += [readable(messages, TAGS)] if messages else []
    shape = _shape([*map(said, messages), *(line for part in parts for _, line in part.lines())])
    demand = f"{_demand(earlier, parts)} Use at most {words(tokens)} words. {shape}"
    return Request(model, _WRITE, "\n\n".join([*held, demand]), _longest(tokens), "", _any(tokens))


def _demand(earlier: Summary | None, parts: Sequence[Summary]) -> str:
    if earlier:
        return (
            f"The transcript goes on where the summary in <{EARLIER}> ended. Write the summary of both: keep its lines "
            "as they are where they still hold, change those that the transcript makes untrue or settles, and add what "
            "is new."
        )
    return (
        "Sum up the parts above, which follow one another, in one summary." if parts else "Sum up the transcript above."
    )


def _shape(texts: Iterable[str]) -> str:
    """The form that is asked for, in the language of `texts`: by its name, for a small model finds out no other way."""
    language = spoken(texts)
    which = f"{language}, the language of the conversation" if language else "the language of the conversation"
    return f"Write in {which}, and {_SHAPE}"


def shortening(model: str, summary: Summary, tokens: int) -> Request:
    """Asks for a summary that is too long to be said in at most `tokens`."""
    shape = _shape(line for _, line in summary.lines())
    prompt = f"{fenced(DRAFT, summary.body(), TAGS)}\n\nSay it in at most {words(tokens)} words. {shape}"
    return Request(model, _SHORTEN, prompt, _longest(tokens), "", _any(tokens))


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that says what its source does not: what that is, and the places of the source that come nearest."""

    line: str
    why: Sequence[str]
    source: str

    @property
    def quoted(self) -> str:
        """What of the summary and of its source a model is shown."""
        return f"{self.line}\n{self.source}"


def mending(model: str, faults: Sequence[Fault]) -> Request:
    """Asks for lines without what is wrong in them."""
    parts = [
        f"{fenced(LINE, fault.line, TAGS)}\nNot in the source: {'; '.join(map(_harmless, fault.why))}\n"
        f"{fenced(SOURCE, fault.source, TAGS)}"
        for fault in faults
    ]
    prompt = "\n\n".join([*parts, f"Write {len(faults)} lines, one for each above."])
    stand_in = "".join(f"<{LINE}>{GONE}</{LINE}>" for _ in faults)
    return Request(model, _MEND, prompt, FORM + 2 * 80 * len(faults), "", stand_in)


def again(request: Request) -> Request:
    """The same once more, after a reply of no use, with the form last: a small model sees no further back."""
    form = request.system.rpartition("\n\n")[2]
    return replace(request, prompt=f"{request.prompt}{_AGAIN} {form}")


def words(tokens: int) -> int:
    """How many words to ask for, where `tokens` is the most: in steps, so that a like demand is the same demand."""
    exact = max(10, int(tokens / A_WORD))
    step = max(5, 10 ** (len(str(exact)) - 1) // 2)
    return int(exact // step * step)


def made(text: str) -> Summary | None:
    """The summary in an answer: in tags, or under headings of their names; None where there is neither."""
    return _summary((name, inner) for name in SECTIONS for inner in elements(text, name)) or _headed(text)


def _headed(text: str) -> Summary | None:
    held: dict[str, list[str]] = {}
    lines: list[str] | None = None
    for line in text.splitlines():
        heading = _HEADING.fullmatch(line.strip())
        name = _HEADINGS.get(re.sub(r"\W+", " ", heading["title"]).strip().lower()) if heading else None
        if name is not None:
            lines = held.setdefault(name, [])
        elif lines is not None:
            lines.append(line)
    return _summary((name, "\n".join(said)) for name, said in held.items())


def _summary(parts: Iterable[tuple[str, str]]) -> Summary | None:
    """Lines by section; what is said in several of them counts where it is said first."""
    where: dict[str, str] = {}
    for name, inner in parts:
        for raw in inner.splitlines():
            if line := _line(raw):
                where.setdefault(line, name)
    sections: dict[str, tuple[str, ...]] = {}
    for line, name in where.items():
        sections[name] = (*sections.get(name, ()), line)
    return Summary(sections) if sections else None


def _line(raw: str) -> str:
    """A line without its bullet, tags, doubled blanks and what nobody sees; "" for one that says nothing."""
    seen = _UNSEEN.sub("", raw)
    bare = " ".join(_MARKUP.sub(" ", _BULLET.sub("", seen.strip(), count=1)).split())
    return "" if _EMPTY.fullmatch(bare) or bare in _ECHOES else bare


def mended(text: str, number: int) -> list[str] | None:
    """The lines of an answer, "" for one that is to go; None where they are not as many as were asked for."""
    lines = elements(text, LINE)
    return [_line(line.replace("\n", " ")) for line in lines] if len(lines) == number else None


def _harmless(text: str) -> str:
    return text.replace("<", "&lt;")


def _longest(tokens: int) -> int:
    """The most tokens that an answer may take: some more than asked for, so that one too long can be shortened."""
    return min(FORM + 2 * tokens, 21_333)


def _any(tokens: int) -> str:
    """An answer as long as was asked for, for a dry run, and never longer: it would be asked to be shortened."""
    fill = _FILL.split()
    many = max(1, min(words(tokens) // len(fill), tokens // _FILLED))
    lines = zip(cycle(SECTIONS), islice(permutations(fill), many))
    return "\n".join(f"<{name}>\n- {' '.join(line)}\n</{name}>" for name, line in lines)
