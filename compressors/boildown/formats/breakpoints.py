"""cache_control breakpoints of Anthropic requests: found where they stand, and put in without touching the rest.

Rules: https://platform.claude.com/docs/en/build-with-claude/prompt-caching.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from boildown.formats.layout import raw, spliced
from boildown.formats.source import Json, dump, members
from boildown.transcript import END, START, Breakpoint

KEY = "cache_control"
_BARRED = {"thinking", "redacted_thinking"}
"""Blocks that the API caches with those around them and lets bear no breakpoint; empty texts are the others."""
_SPACED = re.compile(r'"\s*:\s')
_OPENING = re.compile(r"\{(\s*)")


def held(request: Mapping[str, Json], messages: Sequence[tuple[str, Json]]) -> Iterator[Breakpoint]:
    """A request's breakpoints in the order of the prompt; `messages` are its messages with their ids."""
    for part in ("tools", "system"):
        yield from (Breakpoint(START, ttl) for ttl in _ttls(request.get(part)))
    for name, message in messages:
        if isinstance(message, dict):
            yield from (Breakpoint(name, ttl) for ttl in _ttls(message.get("content")))
    if isinstance(request.get(KEY), dict):
        yield Breakpoint(END, _ttl(request))


def _ttls(content: Json) -> Iterator[str]:
    """How long each of a content's breakpoints lasts, those inside of tool results included."""
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict):
            if isinstance(part.get(KEY), dict):
                yield _ttl(part)
            if part.get("type") == "tool_result":
                yield from _ttls(part.get("content"))


def _ttl(bearer: Mapping[str, Json]) -> str:
    return "1h" if bearer[KEY].get("ttl") == "1h" else "5m"


def in_message(record: bytes, ttl: str) -> bytes:
    """A message's record with a breakpoint at its end, or as it is where none of its blocks can bear one."""
    return _in_member(record, "content", ttl)


def at_start(request: bytes, ttl: str) -> bytes:
    """A request with a breakpoint at the end of its system text or, where none can bear it, of its tools."""
    marked = _in_member(request, "system", ttl)
    return marked if marked != request else _in_member(request, "tools", ttl)


def _in_member(record: bytes, key: str, ttl: str) -> bytes:
    if record.lstrip()[:1] != b"{":
        return record
    text = record.decode("utf-8", "surrogateescape")
    found = next((m for m in members(text) if m.key == key), None)
    return record if found is None else spliced(record, {key: in_content(raw(text[found.start : found.end]), ttl)})


def in_content(content: bytes, ttl: str) -> bytes:
    """A content, text or blocks, with a breakpoint on the last block that can bear one.

    A text becomes one text block. The bytes of the rest stay.
    """
    text = content.decode("utf-8", "surrogateescape")
    if text.startswith('"'):
        return content if text == '""' else raw(f'[{{"type": "text", "text": {text}, {_member(ttl, True)}}}]')
    if not text.startswith("["):
        return content
    bearers = [m for m in members(text) if _bears(m.value)]
    if not bearers:
        return content
    start, end = bearers[-1].start, bearers[-1].end
    return raw(text[:start]) + _on_block(text[start:end], ttl) + raw(text[end:])


def _bears(part: Json) -> bool:
    return isinstance(part, dict) and str(part.get("type")) not in _BARRED and part.get("text") != ""


def _on_block(block: str, ttl: str) -> bytes:
    *_, last = found = list(members(block))
    if any(m.key == KEY for m in found):
        return spliced(raw(block), {KEY: dump(_control(ttl))})
    opened, spaced = _OPENING.match(block), _SPACED.search(block) is not None
    gap = (opened[1] if opened else "") or " " * spaced
    return raw(f"{block[: last.end]},{gap}{_member(ttl, spaced)}{block[last.end :]}")


def _member(ttl: str, spaced: bool) -> str:
    return f'"{KEY}":{" " * spaced}{dump(_control(ttl), b"[1, " if spaced else b"").decode()}'


def _control(ttl: str) -> dict[str, str]:
    # Five minutes are the API's default, which older proxies know without a name.
    return {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}
