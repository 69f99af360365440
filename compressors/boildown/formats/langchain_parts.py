"""The parts of a LangChain message's content: its own standard ones, and those of the providers that it passes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from boildown.formats import anthropic, media
from boildown.formats.source import Json, as_list, as_text
from boildown.transcript import Block, Opaque, Text, Thinking

COPIES = {"tool_use": "id", "tool_call": "id", "function_call": "call_id", "tool_call_chunk": "id"}
"""Parts of a content that repeat a call of `tool_calls`, and where they have its id."""
KINDS = {"image": "image", "file": "document", "media": "document", "audio": "audio", "video": "video"}


def content_blocks(content: Json, calls: set[str]) -> Iterator[Block]:
    """The parts of a content, without those that repeat a call of `calls`."""
    if isinstance(content, str):
        if content:
            yield Text(content, 0)
    elif isinstance(content, list):
        for at, part in enumerate(content):
            if not is_copy(part, calls):
                yield _part(part, at)
    elif content is not None:
        yield Opaque("content", text=as_text(content), at=0)


def is_copy(part: Json, calls: set[str]) -> bool:
    """Whether a part repeats one of `calls`, which are ids."""
    key = COPIES.get(str(part.get("type"))) if isinstance(part, dict) else None
    return key is not None and str(part.get(key)) in calls


def _part(part: Json, at: int) -> Block:
    if isinstance(part, str):
        return Text(part, at)
    if not isinstance(part, dict):
        return Opaque("part", text=as_text(part), at=at)
    kind = str(part.get("type", "part"))
    if isinstance(part.get("text"), str) and kind in ("text", "input_text", "output_text", "part"):
        return Text(part["text"], at)
    if kind == "reasoning":
        return Thinking(_reasoning(part), str(part.get("encrypted_content") or ""), at)
    if kind == "image_url":
        held = part.get("image_url")
        url = str(held.get("url", "")) if isinstance(held, dict) else str(held or "")
        return _media("image", *media.split_data_url(url), at)
    data, type_ = part.get("base64") or part.get("data"), str(part.get("mime_type") or "")
    if kind in ("image", "file", "audio", "video", "media") and isinstance(data or part.get("url"), str):
        image = kind == "image" or type_.startswith("image/")
        word = "image" if image else "document" if kind in ("file", "media") else kind
        return (
            _media(word, type_ or "application/octet-stream", data, at) if data else _media(word, "", part["url"], at)
        )
    (block,) = anthropic.blocks([part], at)
    return block


def _media(kind: str, media_type: str, data: str, at: int) -> Opaque:
    if kind == "image":
        url = f"data:{media_type};base64,{data}" if media_type else data
        return Opaque(kind, media.openai_image_tokens(url), "", media_type, data, at)
    return Opaque(
        kind, media.attachment_tokens(data) if media_type else anthropic.PAGE_TOKENS, "", media_type, data, at
    )


def _reasoning(part: dict[str, Json]) -> str:
    if isinstance(part.get("reasoning"), str):
        return cast(str, part["reasoning"])
    said = part.get("summary")
    texts = [p.get("text") for p in as_list(said) if isinstance(p, dict)]
    return "\n".join(t for t in texts if isinstance(t, str))


def rendered(block: Block) -> list[Json]:
    """The part that says what `block` says; none for calls and results, which stand elsewhere."""
    if isinstance(block, Text):
        return [{"type": "text", "text": block.text}] if block.text else []
    if isinstance(block, Thinking):
        return [{"type": "reasoning", "reasoning": block.text}] if block.text else []
    if not isinstance(block, Opaque):
        return []
    if not block.data:
        return [{"type": "text", "text": block.text}] if block.text else []
    if block.kind == "image":
        url = f"data:{block.media_type};base64,{block.data}" if block.media_type else block.data
        return [{"type": "image_url", "image_url": {"url": url}}]
    held = {"base64": block.data, "mime_type": block.media_type} if block.media_type else {"url": block.data}
    return [{"type": "file", **held}]
