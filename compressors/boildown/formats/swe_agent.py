"""SWE-agent trajectories (.traj): the history is the conversation, and the trajectory says its steps once more."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from boildown.errors import UsageError
from boildown.formats import openai
from boildown.formats.layout import Piece, conversations, raw, row, spliced, write_records
from boildown.formats.source import Json, Sample, as_list, as_text, dump, members, parse
from boildown.transcript import (
    Block,
    FormatInfo,
    Framing,
    Message,
    Note,
    Opaque,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Transcript,
)

INFO = FormatInfo(
    name="swe-agent",
    title="SWE-agent trajectory: a .traj file, with function calls or with actions in the text",
    example='{"trajectory": [...], "history": [{"role": "system", "content": "...", "agent": "main"}], "info": {...}}',
    framing=Framing(
        message=4, name=1, block=3, reply=3, source="Chat Completions', which SWE-agent speaks to all models"
    ),
    says=frozenset({"text", "tool call", "tool result", "image", "system"}),
)
ROLES = {"system", "user", "assistant", "tool"}
KINDS = {"system": "system_prompt", "assistant": "action", "tool": "observation"}
"""A new message's `message_type` by its role. The user's word, "user", is no observation behind an action."""
REPLAYS = ("replay_config",)
"""What goes where a message changed: it holds the prompts and the task again, and replays what is no longer the run."""
QUERIES = ("query", "messages")
"""What a step of the trajectory holds of all the messages before it."""
_COMMAND = re.compile(r"\s*([A-Za-z_][\w-]{0,63})(?=\s|$)")


def sniff(sample: Sample) -> bool:
    """Objects with a history of messages, and a trajectory beside it or an agent in it."""
    return bool(sample.objects) and all(map(_is_run, sample.objects))


def _is_run(item: dict[str, Json]) -> bool:
    history = item.get("history")
    if not isinstance(history, list) or not history:
        return False
    said = [m for m in history if isinstance(m, dict) and str(m.get("role")) in ROLES and "content" in m]
    return len(said) * 2 > len(history) and (isinstance(item.get("trajectory"), list) or "agent" in said[0])


def read(data: bytes) -> Iterator[Transcript]:
    """The run in `data`, or the runs. What is no message is carried as one, and noted."""
    return conversations(data, "swe-agent", _run)


def _run(piece: Piece) -> Transcript:
    if not isinstance(piece.value, dict):
        raise ValueError("no object")
    held = next((m for m in members(piece.text, piece.start) if m.key == "history"), None)
    if held is None or not isinstance(held.value, list):
        raise ValueError("an object without a history")
    found = row(piece.text, held.start, piece.start, piece.end)
    messages = tuple(_messages(found.values))
    notes = tuple(
        Note("unknown record", f"message {n}", "no JSON object; carried as it stands")
        for n, value in enumerate(found.values, 1)
        if not isinstance(value, dict)
    )
    source = Source("swe-agent", found.records, messages, piece.before, piece.after, found.frame, notes)
    return Transcript(messages, source)


def _messages(items: tuple[Json, ...]) -> Iterator[Message]:
    """The history's messages. An action in the text is a call, and the user's next message what it gave back."""
    waiting = ""
    for index, item in enumerate(items):
        name = f"m{index + 1}"
        if not isinstance(item, dict):
            odd = Opaque("unknown record", text=as_text(item))
            waiting = ""
            yield Message(name, "unknown", (odd,), records=(index,))
            continue
        role = str(item.get("role", "unknown"))
        if waiting:
            role, blocks = "tool", _said({**item, "role": "tool", "tool_call_ids": [waiting]})
            waiting = ""
        elif (acted := _acted(item)) is not None and _observes(items[index + 1 : index + 2]):
            waiting = f"c{index + 1}"
            blocks = (*_words(acted[0]), _call(waiting, item["action"]))
        else:
            blocks = _said(item)
        yield Message(name, role, blocks, records=(index,))


def _observes(following: tuple[Json, ...]) -> bool:
    """Whether what follows an action is the user's word with what it gave back."""
    users = [item for item in following if isinstance(item, dict) and item.get("role") == "user"]
    return any(item.get("message_type", "observation") == "observation" for item in users)


def _acted(item: dict[str, Json]) -> tuple[str, str] | None:
    """The thought that a content begins with, and its rest that holds the action; None where it is not made so."""
    content, thought, action = item.get("content"), item.get("thought"), item.get("action")
    if not (isinstance(content, str) and isinstance(thought, str) and isinstance(action, str) and action.strip()):
        return None
    rest = content[len(thought) :]
    plain = item.get("role") == "assistant" and not item.get("tool_calls") and not item.get("thinking_blocks")
    return (thought, rest) if plain and content.startswith(thought) and action.strip() in rest else None


def _words(text: str) -> tuple[Text, ...]:
    return (Text(text, 0),) if text else ()


def _call(id: str, action: str) -> ToolCall:
    """An action as a call of its command; the source has no id for it."""
    named = _COMMAND.match(action)
    return ToolCall(id, named[1] if named else "bash", json.dumps({"command": action}, ensure_ascii=False), 0)


def _said(item: dict[str, Json]) -> tuple[Block, ...]:
    ids = item.get("tool_call_ids")
    calls = [str(i) for i in as_list(ids)]
    blocks = [*_thoughts(item), *openai.blocks({**item, "tool_call_id": calls[0]} if calls else item)]
    more = [ToolResult(call, "", at=n) for n, call in enumerate(calls[1:], 1)] if item.get("role") == "tool" else []
    return (*blocks, *more)


def _thoughts(item: dict[str, Json]) -> Iterator[Thinking]:
    found = item.get("thinking_blocks")
    for at, thought in enumerate(as_list(found)):
        if isinstance(thought, dict) and isinstance(thought.get("thinking"), str):
            yield Thinking(thought["thinking"], str(thought.get("signature") or ""), at)


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each run in its source's text, its trajectory mended where a message changed; one of another format as a demo."""
    foreign = 0
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == "swe-agent":
            yield source.before
            yield _written(transcript, source)
            yield source.after
            continue
        foreign += 1
        if foreign > 1:
            what = "a SWE-agent trajectory holds one conversation, and there are more"
            raise UsageError(f"{what}. Convert them one by one.")
        history = [value for m in transcript.messages for value in render(m)]
        yield dump({"trajectory": [], "history": history, "info": {}}) + b"\n"


def _written(transcript: Transcript, source: Source) -> bytes:
    carried = set(range(len(source.records))) - {i for m in source.messages for i in m.records}
    whole = write_records(transcript, _patch, render, carried)
    same = {m.id for m, unchanged in transcript.unchanged() if unchanged}
    if all(m.id in same for m in source.messages):
        return whole
    text = spliced(whole, dict.fromkeys(REPLAYS)).decode("utf-8", "surrogateescape")
    held = next((m for m in members(text) if m.key == "trajectory" and isinstance(m.value, list)), None)
    if held is None:
        return raw(text)
    steps = row(text, held.start)
    retold = list(_retold(steps.values, transcript, source, same))
    kept = [(n, steps.records[n] if step is None else dump(step, steps.records[n])) for n, step in retold]
    return steps.frame.join(kept)


def _retold(
    steps: tuple[Json, ...], transcript: Transcript, source: Source, same: set[str]
) -> Iterator[tuple[int, Json | None]]:
    """The steps that stay: their places, and their values where they are not what they were.

    A step goes with its action; what it repeats of a message that changed, it says as that message does. No step
    keeps its query, which holds all messages before it.
    """
    now = {m.id: m for m in transcript.messages}
    places = _places(steps, source)
    for n, step in enumerate(steps):
        if not isinstance(step, dict):
            yield n, None
            continue
        after = {key: value for key, value in step.items() if key not in QUERIES}
        if n in places:
            acting, seen = source.messages[places[n]], _answer(source, places[n])
            if acting.id not in now:
                continue
            if acting.id not in same:
                said = _patch(parse(source.records[places[n]]), acting, now[acting.id])
                told = {"response": said.get("content"), "thought": said.get("thought"), "action": said.get("action")}
                after |= {key: value for key, value in told.items() if key in step and value is not None}
            if seen is not None and seen.id not in same and "observation" in step:
                after["observation"] = now[seen.id].text if seen.id in now else ""
        yield n, None if after == step else after


def _answer(source: Source, place: int) -> Message | None:
    """What the action of the message at `place` gave back."""
    after = source.messages[place + 1 : place + 2]
    return after[0] if after and after[0].role == "tool" else None


def _places(steps: tuple[Json, ...], source: Source) -> dict[int, int]:
    """For each step the place of the message that made it: the next one with its thought or else its action."""
    made: dict[tuple[str, str], list[int]] = {}
    for place, record in enumerate(source.records):
        item = parse(record) if b'"action"' in record else None
        for key in _keys(item) if isinstance(item, dict) and not item.get("is_demo") else ():
            made.setdefault(key, []).append(place)
    places: dict[int, int] = {}
    last = -1
    for n, step in enumerate(steps):
        for same in (made.get(key, []) for key in (_keys(step) if isinstance(step, dict) else ())):
            at = bisect_right(same, last)
            if at < len(same):
                places[n] = last = same[at]
                break
    return places


def _keys(item: dict[str, Json]) -> Iterator[tuple[str, str]]:
    """By what a step can be seen to be a message's."""
    yield from ((key, said) for key in ("thought", "action") if (said := as_text(item.get(key)).strip()))


def _patch(record: Json, was: Message, message: Message) -> Json:
    if not isinstance(record, dict):
        return record
    acted = _acted(record)
    if acted is not None and any(isinstance(b, ToolCall) for b in was.blocks):
        return _patched_action(record, acted[1], was, message)
    record = openai.patch(record, was, message)
    if record.get("content") is None:
        record["content"] = ""
    if "thought" in record:
        record["thought"] = message.text
    if isinstance(record.get("thinking_blocks"), list):
        kept = {b.at for b in message.blocks if isinstance(b, Thinking)}
        record["thinking_blocks"] = [t for at, t in enumerate(record["thinking_blocks"]) if at in kept]
    calls = [[b for b in m.blocks if isinstance(b, ToolCall)] for m in (was, message)]
    if calls[0] != calls[1] and "action" in record:
        record["action"] = "\n".join(f"{b.name} {b.arguments}" for b in calls[1])
    elif not calls[0] and as_text(record.get("action")).strip() not in as_text(record["content"]):
        record["action"] = ""
    return record


def _patched_action(record: dict[str, Json], rest: str, was: Message, message: Message) -> Json:
    thought = "".join(b.text for b in message.blocks if isinstance(b, Text))
    call = next((b for b in message.blocks if isinstance(b, ToolCall)), None)
    if call is None:
        return {**record, "content": thought, "thought": thought, "action": ""}
    action = record["action"]
    if call not in was.blocks:
        given = parse(call.arguments.encode("utf-8", "surrogateescape"))
        action = str(given["command"]) if isinstance(given, dict) and "command" in given else call.arguments
        rest = rest.replace(record["action"].strip(), action.strip())
    joint = "" if not thought or thought[-1:].isspace() or rest[:1].isspace() else "\n"
    return {**record, "content": thought + joint + rest, "thought": thought, "action": action}


def render(message: Message) -> list[Json]:
    """The history's messages that say what `message` says, with function calls."""
    return [_dressed(value) for value in openai.render(message)]


def _dressed(value: Json) -> Json:
    role, content = value["role"], value["content"]
    item = {"role": role, "content": "" if content is None else content, "agent": "main"}
    if value.get("tool_calls"):
        called = [call["function"] for call in value["tool_calls"]]
        action = "\n".join(f"{f['name']} {f['arguments']}" for f in called)
        item |= {"thought": as_text(item["content"]), "action": action, "tool_calls": value["tool_calls"]}
    if "tool_call_id" in value:
        item["tool_call_ids"] = [value["tool_call_id"]]
    return {**item, "message_type": KINDS.get(role, "user")}
