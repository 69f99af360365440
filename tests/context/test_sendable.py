"""What a consumer would refuse of a broken conversation is not in a context of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from boildown.context.assembly import assembled
from boildown.context.sendable import BEGIN, sendable
from boildown.formats import anthropic, claude_code, load, openai
from boildown.run import conversations, reader
from boildown.tokens import Counter, tokenizer
from boildown.transcript import Block, FormatInfo, Message, Text, ToolCall, ToolResult, Transcript
from boildown.validity import violations
from roundtrip import files


def talk(*said: str) -> list[Message]:
    """`u hello`: a message of the user's or (a) the assistant's; `a +1 +2`: calls by their ids; `t -1`: results."""
    roles = {"u": "user", "a": "assistant", "t": "tool", "s": "system"}
    return [Message(f"m{n}", roles[one[0]], tuple(map(block, one.split()[1:]))) for n, one in enumerate(said, 1)]


def block(word: str) -> Block:
    if word.startswith("+"):
        return ToolCall(word[1:], "look", "{}")
    return ToolResult(word[1:], f"found {word}") if word.startswith("-") else Text(word)


def spoken(messages: Sequence[Message]) -> list[str]:
    """The opposite of `talk`."""
    return [" ".join((m.role[0], *map(word, m.blocks))) for m in messages]


def word(block: Block) -> str:
    if isinstance(block, ToolCall):
        return f"+{block.id}"
    return f"-{block.call_id}" if isinstance(block, ToolResult) else block.text


@pytest.mark.parametrize(
    ("info", "before", "after"),
    [
        (openai.INFO, ["u hi", "a +1", "t -1", "a done"], ["u hi", "a +1", "t -1", "a done"]),
        (openai.INFO, ["u hi", "t -1", "a ho"], ["u hi", "a ho"]),
        (openai.INFO, ["u hi", "a +1", "t -1", "t -1", "a ho"], ["u hi", "a +1", "t -1", "a ho"]),
        (openai.INFO, ["u hi", "a +1 +2", "t -2", "u well"], ["u hi", "u well"]),
        (openai.INFO, ["u hi", "a +1", "u wait", "t -1"], ["u hi", "a +1", "t -1", "u wait"]),
        (openai.INFO, ["u hi", "a +1", "a ho", "a +1", "t -1"], ["u hi", "a ho", "a +1", "t -1"]),
        (openai.INFO, ["u hi", "a +1 +1", "t -1", "t -1"], ["u hi", "a +1 +1_2", "t -1", "t -1_2"]),
        (openai.INFO, ["u hi", "a +1", "t -1", "a +1", "t -1"], ["u hi", "a +1", "t -1", "a +1", "t -1"]),
        (anthropic.INFO, ["u hi", "a +1", "t -1", "a +1", "t -1"], ["u hi", "a +1", "t -1", "a +1_2", "t -1_2"]),
        (claude_code.INFO, ["u hi", "a +1", "a aside", "t -1"], ["u hi", "a +1", "a aside", "t -1"]),
        (openai.INFO, ["s brief", "a hello"], ["s brief", "a hello"]),
        (anthropic.INFO, ["s brief", "a hello"], ["s brief", "u …", "a hello"]),
        (anthropic.INFO, ["s brief"], ["s brief"]),
    ],
)
def test_a_conversation_is_made_sendable(info: FormatInfo, before: list[str], after: list[str]) -> None:
    messages, gone = sendable(talk(*before), info)
    assert spoken(messages) == after
    assert {m.id for m in messages} - {BEGIN} == {m.id for m in talk(*before)} - gone.keys()


EDGES = ("derived/edge/bad_lines.jsonl", "derived/edge/orphan_tool_result.json", "derived/openai_responses.json")


@pytest.mark.parametrize("path", files(*EDGES, "codex/prateek-fixtures/sample_rollout.jsonl"))
@pytest.mark.parametrize("to", ["openai", "anthropic"])
@pytest.mark.parametrize("budget", [1500, 100_000])
def test_a_context_of_a_broken_file_is_no_broken_request(path, to: str, budget: int) -> None:
    form, plain, _ = reader(path.read_bytes(), path.name)
    (transcript,) = conversations(form, plain, path.name)
    sink = load(to)
    result, account = assembled(transcript, "So?", budget, Counter(tokenizer(), sink.INFO.framing), sink.INFO)
    written = b"".join(sink.write([result]))
    assert violations(sink, written) == []
    assert all(m.role != "unknown" for t in sink.read(written) for m in t.messages)
    assert account.read - sum(step.removed for step in account.steps) == account.tokens <= budget


def test_a_report_names_what_a_broken_conversation_lost() -> None:
    transcript = Transcript(tuple(talk("u hi", "t -1", "a +2", "a ho")))
    _, account = assembled(transcript, "So?", 500, Counter(tokenizer(), openai.INFO.framing), openai.INFO)
    assert [(f.id, f.reason) for f in account.messages if f.fate == "dropped"] == [
        ("m2", "nothing before it calls for it"),
        ("m3", "its call has no result"),
    ]
