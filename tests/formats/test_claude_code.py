"""Claude Code sessions: which records are one message, and how the chain holds when some are gone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import InputError
from boildown.formats import anthropic, claude_code
from boildown.formats.source import sample
from boildown.transcript import Block, Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript, groups
from roundtrip import SAMPLES, check_one_format, files

SAMPLE = SAMPLES / "claude-code.jsonl"
FILES = files("claude-code/**/*.json*", "multi-cli-pomodoro/claude-code*", samples=[SAMPLE.name])
every_file = pytest.mark.parametrize("path", FILES)


def read(data: bytes) -> Transcript:
    (transcript,) = claude_code.read(data)
    return transcript


def write(transcript: Transcript) -> bytes:
    return b"".join(claude_code.write([transcript]))


def said(transcript: Transcript) -> list[tuple[str, str | None, list[Block]]]:
    return [(m.role, m.time, [replace(b, at=0) for b in m.blocks]) for m in transcript.messages]


def parsed(data: bytes) -> list[Any]:
    if b'"loglines"' in data[:100]:
        return list(json.loads(data)["loglines"])
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def lines(*records: Any) -> bytes:
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in records)


def record(own: str, parent: str | None, content: Any, message_id: str = "", **keys: Any) -> dict[str, Any]:
    message = {"role": "assistant" if message_id else "user", "content": content}
    if message_id:
        message["id"] = message_id
    kind = {"type": message["role"], "message": message, "uuid": own, "timestamp": f"T-{own}"}
    return {"parentUuid": parent, "sessionId": "s", "cwd": "/w", **kind, **keys}


def text(words: str) -> list[Any]:
    return [{"type": "text", "text": words}]


def call(name: str) -> list[Any]:
    return [{"type": "tool_use", "id": name, "name": "Bash", "input": {"command": name}}]


def result(name: str, words: str) -> list[Any]:
    return [{"type": "tool_result", "tool_use_id": name, "content": words}]


PARALLEL = lines(
    record("u1", None, "Run both."),
    record("a1", "u1", [{"type": "thinking", "thinking": "Both.", "signature": "sig"}], "msg"),
    record("a2", "a1", call("A"), "msg"),
    {"parentUuid": "a2", "type": "progress", "uuid": "p1", "toolUseID": "x", "parentToolUseID": "A", "sessionId": "s"},
    record("r1", "a2", result("A", "out A"), toolUseResult={"stdout": "out A"}, sourceToolAssistantUUID="a2"),
    record("a3", "r1", call("B"), "msg"),
    record("r2", "a3", result("B", "out B"), sourceToolAssistantUUID="a3", toolUseResult="out B"),
    {"parentUuid": "r2", "type": "system", "subtype": "turn_duration", "uuid": "s1", "sessionId": "s"},
    record("u2", "s1", "Thanks."),
    record("a4", "u2", text("Glad to."), "msg2"),
)


def drop(transcript: Transcript, *ids: str) -> Transcript:
    return transcript.with_messages(m for m in transcript.messages if m.id not in ids)


def change(transcript: Transcript, name: str, edit: Callable[[Block], Iterable[Block]]) -> Transcript:
    return transcript.with_messages(
        m.with_blocks(new for b in m.blocks for new in edit(b)) if m.id == name else m for m in transcript.messages
    )


def uuids(data: bytes) -> list[str]:
    return [r["uuid"] for r in parsed(data)]


def parents(data: bytes) -> dict[str, str | None]:
    return {r["uuid"]: r["parentUuid"] for r in parsed(data)}


@every_file
def test_unchanged_sessions_come_back_byte_for_byte(path: Path) -> None:
    data = path.read_bytes()
    assert write(read(data)) == data


@every_file
def test_sessions_are_claude_code_and_nothing_else(path: Path) -> None:
    check_one_format(path.read_bytes(), "claude-code")


@every_file
def test_each_record_is_one_messages_or_none(path: Path) -> None:
    transcript = read(path.read_bytes())
    taken = [i for m in transcript.messages for i in m.records]
    assert len(taken) == len(set(taken))
    assert [m.records[0] for m in transcript.messages] == sorted(m.records[0] for m in transcript.messages)
    spoken = {i for i, r in enumerate(parsed(path.read_bytes())) if isinstance(r, dict) and "message" in r}
    assert spoken == set(taken)


@every_file
def test_dropping_every_third_group_leaves_a_session_that_holds(path: Path) -> None:
    data = path.read_bytes()
    before = read(data)
    gone = {i for n, group in enumerate(groups(before.messages)) if n % 3 == 2 for i in group}
    after = before.with_messages(m for i, m in enumerate(before.messages) if i not in gone)
    written = write(after)
    assert said(read(written)) == said(after)
    _check_chain(parsed(data), parsed(written))
    assert _orphans(read(written)) <= _orphans(before)
    assert _message_ids(parsed(written)).items() <= _message_ids(parsed(data)).items()
    assert _only_parents_differ(data, written)


def _check_chain(before: list[Any], after: list[Any]) -> None:
    known = {r.get("uuid") for r in before if isinstance(r, dict)}
    present = {r.get("uuid") for r in after if isinstance(r, dict)}
    for r in after:
        parent = r.get("parentUuid") if isinstance(r, dict) else None
        assert parent is None or parent in present or parent not in known


def _orphans(transcript: Transcript) -> set[str]:
    found = [b for m in transcript.messages for b in m.blocks]
    calls = {b.id for b in found if isinstance(b, ToolCall)}
    return calls ^ {b.call_id for b in found if isinstance(b, ToolResult)}


def _message_ids(records: list[Any]) -> dict[str, int]:
    """How many records each `message.id` has: all of a group stay, or none."""
    ids = [r["message"].get("id") for r in records if isinstance(r, dict) and isinstance(r.get("message"), dict)]
    return {name: ids.count(name) for name in ids if name}


def _only_parents_differ(before: bytes, after: bytes) -> bool:
    """Whether each line of `after` is one of `before`, in order, once what points at others is left out."""

    def bare(line: bytes) -> bytes:
        value = json.loads(line)
        for key in ("parentUuid", "logicalParentUuid", "leafUuid"):
            if isinstance(value, dict) and isinstance(value.get(key), str):
                line = line.replace(b'"' + value[key].encode() + b'"', b"null", 1)
        return line

    left = iter(map(bare, before.splitlines()))
    return b"loglines" in before[:100] or all(line in left for line in map(bare, after.splitlines()))


@every_file
def test_changed_and_new_messages_are_read_again_as_they_are(path: Path) -> None:
    before = read(path.read_bytes())
    messages: list[Message] = []
    for n, message in enumerate(before.messages):
        if n % 5 == 3:
            messages.append(Message(f"new{n}", "user", (Text(f"summary {n}"),), time="T"))
        short = [replace(b, text=f"short {n}") if isinstance(b, Text | ToolResult) else b for b in message.blocks]
        messages.append(message.with_blocks(short) if n % 2 else message)
    after = before.with_messages(messages)
    written = write(after)
    assert said(read(written)) == said(after)
    _check_chain(parsed(path.read_bytes()), parsed(written))


def test_records_that_share_a_message_id_are_one_message_before_their_results() -> None:
    assert [(m.role, m.records) for m in read(PARALLEL).messages] == [
        ("user", (0,)),
        ("assistant", (1, 2, 5)),
        ("tool", (4,)),
        ("tool", (6,)),
        ("user", (8,)),
        ("assistant", (9,)),
    ]
    assert read(PARALLEL).messages[1].blocks == (
        Thinking("Both.", "sig", 0),
        ToolCall("A", "Bash", '{"command":"A"}', 1),
        ToolCall("B", "Bash", '{"command":"B"}', 2),
    )


def test_a_record_that_stands_twice_is_no_part_of_the_message_that_it_copies() -> None:
    data = lines(record("u1", None, "Hi"), record("a1", "u1", text("A"), "msg"), record("a1", "u1", text("A"), "msg"))
    assert [m.records for m in read(data).messages] == [(0,), (1,), (2,)]
    assert write(drop(read(data), "m3")) == b"".join(data.splitlines(keepends=True)[:2])


def test_a_dropped_exchange_takes_its_progress_along_and_is_bridged() -> None:
    written = write(drop(read(PARALLEL), "m2", "m3", "m4"))
    assert parents(written) == {"u1": None, "s1": "u1", "u2": "s1", "a4": "u2"}


def test_the_first_record_that_stays_has_no_parent_when_all_before_it_went() -> None:
    assert parents(write(drop(read(PARALLEL), "m1", "m2", "m3", "m4", "m5")))["s1"] is None


def test_a_parent_is_looked_for_past_a_circle() -> None:
    data = lines(record("a", "b", "1"), record("b", "a", "2"), record("c", "b", "3"))
    assert parents(write(drop(read(data), "m1", "m2"))) == {"c": None}


def test_a_parent_that_dangled_stays_as_it_was() -> None:
    data = lines(record("a", "elsewhere", "1"), record("b", "a", "2"), record("c", "b", "3"))
    assert parents(write(drop(read(data), "m2"))) == {"a": "elsewhere", "c": "a"}
    assert parents(write(drop(read(data), "m1"))) == {"b": None, "c": "b"}


def test_a_nested_key_of_the_same_name_is_left_alone() -> None:
    inner = {"parentUuid": "b", "data": {"parentUuid": "b"}}
    data = lines(record("a", None, "1"), record("b", "a", "2"), {"data": inner, **record("c", "b", "3")})
    after = parsed(write(drop(read(data), "m2")))
    assert (after[1]["data"], after[1]["parentUuid"]) == (inner, "a")


def test_a_summary_and_a_compaction_boundary_point_at_the_nearest_record_that_stays() -> None:
    data = lines(
        {"type": "summary", "summary": "T", "leafUuid": "b"},
        record("a", None, "1"),
        record("b", "a", "2"),
        {"parentUuid": None, "logicalParentUuid": "b", "type": "system", "uuid": "c", "sessionId": "s"},
    )
    after = parsed(write(drop(read(data), "m2")))
    assert (after[0]["leafUuid"], after[2]["logicalParentUuid"]) == ("a", "a")
    nothing_left = parsed(write(drop(read(data), "m1", "m2")))
    assert (nothing_left[0]["leafUuid"], nothing_left[1]["logicalParentUuid"]) == ("b", "b")


def test_changing_a_text_changes_those_bytes_and_no_others() -> None:
    odd = b'{ "parentUuid":null, "z" : 1.50,"type":"user","message":{"content": "old \\u00e9", "role":"user"},"u":1}'
    data = odd + b"\n" + lines(record("a", None, "2"))
    after = write(change(read(data), "m1", lambda b: [Text("new", 0)]))
    assert after == data.replace(b'"old \\u00e9"', b'"new"')


def test_changing_a_text_changes_its_record_only() -> None:
    before = [line for line in SAMPLE.read_bytes().splitlines() if b"file-history-snapshot" not in line]
    after = write(change(read(SAMPLE.read_bytes()), "m12", lambda b: [replace(b, text="Fixed.")])).splitlines()
    changed = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert changed == [21]
    old, new = json.loads(before[21]), json.loads(after[21])
    old["message"]["content"][0]["text"] = "Fixed."
    assert json.dumps(new) == json.dumps(old)


def test_file_snapshots_go_when_messages_or_words_are_lost() -> None:
    transcript = read(SAMPLE.read_bytes())
    assert b"file-history-snapshot" in write(transcript)
    assert b"file-history-snapshot" not in write(change(transcript, "m12", lambda b: [replace(b, text="Fixed.")]))
    assert b"file-history-snapshot" not in write(drop(transcript, "m12"))


def test_a_changed_result_takes_its_second_copies_along() -> None:
    transcript = change(read(PARALLEL), "m3", lambda b: [replace(b, text="[42 lines]")])
    written = write(transcript)
    assert b"out A" not in written
    assert "p1" not in uuids(written)
    (after,) = [r for r in parsed(written) if r["uuid"] == "r1"]
    assert "toolUseResult" not in after
    assert after["message"]["content"] == result("A", "[42 lines]")
    assert [r["toolUseResult"] for r in parsed(written) if r["uuid"] == "r2"] == ["out B"]


def test_a_record_goes_when_all_its_blocks_went_and_its_siblings_stay() -> None:
    written = write(change(read(PARALLEL), "m2", lambda b: [] if isinstance(b, Thinking) else [b]))
    assert uuids(written) == ["u1", "a2", "p1", "r1", "a3", "r2", "s1", "u2", "a4"]
    assert parents(written)["a2"] == "u1"
    assert b'"sig"' not in written


def test_a_signed_thought_is_never_edited() -> None:
    edited = change(read(PARALLEL), "m2", lambda b: [replace(b, text="B") if isinstance(b, Thinking) else b])
    assert write(edited) == PARALLEL


def test_a_block_that_a_stage_added_stands_where_it_was_put() -> None:
    transcript = change(read(PARALLEL), "m2", lambda b: [b, Text("then")] if b.at == 1 else [b])
    written = parsed(write(transcript))
    assert written[2]["message"]["content"] == [*call("A"), *text("then")]
    first = change(read(PARALLEL), "m2", lambda b: [Text("first"), b] if b.at == 0 else [b])
    assert parsed(write(first))[1]["message"]["content"][0] == text("first")[0]


def test_a_new_message_is_a_record_in_the_chain() -> None:
    transcript = read(PARALLEL)
    new = Message("summary", "user", (Text("Both ran."),), covers=("m2", "m3", "m4"))
    first, *_, thanks, glad = transcript.messages
    written = write(transcript.with_messages([first, new, thanks, glad]))
    _, system, made, after, _ = parsed(written)
    assert {**made, "uuid": ""} == {
        "parentUuid": "s1",
        "cwd": "/w",
        "sessionId": "s",
        "isSidechain": False,
        "type": "user",
        "message": {"role": "user", "content": "Both ran."},
        "uuid": "",
        "timestamp": "T-r2",
    }
    assert (system["parentUuid"], after["parentUuid"]) == ("u1", made["uuid"])
    assert write(transcript.with_messages([first, new, thanks, glad])) == written


def test_a_new_message_at_the_end_hangs_on_the_last_record() -> None:
    transcript = read(PARALLEL)
    written = parsed(write(transcript.with_messages([*transcript.messages, Message("n", "assistant", (Text("."),))])))
    assert written[-1]["parentUuid"] == "a4"
    assert written[-1]["message"]["id"].startswith("msg_")


def test_a_session_that_is_compressed_again_gets_another_uuid_for_the_same_name() -> None:
    new = Message("summary", "user", (Text("So far."),))
    once = read(PARALLEL)
    twice = read(write(once.with_messages([new, *once.messages])))
    written = uuids(write(twice.with_messages([new, *twice.messages])))
    assert len(set(written)) == len(written)


def test_a_new_message_is_not_hung_into_a_sub_agents_chain() -> None:
    data = lines(record("a", None, "1"), record("x", None, "side", isSidechain=True), record("b", "a", "2"))
    transcript = read(data)
    one, side, two = transcript.messages
    written = write(transcript.with_messages([one, Message("n", "user", (Text("new"),)), side, two]))
    made = parsed(written)[1]["uuid"]
    assert parents(written) == {"a": None, made: "a", "x": None, "b": made}


def test_a_file_without_a_last_line_break_gets_one_when_it_grows() -> None:
    transcript = read(PARALLEL[:-1])
    grown = write(transcript.with_messages([*transcript.messages, Message("n", "user", (Text("."),))]))
    assert len(parsed(grown)) == 11


ODD = [
    b"42\n",
    b'"x"\n',
    b"[1]\n",
    b"null\n",
    b"{broken\n",
    b'{"silly":"this"}\n',
    b'{"type":"beam","uuid":7,"parentUuid":[]}\n',
    b'{"type":["a"],"parentUuid":"u"}\n',
    b'{"type":"progress"}\n',
    b'{"type":"summary"}\n',
    b'{"type":"user"}\n',
    b"\n",
    b"\xff\xfe\n",
    b"[" * 100_000 + b"\n",
]
SAID = [
    (b'{"type":"user","message":null}\n', ()),
    (b'{"type":"user","message":"error"}\n', (Text("error", 0),)),
    (b'{"type":"user","message":{"content":null},"uuid":null}\n', ()),
    (b'{"type":"user","message":{"contenst":[]}}\n', ()),
    (b'{"type":"user","message":{"content":5}}\n', (Opaque("content", text="5", at=0),)),
    (b'{"type":"user","message":{"content":["wow"]}}\n', (Text("wow", 0),)),
    (b'{"type":"user","message":{"content":[{"text":3}]}}\n', (Opaque("block", text='{"text":3}', at=0),)),
    (b'{"type":"assistant","message":{"id":4,"content":[{"type":"thinking"}]}}\n', None),
    (b'{"type":"assistant","message":{"content":[{"type":"tool_use","id":null,"input":"x"}]}}\n', None),
    (b'{"type":"user","message":{"role":3,"content":[{"type":"tool_result","content":{"a":1}}]}}\n', None),
]


@pytest.mark.parametrize("line", ODD, ids=lambda x: repr(x[:30]))
def test_odd_records_are_carried_in_place(line: bytes) -> None:
    start, end = lines(record("a", None, "1")), lines(record("b", "a", "2"))
    transcript = read(start + line + end)
    assert [m.text for m in transcript.messages] == ["1", "2"]
    assert write(transcript) == start + line + end
    assert write(drop(transcript, "m1")) == line + end.replace(b'"a"', b"null")


@pytest.mark.parametrize(("line", "blocks"), SAID, ids=lambda x: repr(x)[:60])
def test_odd_messages_are_carried_and_may_be_dropped_or_changed(line: bytes, blocks: tuple[Block, ...] | None) -> None:
    start = lines(record("a", None, "1"))
    transcript = read(start + line)
    assert blocks is None or transcript.messages[1].blocks == blocks
    assert write(transcript) == start + line
    assert write(drop(transcript, "m2")) == start
    first, odd = transcript.messages
    changed = transcript.with_messages([first, odd.with_blocks([Text("new")])])
    assert [m.text for m in read(write(changed)).messages] == ["1", "new"]


def test_bad_lines_and_unknown_types_are_noted_with_their_place() -> None:
    source = read(lines(record("a", None, "1")) + b"{broken\n42\n" + b'{"type":"beam"}\n').source
    assert source is not None
    assert [(n.what, n.where) for n in source.notes] == [
        ("bad line", "line 2"),
        ("bad line", "line 3"),
        ("unknown record", "line 4"),
    ]


def test_the_summary_is_the_title_and_not_a_message() -> None:
    transcript = read(SAMPLE.read_bytes())
    assert transcript.title == "Harbour lights: blink period off by one tick"
    assert all(0 not in m.records for m in transcript.messages)


def test_an_object_without_loglines_is_an_error() -> None:
    with pytest.raises(InputError, match="loglines"):
        read(b'{\n "logs": []\n}')


def test_another_format_becomes_a_session_and_stays_the_same_conversation() -> None:
    transcript = Transcript(
        (
            Message("m1", "system", (Text("Be brief."),)),
            Message("m2", "user", (Text("List it."), Opaque("image", 1600, "", "image/png", "AAAA"))),
            Message("m3", "assistant", (Thinking("hm", "sig"), Text("I do."), ToolCall("t", "ls", '{"p":1}'))),
            Message("m4", "tool", (ToolResult("t", "a b", is_error=True),), time="2027-01-01T00:00:00Z"),
        )
    )
    written = write(transcript)
    records = parsed(written)
    assert claude_code.sniff(sample(written))
    assert [r["parentUuid"] for r in records] == [None, *(r["uuid"] for r in records[:-1])]
    assert len({r["sessionId"] for r in records}) == 1
    assert records[0]["isMeta"]
    again = said(read(written))
    assert [(role, blocks) for role, _, blocks in again] == [
        ("user" if role == "system" else role, blocks) for role, _, blocks in said(transcript)
    ]
    assert write(transcript) == written


def test_a_session_becomes_a_request_with_results_behind_their_calls() -> None:
    (line,) = b"".join(anthropic.write([read(SAMPLE.read_bytes())])).splitlines()
    waiting: set[str] = set()
    for message in json.loads(line)["messages"]:
        parts = message["content"] if isinstance(message["content"], list) else []
        assert waiting == {p["tool_use_id"] for p in parts if p["type"] == "tool_result"}
        waiting = {p["id"] for p in parts if p["type"] == "tool_use"}
    assert not waiting
