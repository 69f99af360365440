"""The parts of Gemini's contents, which Gemini CLI's sessions hold too: text, thoughts, calls, responses, data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from boildown.formats import media
from boildown.formats.source import Json, as_object, as_text, parse
from boildown.transcript import Block, Opaque, Text, Thinking, ToolCall, ToolResult

SIGNATURE = ("thoughtSignature", "thought_signature")
CALL = ("functionCall", "function_call")
RESPONSE = ("functionResponse", "function_response")
DATA = ("inlineData", "inline_data")
FILE = ("fileData", "file_data")
TYPE = ("mimeType", "mime_type")
FILE_TOKENS = 258
"""What a file counts whose bytes are elsewhere: an image of one tile, or a page of a document."""


def member(value: Mapping[str, Json], names: Sequence[str]) -> Json:
    """The value under the first of `names` that is there: the API takes camel case and snake case."""
    return next((value[name] for name in names if name in value), None)


@dataclass(slots=True)
class Calls:
    """The calls of a conversation as it is read: their ids, made up by place where the source has none."""

    count: int = 0
    waiting: list[tuple[str, str]] = field(default_factory=list)

    def call(self, call: Mapping[str, Json]) -> str:
        """The id of the next call."""
        self.count += 1
        id = str(call.get("id") or f"c{self.count}")
        self.waiting.append((id, str(call.get("name", ""))))
        return id

    def answered(self, response: Mapping[str, Json]) -> str:
        """The id of the call that a response answers: the one it names, else the first of its name that waits."""
        given, name = response.get("id"), response.get("name")
        held = next((w for w in self.waiting if w[0] == given), None) or next(
            (w for w in self.waiting if w[1] == name), None
        )
        if held is None:
            return str(given or "")
        self.waiting.remove(held)
        return held[0]


def part_list(held: Json) -> list[Json]:
    """Parts as a list, of which there may be one without a list around it."""
    return held if isinstance(held, list) else [] if held is None else [held]


def parts(content: Json) -> list[Json]:
    """The parts of a content, or of a text that stands for one."""
    return part_list(content.get("parts") if isinstance(content, dict) else content)


def blocks(found: Iterable[Json], calls: Calls) -> Iterator[Block]:
    """A block for each part."""
    for at, part in enumerate(found):
        yield _block(part, at, calls)


def _block(part: Json, at: int, calls: Calls) -> Block:
    if isinstance(part, str):
        return Text(part, at)
    if not isinstance(part, dict):
        return Opaque("part", text=as_text(part), at=at)
    call, response = member(part, CALL), member(part, RESPONSE)
    if isinstance(call, dict):
        return ToolCall(calls.call(call), str(call.get("name", "")), as_text(call.get("args") or {}), at)
    if isinstance(response, dict):
        return result(response, calls.answered(response), at)
    text, signature = part.get("text"), str(member(part, SIGNATURE) or "")
    if part.get("thought") is True or (signature and not text and isinstance(text, str | None)):
        return Thinking(text if isinstance(text, str) else "", signature, at)
    if isinstance(text, str):
        return Text(text, at)
    return _opaque(part, at)


def _opaque(part: dict[str, Json], at: int) -> Opaque:
    inline, file = member(part, DATA), member(part, FILE)
    if isinstance(inline, dict) and isinstance(inline.get("data"), str):
        kind, data = str(member(inline, TYPE) or ""), inline["data"]
        image = kind.startswith("image/")
        tokens = media.gemini_image_tokens(data) if image else media.attachment_tokens(data)
        return Opaque(_kind(kind), tokens, "", kind, data, at)
    if isinstance(file, dict):
        url = str(member(file, ("fileUri", "file_uri")) or "")
        return Opaque(_kind(str(member(file, TYPE) or "")), FILE_TOKENS, "", "", url, at)
    shown = {k: v for k, v in part.items() if k not in SIGNATURE}
    return Opaque(next(iter(shown), "part"), text=as_text(shown), at=at)


def _kind(media_type: str) -> str:
    first = media_type.partition("/")[0]
    return first if first in ("image", "audio", "video") else "document"


def result(response: Mapping[str, Json], call: str, at: int) -> ToolResult:
    """What a function's response says; its parts are its images and files."""
    told = response.get("response")
    others = tuple(b for b in blocks(parts(dict(response)), Calls()) if isinstance(b, Opaque))
    return ToolResult(call, _text(told), others, _failed(told), at)


def _text(told: Json) -> str:
    """A response's only text, which is the function's output or error; else all of it as JSON."""
    if isinstance(told, dict) and len(told) == 1:
        (only,) = told.values()
        if isinstance(only, str):
            return only
    return as_text(told)


def _told(was: Json, text: str) -> Json:
    """A response that says `text`, under the key that the source's had."""
    if isinstance(was, dict) and len(was) == 1 and isinstance(next(iter(was.values())), str):
        return {next(iter(was)): text}
    try:
        value = parse(text.encode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and _text(value) == text:
        return value
    return {"error" if _failed(was) else "output": text}


def _failed(told: Json) -> bool:
    return isinstance(told, dict) and told.get("error") is not None


def rewritten(
    found: Sequence[Json], was: Sequence[Block], now: Sequence[Block], names: Mapping[str, str]
) -> list[Json]:
    """The parts that say the blocks `now`, each from its own part where it has one. `names` are the calls' by id."""
    before = {block.at: block for block in was}
    written: list[Json] = []
    for block in now:
        if block.at in before and type(before[block.at]) is type(block):
            written.append(_rewritten(found[block.at], before[block.at], block))
        else:
            written += rendered(block, names)
    return written


def _rewritten(part: Json, was: Block, now: Block) -> Json:
    if was == now or isinstance(now, Opaque) or (isinstance(now, Thinking) and now.signature):
        return part
    if isinstance(now, Text | Thinking):
        # A signature is for the text that it came with.
        kept = part if isinstance(part, dict) else {}
        return {**{k: v for k, v in kept.items() if k not in SIGNATURE}, "text": now.text}
    if isinstance(now, ToolCall):
        key = next(k for k in CALL if k in part)
        return {**part, key: {**part[key], "args": as_object(now.arguments)}}
    assert isinstance(now, ToolResult) and isinstance(was, ToolResult)
    key = next(k for k in RESPONSE if k in part)
    return {**part, key: answer(part[key], was, now)}


def answer(response: dict[str, Json], was: ToolResult, now: ToolResult) -> dict[str, Json]:
    """A function's response with what `now` says in place of what `was` said."""
    after = dict(response)
    if now.text != was.text:
        after["response"] = _told(response.get("response"), now.text)
    if now.media != was.media:
        left, gone = {m.data for m in now.media}, {m.data for m in was.media}
        gone -= left
        after["parts"] = [p for p in parts(response) if not any(_data(b) in gone for b in blocks([p], Calls()))]
    return after


def _data(block: Block) -> str:
    return block.data if isinstance(block, Opaque) else ""


def rendered(block: Block, names: Mapping[str, str]) -> list[Json]:
    """The part that says what `block` says; none for an empty text and an unsigned thought."""
    if isinstance(block, Text):
        return [{"text": block.text}] if block.text else []
    if isinstance(block, Thinking):
        signed = {"text": block.text, "thought": True, "thoughtSignature": block.signature}
        return [signed] if block.signature else []
    if isinstance(block, ToolCall):
        return [{"functionCall": {"id": block.id, "name": block.name, "args": as_object(block.arguments)}}]
    if isinstance(block, ToolResult):
        name, told = names.get(block.call_id) or "tool", {"error" if block.is_error else "output": block.text}
        return [{"functionResponse": {"id": block.call_id, "name": name, "response": told}}]
    if block.data and block.media_type:
        return [{"inlineData": {"mimeType": block.media_type, "data": block.data}}]
    if block.data:
        return [{"fileData": {"fileUri": block.data}}]
    return [{"text": block.text}] if block.text else []
