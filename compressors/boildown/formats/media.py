"""What images and attachments cost, by their size and never as text, and telling the providers' shapes apart."""

from __future__ import annotations

import base64
import binascii
import math
import re

from boildown.formats.source import Json, as_list

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=-]+)*;base64,")
ANTHROPIC_BLOCKS = {"tool_use", "tool_result", "thinking", "redacted_thinking", "image", "document", "server_tool_use"}


def split_data_url(url: str) -> tuple[str, str]:
    """(media type, base64 data) of a data URL; ("", url) for any other."""
    match = _DATA_URL.match(url)
    return (match[1] or "application/octet-stream", url[match.end() :]) if match else ("", url)


def size(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of a base64 PNG, GIF, JPEG or WebP; None where it cannot be told."""
    try:
        head = base64.b64decode(re.sub(r"[^A-Za-z0-9+/]", "", data[:87_000])[: 86_000 // 4 * 4] + "==", validate=False)
    except (binascii.Error, ValueError):
        return None
    if head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) >= 24:
        found = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    elif head[:4] == b"GIF8" and len(head) >= 10:
        found = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    elif head[:4] == b"RIFF" and head[8:15] == b"WEBPVP8":
        found = _webp(head)
    elif head[:2] == b"\xff\xd8":
        found = _jpeg(head)
    else:
        return None
    return found if 0 < found[0] <= 65_536 and 0 < found[1] <= 65_536 else None


def _webp(head: bytes) -> tuple[int, int]:
    if head[15:16] == b"X" and len(head) >= 30:
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[15:16] == b"L" and len(head) >= 25:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def _jpeg(head: bytes) -> tuple[int, int]:
    place = 2
    while place + 9 < len(head) and head[place] == 0xFF:
        marker = head[place + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(head[place + 7 : place + 9]), int.from_bytes(head[place + 5 : place + 7])
        place += 2 + int.from_bytes(head[place + 2 : place + 4])
    return 0, 0


def openai_image_tokens(url: str, detail: str = "auto") -> int:
    """OpenAI's tiles: 85, and 170 for each 512 px tile of the image scaled into 2048 px, its short side to 768.

    An image whose size is not known counts as 1024 x 1024.
    """
    if detail == "low":
        return 85
    kind, data = split_data_url(url)
    return tile_tokens(*((size(data) if kind else None) or (1024, 1024)))


def tile_tokens(width: int, height: int) -> int:
    """What an image of that size costs in OpenAI's tiles."""
    scale = min(1.0, 2048 / max(width, height))
    scale = min(scale, 768 / (min(width, height)))
    return 85 + 170 * math.ceil(width * scale / 512) * math.ceil(height * scale / 512)


def anthropic_image_tokens(data: str) -> int:
    """Anthropic's width x height / 750, at most 1,600; an image whose size is not known counts as 1,600."""
    found = size(data)
    return 1600 if found is None else max(1, min(1600, math.ceil(found[0] * found[1] / 750)))


def gemini_image_tokens(data: str) -> int:
    """Gemini's 258 a tile: one up to 384 px each way, else squares of the short side / 1.5, of 256 to 768 px.

    An image whose size is not known counts as one tile.
    """
    width, height = size(data) or (1, 1)
    if max(width, height) <= 384:
        return 258
    unit = max(256, min(768, int(min(width, height) / 1.5)))
    return 258 * math.ceil(width / unit) * math.ceil(height / unit)


def attachment_tokens(part: Json) -> int:
    """A file or a sound that is not text, by its base64 size: about 1,500 tokens a 50 KB page."""
    return max(1, sum(len(text) for text in _strings(part)) * 3 // 4 * 1500 // 50_000)


def _strings(value: Json) -> list[str]:
    if isinstance(value, str):
        return [value]
    values = value.values() if isinstance(value, dict) else as_list(value)
    return [text for item in values for text in _strings(item)]


def is_anthropic_message(item: Json) -> bool:
    """Whether a message is a response of the Messages API, or has content blocks that only that API knows."""
    if isinstance(item, dict) and item.get("type") == "message" and "stop_sequence" in item:
        return True
    blocks = as_list(item.get("content")) if isinstance(item, dict) else []
    return any(isinstance(b, dict) and str(b.get("type")) in ANTHROPIC_BLOCKS for b in blocks)


def is_anthropic_body(item: Json) -> bool:
    """Whether a conversation object is a Messages API request: a system text beside its messages, or such blocks."""
    if not isinstance(item, dict) or not isinstance(item.get("messages"), list):
        return False
    return "system" in item or any(map(is_anthropic_message, item["messages"]))


def is_rollout_header(item: Json) -> bool:
    """Whether an object is the first line of a Codex rollout from before its records had a payload."""
    return isinstance(item, dict) and {"id", "timestamp", "instructions"} <= item.keys() and "role" not in item
