"""Bytes to JSON records and back: encodings, lines, spans, and what to say when a record is broken."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson

from boildown.errors import InputError, NoConversationError

Json = Any
_BLANK = re.compile(r"[ \t\r\n]*")
_SPACED = re.compile(rb'[\s\[{]*"(?:[^"\\]|\\.)*"\s*: |\s*\[[^,"{\[]*, ')
_STAMPED = re.compile(rb"\s*\[[\w ,./-]*\d:\d\d[\w :,./-]*\]")
"""A time in brackets, which no array is: a transcript may begin with it."""
_DECODER = json.JSONDecoder()
_SAMPLE = 64
_LONG = 100_000
"""A first line of so many bytes that opens an array is not parsed whole to find out whether there are more lines."""
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's text stands in bytes: the codec, and the byte order mark before it."""

    codec: str = "utf-8"
    bom: bytes = b""

    def decode(self, data: bytes) -> bytes:
        """The file as plain UTF-8. UTF-8 that is not valid is left as it is."""
        data = data[len(self.bom) :]
        return data if self.codec == "utf-8" else _recoded(data, self.codec, "utf-8")

    def encode(self, data: bytes) -> bytes:
        """The inverse of `decode`, without the mark."""
        return data if self.codec == "utf-8" else _recoded(data, "utf-8", self.codec)


def _recoded(data: bytes, old: str, new: str) -> bytes:
    return data.decode(old, "surrogatepass").encode(new, "surrogatepass")


def encoding(data: bytes) -> Encoding:
    """The encoding of a file, by its byte order mark or, for UTF-16 without one, by its zero bytes."""
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return Encoding(codec, bom)
    head = data[:64]
    if len(head) >= 4 and head[1::2].count(0) > len(head) // 4:
        return Encoding("utf-16-le")
    if len(head) >= 4 and head[::2].count(0) > len(head) // 4:
        return Encoding("utf-16-be")
    return Encoding()


def parse(record: bytes) -> Json:
    """A JSON value, with what orjson refuses: lone surrogates, NaN, and bytes that are not UTF-8.

    Bytes that are no UTF-8 become surrogate escapes, so that they can be written back. Raises ValueError.
    """
    try:
        return orjson.loads(record)
    except orjson.JSONDecodeError:
        return json.loads(record.decode("utf-8", "surrogateescape"))


def dump(value: Json, like: bytes = b"") -> bytes:
    """JSON in one line, in the manner of the record `like`: its spacing, and escapes where it has only ASCII."""
    spaced = _SPACED.match(like) is not None
    ascii_only = bool(like) and like.isascii() and b"\\u" in like
    text = json.dumps(value, ensure_ascii=ascii_only, separators=(", ", ": ") if spaced else (",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        pass
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return json.dumps(value, separators=(", ", ": ") if spaced else (",", ":")).encode()


def as_text(value: Json) -> str:
    """A JSON value as a model would be shown it: a string as it is, null as nothing, all else as JSON."""
    return value if isinstance(value, str) else "" if value is None else dump(value).decode("utf-8", "surrogateescape")


def as_list(value: Json) -> list[Json]:
    """A list as it is; of anything else, an empty one."""
    return value if isinstance(value, list) else []


def as_object(arguments: str) -> Json:
    """A call's arguments as the object that APIs demand: other text becomes its `input`."""
    try:
        value = parse(arguments.encode("utf-8", "surrogateescape")) if arguments.strip() else {}
    except ValueError:
        value = arguments
    return value if isinstance(value, dict) else {"input": value}


def lines(data: bytes) -> Iterator[bytes]:
    """The lines of a file with their endings; joined, they are the file."""
    start, end = 0, len(data)
    while start < end:
        stop = data.find(b"\n", start) + 1 or end
        yield data[start:stop]
        start = stop


def body(line: bytes) -> bytes:
    """A line without its ending."""
    return line.rstrip(b"\r\n")


def ending(line: bytes) -> bytes:
    """A line's ending, which may be nothing."""
    return line[len(body(line)) :]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a JSON object or array: its value, and where the value stands in the text."""

    key: str
    value: Json
    start: int
    end: int


def members(text: str, start: int = 0) -> Iterator[Member]:
    """The members of the object or array that begins at `start` (blanks before it allowed), in order.

    Each value is parsed when it is reached, so that a file of any size takes the memory of its largest member.
    Raises ValueError where the text is no JSON.
    """
    place = _skip(text, start)
    opened = text[place : place + 1]
    if opened not in ("{", "["):
        raise json.JSONDecodeError("Expecting an object or an array", text, place)
    close = "}" if opened == "{" else "]"
    place = _skip(text, place + 1)
    while text[place : place + 1] != close:
        key = ""
        if opened == "{":
            key, place = _DECODER.raw_decode(text, place)
            place = _skip(text, place)
            if text[place : place + 1] != ":":
                raise json.JSONDecodeError("Expecting ':'", text, place)
            place = _skip(text, place + 1)
        value, end = _DECODER.raw_decode(text, place)
        yield Member(key, value, place, end)
        place = _skip(text, end)
        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)
        elif text[place : place + 1] != close:
            raise json.JSONDecodeError(f"Expecting ',' or '{close}'", text, place)


def _skip(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    return match.end() if match else place


@dataclass(frozen=True, slots=True)
class Sample:
    """How a file begins.

    kind    "lines" (a JSON value a line), "array" or "object" (one JSON value), or "text" (no JSON)
    items   the first values: of the lines, of the array's elements, or the one object; none of text
    text    all of a text
    """

    kind: Literal["lines", "array", "object", "text"]
    items: tuple[Json, ...]
    text: str = ""

    @property
    def objects(self) -> list[dict[str, Json]]:
        return [item for item in self.items if isinstance(item, dict)]

    def describe(self) -> str:
        """What the file holds, in words, for an error."""
        if self.kind == "text":
            return (
                f"it begins with {self.text.lstrip()[:24]!r}, which is no JSON, and no two lines of it name a speaker "
                "('User: ...', '**User:** ...')"
            )
        what = {"lines": "JSON lines", "array": "a JSON array", "object": "a JSON object"}[self.kind]
        keys = list(dict.fromkeys(k for item in self.objects[:8] for k in item))[:8]
        return f"it holds {what}" + (f" with the keys {', '.join(map(str, keys))}" if keys else " without objects")


def sample(data: bytes, where: str = "the input") -> Sample:
    """The beginning of a file, parsed. Raises InputError for a file that is empty or broken JSON."""
    if not data.strip():
        raise NoConversationError(f"{where}: the file is empty. Give a file that holds a conversation.")
    first = data.lstrip()[:1]
    if first not in b"[{" or _STAMPED.match(data):
        return Sample("text", (), data.decode("utf-8", "surrogateescape"))
    line = data.find(b"\n", data.find(first))
    one = first == b"[" and not 0 <= line - data.find(first) < _LONG
    parsed = None if one else _line_values(data)
    if parsed is not None:
        return Sample("lines", tuple(parsed))
    text = data.decode("utf-8", "surrogateescape")
    try:
        if first == b"{":
            return Sample("object", (_DECODER.raw_decode(text, _skip(text, 0))[0],))
        found = []
        for member in members(text):
            found.append(member.value)
            if len(found) == _SAMPLE:
                break
        return Sample("array", tuple(found))
    except RecursionError:
        raise InputError(f"{where}: the JSON is nested too deeply to read.") from None
    except ValueError as error:
        raise broken(where, data, error) from None


def _line_values(data: bytes) -> list[Json] | None:
    """The values of the first lines when the file is JSON lines, else None. Lines that do not parse are passed over."""
    found, bad = [], 0
    for number, line in enumerate(lines(data)):
        if not line.strip():
            continue
        try:
            found.append(parse(line))
        except (ValueError, RecursionError):
            bad += 1
        if number >= _SAMPLE:
            break
    objects = sum(isinstance(value, dict) for value in found)
    if len(found) + bad == 1:
        return found if objects and not bad else None
    return found if objects and objects >= bad else None


def broken(where: str, data: bytes, error: ValueError) -> InputError:
    """The error for a document that stops being JSON: the line and column, and what to do."""
    place = cast(int, getattr(error, "pos", 0))
    text = data.decode("utf-8", "surrogateescape")
    line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
    if not text[place:].strip() or "Unterminated" in str(error):
        return InputError(
            f"{where}: line {line}, column {column}: the JSON ends in the middle: the file was cut off. "
            "Get a whole copy of it; nothing was written."
        )
    reason = getattr(error, "msg", str(error))
    place_of = f"{where}: line {line}, column {column}"
    return InputError(f"{place_of}: not valid JSON: {reason}. Mend it there; nothing was written.")
