"""SWE-agent runs: the history is read, actions find what they gave back, and the trajectory repeats nothing changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from boildown.errors import UsageError
from boildown.formats import swe_agent
from boildown.transcript import Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import check_one_format, check_round_trip, check_thinned, files, read, with_text, write

FILES = files("swe-agent/*.traj", samples=["swe-agent.traj"])
SYSTEM = {"role": "system", "content": "Fix it.", "agent": "main"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "open", "arguments": '{"path": "a.py"}'}}


def acting(thought: str, action: str, **more: Any) -> dict[str, Any]:
    content = f"{thought}```\n{action}\n```"
    return {"role": "assistant", "content": content, "thought": thought, "action": f"{action}\n", **more}


def seen(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text, "agent": "main"}


def step(thought: str, action: str, observation: str, **more: Any) -> dict[str, Any]:
    response = f"{thought}```\n{action}\n```"
    return {"action": f"{action}\n", "observation": observation, "response": response, "thought": thought, **more}


def run(*history: Any, **more: Any) -> bytes:
    return json.dumps({"environment": "main", **more, "history": [SYSTEM, *history], "info": {"k": 1}}).encode()


TWO = run(
    seen("The issue"),
    acting("I look.\n", "open a.py"),
    seen("1: x = 1"),
    acting("I change it.\n", "edit 1:1\nx = 2\nend_of_edit"),
    seen("1: x = 2"),
    trajectory=[
        step("I look.\n", "open a.py", "1: x = 1", query=[{"role": "user", "content": "The issue"}], state="{}"),
        step("I change it.\n", "edit 1:1\nx = 2\nend_of_edit", "1: x = 2", query=[{"content": "1: x = 1"}]),
        step("I am done.\n", "submit", "diff", query=[{"content": "1: x = 1"}]),
    ],
)


def only(data: bytes) -> Transcript:
    (found,) = read(swe_agent, data)
    return found


def written(transcript: Transcript) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(write(swe_agent, [transcript]))
    return value


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_written_back_as_it_was(path: Path) -> None:
    check_round_trip(swe_agent, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_what_is_left_of_a_file_reads_again(path: Path) -> None:
    check_thinned(swe_agent, path.read_bytes())


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_a_swe_agent_file_and_no_other(path: Path) -> None:
    check_one_format(path.read_bytes(), "swe-agent")


@pytest.mark.parametrize("path", files("swe-agent/*.traj", samples=["swe-agent.traj"]))
def test_a_run_without_a_message_keeps_no_step_that_a_message_made(path: Path) -> None:
    transcript = only(path.read_bytes())
    out = write(swe_agent, [transcript.with_messages(m for m in transcript.messages if m.role == "system")])
    said = [line for m in transcript.messages if m.role != "system" for line in m.text.split("\n") if len(line) > 60]
    kept = json.loads(out)
    left = json.dumps([kept["history"], kept.get("trajectory")])
    system = transcript.messages[0].text
    assert [line for line in said if line not in system and json.dumps(line)[1:-1] in left] == []


def test_an_action_in_the_text_is_a_call_and_what_the_user_says_next_its_result() -> None:
    assert [(m.role, m.blocks) for m in only(TWO).messages[2:]] == [
        ("assistant", (Text("I look.\n", 0), ToolCall("c3", "open", '{"command": "open a.py\\n"}', 0))),
        ("tool", (ToolResult("c3", "1: x = 1", at=0),)),
        (
            "assistant",
            (
                Text("I change it.\n", 0),
                ToolCall("c5", "edit", '{"command": "edit 1:1\\nx = 2\\nend_of_edit\\n"}', 0),
            ),
        ),
        ("tool", (ToolResult("c5", "1: x = 2", at=0),)),
    ]


@pytest.mark.parametrize(
    "item",
    [
        acting("I am done.\n", "submit"),
        {**acting("I look.\n", "ls"), "thought": "something else"},
        {**acting("I look.\n", "ls"), "action": ""},
        {"role": "assistant", "content": "Just words."},
    ],
)
def test_an_answer_that_is_not_made_of_thought_and_action_is_text(item: dict[str, Any]) -> None:
    after = [] if item["content"].endswith("submit\n```") else [seen("a.py")]
    assert only(run(item, *after)).messages[1].blocks == (Text(item["content"], 0),)


@pytest.mark.parametrize(
    ("action", "name"), [("ls -F", "ls"), ("./configure --now", "bash"), ("python3.12 x.py", "bash"), ("a|b", "bash")]
)
def test_a_call_is_named_after_its_command_where_that_can_name_a_tool(action: str, name: str) -> None:
    call = only(run(acting("", action), seen("x"))).messages[1].blocks[0]
    assert isinstance(call, ToolCall)
    assert call.name == name


def test_function_calls_and_their_results_find_each_other_by_id() -> None:
    history = (
        {
            "role": "assistant",
            "content": "I open it.",
            "thought": "I open it.",
            "action": "open a.py",
            "tool_calls": [CALL],
        },
        {"role": "tool", "content": "x = 1", "tool_call_ids": ["call_1"], "agent": "main"},
    )
    assert [m.blocks for m in only(run(*history)).messages[1:]] == [
        (Text("I open it.", 0), ToolCall("call_1", "open", '{"path": "a.py"}', 0)),
        (ToolResult("call_1", "x = 1", at=0),),
    ]


def test_signed_thinking_is_read_and_goes_whole() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "Eq"}
    data = run({"role": "assistant", "content": "a", "thinking_blocks": [thought], "agent": "main"})
    transcript = only(data)
    system, answer = transcript.messages
    assert answer.blocks == (Thinking("Hm.", "Eq", 0), Text("a", 0))
    out = written(transcript.with_messages([system, answer.with_blocks(answer.blocks[1:])]))
    assert out["history"][1] == {"role": "assistant", "content": "a", "thinking_blocks": [], "agent": "main"}


def test_a_changed_thought_keeps_its_action_and_the_step_says_the_same() -> None:
    transcript = only(TWO)
    messages = list(transcript.messages)
    messages[2] = messages[2].with_blocks([Text("Look.", 0), messages[2].blocks[1]])
    out = written(transcript.with_messages(messages))
    said = {"thought": "Look.", "action": "open a.py\n"}
    assert out["history"][2] == {"role": "assistant", "content": "Look.\n```\nopen a.py\n```", **said}
    assert out["trajectory"][0] == {
        "action": "open a.py\n",
        "observation": "1: x = 1",
        "response": "Look.\n```\nopen a.py\n```",
        "thought": "Look.",
        "state": "{}",
    }
    again = only(json.dumps(out).encode())
    assert again.messages[2].blocks[0] == Text("Look.", 0)


def test_a_changed_observation_is_changed_in_its_step_and_no_step_keeps_its_query() -> None:
    transcript = only(TWO)
    messages = list(transcript.messages)
    messages[3] = messages[3].with_blocks([ToolResult("c3", "short", at=0)])
    out = written(transcript.with_messages(messages))
    assert [s["observation"] for s in out["trajectory"]] == ["short", "1: x = 2", "diff"]
    assert "1: x = 1" not in json.dumps(out)


def test_a_step_goes_with_its_action_and_those_that_no_message_made_stay() -> None:
    transcript = only(TWO)
    out = written(transcript.with_messages(m for i, m in enumerate(transcript.messages) if i not in (2, 3)))
    assert [s["thought"] for s in out["trajectory"]] == ["I change it.\n", "I am done.\n"]


def test_a_step_whose_action_was_written_otherwise_is_found_by_its_thought() -> None:
    history = (acting("I look.\n", "open 'a.py'"), seen("x = 1"))
    transcript = only(run(*history, trajectory=[step("I look.\n", "open a.py", "x = 1")]))
    assert written(transcript.with_messages(transcript.messages[:1]))["trajectory"] == []


def test_a_changed_run_keeps_no_replay_config_and_an_unchanged_one_does() -> None:
    data = run(seen("The issue"), replay_config='{"problem_statement": "The issue"}', trajectory=[])
    assert b"replay_config" in write(swe_agent, [only(data)])
    assert written(with_text(only(data), "Fix."))["environment"] == "main"
    assert b"replay_config" not in write(swe_agent, [with_text(only(data), "Fix.")])


def test_a_shortened_answer_leaves_no_action_behind_that_it_no_longer_holds() -> None:
    transcript = only(run(acting("I am done.\n", "submit --with 'a long note'")))
    last = transcript.messages[1]
    out = written(transcript.with_messages([transcript.messages[0], last.with_blocks([Text("Done.", 0)])]))
    assert out["history"][1] == {"role": "assistant", "content": "Done.", "thought": "Done.", "action": ""}


def test_a_changed_text_leaves_every_other_key_in_its_place() -> None:
    data = (
        b'{"trajectory": [], "history": [{"agent": "m", "content": "a", "role": "user", "z": [1]}], "info": {"q": 0}}'
    )
    assert write(swe_agent, [with_text(only(data), "b")]) == data.replace(b'"a"', b'"b"')


def test_a_new_message_stands_in_its_place_in_the_history() -> None:
    transcript = only(TWO)
    new = Message("s1", "user", (Text("In short."),))
    out = written(transcript.with_messages([transcript.messages[0], new, *transcript.messages[4:]]))
    said = {"role": "user", "content": "In short.", "agent": "main", "message_type": "user"}
    assert out["history"][1] == said
    assert len(out["history"]) == 4


def test_a_new_message_behind_the_last_action_is_not_what_that_gave_back() -> None:
    transcript = only(run(acting("I am done.\n", "submit")))
    new = Message("s1", "user", (Text("In short."),))
    again = only(write(swe_agent, [transcript.with_messages([*transcript.messages, new])]))
    assert [(m.role, m.text) for m in again.messages[1:]] == [
        ("assistant", "I am done.\n```\nsubmit\n```"),
        ("user", "In short."),
    ]


def test_what_is_no_message_is_carried_and_noted() -> None:
    data = run(7, seen("a"))
    transcript = only(data)
    assert transcript.source is not None
    assert [(n.what, n.where) for n in transcript.source.notes] == [("unknown record", "message 2")]
    assert transcript.messages[1].blocks == (Opaque("unknown record", text="7"),)
    check_round_trip(swe_agent, data)


def test_runs_on_lines_are_read_and_a_broken_line_is_carried() -> None:
    data = run(seen("a")) + b"\n{broken\n" + run(seen("b")) + b"\n"
    check_round_trip(swe_agent, data)
    found = read(swe_agent, data)
    assert [len(t.messages) for t in found] == [2, 0, 2]
    assert found[1].source is not None
    assert [(n.what, n.where) for n in found[1].source.notes] == [("bad line", "line 2")]


def test_a_conversation_of_another_format_becomes_a_run_with_function_calls() -> None:
    messages = (
        Message("m1", "system", (Text("Fix it."),)),
        Message("m2", "assistant", (Text("I open it."), ToolCall("k", "open", '{"path": "a.py"}'))),
        Message("m3", "tool", (ToolResult("k", "x = 1"),)),
    )
    out = write(swe_agent, [Transcript(messages)])
    check_one_format(out, "swe-agent")
    assert [(m.role, [replace(b, at=-1) for b in m.blocks]) for m in only(out).messages] == [
        (m.role, list(m.blocks)) for m in messages
    ]
    with pytest.raises(UsageError, match="one by one"):
        write(swe_agent, [Transcript(messages), Transcript(messages)])
