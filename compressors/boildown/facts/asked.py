"""Facts that a model finds: what it is asked, how its answers are read, and which of them the messages bear out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from boildown.errors import AnswerError, ModelError
from boildown.facts.days import relative
from boildown.facts.kinds import Kind
from boildown.facts.listing import Fact, sentences, without_date
from boildown.measure.facts import taken
from boildown.memory.messages import Said
from boildown.summaries.checks import Evidence
from boildown.summaries.chunks import Chunk, chunks
from boildown.summaries.dates import told as days
from boildown.summaries.numbers import numbers
from boildown.summaries.source import folded
from boildown.summarizers.calls import Model, Outcome, Request
from boildown.summarizers.reading import referable
from boildown.summarizers.tags import elements, rule
from boildown.text.words import LITTLE, WORD
from boildown.tokens import Counter
from boildown.transcript import Message, Redaction, Text, Transcript

CHUNK = 6_000
"""Tokens of the conversation that one call reads: of more, small models tell the beginning and the end alone"""
ANSWER = 3_000
TAG = "facts"
_KINDS = {
    Kind.PREFERENCE: "what somebody likes, prefers, avoids",
    Kind.DECISION: "what was chosen, agreed or rejected",
    Kind.ABOUT: "what somebody tells of themselves: what they have, do and did",
    Kind.DATE: "when something is or was",
    Kind.NUMBER: "an amount, a price, a measure, with its unit",
    Kind.ENTITY: "the name of a person, a place, an organisation or a product",
}
_NAMES = {name: kind for kind in Kind for name in (str(kind), str(kind).removesuffix("s"))} | {"entity": Kind.ENTITY}
_FORM = f"<{TAG}>\npreferences | m12 | black coffee | I love black coffee.\n</{TAG}>"
_SYSTEM = f"""\
You list the facts that a conversation states, each with the message that states it. {rule(["transcript"])}

There are these kinds of facts:
{chr(10).join(f"{kind}: {said}" for kind, said in _KINDS.items())}

Write a line for each fact: its kind, the id with which its message begins, its value in the message's own words, and
the sentence of the message that states it, word for word. Leave out what is merely asked, supposed or proposed, and
what is generally so. Add nothing, and compute nothing.

Reply in this form and with nothing else:
{_FORM}"""
_ASK = "List the facts of the transcript above. Reply in this form and with nothing else:\n" + _FORM
_AGAIN = "\n\nYour last reply was not in that form."
_BULLET = re.compile(r"\A\s*(?:[-*•+]|\d{1,3}[.)])?\s*[|]?\s*")
_HEAD = re.compile(r"[\s\[(*`#-]*([\w:.-]+?)[\s\])*`:,]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """The facts that a model found and their messages state, how many it named in all, and the calls of no use."""

    facts: tuple[Fact, ...]
    named: int
    useless: int

    @property
    def dropped(self) -> int:
        """How many their messages do not state."""
        return self.named - len(self.facts)


@dataclass(frozen=True, slots=True)
class Named:
    """A fact as a model names it."""

    kind: Kind
    id: str
    value: str
    sentence: str


def asked(said: Sequence[Said], model: Model, name: str, counter: Counter, redact: bool = True) -> Asked:
    """What the model called `name` finds in messages, of which it is sent placeholders for secrets if `redact`.

    Each fact is held against the message that it names, and has that message's own sentence for its text. A reply that
    cannot be read is asked for once more. Raises UsageError, ModelError or CostError where no answer is to be had.
    """
    own = _shown(said, redact)
    requests = [_request(name, chunk) for chunk in chunks(own.messages, CHUNK, counter)]
    replies = _replies(model, requests)
    named = list(dict.fromkeys(one for reply in replies for one in reply or ()))
    when = days([m.time for m in own.messages], [m.text for m in own.messages])
    by_id = {m.id: (m, day) for m, day in zip(own.messages, when, strict=True)}
    borne_out = (_fact(one, by_id, name) for one in named)
    facts = tuple(_restored(fact, own.redactions) for fact in borne_out if fact is not None)
    return Asked(facts, len(named), sum(reply is None for reply in replies))


def _shown(said: Sequence[Said], redact: bool) -> Transcript:
    """What a model is sent: what people and models said, and no tool."""
    from boildown.stages.redact import Redact

    messages = (
        Message(one.id, one.role, (Text(one.text),), name=one.name or None, time=one.time or None)
        for one in said
        if one.role != "tool" and one.text.strip()
    )
    transcript = Transcript(tuple(messages))
    return Redact().together([transcript])[0] if redact else transcript


def _request(name: str, chunk: Chunk) -> Request:
    prompt = f"{referable(chunk, [TAG])}\n\n{_ASK}"
    return Request(name, _SYSTEM, prompt, ANSWER, stand_in=f"<{TAG}>\n</{TAG}>")


def _replies(model: Model, requests: Sequence[Request]) -> list[list[Named] | None]:
    found = [_read(outcome) for outcome in model.ask(requests)]
    missing = [n for n, one in enumerate(found) if one is None]
    again = [replace(requests[n], prompt=requests[n].prompt + _AGAIN) for n in missing]
    for n, outcome in zip(missing, model.ask(again) if again else [], strict=True):
        found[n] = _read(outcome)
    return found


def _read(outcome: Outcome) -> list[Named] | None:
    if isinstance(outcome, AnswerError):
        return read(outcome.text.rpartition("\n")[0])  # Where it was cut off, its last line is half of one.
    if isinstance(outcome, ModelError):
        raise outcome
    return read(outcome.text)


def read(text: str) -> list[Named] | None:
    """The facts that an answer names, with or without the tag; None where it has neither."""
    inside = elements(text, TAG)
    found = [one for part in inside or [text] for line in part.splitlines() if (one := _line(line))]
    return found if found or inside else None


def _line(line: str) -> Named | None:
    parts = [part.strip() for part in _BULLET.sub("", line).split("|", 3)]
    if len(parts) < 3:
        return None
    kind, id = _NAMES.get(parts[0].strip("*_[]() ").lower()), _HEAD.fullmatch(parts[1])
    value, sentence = parts[2].strip('"“”`* '), parts[3].strip("| ") if len(parts) > 3 else ""
    return Named(kind, id[1], value, sentence) if kind and id and value else None


def _fact(one: Named, by_id: Mapping[str, tuple[Message, date | None]], name: str) -> Fact | None:
    """The fact in the words of its message; None where that has no sentence with such a value."""
    message, day = by_id.get(one.id, (None, None))
    if message is None:
        return None
    for sentence in _likely(message, one.sentence):
        if _states(sentence, one.value, day):
            by = message.name or message.role
            return Fact((one.kind,), (one.value,), sentence, (message.id,), by, message.time or "", model=name)
    return None


def _likely(message: Message, quoted: str) -> Iterator[str]:
    """The sentences of a message, one that a model quoted first."""
    wanted = folded(quoted).strip(" .")
    there = list(sentences(without_date(message.text)))
    yield from sorted(there, key=lambda one: not wanted or wanted not in folded(one))


def _states(sentence: str, value: str, day: date | None) -> bool:
    """Whether a sentence has a value word for word, or is of a date or number that it has in another form.

    The `day` on which it was said tells what "last Friday" is, and is no value itself.
    """
    if value in (told for _, told in relative(sentence, day)):
        return True
    evidence = Evidence.of([Message("", "", (Text(sentence),))])
    if evidence.unfounded(value) or not WORD.search(value):
        return False
    if evidence.source.quotes(value):
        return True
    stated, rest = taken(value)
    counted = [rest[number.start : number.end] for number in numbers(rest)]
    for number in counted:
        rest = rest.replace(number, " ", 1)
    left = [word for word in WORD.findall(rest.lower()) if word not in LITTLE]
    return bool(stated or counted) and not left


def _restored(fact: Fact, redactions: Sequence[Redaction]) -> Fact:
    """With the secrets that the model was not sent, as all other facts have them."""
    text, values = fact.text, fact.values
    for one in redactions:
        text = text.replace(one.placeholder, one.secret)
        values = tuple(value.replace(one.placeholder, one.secret) for value in values)
    return replace(fact, text=text, values=values)
