"""OpenAssistant trees: a prompt and its replies, of which the best branch is the conversation."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from boildown.formats.layout import Piece, conversations, member_span, raw
from boildown.formats.source import Json, Member, Sample, as_list, dump, members, parse
from boildown.transcript import FormatInfo, Framing, Message, Note, Rules, Source, Text, Transcript

INFO = FormatInfo(
    name="oasst",
    title="OpenAssistant trees: a prompt and its replies a line; the best-ranked branch is the conversation",
    example='{"message_tree_id": "...", "prompt": {"text": "Hello", "role": "prompter", "replies": [{...}]}}',
    framing=Framing(message=4, name=1, block=3, reply=3, source="taken as Chat Completions'; OASST is data, no API"),
    rules=Rules(alternate=True, user_first=True, joins=True),
    says=frozenset({"text"}),
)
ROLES = {"prompter": "user"}
SAID = {"user": "prompter"}


def sniff(sample: Sample) -> bool:
    """Objects with a tree's id and its prompt."""
    return any("message_tree_id" in item and "prompt" in item for item in sample.objects[:8])


@dataclass(frozen=True, slots=True)
class Branch:
    """The replies to one message of the best branch, left out of its record: raw bytes around the one that goes on."""

    before: bytes
    after: bytes = b""


@dataclass(frozen=True, slots=True)
class Tree:
    """The raw bytes of the line around its prompt, and the replies to each message of the best branch."""

    head: bytes
    tail: bytes
    branches: tuple[Branch, ...]


def read(data: bytes) -> Iterator[Transcript]:
    """The conversations in `data`: of each tree the branch of the replies that were ranked best.

    Where replies have no rank, the first counts as the best; a deleted one, or one that reviewers refused, never does.
    The other branches are carried.
    """
    return conversations(data, "oasst", _conversation)


def _conversation(piece: Piece) -> Transcript:
    held = None
    if isinstance(piece.value, dict) and "message_tree_id" in piece.value:
        held = next((m for m in members(piece.text, piece.start) if m.key == "prompt"), None)
    if held is None or not (held.value is None or _is_message(held.value)):
        raise ValueError("no object with a tree's id and a prompt that has a text")
    nodes = list(_best(piece.text, held))
    messages = tuple(_message(node.value, n) for n, (node, _, _) in enumerate(nodes))
    parted = [_parted(piece.text, *node) for node in nodes]
    branches = tuple(branch for _, branch in parted)
    tree = Tree(raw(piece.text[piece.start : held.start]), raw(piece.text[held.end : piece.end]), branches)
    title = str(piece.value["message_tree_id"])
    notes = _notes(held.value, len(messages), title)
    records = tuple(record for record, _ in parted)
    source = Source("oasst", records, messages, piece.before, piece.after, tree, notes)
    return Transcript(messages, source, title)


def _message(value: dict[str, Json], place: int) -> Message:
    said, time = str(value.get("role", "unknown")), value.get("created_date")
    return Message(
        id=f"m{place + 1}",
        role=ROLES.get(said, said),
        blocks=(Text(value["text"], 0),) if value["text"] else (),
        time=time if isinstance(time, str) else None,
        records=(place,),
    )


def _is_message(value: Json) -> bool:
    return isinstance(value, dict) and isinstance(value.get("text"), str)


def _best(text: str, node: Member | None) -> Iterator[tuple[Member, Member | None, Member | None]]:
    """The messages of the best branch: each with its list of replies and the reply that goes on, if it has them."""
    while node is not None and node.value is not None:
        replies = next((m for m in members(text, node.start) if m.key == "replies" and isinstance(m.value, list)), None)
        found = [m for m in members(text, replies.start) if _is_sound(m.value)] if replies else []
        best = min(found, key=lambda m: _rank(m.value), default=None)
        yield node, replies, best
        node = best


def _is_sound(value: Json) -> bool:
    return _is_message(value) and not value.get("deleted") and value.get("review_result") is not False


def _rank(value: Json) -> float:
    rank = value.get("rank")
    return rank if isinstance(rank, int | float) else float("inf")


def _parted(text: str, node: Member, replies: Member | None, best: Member | None) -> tuple[bytes, Branch]:
    """A message's record, its list of replies empty, and what stood in that list."""
    if replies is None:
        return raw(text[node.start : node.end]), Branch(b"")
    first = raw(text[node.start : replies.start + 1])
    record = first + b"]" + raw(text[replies.end : node.end])
    if best is None:
        return record, Branch(raw(text[replies.start + 1 : replies.end - 1]))
    before, after = text[replies.start + 1 : best.start], text[best.end : replies.end - 1]
    return record, Branch(raw(before), raw(after))


def _notes(prompt: Json, spoken: int, title: str) -> tuple[Note, ...]:
    others, waiting = -spoken, [prompt] if prompt else []
    while waiting:
        replies = waiting.pop().get("replies")
        waiting += [r for r in as_list(replies) if isinstance(r, dict)]
        others += 1
    why = f"{others} messages off the best branch are carried, and go where a message beside or above them goes"
    return (Note("branch", title, why),) if others else ()


def write(transcripts: Iterable[Transcript]) -> Iterator[bytes]:
    """Each conversation in its source's line; those of another format as trees of one branch, a line each.

    A branch that leaves the conversation between two messages is carried while both stay and nothing comes between
    them, and goes otherwise: a reply to words that are gone, or one that would pass for the best, says nothing true.
    """
    for transcript in transcripts:
        source = transcript.source
        if source is not None and source.format == "oasst":
            yield source.before
            yield _written(transcript, source)
            yield source.after
        else:
            yield dump(_new_tree(transcript)) + b"\n"


@dataclass(slots=True)
class _Node:
    """A message to be written: its id in the file, its record without replies, and where it is from (-1: nowhere)."""

    id: str
    record: bytes
    index: int


def _written(transcript: Transcript, source: Source) -> bytes:
    tree = source.layout
    if not isinstance(tree, Tree):
        return b""
    nodes = list(_nodes(transcript, source))
    if not nodes:
        return tree.head + b"null" + tree.tail
    opened: list[bytes] = []
    closed: list[bytes] = []
    for node, below in [*pairwise(nodes), (nodes[-1], None)]:
        start, end = _around(node, below, tree.branches)
        opened.append(start)
        closed.append(end)
    return b"".join([tree.head, *opened, *reversed(closed), tree.tail])


def _around(node: _Node, below: _Node | None, branches: Sequence[Branch]) -> tuple[bytes, bytes]:
    """What stands before and behind the reply `below`: the record of `node`, and other replies where none changed."""
    place = _place(node.record)
    if place < 0:
        if below is None:
            return node.record, b""
        body = node.record.rstrip()
        return body[:-1] + b', "replies": [', b"]" + body[-1:]
    branch = branches[node.index] if node.index >= 0 else Branch(b"")
    last = node.index >= 0 and node.index == len(branches) - 1
    if (below is None and last) or (below is not None and node.index >= 0 and below.index == node.index + 1):
        return node.record[:place] + branch.before, branch.after + node.record[place:]
    return node.record[:place], node.record[place:]


def _place(record: bytes) -> int:
    """Where the empty list of replies in a record is open; -1 where it has none."""
    text = record.decode("utf-8", "surrogateescape")
    found = next((m for m in members(text) if m.key == "replies" and m.value == []), None)
    return len(raw(text[: found.start])) + 1 if found else -1


def _nodes(transcript: Transcript, source: Source) -> Iterator[_Node]:
    read = {m.id: m for m in source.messages}
    above, place = "", -1
    for message, same in transcript.unchanged():
        was = read.get(message.id)
        if was is None:
            node = _new_node(message, transcript.title, above, source.records[0] if source.records else b"")
        else:
            record = source.records[was.records[0]]
            value = parse(record)
            fields: dict[str, Json] = {} if same else {"text": message.text}
            if was.records[0] != place + 1:
                fields["parent_id"] = above or None
            node = _Node(str(value.get("message_id", message.id)), _spliced(record, fields), was.records[0])
        yield node
        above, place = node.id, node.index if node.index >= 0 else len(source.records)


def _spliced(record: bytes, fields: dict[str, Json]) -> bytes:
    """A record with other values for some of its members, one that is to be None left out; the rest keeps its bytes."""
    text = record.decode("utf-8", "surrogateescape")
    found = list(members(text)) if fields else []
    out: list[bytes] = []
    at = 0
    for n, member in enumerate(found):
        if member.key in fields and fields[member.key] is None:
            start, end = member_span(text, found, n)
            out, at = [*out, raw(text[at:start])], end
        elif member.key in fields:
            out, at = [*out, raw(text[at : member.start]), dump(fields[member.key], record)], member.end
    missing = {k: v for k, v in fields.items() if v is not None and k not in {m.key for m in found}}
    if missing:
        body = raw(text[at:]).rstrip()
        return b"".join([*out, body[:-1], b", ", dump(missing, record)[1:-1], body[-1:]])
    return b"".join([*out, raw(text[at:])])


def _new_node(message: Message, tree: str, above: str, like: bytes = b"") -> _Node:
    key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{tree} {above} {message.id} {message.text}"))
    value: dict[str, Json] = {"message_id": key}
    if above:
        value["parent_id"] = above
    value |= {"text": message.text, "role": SAID.get(message.role, message.role), "replies": []}
    return _Node(key, dump(value, like), -1)


def _new_tree(transcript: Transcript) -> Json:
    nodes: list[Json] = []
    for message in transcript.messages:
        above = nodes[-1]["message_id"] if nodes else ""
        nodes.append(parse(_new_node(message, transcript.title, above).record))
    for node, below in pairwise(nodes):
        node["replies"].append(below)
    first = nodes[0] if nodes else None
    key = first["message_id"] if first else str(uuid.uuid5(uuid.NAMESPACE_OID, transcript.title))
    return {"message_tree_id": key, "tree_state": "ready_for_export", "prompt": first}
