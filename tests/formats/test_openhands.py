"""OpenHands events: what the model is shown is a message, and what repeats a changed one is said anew or goes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boildown.formats import openhands
from boildown.transcript import Message, Opaque, Text, ToolCall, ToolResult, Transcript
from roundtrip import check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("openhands/*.json*", samples=["openhands.json"])
LONG = "A text of more than forty characters, so that nobody writes it twice by chance."


def event(id: int, source: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "timestamp": "2027-01-01T00:00:00", "source": source, **more}


def message(id: int, source: str, text: str, **more: Any) -> dict[str, Any]:
    args = {"content": text, "image_urls": None, "wait_for_response": False, **more}
    return event(id, source, message=text, action="message", args=args)


def response(text: str, *calls: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    made = [{"id": i, "type": "function", "function": {"name": n, "arguments": json.dumps(a)}} for i, n, a in calls]
    return {"id": f"r-{text}", "choices": [{"message": {"role": "assistant", "content": text, "tool_calls": made}}]}


def meta(id: str, name: str, answer: dict[str, Any]) -> dict[str, Any]:
    calls = answer["choices"][0]["message"]["tool_calls"]
    found = {"function_name": name, "tool_call_id": id, "model_response": answer}
    return {"tool_call_metadata": {**found, "total_calls_in_response": len(calls)}}


LOOK = response("I look.", ("t1", "execute_bash", {"command": "ls"}))
BOTH = response("Two things.", ("t2", "execute_bash", {"command": "a"}), ("t3", "execute_bash", {"command": "b"}))
RUN = [
    message(0, "user", LONG),
    event(1, "user", message=f"Retrieving content for: {LONG[:50]}", action="recall", args={"query": LONG}),
    event(2, "environment", cause=1, observation="recall", content="Added", extras={"repo_instructions": "make test"}),
    event(3, "agent", action="run", **meta("t1", "execute_bash", LOOK), args={"command": "ls", "thought": "I look."}),
    event(4, "agent", cause=3, observation="run", **meta("t1", "execute_bash", LOOK), content="a.py", extras={}),
    event(
        5, "agent", action="run", **meta("t2", "execute_bash", BOTH), args={"command": "a", "thought": "Two things."}
    ),
    event(6, "agent", action="run", **meta("t3", "execute_bash", BOTH), args={"command": "b", "thought": ""}),
    event(7, "agent", cause=5, observation="run", **meta("t2", "execute_bash", BOTH), content="A", extras={}),
    event(8, "agent", cause=6, observation="run", **meta("t3", "execute_bash", BOTH), content="B", extras={}),
    event(9, "agent", message="Done.", action="finish", args={"thought": "Done.", "final_thought": "It is all there."}),
]


def dumped(*events: Any) -> bytes:
    return json.dumps(list(events)).encode()


def only(data: bytes) -> Transcript:
    (found,) = read(openhands, data)
    return found


def without(data: bytes, *gone: str) -> Any:
    transcript = only(data)
    return json.loads(write(openhands, [transcript.with_messages(m for m in transcript.messages if m.id not in gone)]))


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(openhands, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(openhands, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_an_openhands_file_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "openhands")


@pytest.mark.parametrize("path", FILES)
def test_nothing_of_what_was_said_is_left_in_a_run_without_its_messages(path: Path) -> None:
    found = read(openhands, path.read_bytes())
    out = write(openhands, [t.with_messages([]) for t in found])
    runs = [json.loads(line) for line in out.splitlines()] if path.suffix == ".jsonl" else [json.loads(out)]
    left = json.dumps([{**run, "git_patch": "", "test_result": ""} if isinstance(run, dict) else run for run in runs])
    said = {line for t in found for m in t.messages for line in m.text.split("\n") if len(line) > 60}
    assert [line for line in said if json.dumps(line)[1:-1] in left] == []


def test_each_event_that_the_model_is_shown_becomes_its_message() -> None:
    assert [(m.role, m.blocks) for m in only(dumped(*RUN)).messages] == [
        ("user", (Text(LONG, 0),)),
        ("user", (Text("make test", 0),)),
        ("assistant", (Text("I look.", 0), ToolCall("t1", "execute_bash", '{"command": "ls"}', 1))),
        ("tool", (ToolResult("t1", "a.py", at=0),)),
        ("assistant", (Text("Two things.", 0), ToolCall("t2", "execute_bash", '{"command": "a"}', 1))),
        ("assistant", (ToolCall("t3", "execute_bash", '{"command": "b"}', 1),)),
        ("tool", (ToolResult("t2", "A", at=0),)),
        ("tool", (ToolResult("t3", "B", at=0),)),
        ("assistant", (Text("Done.", 0), Text("It is all there.", 1))),
    ]


def test_an_action_without_the_models_call_is_one_of_its_own_arguments() -> None:
    acted = event(4, "agent", action="run", args={"command": "ls", "thought": "Hm", "hidden": False, "cwd": None})
    seen = event(6, "agent", cause=4, observation="error", content="no such command", extras={})
    assert [m.blocks for m in only(dumped(acted, event(5, "agent", action="null", args={}), seen)).messages] == [
        (Text("Hm", 0), ToolCall("e4", "run", '{"command":"ls"}', 1)),
        (ToolResult("e4", "no such command", is_error=True, at=0),),
    ]


def test_events_of_the_first_shape_find_each_other_by_place() -> None:
    data = dumped(
        {"content": "Fix it", "wait_for_response": False, "action": "message"},
        {"command": "ls", "thought": "I look", "action": "run", "is_confirmed": "confirmed"},
        {"content": "a.py", "command": "ls", "exit_code": 0, "observation": "run"},
        {"content": "Shall I?", "wait_for_response": True, "action": "message"},
    )
    check_one_format(data, "openhands")
    assert [(m.role, m.blocks) for m in only(data).messages] == [
        ("user", (Text("Fix it", 0),)),
        ("assistant", (Text("I look", 0), ToolCall("c2", "run", '{"command":"ls"}', 1))),
        ("tool", (ToolResult("c2", "a.py", at=0),)),
        ("assistant", (Text("Shall I?", 0),)),
    ]


def test_a_think_action_says_its_thought_once() -> None:
    answer = response("I wonder.", ("t", "think", {"thought": "Is it so?"}))
    args = {"thought": "I wonder.\nIs it so?"}
    thinking = event(1, "agent", message="I am thinking...: I wonder.\nIs it so?", action="think", args=args)
    transcript = only(dumped(thinking | meta("t", "think", answer)))
    assert transcript.messages[0].blocks == (
        Text("I wonder.", 0),
        ToolCall("t", "think", '{"thought": "Is it so?"}', 1),
    )
    (out,) = json.loads(write(openhands, [with_text(transcript, "Hm.")]))
    assert out["args"] == {"thought": "Hm.\nIs it so?"}
    assert out["message"] == "I am thinking...: Hm.\nIs it so?"
    assert "I wonder." not in json.dumps(out["tool_call_metadata"]["model_response"]["choices"])


def test_a_shortened_finish_leaves_no_copy_in_its_call() -> None:
    answer = response("Done.", ("t", "finish", {"message": LONG}))
    args = {"thought": "Done.", "final_thought": LONG}
    transcript = only(dumped(event(1, "agent", message=LONG, action="finish", args=args) | meta("t", "finish", answer)))
    (done,) = transcript.messages
    assert done.blocks == (Text("Done.", 0), Text(LONG, 1))
    out = write(openhands, [transcript.with_messages([done.with_blocks([Text("Done.", 0), Text("So.", 1)])])])
    assert LONG.encode() not in out
    assert read(openhands, out)[0].messages[0].text == "Done.\nSo."


def test_what_the_user_ran_is_carried_and_counted() -> None:
    data = dumped(event(1, "user", action="run", args={"command": "make"}), message(2, "user", "So?"))
    assert only(data).messages[0].blocks == (Opaque("command", text='run {"command":"make"}', at=0),)


def test_an_image_of_the_users_is_counted_and_goes_with_its_block() -> None:
    data = dumped(message(0, "user", "See", image_urls=["https://x/y.png", "https://x/z.png"]))
    transcript = only(data)
    words, first, second = transcript.messages[0].blocks
    assert isinstance(first, Opaque)
    assert (first.kind, first.data, first.tokens) == ("image", "https://x/y.png", 765)
    (out,) = json.loads(
        write(openhands, [transcript.with_messages([transcript.messages[0].with_blocks([words, second])])])
    )
    assert out["args"]["image_urls"] == ["https://x/z.png"]


def test_a_changed_word_of_the_users_is_changed_where_a_recall_and_the_run_repeat_it() -> None:
    issue = {"number": 5, "body": LONG[:50]}
    data = json.dumps({"instance_id": "x", "instruction": LONG, "issue": issue, "history": RUN, "git_patch": "d"})
    out = json.loads(write(openhands, [with_text(only(data.encode()), "Fix.")]))
    assert (out["instruction"], out["issue"], out["git_patch"]) == ("Fix.", {"number": 5, "body": ""}, "d")
    assert out["history"][1]["args"] == {"query": "Fix."}
    assert LONG[:50] not in json.dumps(out)


def test_a_recall_goes_with_the_users_word_that_it_looked_up() -> None:
    assert [e["id"] for e in without(dumped(*RUN), "m1")] == [2, 3, 4, 5, 6, 7, 8, 9]


def test_a_changed_thought_is_changed_in_each_event_of_its_response() -> None:
    transcript = only(dumped(*RUN))
    messages = list(transcript.messages)
    messages[2] = messages[2].with_blocks([Text("Look.", 0), messages[2].blocks[1]])
    out = write(openhands, [transcript.with_messages(messages)])
    events = json.loads(out)
    assert events[3]["args"] == {"command": "ls", "thought": "Look."}
    said = [e["tool_call_metadata"]["model_response"]["choices"][0]["message"]["content"] for e in events[3:5]]
    assert said == ["Look.", "Look."]
    assert [e for i, e in enumerate(events) if i not in (3, 4)] == [e for i, e in enumerate(RUN) if i not in (3, 4)]


def test_of_two_calls_made_at_once_the_one_that_goes_leaves_the_others_response() -> None:
    out = without(dumped(*RUN), "m5", "m7")
    left = [e["tool_call_metadata"] for e in out if e.get("tool_call_metadata", {}).get("tool_call_id") == "t3"]
    assert [m["total_calls_in_response"] for m in left] == [1, 1]
    (answer,) = {json.dumps(m["model_response"]["choices"][0]["message"]) for m in left}
    assert [c["id"] for c in json.loads(answer)["tool_calls"]] == ["t3"]
    assert json.loads(answer)["content"] == ""


def test_a_shortened_result_takes_what_repeats_it_out_of_its_extras() -> None:
    extras = {"path": "a.py", "prev_exist": True, "old_content": "x", "new_content": "long", "diff": "long"}
    seen = event(4, "agent", message="I edited a.py", cause=3, observation="edit", content="long", extras=extras)
    transcript = only(dumped(RUN[3], seen))
    call, result = transcript.messages
    out = write(openhands, [transcript.with_messages([call, result.with_blocks([ToolResult("t1", "short", at=0)])])])
    assert json.loads(out)[1] == seen | {"content": "short", "extras": {"path": "a.py", "prev_exist": True}}


def test_a_condensation_is_one_message_with_its_summary_and_is_noted() -> None:
    data = dumped(
        RUN[0], event(1, "agent", action="condensation", args={"summary": "In short", "forgotten_event_ids": [0]})
    )
    transcript = only(data)
    assert transcript.messages[1].blocks == (Opaque("compacted", text="In short", at=0),)
    assert transcript.source is not None
    assert [(n.what, n.where) for n in transcript.source.notes] == [("compacted", "event 2")]


def test_what_is_no_event_is_carried_and_noted() -> None:
    data = dumped(RUN[0], 7, {"id": 3, "words": "novel"}, RUN[9])
    check_round_trip(openhands, data)
    transcript = only(data)
    assert transcript.source is not None
    assert [(n.what, n.where) for n in transcript.source.notes] == [
        ("unknown record", "event 2"),
        ("unknown record", "event 3"),
    ]


def test_runs_on_lines_are_read_and_a_broken_line_is_carried() -> None:
    data = json.dumps({"history": RUN}).encode() + b"\n{broken\n" + json.dumps({"history": RUN[:1]}).encode()
    check_round_trip(openhands, data)
    assert [len(t.messages) for t in read(openhands, data)] == [9, 0, 1]


@pytest.mark.parametrize(
    "value",
    [
        [{"action": "run", "observation": "both", "args": {}, "source": "agent"}],
        [{"action": "jump", "content": "a game's log"}],
        {"history": [{"role": "user", "content": "a"}]},
        {"history": []},
    ],
)
def test_what_only_looks_like_events_is_not_taken(value: Any) -> None:
    from boildown.formats.source import sample

    assert not openhands.sniff(sample(json.dumps(value).encode()))


def test_a_new_message_is_numbered_behind_all_others_and_stands_in_its_place() -> None:
    transcript = only(dumped(*RUN))
    new = Message("s1", "user", (Text("In short."),))
    out = json.loads(write(openhands, [transcript.with_messages([new, transcript.messages[-1]])]))
    assert [e["id"] for e in out] == [10, 9]
    assert out[0]["args"] == {"content": "In short.", "image_urls": None, "wait_for_response": False}


def test_a_conversation_of_another_format_becomes_events() -> None:
    messages = (
        Message("m1", "system", (Text("Fix it."),)),
        Message("m2", "assistant", (Text("I look."), ToolCall("k", "open", '{"p": 1}'), ToolCall("l", "ls", "{}"))),
        Message("m3", "tool", (ToolResult("k", "x = 1"),)),
        Message("m4", "tool", (ToolResult("l", "gone", is_error=True),)),
        Message("m5", "user", (Text("Well?"),)),
    )
    out = write(openhands, [Transcript(messages)])
    check_one_format(out, "openhands")
    said = [(m.role, [replace(b, at=-1) for b in m.blocks]) for m in only(out).messages]
    assert said == [
        ("system", [Text("Fix it.")]),
        ("assistant", [Text("I look."), ToolCall("k", "open", '{"p": 1}')]),
        ("assistant", [ToolCall("l", "ls", "{}")]),
        ("tool", [ToolResult("k", "x = 1")]),
        ("tool", [ToolResult("l", "gone", is_error=True)]),
        ("user", [Text("Well?")]),
    ]
    assert [len(t.messages) for t in read(openhands, write(openhands, [Transcript(messages)] * 2))] == [6, 6]
