"""OpenHands events: actions and what came of them, as an array or as the history of a run, one run a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from boildown.formats import media
from boildown.formats.layout import Piece, Render, Row, conversations, row, spliced, write_records
from boildown.formats.source import Json, Sample, as_list, as_text, dump, members, parse, sample
from boildown.transcript import (
    Block,
    FormatInfo,
    Framing,
    Message,
    Note,
    Opaque,
    Source,
    Text,
    ToolCall,
    ToolResult,
    Transcript,
)

INFO = FormatInfo(
    name="openhands",
    title="OpenHands events: an array of actions and observations, or a run with such a history a line",
    example='{"id": 1, "source": "agent", "action": "run", "args": {"command": "ls", "thought": "I look."}}',
    framing=Framing(
        message=4, name=1, block=3, reply=3, source="Chat Completions', which OpenHands speaks to all models"
    ),
    says=frozenset({"text", "tool call", "tool result", "image", "system"}),
)
KINDS = {"system", "message", "recall", "run", "run_ipython", "read", "write", "edit", "browse", "browse_interactive"}
KINDS |= {"think", "finish", "delegate", "reject", "call_tool_mcp", "mcp", "error", "task_tracking", "condensation"}
UNSEEN = {"recall", "null", "change_agent_state", "agent_state_changed", "condensation_request", "loop_recovery"}
"""Events that the model is not shown. A recall's observation is shown, by what it holds."""
HOUSEKEEPING = {"thought", "confirmation_state", "is_confirmed", "action_risk", "security_risk", "keep_prompt"}
HOUSEKEEPING |= {"kernel_init_code", "blocking", "hidden", "is_static", "translated_ipython_code", "impl_source"}
HOUSEKEEPING |= {"action", "id", "timestamp", "source", "message", "timeout", "llm_metrics"}
"""What an action's arguments hold besides those that its tool was called with."""
REPEATS = {"old_content", "new_content", "diff", "_diff_cache", "formatted_output_and_error", "content", "outputs"}
REPEATS |= {"text_content", "axtree_object", "dom_object", "extra_element_properties"}
"""What an observation's extras hold of its content, and lose where that changed."""
TASKS = ("instruction", "issue", "instance")
"""What a run holds of its task, which the user's message says; it goes where that message changed."""
PART = 40
"""Characters from which on a text that stands in a message repeats it, and is no word that both happen to use."""
RECALLED = ("repo_instructions", "additional_agent_instructions")
NO_TIME = "1970-01-01T00:00:00.000000"


def sniff(sample: Sample) -> bool:
    """An array of events, or objects with a history of them."""
    objects = sample.objects
    held = [item["history"] for item in objects if isinstance(item.get("history"), list)]
    if held and len(held) * 2 >= len(objects):
        return _are_events([event for history in held for event in history])
    return sample.kind == "array" and _are_events(sample.items)


def _are_events(values: Iterable[Json]) -> bool:
    found = [_is_event(value) for value in values]
    return sum(found) * 2 > len(found)


def _is_event(value: Json) -> bool:
    """Whether a value is an action or an observation of this year's shape, or of the first one's, which has no args."""
    if not isinstance(value, dict) or "role" in value:
        return False
    kinds = [value[key] for key in ("action", "observation") if isinstance(value.get(key), str)]
    if len(kinds) != 1:
        return False
    whole = "source" in value and any(isinstance(value.get(key), dict) for key in ("args", "extras"))
    return whole or (kinds[0] in KINDS and any(key in value for key in ("content", "thought")))


def read(data: bytes) -> Iterator[Transcript]:
    """The runs in `data`. Events that the model is not shown are carried in their place."""
    seen = sample(data)
    if seen.kind == "array" and not any("history" in item for item in seen.objects[:1]):
        yield _transcript(row(data.decode("utf-8", "surrogateescape")))
    else:
        yield from conversations(data, "openhands", _run)


def _run(piece: Piece) -> Transcript:
    if not isinstance(piece.value, dict):
        raise ValueError("no object")
    held = next((m for m in members(piece.text, piece.start) if m.key == "history"), None)
    if held is None or not isinstance(held.value, list):
        raise ValueError("an object without a history")
    title = str(piece.value.get("instance_id") or "")
    return _transcript(row(piece.text, held.start, piece.start, piece.end), piece.before, piece.after, title)


def _transcript(found: Row, before: bytes = b"", after: bytes = b"", title: str = "") -> Transcript:
    events = _Events()
    for index, value in enumerate(found.values):
        events.add(index, value)
    messages = tuple(events.messages)
    source = Source("openhands", found.records, messages, before, after, found.frame, tuple(events.notes))
    return Transcript(messages, source, title)


@dataclass(slots=True)
class _Events:
    """A run while its events are met. `calls` are the ids of calls by the events that made them."""

    messages: list[Message] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    calls: dict[str, str] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    waiting: str = ""

    def add(self, index: int, value: Json) -> None:
        where = f"event {index + 1}"
        if not isinstance(value, dict):
            self.notes.append(Note("unknown record", where, "no JSON object; carried as it stands"))
            self._say(index, None, "unknown", (Opaque("unknown record", text=as_text(value)),))
            return
        said: tuple[str, tuple[Block, ...]] | None = None
        if isinstance(value.get("observation"), str):
            said = self._seen(value)
            self.waiting = ""
        elif isinstance(value.get("action"), str):
            self.waiting = ""
            said = self._done(value, index)
        else:
            self.notes.append(Note("unknown record", where, "neither an action nor an observation; carried"))
        if said is not None:
            self._say(index, value.get("timestamp"), *said)
        if said is not None and value.get("action") == "condensation":
            why = "the client shows the model this in place of what it forgot; both are counted"
            self.notes.append(Note("compacted", where, why))

    def _say(self, index: int, time: Json, role: str, blocks: tuple[Block, ...]) -> None:
        time = time if isinstance(time, str) else None
        self.messages.append(Message(f"m{len(self.messages) + 1}", role, blocks, time=time, records=(index,)))

    def _done(self, event: dict[str, Json], index: int) -> tuple[str, tuple[Block, ...]] | None:
        kind, args = event["action"], _args(event)
        if kind in UNSEEN:
            return None
        if kind in ("system", "message"):
            role = "system" if kind == "system" else _speaker(event)
            return role, (*_words(as_text(args.get("content")), 0), *_images(args))
        if kind == "finish":
            # The model is shown what it said, not the call; so there is no call without a result.
            final = as_text(args.get("final_thought"))
            return "assistant", (*_words(_thought(event), 0), *_words(final if final != _thought(event) else "", 1))
        if kind == "condensation":
            summary = as_text(args.get("summary"))
            return ("user", (Opaque("compacted", text=summary, at=0),)) if summary else None
        if event.get("source") == "user":
            return "user", (Opaque("command", text=f"{kind} {_shown(args)}", at=0),)
        call = _call(event, index)
        self.ids.add(call.id)
        self.waiting = call.id
        if "id" in event:
            self.calls[str(event["id"])] = call.id
        return "assistant", (*_words(_thought(event), 0), call)

    def _seen(self, event: dict[str, Json]) -> tuple[str, tuple[Block, ...]] | None:
        kind, text = event["observation"], as_text(event.get("content"))
        if kind == "recall":
            said = tuple(_recalled(event))
            return ("user", said) if said else None
        if kind in UNSEEN:
            return None
        call = self._caller(event)
        if call:
            return "tool", (ToolResult(call, text, is_error=kind == "error", at=0),)
        return ("user", _words(text, 0)) if text else None

    def _caller(self, event: dict[str, Json]) -> str:
        """The call that an observation answers: by its id, by the action that caused it or, failing these, by place."""
        named = str(_metadata(event).get("tool_call_id") or "")
        if named in self.ids:
            return named
        if "cause" in event or "id" in event:
            return self.calls.get(str(event.get("cause")), "")
        return self.waiting


def _args(event: dict[str, Json]) -> dict[str, Json]:
    """An action's arguments, which in the first shape stand in the event."""
    return event["args"] if isinstance(event.get("args"), dict) else event


def _speaker(event: dict[str, Json]) -> str:
    if event.get("source") is None:
        return "assistant" if event.get("wait_for_response") else "user"
    return "assistant" if event["source"] == "agent" else "user"


def _words(text: str, at: int) -> tuple[Text, ...]:
    return (Text(text, at),) if text else ()


def _images(args: dict[str, Json]) -> Iterator[Opaque]:
    for at, url in enumerate(as_list(args.get("image_urls") or args.get("images_urls")), 2):
        kind, data = media.split_data_url(str(url))
        yield Opaque("image", media.openai_image_tokens(str(url)), "", kind, data, at)


def _metadata(event: dict[str, Json]) -> dict[str, Json]:
    found = event.get("tool_call_metadata")
    return found if isinstance(found, dict) else {}


def _answer(event: dict[str, Json]) -> dict[str, Json]:
    """The message of the model's response that an event came from; empty where the event does not hold it."""
    response = _metadata(event).get("model_response")
    choices = response.get("choices") if isinstance(response, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    return message if isinstance(message, dict) else {}


def _thought(event: dict[str, Json]) -> str:
    """What the model said beside its call. A `think` action's thought holds its call's argument behind that."""
    thought, said = _args(event).get("thought"), _answer(event).get("content")
    text = as_text(thought.get("text")) if isinstance(thought, dict) else as_text(thought)
    if isinstance(said, str) and said and text.startswith(said):
        return said
    return "" if event["action"] == "think" and _answer(event) else text


def _call(event: dict[str, Json], index: int) -> ToolCall:
    """The call that an action is: the model's where the event holds it, or made of the action's arguments."""
    meta = _metadata(event)
    made = f"e{event['id']}" if "id" in event else f"c{index + 1}"
    id, name = str(meta.get("tool_call_id") or made), str(meta.get("function_name") or event["action"])
    for call in filter(_is_call, as_list(_answer(event).get("tool_calls"))):
        if call["id"] == id:
            return ToolCall(id, name, as_text(call["function"].get("arguments")), 1)
    return ToolCall(id, name, _shown(_args(event)), 1)


def _is_call(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("id"), str) and isinstance(value.get("function"), dict)


def _shown(args: dict[str, Json]) -> str:
    return as_text({k: v for k, v in args.items() if k not in HOUSEKEEPING and v is not None})


def _recalled(event: dict[str, Json]) -> Iterator[Text]:
    """What a recall brought back: the repository's and the user's instructions, and what microagents know."""
    extras = event["extras"] if isinstance(event.get("extras"), dict) else {}
    for at, key in enumerate(RECALLED):
        yield from _words(as_text(extras.get(key)), at)
    for at, item in enumerate(as_list(extras.get("microagent_knowledge")), len(RECALLED)):
        yield from _words(as_text(item.get("content")) if isinstance(item, dict) else "", at)


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each run in its source's text; one of another format as an array of events, several as a run a line."""
    foreign: list[Transcript] = []
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == "openhands":
            yield source.before
            yield _written(transcript, source)
            yield source.after
        else:
            foreign.append(transcript)
    for transcript in foreign:
        render = _renderer(())
        events = [event for m in transcript.messages for event in render(m)]
        yield dump(events if len(foreign) == 1 else {"history": events}) + b"\n"


def _written(transcript: Transcript, source: Source) -> bytes:
    carried = set(range(len(source.records))) - {i for m in source.messages for i in m.records}
    same = {m.id for m, unchanged in transcript.unchanged() if unchanged}
    if all(m.id in same for m in source.messages):
        return write_records(transcript, _patch, _renderer(source.records), carried)
    spoken = _spoken(transcript, source, same)
    records, gone = _restated(transcript, source, same, spoken)
    restated = replace(transcript, source=replace(source, records=records))
    whole = write_records(restated, _patch, _renderer(source.records), carried - gone)
    if not whole.lstrip().startswith(b"{"):
        return whole
    top = [m for m in members(whole.decode("utf-8", "surrogateescape")) if m.key in TASKS]
    told = {m.key: _told(m.value, spoken) for m in top}
    return spliced(whole, {m.key: dump(told[m.key], whole[:100]) for m in top if told[m.key] != m.value})


def _told(value: Json, spoken: Mapping[str, str | None]) -> Json:
    """A value with what it repeats of the user's changed messages: said as they now say it, a part not at all."""
    if isinstance(value, dict):
        return {key: _told(item, spoken) for key, item in value.items()}
    if isinstance(value, list):
        return [_told(item, spoken) for item in value]
    if isinstance(value, str) and value in spoken:
        return spoken[value] or ""
    part = isinstance(value, str) and len(value) >= PART and any(value in text for text in spoken)
    return "" if part else value


def _spoken(transcript: Transcript, source: Source, same: set[str]) -> dict[str, str | None]:
    """What the user's messages that changed said, and what they say now; None for those that went."""
    now = {m.id: m for m in transcript.messages}
    users = [m for m in source.messages if m.role == "user" and m.id not in same]
    return {m.text: now[m.id].text if m.id in now else None for m in users}


def _restated(
    transcript: Transcript, source: Source, same: set[str], spoken: Mapping[str, str | None]
) -> tuple[tuple[bytes, ...], set[int]]:
    """The records with what they repeat of changed messages said anew, and those that only repeated what is gone.

    Each event of a model's response holds all of that response; a recall holds the user's words that it looked up.
    """
    values = [parse(record) for record in source.records]
    made: dict[str, list[Message]] = {}
    for message in source.messages:
        if any(isinstance(b, ToolCall) for b in message.blocks) or message.role == "assistant":
            made.setdefault(_response(values[message.records[0]]), []).append(message)
    now = {m.id: m for m in transcript.messages}
    stale = {key: [now[m.id] for m in said if m.id in now] for key, said in made.items() if _differ(said, same)}
    stale.pop("", None)
    records, gone = list(source.records), set()
    for index, value in enumerate(values):
        if isinstance(value, dict) and _response(value) in stale:
            _answer_anew(value, stale[_response(value)])
            records[index] = dump(value, source.records[index])
        elif isinstance(value, dict) and value.get("action") == "recall" and str(_args(value).get("query")) in spoken:
            query = spoken[str(_args(value)["query"])]
            gone |= {index} if query is None else set()
            _args(value)["query"] = query
            value["message"] = f"Retrieving content for: {(query or '')[:50]}"
            records[index] = dump(value, source.records[index])
    return tuple(records), gone


def _differ(messages: list[Message], same: set[str]) -> bool:
    return any(m.id not in same for m in messages)


def _response(event: Json) -> str:
    """The id of the model's response that an event came from, or of its call where that has none."""
    meta = _metadata(event) if isinstance(event, dict) else {}
    response = meta.get("model_response")
    return str((response.get("id") if isinstance(response, dict) else "") or meta.get("tool_call_id") or "")


def _answer_anew(event: dict[str, Json], messages: list[Message]) -> None:
    answer, blocks = _answer(event), [b for m in messages for b in m.blocks]
    calls = {b.id: b for b in blocks if isinstance(b, ToolCall)}
    if isinstance(answer.get("content"), str):
        answer["content"] = "".join(b.text for b in blocks if isinstance(b, Text) and b.at < 1)
    if isinstance(answer.get("tool_calls"), list):
        # A `finish` is read as words: its call, which no block has, stays without what it said.
        kept = [call for call in answer["tool_calls"] if not calls or (_is_call(call) and call["id"] in calls)]
        for call in filter(_is_call, kept):
            call["function"]["arguments"] = calls[call["id"]].arguments if calls else "{}"
        answer["tool_calls"] = kept
        _metadata(event)["total_calls_in_response"] = len(kept)


def _patch(record: Json, was: Message, message: Message) -> Json:
    if not isinstance(record, dict):
        return record
    if isinstance(record.get("observation"), str):
        return _patched_observation(record, was, message)
    args, now = _args(record), {b.at: b.text for b in message.blocks if isinstance(b, Text)}
    spoken = record["action"] in ("system", "message")
    for block in was.blocks:
        if isinstance(block, Text) and now.get(block.at, "") != block.text:
            key = "content" if spoken else "final_thought" if block.at else "thought"
            _say(record, args, key, block.text, now.get(block.at, ""))
        elif isinstance(block, ToolCall) and block not in message.blocks:
            called = next((b for b in message.blocks if isinstance(b, ToolCall)), block)
            given = json.loads(called.arguments)
            args.update({key: given[key] for key in args.keys() & given.keys()})
    kept = {b.at for b in message.blocks}
    for key in {"image_urls", "images_urls"} & args.keys():
        if isinstance(args[key], list):
            args[key] = [url for at, url in enumerate(args[key], 2) if at in kept]
    return record


def _say(record: dict[str, Json], args: dict[str, Json], key: str, old: str, new: str) -> None:
    """Put `new` where an action said `old`: in its argument, and in the message that shows it to people."""
    held = args.get(key)
    if isinstance(held, dict):
        held["text"] = new
    else:
        args[key] = new + as_text(held)[len(old) :] if as_text(held).startswith(old) else new
    if args is not record and old in as_text(record.get("message")):
        record["message"] = record["message"].replace(old, new)


def _patched_observation(record: dict[str, Json], was: Message, message: Message) -> Json:
    now = {b.at: b.text for b in message.blocks if isinstance(b, Text | ToolResult)}
    extras = record["extras"] if isinstance(record.get("extras"), dict) else {}
    if record["observation"] == "recall":
        for at, key in enumerate(RECALLED):
            if extras.get(key):
                extras[key] = now.get(at, "")
        for at, item in enumerate(as_list(extras.get("microagent_knowledge")), len(RECALLED)):
            if isinstance(item, dict) and item.get("content"):
                item["content"] = now.get(at, "")
        return record
    old, new = was.text, "\n".join(now.values())
    record["content"] = new
    for key in REPEATS & extras.keys():
        del extras[key]
    if old and old in as_text(record.get("message")):
        record["message"] = record["message"].replace(old, new)
    return record


def _renderer(records: Iterable[bytes]) -> Render:
    """Events for messages without a source: numbered behind those of `records`, of the shape that those have."""
    state: list[_New] = []

    def render(message: Message) -> list[Json]:
        if not state:
            values = [value for value in map(parse, records) if isinstance(value, dict)]
            ids = [value["id"] for value in values if isinstance(value.get("id"), int)]
            bare = bool(values) and not any("source" in value for value in values)
            state.append(_New(count(max(ids, default=-1) + 1), bare))
        return state[0].events(message)

    return render


@dataclass(slots=True)
class _New:
    """Events being made. `made` has the metadata and the event of each call, which its observation repeats."""

    ids: Iterator[int]
    bare: bool
    made: dict[str, tuple[int, dict[str, Json]]] = field(default_factory=dict)

    def events(self, message: Message) -> list[Json]:
        text = "\n".join(b.text for b in message.blocks if isinstance(b, Text))
        calls = [b for b in message.blocks if isinstance(b, ToolCall)]
        urls = [_url(b) for b in message.blocks if isinstance(b, Opaque) and b.data]
        time = message.time if message.time and "T" in message.time else NO_TIME
        events = [self._observation(b, time) for b in message.blocks if isinstance(b, ToolResult)]
        if calls:
            return [*events, *self._actions(text, calls, time)]
        if self.bare and text:
            waits = message.role == "assistant"
            said = {"content": text, "images_urls": urls or None, "wait_for_response": waits, "action": "message"}
            return [*events, said]
        if text or urls:
            source = "user" if message.role not in ("assistant", "system") else "agent"
            kind = "system" if message.role == "system" else "message"
            more = {"image_urls": urls or None, "wait_for_response": False} if kind == "message" else {}
            args = {"content": text, **more}
            events.append({**self._head(source, time), "message": text, "action": kind, "args": args})
        return events

    def _head(self, source: str, time: str) -> dict[str, Json]:
        return {"id": next(self.ids), "timestamp": time, "source": source}

    def _actions(self, text: str, calls: list[ToolCall], time: str) -> Iterator[Json]:
        functions = [{"id": c.id, "type": "function", "function": _function(c)} for c in calls]
        answer = {"role": "assistant", "content": text, "tool_calls": functions}
        response = {"id": f"response-{calls[0].id}", "choices": [{"index": 0, "message": answer}]}
        for n, call in enumerate(calls):
            head = self._head("agent", time)
            meta: dict[str, Json] = {"function_name": call.name, "tool_call_id": call.id}
            meta |= {"model_response": response, "total_calls_in_response": len(calls)}
            self.made[call.id] = head["id"], meta
            args = {"name": call.name, "arguments": _object(call.arguments), "thought": "" if n else text}
            yield {**head, "message": "", "action": "call_tool_mcp", "tool_call_metadata": meta, "args": args}

    def _observation(self, block: ToolResult, time: str) -> Json:
        cause, meta = self.made.get(block.call_id, (None, {"tool_call_id": block.call_id}))
        kind = "error" if block.is_error else "mcp"
        head = {**self._head("agent", time), "message": "", "cause": cause, "observation": kind}
        return {**head, "tool_call_metadata": meta, "content": block.text, "extras": {}}


def _url(block: Opaque) -> str:
    return f"data:{block.media_type};base64,{block.data}" if block.media_type else block.data


def _function(call: ToolCall) -> Json:
    return {"name": call.name, "arguments": call.arguments}


def _object(arguments: str) -> Json:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return {"input": arguments}
