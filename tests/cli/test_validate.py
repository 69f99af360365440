"""`boildown validate`: a line for each violation, and an exit code; nothing is changed."""

from __future__ import annotations

import json

import pytest

from damage import broken, drop
from roundtrip import SAMPLES


@pytest.fixture
def session(tmp_path):
    """A Claude Code session that lost a result."""
    path = tmp_path / "session.jsonl"
    path.write_bytes(broken("claude-code.jsonl", drop(23)))
    return path


def test_a_sound_file_passes(ask):
    answer = ask("validate", SAMPLES)
    assert (answer.code, answer.out) == (0, b"")
    assert " files looked at, 0 violations" in answer.err


def test_each_violation_is_a_line_with_its_place_its_rule_and_what_to_do(ask, session):
    before = session.read_bytes()
    answer = ask("validate", session)
    assert answer.code == 1
    orphan, dangling = answer.out.decode().splitlines()
    assert orphan == (
        f"{session}:21: orphan-call: the call toolu_01Edit of Edit has no result, and the conversation goes on "
        "(repair adds a result that says that none was recorded)"
    )
    assert dangling.startswith(f"{session}:23: dangling-parent: the parent 3b882621-2f3e-542e-a777-c74e9d17156f is")
    assert "1 file looked at, 2 violations" in answer.err
    assert session.read_bytes() == before


def test_json_is_one_array(ask, session):
    answer = ask("validate", session, "--json")
    assert answer.code == 1
    assert [(v["file"], v["line"], v["rule"], v["subject"]) for v in json.loads(answer.out)][:1] == [
        (str(session), 21, "orphan-call", "toolu_01Edit")
    ]
    assert json.loads(ask("validate", SAMPLES / "codex.jsonl", "--json").out) == []


def test_an_unreadable_file_outweighs_a_violation(ask, session):
    (session.parent / "broken.json").write_text("[{")
    answer = ask("validate", session.parent)
    assert answer.code == 2
    assert b"orphan-call" in answer.out
    assert "broken.json" in answer.err
    assert "1 file not read" in answer.err


def test_stdin_is_looked_at(ask, session):
    answer = ask("validate", "-", input=session.read_bytes())
    assert answer.code == 1
    assert answer.out.startswith(b"<stdin>:21: orphan-call")


def test_what_a_file_says_does_not_reach_the_terminal(ask, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"role": "tool", "tool_call_id": "\x1b[31mred\u202e", "content": ""}]))
    assert b"\x1b" not in ask("validate", path).out
