"""ChatGPT's export, conversations.json: trees of messages, of which the branch that is open is the conversation."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from boildown.formats import media
from boildown.formats.layout import Piece, conversations, raw, with_values
from boildown.formats.source import Json, Sample, as_list, as_text, dump, members, parse
from boildown.transcript import (
    Block,
    FormatInfo,
    Framing,
    Message,
    Note,
    Opaque,
    Rules,
    Source,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Transcript,
)

INFO = FormatInfo(
    name="chatgpt",
    title="ChatGPT export: conversations.json, an array of conversations or one of them",
    example='{"title": "...", "mapping": {"<id>": {"message": {...}, "children": []}}, "current_node": "<id>"}',
    framing=Framing(
        message=4, name=1, block=3, reply=3, source="taken as Chat Completions'; OpenAI states none for ChatGPT"
    ),
    rules=Rules(joins=True),
    says=frozenset({"text", "tool call", "tool result", "thinking", "system", "name"}),
)
FIELDS: dict[str, tuple[str, ...]] = {
    "code": ("text",),
    "execution_output": ("text",),
    "tether_quote": ("text",),
    "tether_browsing_display": ("result",),
    "user_editable_context": ("user_profile", "user_instructions"),
    "model_editable_context": ("model_set_context",),
    "system_error": ("text",),
    "reasoning_recap": ("content",),
}
"""The fields of a content type that hold what the model reads; text and multimodal_text hold it in `parts`."""
THOUGHT = {"reasoning_recap"}


def sniff(sample: Sample) -> bool:
    """Objects with a mapping of nodes."""
    return any(_is_conversation(item) for item in sample.objects[:8])


def _is_conversation(item: Json) -> bool:
    mapping = item.get("mapping") if isinstance(item, dict) else None
    if not isinstance(mapping, dict):
        return False
    return "current_node" in item or any(isinstance(n, dict) and "children" in n for n in mapping.values())


@dataclass(frozen=True, slots=True)
class Tree:
    """Where the nodes of a mapping stand: the text up to the first, what leads each in, the text behind the last.

    ids     each node's key, in file order        leads  the comma, blanks and key before each node
    active  the nodes from the root to the current one
    """

    head: str
    leads: tuple[str, ...]
    tail: str
    ids: tuple[str, ...]
    active: tuple[str, ...]


def read(data: bytes) -> Iterator[Transcript]:
    """The conversations in `data`: of each, the branch that ends at `current_node`. The others are carried."""
    return conversations(data, "chatgpt", _conversation)


def _conversation(piece: Piece) -> Transcript:
    if not _is_conversation(piece.value):
        raise ValueError("no object with a mapping of messages")
    held = next(m for m in members(piece.text, piece.start) if m.key == "mapping")
    found = list(members(piece.text, held.start))
    nodes = {m.key: m.value for m in found if isinstance(m.value, dict)}
    active = _branch(nodes, piece.value.get("current_node"))
    starts = [held.start + 1, *(m.end for m in found)]
    tree = Tree(
        head=piece.text[piece.start : starts[0]],
        leads=tuple(piece.text[a : m.start] for a, m in zip(starts, found, strict=False)),
        tail=piece.text[starts[-1] : piece.end],
        ids=tuple(m.key for m in found),
        active=active,
    )
    title = str(piece.value.get("title") or "")
    messages = tuple(_messages(nodes, active, {key: n for n, key in enumerate(tree.ids)}))
    records = tuple(raw(piece.text[m.start : m.end]) for m in found)
    source = Source("chatgpt", records, messages, piece.before, piece.after, tree, _branches(nodes, active, title))
    return Transcript(messages, source, title)


def _branch(nodes: dict[str, Json], current: Json) -> tuple[str, ...]:
    """The nodes from the root to `current`, or to the last of all where that is no node."""
    known = isinstance(current, str) and current in nodes
    place = current if known else next((k for k in reversed(nodes) if not nodes[k].get("children")), None)
    path: dict[str, None] = {}
    while isinstance(place, str) and place in nodes and place not in path:
        path[place] = None
        place = nodes[place].get("parent")
    return tuple(reversed(path))


def _branches(nodes: dict[str, Json], active: tuple[str, ...], title: str) -> tuple[Note, ...]:
    others = sum(isinstance(n.get("message"), dict) for key, n in nodes.items() if key not in set(active))
    return (Note("branch", title, f"{others} messages off the active branch are carried"),) if others else ()


def _messages(nodes: dict[str, Json], active: tuple[str, ...], places: dict[str, int]) -> Iterator[Message]:
    """The messages of a branch that weigh something; what tools say answers, in order, the calls just before it."""
    waiting: list[str] = []
    count, calling = 0, False
    for key in active:
        message = nodes[key].get("message")
        if not isinstance(message, dict) or message.get("weight") == 0:
            continue
        count += 1
        author = message["author"] if isinstance(message.get("author"), dict) else {}
        role, name = str(author.get("role", "unknown")), author.get("name")
        blocks = tuple(_blocks(message, role, key, waiting[0] if waiting else ""))
        if any(isinstance(b, ToolCall) for b in blocks):
            waiting, calling = [*waiting, key] if calling else [key], True
        else:
            waiting, calling = (waiting[1:] or waiting) if role == "tool" else [], False
        yield Message(
            id=f"m{count}",
            role=role,
            blocks=blocks,
            name=name if isinstance(name, str) else None,
            time=str(message["create_time"]) if message.get("create_time") else None,
            records=(places[key],),
        )


def _blocks(message: dict[str, Json], role: str, key: str, call: str) -> Iterator[Block]:
    parts = list(_parts(message.get("content")))
    text = "\n".join(p.text for p in parts if isinstance(p, Text))
    to = message.get("recipient")
    if role == "assistant" and isinstance(to, str) and to != "all" and not any(isinstance(p, Thinking) for p in parts):
        yield ToolCall(key, to, text, at=0)
        yield from (p for p in parts if isinstance(p, Opaque))
    elif role == "tool" and call:
        yield ToolResult(call, text, tuple(p for p in parts if isinstance(p, Opaque)), at=0)
    else:
        yield from parts


def _parts(content: Json) -> Iterator[Text | Thinking | Opaque]:
    if not isinstance(content, dict):
        return
    kind = str(content.get("content_type", "content"))
    if isinstance(content.get("parts"), list):
        yield from (_part(p, at) for at, p in enumerate(content["parts"]) if p != "")
    elif kind == "thoughts" and isinstance(content.get("thoughts"), list):
        yield from (Thinking(_thought(t), at=at) for at, t in enumerate(content["thoughts"]) if _thought(t))
    elif kind in FIELDS:
        for at, key in enumerate(FIELDS[kind]):
            text = as_text(content.get(key))
            if text:
                yield Thinking(text, at=at) if kind in THOUGHT else Text(text, at)
    else:
        yield Opaque(kind, text=as_text(content), at=0)


def _thought(thought: Json) -> str:
    return as_text(thought.get("content") or thought.get("summary")) if isinstance(thought, dict) else as_text(thought)


def _part(part: Json, at: int) -> Text | Opaque:
    if isinstance(part, str):
        return Text(part, at)
    if not isinstance(part, dict):
        return Opaque("part", text=as_text(part), at=at)
    if isinstance(part.get("text"), str):
        return Text(part["text"], at)
    kind = str(part.get("content_type", "part"))
    if kind == "image_asset_pointer":
        width, height = part.get("width"), part.get("height")
        if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
            width = height = 1024
        return Opaque("image", media.tile_tokens(width, height), at=at)
    return Opaque(kind, text=as_text(part), at=at)


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation in its source's text, its tree mended where it changed; those of another format as an array."""
    foreign = 0
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == "chatgpt":
            yield source.before
            yield _written(transcript, source)
            yield source.after
            continue
        foreign += 1
        yield (b",\n" if foreign > 1 else b"[\n") + dump(_new_conversation(transcript))
    if foreign:
        yield b"\n]\n"


def _written(transcript: Transcript, source: Source) -> bytes:
    tree = source.layout
    if not isinstance(tree, Tree):
        return b""
    edited = _edited(transcript, source, tree)
    if edited is None:
        nodes = [raw(lead) + node for lead, node in zip(tree.leads, source.records, strict=True)]
        return b"".join([raw(tree.head), *nodes, raw(tree.tail)])
    leads = dict(zip(tree.ids, tree.leads, strict=True))
    parts = [raw(tree.head)]
    for n, (key, node) in enumerate(edited.nodes.items()):
        lead = _lead(leads.get(key) or _new_lead(tree.leads, key))
        parts += [b"," if n else b"", raw(lead), node]
    whole = b"".join([*parts, raw(tree.tail)])
    return with_values(whole, {"current_node": edited.current})


def _lead(lead: str) -> str:
    """What leads a node in, without the comma."""
    before, comma, behind = lead.partition(",")
    return behind if comma and not before.strip() else lead


def _new_lead(leads: tuple[str, ...], key: str) -> str:
    usual = _lead(leads[0]) if leads else '"": '
    return usual[: usual.index('"')] + json.dumps(key) + usual[usual.rindex('"') + 1 :]


@dataclass(slots=True)
class _Edited:
    """A tree being mended: the links between its nodes, then the bytes of those that are left."""

    parent: dict[str, str | None]
    children: dict[str, list[str]]
    current: str | None
    nodes: dict[str, bytes] = field(default_factory=dict)

    def drop(self, key: str) -> None:
        """Take a node out; what hung from it hangs from its parent."""
        above, below = self.parent.pop(key), self.children.pop(key)
        above = None if above == key else above
        for child in below:
            self.parent[child] = above
        if above is not None:
            place = self.children[above].index(key) if key in self.children[above] else len(self.children[above])
            self.children[above][place : place + 1] = below
        if self.current == key:
            self.current = above if above is not None else next(iter(below), None)

    def insert(self, key: str, before: str | None) -> None:
        """Put a node above the node `before`, or below the current one, which it then is."""
        above = self.parent.get(before) if before else self.current
        self.parent[key], self.children[key] = above, [before] if before else []
        if before:
            self.parent[before] = key
        else:
            self.current = key
        if above is not None:
            siblings = self.children[above]
            place = siblings.index(before) if before in siblings else len(siblings)
            siblings[place : place + bool(before in siblings)] = [key]


def _named(links: Json, nodes: Mapping[str, Json]) -> Iterator[str]:
    """Those of the links that name a node."""
    return (link for link in as_list(links) if isinstance(link, str) and link in nodes)


def _edited(transcript: Transcript, source: Source, tree: Tree) -> _Edited | None:
    """The tree as the transcript is now, or None where nothing changed."""
    read = {m.id: m for m in source.messages}
    same = {m.id for m, unchanged in transcript.unchanged() if unchanged}
    now = [m.id for m in transcript.messages]
    if now == list(read) and len(same) == len(now):
        return None
    values = {k: v for k, v in ((key, parse(record)) for key, record in _records(source, tree)) if isinstance(v, dict)}
    parent = {key: next(_named([v.get("parent")], values), None) for key, v in values.items()}
    children = {key: list(_named(v.get("children"), values)) for key, v in values.items()}
    for key, above in parent.items():
        if above is not None and key not in children[above]:
            children[above].append(key)
    edited = _Edited(parent, children, tree.active[-1] if tree.active else None)
    for gone in (m for m in source.messages if m.id not in set(now)):
        edited.drop(tree.ids[gone.records[0]])
    added = _insert(transcript, read, tree, edited)
    changed = {tree.ids[read[m.id].records[0]]: m for m in transcript.messages if m.id in read and m.id not in same}
    for key, record in _records(source, tree):
        if key not in values:
            edited.nodes[key] = record
        elif key in edited.parent:
            fields = _links(values[key], edited, key)
            if key in changed:
                was = read[changed[key].id]
                fields["message"] = _patch(values[key]["message"], was, changed[key])
            edited.nodes[key] = with_values(record, fields)
    for key, message in added.items():
        node = {"id": key, "message": message, "parent": edited.parent[key], "children": edited.children[key]}
        edited.nodes[key] = dump(node, source.records[0] if source.records else b"")
    return edited


def _records(source: Source, tree: Tree) -> Iterator[tuple[str, bytes]]:
    return zip(tree.ids, source.records, strict=True)


def _links(value: dict[str, Json], edited: _Edited, key: str) -> dict[str, Json]:
    """The links of a node that are no longer what they were."""
    links: dict[str, Json] = {"parent": edited.parent[key], "children": edited.children[key]}
    return {k: v for k, v in links.items() if value.get(k) != v}


def _insert(transcript: Transcript, read: dict[str, Message], tree: Tree, edited: _Edited) -> dict[str, Json]:
    """Nodes for the messages that have no record, each above the next that has one; their messages by id."""
    added: dict[str, Json] = {}
    waiting: list[Json] = []
    for message in transcript.messages:
        was = read.get(message.id)
        if was is None:
            waiting += render(message)
            continue
        for value in waiting:
            added[value["id"]] = value
            edited.insert(value["id"], tree.ids[was.records[0]])
        waiting = []
    for value in waiting:
        added[value["id"]] = value
        edited.insert(value["id"], None)
    return added


def _patch(value: dict[str, Json], was: Message, message: Message) -> dict[str, Json]:
    content = value.get("content")
    if not isinstance(content, dict):
        content = value["content"] = {"content_type": "text", "parts": []}
    kept = {b.at: b for b in message.blocks if not isinstance(b, ToolCall | ToolResult)}
    single = next((b for b in message.blocks if isinstance(b, ToolCall | ToolResult)), None)
    kind = content.get("content_type")
    if single is not None:
        _set_single(content, single.arguments if isinstance(single, ToolCall) else single.text)
    elif isinstance(content.get("parts"), list):
        parts = [(p, kept[at]) for at, p in enumerate(content["parts"]) if at in kept]
        added = [b.text for b in message.blocks if isinstance(b, Text) and b.at < 0]
        content["parts"] = [_patched_part(p, b) for p, b in parts] + added
    elif kind == "thoughts":
        thoughts = [(t, kept[at]) for at, t in enumerate(content["thoughts"]) if at in kept]
        content["thoughts"] = [_patched_thought(t, b) for t, b in thoughts]
    elif kind in FIELDS:
        for at, key in enumerate(FIELDS[kind]):
            block = kept.get(at)
            content[key] = block.text if block is not None else ""
    return value


def _set_single(content: dict[str, Json], text: str) -> None:
    """Give a call or a result one text; what is no text stays."""
    if isinstance(content.get("parts"), list):
        others = [p for at, p in enumerate(content["parts"]) if isinstance(_part(p, at), Opaque)]
        content["parts"] = [text, *others]
    else:
        content[FIELDS.get(str(content.get("content_type")), ("text",))[0]] = text


def _patched_part(part: Json, block: Block) -> Json:
    if not isinstance(block, Text):
        return part
    return block.text if isinstance(part, str) else {**part, "text": block.text}


def _patched_thought(thought: Json, block: Block) -> Json:
    if not isinstance(block, Thinking) or _thought(thought) == block.text:
        return thought
    key = "content" if thought.get("content") else "summary"
    return {**thought, key: block.text}


def render(message: Message) -> list[Json]:
    """The messages that say what `message` says: its reasoning, its results, its words and each of its calls."""
    contents: list[tuple[str, str | None, str, Json]] = []
    thoughts = [{"summary": "", "content": b.text} for b in message.blocks if isinstance(b, Thinking)]
    if thoughts:
        contents.append(("assistant", None, "all", {"content_type": "thoughts", "thoughts": thoughts}))
    for result in (b for b in message.blocks if isinstance(b, ToolResult)):
        contents.append(("tool", message.name, "all", {"content_type": "text", "parts": [result.text]}))
    texts = [b.text for b in message.blocks if isinstance(b, Text)]
    if texts:
        contents.append((message.role, message.name, "all", {"content_type": "text", "parts": texts}))
    for call in (b for b in message.blocks if isinstance(b, ToolCall)):
        code = {"content_type": "code", "language": "unknown", "response_format_name": None, "text": call.arguments}
        contents.append(("assistant", message.name, call.name or "tool", code))
    return [_rendered(message, n, *content) for n, content in enumerate(contents)]


def _rendered(message: Message, place: int, role: str, name: str | None, to: str, content: Json) -> Json:
    said = f"{message.id} {place} {role} {to} {json.dumps(content)}"
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, said)),
        "author": {"role": role, "name": name, "metadata": {}},
        "create_time": _seconds(message.time),
        "update_time": None,
        "content": content,
        "status": "finished_successfully",
        "end_turn": None,
        "weight": 1.0,
        "metadata": {},
        "recipient": to,
        "channel": None,
    }


def _seconds(time: str | None) -> float | None:
    try:
        return float(time) if time else None
    except ValueError:
        return None


def _new_conversation(transcript: Transcript) -> Json:
    values = [value for message in transcript.messages for value in render(message)]
    root = str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps([transcript.title, [v["id"] for v in values]])))
    ids = [root, *(v["id"] for v in values)]
    mapping = {
        key: {"id": key, "message": value, "parent": ids[n - 1] if n else None, "children": ids[n + 1 : n + 2]}
        for n, (key, value) in enumerate(zip(ids, [None, *values], strict=True))
    }
    return {
        "title": transcript.title or "Conversation",
        "create_time": next((v["create_time"] for v in values if v["create_time"]), None),
        "update_time": next((v["create_time"] for v in reversed(values) if v["create_time"]), None),
        "mapping": mapping,
        "moderation_results": [],
        "current_node": ids[-1],
        "conversation_id": root,
        "id": root,
    }
