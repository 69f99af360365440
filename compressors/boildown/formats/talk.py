"""What plain text and Markdown transcripts share: reading turns into messages, and writing them back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from boildown.formats.layout import raw
from boildown.formats.spoken import STYLES, Label, Style, escape, is_talk, knows_user, labels, unescape, unfenced
from boildown.transcript import Message, Note, Source, Text, Transcript

_GAP = re.compile(r"[ \t]*+(?:\r?\n(?:[ \t]*+\r?\n)*)?")
_FENCED = re.compile(r"[ \t]*+(?:```|~~~)")
CONTEXT = "Context"
"""Who says what the user is to read, where only names tell speakers: a word for the user would hide the names."""


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of transcript: its format's name, its style, and how it writes what it has no source for.

    head       role and name -> a label, and what stands between it and a text of one or of several lines
    heading    the line that parts a conversation from the one before, its number to be put in
    """

    name: str
    style: Style
    head: Callable[[str, str | None, bool], str]
    heading: str


@dataclass(frozen=True, slots=True)
class Turns:
    """What stands around the text of each record: its label, and the blanks or the ruler behind it.

    known  whether the labels tell who the user is, so that mere names are no speakers
    """

    heads: tuple[bytes, ...]
    tails: tuple[bytes, ...]
    users: tuple[bool, ...]
    known: bool


def leads(text: str, form: Style) -> bool:
    """Whether `text` is a transcript in this style: two turns, the first before any of another style."""
    here = _first(text, form)
    return here < len(text) and all(here < _first(text, other) for other in STYLES if other is not form)


def _first(text: str, form: Style) -> int:
    """Where a transcript's first label stands; the end of `text` where it is no transcript."""
    found = [labels(text, form, start, end) for start, end in _parts(text, form)]
    return next((part[0].start for part in found if is_talk(part)), len(text))


def _parts(text: str, form: Style) -> list[tuple[int, int]]:
    """Where the conversations of a text stand."""
    cuts = [m.start() for m in unfenced(text, form.part)]
    return list(pairwise([0, *(c for c in cuts if c and text[:c].strip()), len(text)]))


def read(data: bytes, form: Form) -> Iterator[Transcript]:
    """The conversations in `data`. Raises ValueError where no line names a speaker."""
    text = data.decode("utf-8", "surrogateescape")
    parts = _parts(text, form.style)
    for start, end in parts:
        found = labels(text, form.style, start, end)
        if not found and len(parts) == 1 and text.strip():
            raise ValueError("no line of it names a speaker")
        yield _conversation(text, start, end, found, form)


def _conversation(text: str, start: int, end: int, found: Sequence[Label], form: Form) -> Transcript:
    bounds = [*(label.start for label in found), end]
    bodies = _bodies(text, found, bounds, form.style)
    messages = []
    for n, (label, (a, b)) in enumerate(zip(found, bodies, strict=True)):
        said = unescape(text[a:b], form.style)
        blocks = (Text(said, 0),) if said else ()
        messages.append(Message(f"m{n + 1}", label.role, blocks, label.name, label.time, records=(n,)))
    turns = Turns(
        tuple(raw(text[label.start : a]) for label, (a, _) in zip(found, bodies, strict=True)),
        tuple(raw(text[b:stop]) for (_, b), stop in zip(bodies, bounds[1:], strict=True)),
        tuple(label.sure and label.role == "user" for label in found),
        knows_user(found),
    )
    before = text[start : bounds[0]]
    odd = before if not start else form.style.part.sub("", before, count=1)
    where = f"line {text.count(chr(10), 0, start) + 1}"
    notes = (Note("preamble", where, "text before the first speaker is carried"),) if odd.strip() else ()
    records = tuple(raw(text[a:b]) for a, b in pairwise(bounds))
    source = Source(form.name, records, tuple(messages), raw(before), b"", turns, notes)
    return Transcript(source.messages, source)


def _bodies(text: str, found: Sequence[Label], bounds: Sequence[int], form: Style) -> list[tuple[int, int]]:
    """Where the text of each turn stands. A ruler behind it is none of it where one parts all of the turns."""
    bodies = []
    for label, stop in zip(found, bounds[1:], strict=True):
        gap = _GAP.match(text, label.end, stop)
        start = gap.end() if gap else label.end
        bodies.append((start, start + len(text[start:stop].rstrip())))
    ruled = [_ruled(text, a, b, form) for a, b in bodies]
    if len(ruled) > 1 and all(end is not None for end in ruled[:-1]):
        return [(a, b if end is None else end) for (a, b), end in zip(bodies, ruled, strict=True)]
    return bodies


def _ruled(text: str, start: int, end: int, form: Style) -> int | None:
    """Where a text ends that a ruler ends, without it; None where none does."""
    line = max(start, text.rfind("\n", start, end) + 1)
    match = form.ruler.match(text, line, end)
    return start + len(text[start:line].rstrip()) if match and match.end() == end else None


def write(transcripts: Iterable[Transcript], form: Form) -> Iterator[bytes]:
    """Each conversation in its source's words; those of another format behind a heading where there are several."""
    for number, transcript in enumerate(transcripts, 1):
        source = transcript.source
        if source is not None and source.format == form.name:
            yield source.before
            yield _written(transcript, source, form)
        else:
            heading = f"{form.heading.format(number)}\n\n" if number > 1 else ""
            yield raw(heading) + _new(transcript, form)


def _new(transcript: Transcript, form: Form) -> bytes:
    known = any(m.role == "user" for m in transcript.messages)
    return b"".join(_said(m, form, known) + b"\n\n" for m in transcript.messages)


def _said(message: Message, form: Form, known: bool) -> bytes:
    body = escape(message.text, form.style, known)
    role, name = message.role, message.name
    if role == "user" and not known:
        role, name = CONTEXT, None
    broken = "\n" in body or _FENCED.match(body) is not None
    return raw(form.head(role, name, broken)) + _bytes(body)


def _written(transcript: Transcript, source: Source, form: Form) -> bytes:
    """The turns that are left. One that did not change is as it was, unless a line of it would now name a speaker."""
    turns = source.layout
    assert isinstance(turns, Turns)
    read = {m.id: m for m in source.messages}
    now = [(m, read[m.id].records[0] if m.id in read else -1, same) for m, same in transcript.unchanged()]
    known = any(turns.users[n] if n >= 0 else turns.known and m.role == "user" for m, n, _ in now)
    usual = _usual(turns)
    parts = []
    for place, (message, n, same) in enumerate(now):
        last = place + 1 == len(now)
        if n < 0:
            body = _said(message, form, known)
        elif same and known == turns.known:
            body = source.records[n][: len(source.records[n]) - len(turns.tails[n])]
        else:
            text = escape(message.text, form.style, known)
            body = _headed(turns.heads[n], text) + _bytes(text)
        parts += [body, _tail(turns, n, last, usual, len(now))]
    return b"".join(parts)


def _usual(turns: Turns) -> bytes:
    tails = Counter(turns.tails[:-1]).most_common(1)
    return tails[0][0] if tails else b"\n\n"


def _tail(turns: Turns, n: int, last: bool, usual: bytes, count: int) -> bytes:
    if last:
        tail = turns.tails[-1] if turns.tails else b"\n"
        return tail if count > 1 or not tail.strip() else b"\n"
    return turns.tails[n] if 0 <= n < len(turns.tails) - 1 else usual


def _headed(head: bytes, text: str) -> bytes:
    """A label, its text on the next line where that begins with a fence, which would be none behind a label."""
    if _FENCED.match(text) and not head.endswith(b"\n"):
        return head.rstrip(b" \t") + b"\n"
    return head if head[-1:].isspace() or not text else head + b" "


def _bytes(text: str) -> bytes:
    try:
        return raw(text)
    except UnicodeEncodeError:  # Halves of characters, which convert() notes.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
