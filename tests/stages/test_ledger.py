"""Ledger: what it tells of what was taken out, what that may cost, and that it is brought up to date."""

from __future__ import annotations

from dataclasses import replace

import pytest

from boildown import registry
from boildown.errors import UsageError
from boildown.identifiers import stated
from boildown.ledger import entries
from boildown.ledger.page import found, render
from boildown.pipeline import compress
from boildown.stages.ledger import Ledger
from boildown.transcript import Message, Text, Transcript, groups
from stages.agent import Turn, session
from strategies import chat, context

LONG = "the mill turns while the water runs\n" * 40
TURNS: list[Turn] = [
    "Please mend the mill. Never touch the dam.",
    ("Read", {"file_path": "src/mill.py"}, f"{LONG}def turnWheel(): pass"),
    ("Bash", {"command": "make test"}, f"!{LONG}FAILED: wheel_speed is 0"),
    ("Edit", {"file_path": "src/mill.py"}, "The file src/mill.py has been updated."),
    ("Write", {"file_path": "docs/mill.md", "content": LONG}, "created"),
    ("Bash", {"command": "rm old/dam.py"}, ""),
    ("Bash", {"command": "make test"}, LONG),
    ("Grep", {"pattern": "waterGate"}, f"src/gate.py:12: waterGate\n{LONG}"),
    (
        "TodoWrite",
        {"todos": [{"content": "mend it", "status": "completed"}, {"content": "say so", "status": "pending"}]},
        "ok",
    ),
    ("Bash", {"command": "git log -1"}, f"commit 7c41d9e04\n{LONG}"),
    "And now?",
]
LINES = {
    "a file with all that was done to it": "- src/mill.py: read m2, edited m6 | turnWheel",
    "a file that is new": "- docs/mill.md: created m8",
    "a file that is gone": "- old/dam.py: deleted m10",
    "a command, how it ended each time, and its error": '- make test: failed m4, ok m12 | "FAILED: wheel_speed is 0"',
    "a search and what only it found": "- waterGate: ok m14 | src/gate.py",
    "a command and the hash that it stated": "- git log -1: ok m18 | 7c41d9e04",
    "a to-do that is open": "- say so: open m16",
    "a to-do that is done": "- mend it: done m16",
    "what the user asked for": '- m1 user | "Please mend the mill." "Never touch the dam."',
}


def told(transcript: Transcript) -> str:
    return "\n".join(m.text for m in transcript.messages if m.text.startswith("<ledger>"))


def boiled(transcript: Transcript, target: int, pipeline: str = "window,ledger:share=0.8") -> Transcript:
    return compress(transcript, registry.parse(pipeline), context(target))[0]


PAGE = told(boiled(session(*TURNS), 400))


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_says_what_was_done_to_what_and_where(line: str) -> None:
    assert line in PAGE.split("\n")


def test_the_ledger_keeps_to_its_share() -> None:
    transcript = session(*TURNS)
    for target in (100, 200, 300):
        ledger = [m for m in boiled(transcript, target, "ledger:share=0.5").messages if m.id == "ledger"]
        assert context(target).counter.total(ledger) <= target // 2 + 3


def test_what_the_output_shows_is_not_told() -> None:
    turns = [*TURNS[:-1], "The function is turnWheel."]
    assert "turnWheel" not in told(boiled(session(*turns), 400))


def test_a_chat_without_tools_has_no_ledger_and_pays_nothing_for_one() -> None:
    talk = chat(*(("user", LONG), ("assistant", LONG)) * 3)
    with_one, without = (boiled(talk, 500, spec) for spec in ("prune,ledger", "prune"))
    assert with_one == without


def test_the_ledger_names_the_messages_that_it_stands_for() -> None:
    result = boiled(session(*TURNS), 400)
    (ledger,) = (m for m in result.messages if m.id == "ledger")
    assert {"m2", "m4", "m6"} <= set(ledger.covers)
    assert not set(ledger.covers) & {m.id for m in result.messages}


def test_it_stands_where_something_is_missing_first_and_parts_no_call_from_its_result() -> None:
    result = boiled(session(*TURNS), 1200, "mask:keep=1,ledger")
    place = next(i for i, m in enumerate(result.messages) if m.id == "ledger")
    assert all(not members[0] < place <= members[-1] for members in groups(result.messages))


def test_the_systems_messages_come_before_it() -> None:
    transcript = session(*TURNS)
    system = Message("m0", "system", (Text("Be brief."),), pinned=True)
    result = boiled(transcript.with_messages([system, *transcript.messages]), 420)
    assert [m.id for m in result.messages[:2]] == ["m0", "ledger"]


def again(first: Transcript, *turns: Turn) -> Transcript:
    """What a session that goes on after `first` is read as: messages numbered anew."""
    later = [*(m for m in first.messages), *session(*turns).messages]
    return Transcript(tuple(Message(f"m{n}", m.role, m.blocks) for n, m in enumerate(later, 1)))


def test_a_ledger_is_brought_up_to_date_and_not_repeated() -> None:
    first = boiled(session(*TURNS), 400)
    longer = again(
        first, ("Edit", {"file_path": "src/mill.py"}, LONG), ("Bash", {"command": "make lint"}, LONG), "Go on."
    )
    second = boiled(longer, 400)
    page = told(second)
    assert page.count("<ledger>") == 1
    assert "- src/mill.py: read m2', edited m6', edited m" in page
    assert "- docs/mill.md: created m8'" in page
    assert "- make lint: ok m" in page


def test_a_transcript_within_its_budget_keeps_its_ledger_as_it_is() -> None:
    first = again(boiled(session(*TURNS), 400))
    assert boiled(first, 400) == first


def test_a_page_reads_as_it_was_written() -> None:
    rest, entries = found(f"Before.\n\n{PAGE}\n\nAfter.")
    assert rest == "Before.\n\n\n\nAfter."
    assert render(entries).count("\n") == PAGE.count("\n") + 1  # and the word on ids of the transcript before


@pytest.mark.parametrize("share", ["0", "1", "-1"])
def test_a_share_that_is_none_is_wrong_usage(share: str) -> None:
    with pytest.raises(UsageError, match="between 0 and 1"):
        registry.parse(f"ledger:share={share}")


def test_the_stage_alone_takes_out_the_oldest_and_tells_of_it() -> None:
    transcript = session(*TURNS)
    result = Ledger()(transcript, context(400))
    assert context(400).count(result) <= 400
    assert "src/mill.py" in told(result)


def test_a_session_is_read_once_however_often_its_ledger_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(entries, "stated", lambda messages: read.append(len(messages)) or stated(messages))
    whole = session(*TURNS)
    around = replace(context(400), source=whole)
    ledger = Ledger(share=0.8)
    assert ledger.room(whole, around) > 0
    assert told(ledger(whole, around)) == told(ledger(whole, around)) != ""
    assert read == [len(whole.messages)]
