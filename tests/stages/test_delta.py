"""Delta: which version stays whole, what the others look like, and that all of them come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from boildown.formats import detect
from boildown.marks import digest, restore
from boildown.registry import parse
from boildown.run import Job, run
from boildown.stages.delta import Delta
from boildown.transcript import Message, ToolCall, ToolResult, Transcript
from roundtrip import SAMPLES, files
from strategies import chat, context

CODE = [f"    total_{n} = measure('column {n}', unit='digits')" for n in range(1, 31)]
EDITED = [*CODE[:11], "    checked(total_11)", *CODE[11:]]


def numbered(lines: list[str], first: int = 1) -> str:
    return "\n".join(f"{n:>6}→{line}" for n, line in enumerate(lines, first))


def session(*results: str, path: str = "mill.py") -> Transcript:
    """A file read again and again."""
    messages = []
    for n, text in enumerate(results):
        call = ToolCall(f"c{n}", "Read", f'{{"file_path": "{path}", "limit": {n}}}')
        messages += [Message(f"a{n}", "assistant", (call,)), Message(f"m{n}", "tool", (ToolResult(f"c{n}", text),))]
    return Transcript(tuple(messages))


def told(transcript: Transcript, target: int = 0) -> list[str]:
    """What became of each text: `=` where it is whole."""
    after = Delta()(transcript, context(target))
    assert restore(after) == transcript
    pairs = zip(transcript.messages, after.messages, strict=True)
    return ["=" if now == was else now.text for was, now in pairs if was.text]


WHOLE, OLD, NEW = "\n".join(CODE), numbered(CODE), numbered(EDITED)
A, B = f"#{digest(NEW)}", f"#{digest(OLD)}"
LESS = f"@@ -11,3 +11,2 @@\n {CODE[10]}\n-    checked(total_11)\n {CODE[11]}"
TOLD = {
    "a file read, edited and read again": (
        (OLD, NEW),
        [
            f"[delta from the same call below {A}, numbered 1-30]\n{LESS}",
            "=",
        ],
    ),
    "a file read twice": ((NEW, NEW), [f"[same as the same call below {A}]", "="]),
    "three versions": (
        (numbered(CODE[:-1]), NEW, NEW),
        [
            f"[delta from lines 1-30 of the same call below {A}, numbered 1-29]\n{LESS}",
            f"[same as the same call below {A}]",
            "=",
        ],
    ),
    "lines of it, read earlier": (
        (numbered(CODE[4:20], 5), OLD),
        [f"[same as lines 5-20 of the same call below {B}, numbered 5-20]", "="],
    ),
    "lines of it, read later": (
        (OLD, numbered(CODE[4:20], 5)),
        ["=", f"[same as lines 5-20 of the same call above {B}, numbered 5-20]"],
    ),
    "two texts that share little": ((WHOLE, "\n".join([*CODE[:5], *(f"{c}0" for c in CODE[5:])])), ["=", "="]),
    "nothing to save": (("ok", "ok", "done\n", "done\n"), ["="] * 4),
}


@pytest.mark.parametrize(("results", "expected"), TOLD.values(), ids=TOLD)
def test_versions_refer_to_the_one_that_stays_whole(results: tuple[str, ...], expected: list[str]) -> None:
    assert told(session(*results)) == expected


def test_a_version_is_found_however_far_away_it_is() -> None:
    other = [numbered([f"{n} {word}" for n in range(30)]) for word in ("apple", "pear", "plum")]
    first, *rest = told(session(OLD, *other, NEW))
    assert first.startswith("[delta from the same call below")
    assert rest == ["="] * 4


def test_what_is_pinned_stays_and_the_newer_refers_to_it() -> None:
    transcript = chat(("user!", WHOLE), ("user", "\n".join(EDITED)))
    first, second = Delta()(transcript, context(0)).messages
    assert first == transcript.messages[0]
    assert second.text.startswith(f"[delta from the user's text above #{digest(WHOLE)}]\n@@ -11,2 +11,3 @@\n")


def test_a_document_sent_twice_stays_where_it_was_discussed() -> None:
    transcript = chat(("user", WHOLE), ("assistant", "I see."), ("user", WHOLE))
    assert told(transcript) == ["=", "=", f"[same as the user's text above #{digest(WHOLE)}]"]


def test_it_stops_when_the_target_is_met_with_the_least_that_suffices() -> None:
    transcript = session(OLD, numbered(CODE[4:20], 5), NEW)
    size = context(0).count(transcript)
    kept = [text == "=" for text in told(transcript, size - 50)]
    assert kept == [True, False, True]


def test_separators_that_are_no_line_ends_come_back() -> None:
    odd = [f"{line}\x0b\x85\u2028\x1c" for line in CODE[:15]] + ["return\r"] * 3
    assert told(session("\n".join(odd), "\n".join([*odd, "", "\r"])))[0].startswith("[same as lines 1-18 of")


def test_the_sample_shrinks_and_comes_back_word_for_word() -> None:
    data = (SAMPLES / "claude-code-edits.jsonl").read_bytes()
    (source,) = detect(data, "sample").read(data)
    small, report = run(data, "sample", Job(parse("delta"), "delta", ratio=1.5))
    (again,) = detect(small, "sample").read(small)
    restored = restore(again).messages
    assert restored != again.messages
    assert [m.blocks for m in restored] == [m.blocks for m in source.messages]
    assert {step.name for step in report.conversations[0].steps} == {"delta"}


@pytest.mark.parametrize("path", files("claude-code/entire-cli/0*.jsonl", "codex/git-sync/rollout-019[de]d[5b]*"))
def test_a_real_session_comes_back_block_by_block(path: Path) -> None:
    (transcript,) = detect(path.read_bytes(), path.name).read(path.read_bytes())
    small = Delta()(transcript, context(0))
    assert small != transcript
    assert restore(small) == transcript
