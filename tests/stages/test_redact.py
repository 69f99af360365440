"""Redact: what gives way, what stays, and that nothing of a secret is left in what is written. All keys are made up."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from boildown import formats
from boildown.registry import parse
from boildown.report import Redacted
from boildown.run import Job, run
from boildown.stages.redact import Redact
from boildown.transcript import Block, Message, Opaque, Text, Thinking, ToolCall, ToolResult, Transcript
from roundtrip import SAMPLES
from strategies import INFOS, chat, context

KEY = "gh" + "p_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
OTHER = "gh" + "p_Z9y8X7w6V5u4T3s2R1q0P9o8N7m6L5k4J3i2"
PASSWORD = "Zq9mmT4vXy"
MARK, MARK_2, MARK_3 = "[redacted:github-token:1]", "[redacted:github-token:2]", "[redacted:password:1]"


def redacted(*blocks: Block, **options: bool) -> tuple[Block, ...]:
    transcript = Transcript((Message("m1", "assistant", blocks),))
    return Redact(**options)(transcript, context(0)).messages[0].blocks


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Text(f"Take {KEY}."), Text(f"Take {MARK}.")),
        (Text(f"{KEY} {OTHER} {KEY}"), Text(f"{MARK} {MARK_2} {MARK}")),
        (Text(f"{MARK} {OTHER}"), Text(f"{MARK} {MARK_2}")),
        (Text(f"PASSWORD={MARK}"), Text(f"PASSWORD={MARK}")),
        (Text(f"https://{KEY}@github.com"), Text(f"https://{MARK}@github.com")),
        (ToolResult("c1", KEY), ToolResult("c1", MARK)),
        (Thinking(f"It is {KEY}."), Thinking(f"It is {MARK}.")),
        (Thinking("It is long.", "c2lnbg=="), Thinking("It is long.", "c2lnbg==")),
        (Opaque("compacted", text=KEY), Opaque("compacted", text=MARK)),
        (Opaque("image", data=KEY), Opaque("image", data=KEY)),
        (
            ToolCall("c1", "sh", f'{{"n": 1.0, "env": [{{"password":"{PASSWORD}", "k": "\\u00e9 {KEY}"}}]}}'),
            ToolCall("c1", "sh", f'{{"n": 1.0, "env": [{{"password":"{MARK_3}", "k": "\\u00e9 {MARK}"}}]}}'),
        ),
        (ToolCall("c1", "sh", f"echo {KEY}"), ToolCall("c1", "sh", f"echo {MARK}")),
        (ToolCall("c1", KEY, "{}"), ToolCall("c1", MARK, "{}")),
    ],
)  # fmt: skip
def test_a_secret_gives_way_to_its_placeholder(before: Block, after: Block) -> None:
    assert redacted(before) == (after,)


@pytest.mark.parametrize("part", ["name", "time", "role"])
def test_so_does_one_in_what_a_message_says_of_itself(part: str) -> None:
    said = Message("m1", "user", (Text("Push it."),), name="Ada", time="2026-11-22T09:30:00Z")
    talk = Transcript((replace(said, **{part: f"by {KEY}"}),))
    assert Redact()(talk, context(0)).messages == (replace(said, **{part: f"by {MARK}"}),)


def test_a_signed_thought_that_tells_a_secret_goes_whole() -> None:
    thought = Thinking(f"It is {KEY}.", "c2lnbg==")
    assert redacted(thought, Text("Done.")) == (Text("Done."),)


def test_a_message_of_such_thoughts_alone_says_what_they_held() -> None:
    assert redacted(Thinking(f"{KEY} or {OTHER} or {KEY}", "c2lnbg==")) == (Text(f"{MARK} {MARK_2}"),)


def test_a_password_is_found_wherever_it_stands_once_a_name_gave_it_away() -> None:
    talk = chat(("user", f"Log in with {PASSWORD}"), ("user", f"DB_PASSWORD={PASSWORD}"))
    assert [m.text for m in Redact()(talk, context(0)).messages] == [
        "Log in with [redacted:password:1]",
        "DB_PASSWORD=[redacted:password:1]",
    ]


def test_a_pinned_message_is_redacted_too() -> None:
    after = Redact()(chat(("system!", f"Use {KEY}")), context(0)).messages[0]
    assert (after.text, after.pinned) == (f"Use {MARK}", True)


def test_mails_and_phone_numbers_go_where_asked_for() -> None:
    said = Text("ada@example.org or +44 20 7946 0958")
    assert redacted(said) == (said,)
    assert redacted(said, mails=True, phones=True) == (Text("[redacted:mail:1] or [redacted:phone:1]"),)


def test_a_second_time_changes_nothing() -> None:
    once = Redact()(chat(("user", f"{KEY} PASSWORD={PASSWORD} {OTHER}")), context(0))
    assert Redact()(once, context(0)).messages == once.messages


def test_the_secrets_are_in_no_repr() -> None:
    once = Redact()(chat(("user", KEY)), context(0))
    assert KEY not in repr(once)
    assert [(r.placeholder, r.secret, r.places) for r in once.redactions] == [(MARK, KEY, 1)]


def compressed(data: bytes, name: str, pipeline: str = "redact", ratio: float = 1) -> tuple[bytes, list[Redacted]]:
    written, report = run(data, name, Job(parse(pipeline), pipeline, ratio=ratio))
    assert KEY not in repr(report)
    return written, [r for c in report.conversations for r in c.redacted]


LINES = [
    {"role": "user", "content": f"Log in with PASSWORD={PASSWORD}, please."},
    {"role": "assistant", "content": "I did, and the mill turns again. It will turn until the water ends."},
    {"role": "user", "content": f"Thanks. Push with {KEY} and {KEY}."},
]
DATA = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)


def test_it_runs_first_and_where_all_fits_and_cuts_nothing_else() -> None:
    written, counts = compressed(DATA, "a.jsonl", "window,redact")
    assert written == DATA.replace(PASSWORD.encode(), b"[redacted:password:1]").replace(KEY.encode(), MARK.encode())
    assert counts == [Redacted("github-token", 1, 2), Redacted("password", 1, 1)]


def test_where_placeholders_are_longer_nothing_else_goes_at_ratio_1() -> None:
    data = b'{"role": "user", "content": "PASSWORD=hunter2"}\n'
    assert compressed(data, "a.jsonl")[0] == data.replace(b"hunter2", b"[redacted:password:1]")


@pytest.mark.parametrize(
    "pipeline", ["redact,dedup,prune,ledger", "window,redact", "redact,mask,cluster", "redact,cache"]
)
@pytest.mark.parametrize("ratio", [1.2, 2])
def test_no_other_stage_brings_a_secret_back(pipeline: str, ratio: float) -> None:
    assert KEY.encode() not in compressed(DATA * 3, "a.jsonl", pipeline, ratio)[0]


def test_a_name_gives_way_in_the_file_as_well() -> None:
    data = json.dumps({"role": "user", "name": KEY, "content": "Push it."}).encode() + b"\n"
    assert compressed(data, "a.jsonl") == (data.replace(KEY.encode(), MARK.encode()), [Redacted("github-token", 1, 1)])


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda path: path.name)
def test_nothing_of_a_secret_is_left_in_a_file_of_any_format(path: Path) -> None:
    name, transcripts = _read(path)
    said = max((b.text for t in transcripts for m in t.messages for b in m.blocks if isinstance(b, Text)), key=len)
    word = max(said.split(), key=lambda w: w.isascii() * w.isalnum() * len(w))
    planted = path.read_bytes().replace(word.encode(), f"{word} {KEY} PASSWORD={PASSWORD}".encode())
    written, counts = compressed(planted, path.name)
    assert counts
    assert KEY.encode() not in written
    assert PASSWORD.encode() not in written
    before = [Redact()(t, context(0)) for t in formats.load(name).read(planted)]
    assert _blocks(formats.load(name).read(written)) == _blocks(before)


def _blocks(transcripts: Iterable[Transcript]) -> list[list[list[Block]]]:
    return [[[replace(b, at=-1) for b in m.blocks] for m in t.messages] for t in transcripts]


def _read(path: Path) -> tuple[str, list[Transcript]]:
    form = formats.detect(path.read_bytes(), path.name)
    return form.INFO.name, list(form.read(path.read_bytes()))


def test_what_is_no_message_is_redacted_too_and_noted() -> None:
    body = {"model": "m", "metadata": {"api_key": "Q7wE9rT2yU4iO6pA8sD1fG3h"}, "messages": LINES}
    written, report = run(json.dumps(body).encode(), "a.json", Job(parse("redact"), "redact", ratio=1))
    assert b"Q7wE9r" not in written
    assert [n.what for n in report.conversations[0].notes] == ["secrets beside the messages"]


@pytest.mark.parametrize("name", sorted(INFOS))
def test_what_has_no_secrets_is_left_alone(name: str) -> None:
    talk = chat(("user", "The token expired, the password was wrong."))
    assert Redact()(talk, context(0)) is talk
    assert Redact().cleaned(b"plain", INFOS[name].plain, ()) == (b"plain", 0)


def test_bytes_that_are_no_utf_8_stay() -> None:
    assert Redact().cleaned(b'"\xff ' + KEY.encode() + b'"', False, ()) == (b'"\xff ' + MARK.encode() + b'"', 1)


def test_the_same_secret_has_one_placeholder_in_the_whole_file() -> None:
    first = Redact()(chat(("user", OTHER), ("user", KEY)), context(0))
    written = json.dumps({"beside": KEY}).encode()
    assert Redact().cleaned(written, False, first.redactions) == (json.dumps({"beside": MARK_2}).encode(), 1)
