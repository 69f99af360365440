"""Archive: the oldest messages leave for an archive, calls with their results, and a mark says how many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from boildown import registry
from boildown.errors import UsageError
from boildown.pipeline import compress
from boildown.run import Job, run
from boildown.stages.archive import Archive
from boildown.transcript import Message, Text, ToolCall, ToolResult, Transcript
from strategies import chat, context

LONG = "The quick brown fox jumps over the lazy dog while the harbour sleeps under a red moon tonight. " * 2
TALK = chat(*(("user", LONG), ("assistant", LONG)) * 4)
MARK = "[archived {} earlier messages: 'boildown recall' finds them]"


def archived(transcript: Transcript, target: int, last: bool = True, keep: int = 20) -> Transcript:
    return Archive(keep)(transcript, replace(context(target), last=last))


@pytest.mark.parametrize(
    ("target", "last", "keep", "left"),
    [
        (10_000, True, 20, "m1 m2 m3 m4 m5 m6 m7 m8"),
        (210, True, 20, "archived m5 m6 m7 m8"),
        (100, True, 20, "archived m8"),
        (240, False, 6, "archived m3 m4 m5 m6 m7 m8"),
        (240, False, 20, "m1 m2 m3 m4 m5 m6 m7 m8"),
    ],
)
def test_the_oldest_leave_until_the_target_is_met_and_the_newest_are_left_to_stages_behind(
    target: int, last: bool, keep: int, left: str
) -> None:
    assert " ".join(m.id for m in archived(TALK, target, last, keep).messages) == left


def test_a_mark_says_how_many_and_stands_for_them() -> None:
    mark = archived(TALK, 210).messages[0]
    assert (mark.text, mark.covers, mark.pinned) == (MARK.format(4), ("m1", "m2", "m3", "m4"), True)


def test_what_left_is_to_be_archived_as_it_was() -> None:
    assert archived(TALK, 210).archived == TALK.messages[:4]


def test_a_call_leaves_with_its_result_and_a_pinned_message_stays() -> None:
    call = Message("c", "assistant", (ToolCall("1", "look", "{}"),))
    result = Message("r", "tool", (ToolResult("1", LONG),))
    pinned = Message("p", "user", (Text(LONG),), pinned=True)
    session = Transcript((pinned, call, *TALK.messages, result))
    assert [m.id for m in archived(session, 420).messages][:2] == ["p", "archived"]
    assert {"c", "r"} <= {m.id for m in archived(session, 420).archived}


def test_a_mark_from_before_is_counted_and_not_archived_itself() -> None:
    first = archived(TALK, 210)
    again = Transcript(tuple(Message(f"n{i}", m.role, m.blocks) for i, m in enumerate(first.messages)))
    second = archived(again, 110)
    assert second.messages[0].text == MARK.format(6)
    assert [m.id for m in second.archived] == ["n1", "n2"]


def test_twice_in_a_pipeline_leaves_one_mark() -> None:
    result, _ = compress(TALK, registry.parse("archive:keep=6,archive"), context(240))
    assert [m.text for m in result.messages if m.id == "archived"] == [MARK.format(4)]
    assert [m.id for m in result.archived][:4] == ["m1", "m2", "m3", "m4"]


def test_without_an_archive_the_stage_is_refused() -> None:
    job = Job(registry.parse("archive"), "archive", ratio=2)
    with pytest.raises(UsageError, match="Give --archive DIR"):
        run(b'{"role": "user", "content": "Hello"}\n', "a.jsonl", job)
