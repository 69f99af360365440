"""The items of OpenAI's Responses API: messages, reasoning, calls and their outputs, which Codex rollouts hold too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from boildown.formats import media
from boildown.formats.source import Json, as_list, as_text, parse
from boildown.transcript import Block, Framing, Message, Opaque, Text, Thinking, ToolCall, ToolResult

ITEMS = {"message", "reasoning", "function_call", "function_call_output", "local_shell_call", "custom_tool_call"}
ITEMS |= {"custom_tool_call_output", "web_search_call"}
PARTS = {"input_text", "output_text", "input_image", "input_file", "refusal", "summary_text", "reasoning_text"}
FRAMING = Framing(
    message=5,
    name=1,
    block=2,
    reply=3,
    source="an estimate after Chat Completions' figures; OpenAI states none for the Responses API",
)


def is_item(value: Json) -> bool:
    """Whether an object is an item by its kind or by its parts, and no message of another API."""
    if not isinstance(value, dict) or "stop_sequence" in value:
        return False
    parts = as_list(value.get("content"))
    if str(value.get("type")) in ITEMS:
        return value["type"] != "message" or "role" in value
    return "role" in value and any(isinstance(p, dict) and str(p.get("type")) in PARTS for p in parts)


def blocks(item: dict[str, Json]) -> Iterator[Block]:
    """What the model is shown of an item; `at` is the place in a message's content, and 0 in any other item."""
    kind, call = str(item.get("type", "")), str(item.get("call_id") or item.get("id") or "")
    if kind == "message":
        yield from parts(item.get("content"))
    elif kind == "reasoning":
        yield from _thinking(item)
    elif kind in ("function_call", "custom_tool_call"):
        yield ToolCall(call, str(item.get("name", "")), as_text(item.get("arguments", item.get("input"))), at=0)
    elif kind == "local_shell_call":
        yield ToolCall(call, "local_shell", as_text(item.get("action")), at=0)
    elif kind == "web_search_call":
        yield Opaque(kind, text=as_text(item.get("action")), at=0)
    elif kind.endswith("_output") and "output" in item:
        yield _result(item["output"], call)
    elif kind.endswith("_output") and "call_id" in item:
        yield ToolResult(call, "", (Opaque(kind, text=_shown(item)),), at=0)
    elif kind.endswith("_call") and "call_id" in item:
        yield ToolCall(call, kind, _shown(item), at=0)
    else:
        yield Opaque(kind, text=_shown(item), at=0)


def _shown(item: dict[str, Json]) -> str:
    """An item of a kind that is not known, without what only OpenAI's servers can read."""
    return as_text({k: v for k, v in item.items() if k != "encrypted_content"})


def parts(content: Json) -> Iterator[Text | Opaque]:
    """The parts of a message's content or of a call's output."""
    if isinstance(content, str):
        content = [{"text": content}]
    for at, part in enumerate(as_list(content)):
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            if part["text"]:
                yield Text(part["text"], at)
        elif isinstance(part, dict) and part.get("type") == "input_image":
            url = str(part.get("image_url") or "")
            kind, data = media.split_data_url(url)
            yield Opaque("image", media.openai_image_tokens(url, str(part.get("detail", "auto"))), "", kind, data, at)
        elif isinstance(part, dict) and isinstance(part.get("refusal"), str):
            yield Opaque("refusal", text=part["refusal"], at=at)
        elif isinstance(part, dict) and part.get("type") in ("input_file", "input_audio"):
            yield Opaque(str(part["type"]), media.attachment_tokens(part), at=at)
        else:
            kind = str(part.get("type", "part")) if isinstance(part, dict) else "part"
            yield Opaque(kind, text=as_text(part), at=at)


def _thinking(item: dict[str, Json]) -> Iterator[Thinking]:
    text, signature = "\n".join(thoughts(item)), str(item.get("encrypted_content") or "")
    if text or signature:
        yield Thinking(text, signature, at=0)


def thoughts(item: dict[str, Json]) -> list[str]:
    """The texts of a reasoning item: its summary, and what it was thought in where that is there."""
    said = [p for key in ("summary", "content") if isinstance(item.get(key), list) for p in item[key]]
    return [p["text"] for p in said if isinstance(p, dict) and isinstance(p.get("text"), str)]


def _result(output: Json, call: str) -> ToolResult:
    if isinstance(output, dict) and isinstance(output.get("image_url"), str):
        output = [{**output, "type": "input_image"}]
    if isinstance(output, dict):
        return ToolResult(call, as_text(output.get("content", output)), is_error=output.get("success") is False, at=0)
    found = list(parts(output))
    text = "\n".join(p.text for p in found if isinstance(p, Text))
    return ToolResult(call, text, tuple(p for p in found if isinstance(p, Opaque)), at=0)


def patch(item: dict[str, Json], was: Sequence[Block], now: Sequence[Block]) -> None:
    """Make `item`, from which the blocks `was` were read, say the blocks `now`."""
    first = now[0] if now else None
    if item.get("type", "message") == "message":
        item["content"] = _patched_content(item, now)
    elif isinstance(first, Thinking):
        item["summary"] = [{"type": "summary_text", "text": first.text}]
        if item.get("content"):
            item["content"] = None
    elif isinstance(first, ToolCall) and first != was[0]:
        for key in item.keys() & {"arguments", "input", "action"}:
            text = isinstance(item[key], str)
            item[key] = first.arguments if text else _value(first.arguments) or item[key]
    elif isinstance(first, ToolResult) and "output" in item:
        item["output"] = _patched_output(item["output"], first)


def _value(arguments: str) -> Json:
    try:
        return parse(arguments.encode())
    except (ValueError, RecursionError):
        return None


def _patched_content(item: dict[str, Json], now: Sequence[Block]) -> Json:
    content = item.get("content")
    if not isinstance(content, list):
        return "\n".join(b.text for b in now if isinstance(b, Text | ToolResult) and b.text)
    kept = {b.at: b for b in now}
    spoken = "output_text" if item.get("role") == "assistant" else "input_text"
    added = [{"type": spoken, "text": b.text} for b in now if isinstance(b, Text) and b.at < 0]
    left = [(p, kept[at]) for at, p in enumerate(content) if at in kept]
    return [_patched_part(p, b.text, spoken) if isinstance(b, Text) else p for p, b in left] + added


def _patched_part(part: dict[str, Json], text: str, spoken: str) -> Json:
    """The part with another text, without what points into the old one or repeats it; an image becomes words."""
    if part.get("text") == text:
        return part
    if "text" not in part:
        return {"type": spoken, "text": text}
    return {**part, "text": text, **{key: [] for key in ("annotations", "logprobs") if part.get(key)}}


def _patched_output(output: Json, block: ToolResult) -> Json:
    if isinstance(output, dict) and "content" in output:
        return {**output, "content": block.text}
    if not isinstance(output, list):
        return block.text
    kept = {b.at for b in block.media}
    text = [{"type": "input_text", "text": block.text}] if block.text else []
    return [*text, *(p for at, p in enumerate(output) if at in kept)]


def render(message: Message) -> list[Json]:
    """The items that say what `message` says, texts and images that stand together in one."""
    role = {"system": "developer", "tool": "user"}.get(message.role, message.role)
    made: list[Json] = []
    for block in message.blocks:
        part = _rendered_part(block, role)
        if part is None:
            made += _rendered(block)
        elif made and made[-1]["type"] == "message":
            made[-1]["content"].append(part)
        else:
            made.append({"type": "message", "role": role, "content": [part]})
    return made


def _rendered_part(block: Block, role: str) -> Json | None:
    if isinstance(block, Text):
        return {"type": "output_text" if role == "assistant" else "input_text", "text": block.text}
    if isinstance(block, Opaque) and block.data:
        url = block.data if not block.media_type else f"data:{block.media_type};base64,{block.data}"
        return {"type": "input_image", "image_url": url}
    return None


def _rendered(block: Block) -> list[Json]:
    if isinstance(block, Thinking):
        summary = [{"type": "summary_text", "text": block.text}] if block.text else []
        whole = {"content": None, "encrypted_content": block.signature or None}
        return [{"type": "reasoning", "summary": summary, **whole}]
    if isinstance(block, ToolCall):
        return [{"type": "function_call", "name": block.name, "arguments": block.arguments, "call_id": block.id}]
    if isinstance(block, ToolResult):
        images = [p for p in (_rendered_part(m, "user") for m in block.media) if p]
        output: Json = [{"type": "input_text", "text": block.text}, *images] if images else block.text
        return [{"type": "function_call_output", "call_id": block.call_id, "output": output}]
    return []
