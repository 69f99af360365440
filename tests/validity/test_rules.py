"""What the rules find in broken samples, and that they find nothing in sound ones."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from boildown import formats
from boildown.repair import BY_RECORD, messages
from boildown.validity import added, violations
from boildown.validity.rules import BY_HAND, BY_ID, COMMON, LATE, OF_FORMAT, rules
from damage import Damage, both, broken, copy, drop, found, move, put
from roundtrip import SAMPLES, files

TOOLS, CLAUDE = "openai-tools.json", "anthropic.json"
SESSION, ROLLOUT = "claude-code.jsonl", "codex.jsonl"
NAMES = {TOOLS: "openai", CLAUDE: "anthropic", SESSION: "claude-code", ROLLOUT: "codex"}

BROKEN: list[tuple[str, Damage, list[str]]] = [
    (TOOLS, drop(4), ["orphan-call"]),
    (TOOLS, drop(3), ["orphan-result", "orphan-result"]),
    (TOOLS, move(9, 10), ["late-result"]),
    (TOOLS, copy(9, 9), ["repeated-result"]),
    (TOOLS, put(3, "call_7Qd2", "tool_calls", 0, "id"), ["ambiguous-call", "orphan-result"]),
    (TOOLS, put(6, None, "content"), ["missing-content"]),
    (TOOLS, put(6, [], "tool_calls"), ["empty-calls"]),
    (TOOLS, put(8, {"a": 1}, "tool_calls", 0, "function", "arguments"), ["unreadable-call"]),
    (TOOLS, put(8, "", "tool_calls", 0, "id"), ["unreadable-call", "orphan-call", "orphan-result"]),
    (TOOLS, put(9, None, "tool_call_id"), ["orphan-call", "result-without-id", "orphan-result"]),
    (CLAUDE, drop(3), ["orphan-call", "orphan-call"]),
    (CLAUDE, drop(6), ["orphan-result"]),
    (CLAUDE, drop(1), ["user-first"]),
    (CLAUDE, put(2, "", "content", 0, "signature"), ["hollow-thinking"]),
    (CLAUDE, put(2, "", "content", 1, "text"), ["empty-text"]),
    (CLAUDE, put(4, [], "content"), ["empty-message"]),
    (CLAUDE, put(8, "Well, ", "content"), ["trailing-blank"]),
    (CLAUDE, lambda r: r[2]["content"].insert(0, {"type": "text", "text": "Here:"}), ["results-first"] * 2),
    (CLAUDE, lambda r: r[1]["content"].append(r[1]["content"].pop(0)), ["ending-in-thinking"]),
    (CLAUDE, lambda r: r[1]["content"].insert(2, r[1]["content"].pop(0)), ["thinking-behind-call"]),
    (CLAUDE, both(put(6, "toolu_01Bay07", "content", 1, "id"), put(7, "toolu_01Bay07", "content", 0, "tool_use_id")),
     ["reused-call"]),
    (SESSION, drop(11), ["orphan-call", "dangling-parent"]),
    (SESSION, move(15, 24), ["late-result"]),
    (SESSION, drop(12), ["dangling-parent", "dangling-parent", "dangling-source", "orphan-result"]),
    (SESSION, drop(16, 24), ["dangling-parent", "dangling-parent"]),
    (SESSION, copy(24, 26), ["repeated-uuid"]),
    (SESSION, put(3, "b1913b73-81f6-51ce-b121-6a08ad863795", "parentUuid"), []),
    (SESSION, put(4, "a714e743-5d43-51c0-bb24-499df6d77b56", "parentUuid"), ["circular-parent"]),
    (SESSION, move(12, 24), ["split-message"]),
    (SESSION, put(7, {"type": "thinking", "thinking": "", "signature": ""}, "message", "content", 0),
     ["hollow-thinking"]),
    (SESSION, put(24, [{"type": "thinking", "thinking": "Hm.", "signature": "s"}], "message", "content"),
     ["ending-in-thinking"]),
    (SESSION, put(30, [], "message", "content"), ["empty-message"]),
    (ROLLOUT, drop(1), ["missing-header"]),
    (ROLLOUT, drop(9), ["orphan-result"]),
    (ROLLOUT, drop(11), ["orphan-call"]),
    (ROLLOUT, put(17, "function_call_output", "payload", "type"), ["mismatched-output"]),
    (ROLLOUT, move(11, 14), []),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(BROKEN)), ids=lambda n: f"{BROKEN[n][0]}-{n}-{'-'.join(BROKEN[n][2])}")
def test_what_is_broken_is_found_and_nothing_else(case: int) -> None:
    sample, damage, expected = BROKEN[case]
    assert [rule for _, rule in found(NAMES[sample], broken(sample, damage))] == expected


def test_every_rule_is_seen_broken() -> None:
    seen = {rule for _, _, names in BROKEN for rule in names}
    table = {rule.name for name in OF_FORMAT for rule in rules(name)}
    assert table - seen == {"alternation"}


def test_turns_that_do_not_alternate_are_found_where_the_format_demands_it() -> None:
    data = b'[{"conversations": [{"from": "human", "value": "Hi"}, {"from": "human", "value": "Hello"}]}]'
    assert [rule for _, rule in found("sharegpt", data)] == ["alternation"]
    assert found("openai", b'[{"role": "user", "content": "Hi"}, {"role": "user", "content": "Hello"}]') == []


def test_a_violation_stands_on_its_records_line() -> None:
    assert found("claude-code", broken(SESSION, drop(11))) == [(9, "orphan-call"), (11, "dangling-parent")]
    text = broken(TOOLS, drop(4)).decode()
    line = text[: text.index('"tool_calls"')].count("\n") + 1
    ((at, _),) = found("openai", text.encode())
    assert line - 4 <= at <= line
    body = broken(CLAUDE, put(2, "", "content", 1, "text"))
    assert body.splitlines()[found("anthropic", body)[0][0] - 1].strip() == b"{"


def test_of_several_conversations_in_a_file_each_violation_stands_on_its_line() -> None:
    sound = b'{"messages": [{"role": "user", "content": "Hi"}]}\n'
    orphan = b'{"messages": [{"role": "tool", "tool_call_id": "x", "content": "1"}]}\n'
    assert found("openai", sound + b"\n" + orphan + sound + orphan) == [(3, "orphan-result"), (5, "orphan-result")]


def test_a_call_that_is_open_when_the_conversation_ends_is_no_orphan() -> None:
    assert found("openai", broken(TOOLS, lambda r: r.__delitem__(slice(8, None)))) == []
    assert found("openai", broken(TOOLS, lambda r: r.__delitem__(slice(4, None)))) == []


def test_a_repeated_call_id_is_no_fault_where_only_open_calls_are_matched() -> None:
    again = both(put(8, "call_7Qd1", "tool_calls", 0, "id"), put(9, "call_7Qd1", "tool_call_id"))
    assert found("openai", broken(TOOLS, again)) == []


def test_what_was_broken_before_is_not_added() -> None:
    before = violations(formats.load("openai"), broken(TOOLS, drop(3)))
    after = violations(formats.load("openai"), broken(TOOLS, both(drop(10), drop(3), drop(1))))
    assert added(before, before) == []
    assert added(before[:1], before) == [("orphan-result", before[1].subject)]
    assert added(before, after) == []


@pytest.mark.parametrize("path", sorted(SAMPLES.iterdir()), ids=lambda p: p.name)
def test_samples_are_sound(path: Path) -> None:
    data = path.read_bytes()
    assert violations(formats.detect(data, path.name), data) == []


@pytest.mark.parametrize("path", files("codex/*/*.jsonl", "tau-bench/*.json", "multi-cli-pomodoro/c*.jsonl"))
def test_real_sessions_that_work_are_sound(path: Path) -> None:
    data = path.read_bytes()
    assert violations(formats.detect(data, path.name), data) == []


@pytest.mark.parametrize("path", files("claude-code/entire-cli*/*.jsonl"))
def test_real_sessions_have_no_faults_but_those_that_interruptions_leave(path: Path) -> None:
    interrupted = {"orphan-call", "ending-in-thinking", "dangling-parent"}
    assert {rule for _, rule in found("claude-code", path.read_bytes())} <= interrupted


@pytest.mark.parametrize("name", sorted(OF_FORMAT))
def test_each_rule_names_its_source_and_whether_it_is_mended(name: str) -> None:
    mends = messages.MENDS.keys() | BY_RECORD.get(name, {}).keys()
    for rule in rules(name):
        doc = f"{inspect.getdoc(rule.check)}{inspect.getdoc(inspect.getmodule(rule.check))}"
        assert "https://" in doc or "every real session" in doc, rule.name
        assert rule.remedy.startswith(BY_HAND) == (rule.name not in mends), rule.name


def test_rules_have_names_of_their_own_and_hold_for_every_format() -> None:
    for name in formats.FORMATS:
        table = [rule.name for rule in rules(name)]
        assert len(table) == len(set(table))
        assert {rule.name for rule in COMMON} <= set(table)
        assert (LATE.name in table) == (name not in BY_ID)


def test_contributing_lists_every_rule() -> None:
    text = (SAMPLES.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = text.partition("## Rules of validity")[2].partition("## Style")[0]
    assert [rule.name for name in OF_FORMAT for rule in rules(name) if f"`{rule.name}`" not in listed] == []
