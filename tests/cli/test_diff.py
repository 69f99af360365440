"""`diff`: what was kept, changed, folded and dropped, and why, side by side and as JSON."""

from __future__ import annotations

import json
import os
import pty
import re
import sys
import time

import pytest

from conftest import COMMAND, ROOT, source_roots

ORIGINAL = [
    {"role": "system", "content": "You help with plans."},
    {"role": "user", "content": "Use the side entrance, please. The door code is 4411."},
    {"role": "assistant", "content": "Noted."},
    {"role": "user", "content": "Please use the side entrance. The door code is 4411."},
]


@pytest.fixture(autouse=True)
def _wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")


@pytest.fixture
def pair(ask, tmp_path):
    """A file, and one in which a message is stood for; both known to the archive `originals`."""
    source, small = tmp_path / "chat.jsonl", tmp_path / "small.jsonl"
    source.write_text("".join(json.dumps(m) + "\n" for m in ORIGINAL))
    options = ("--pipeline", "dedup", "--ratio", 1.5, "--archive", tmp_path / "originals", "-q")
    assert ask("compress", source, "-o", small, *options).code == 0
    return source, small


def test_the_archive_knows_the_fates_and_the_reasons(ask, pair, tmp_path):
    data = json.loads(ask("diff", *pair, "--archive", tmp_path / "originals", "--json").out)
    assert (data["schema"], data["known"]) == (1, True)
    (conversation,) = data["conversations"]
    fates = [(m["id"], m["fate"], m["by"], m["reason"], m["id_after"]) for m in conversation["messages"]]
    assert fates == [
        ("m1", "kept", "", "", "m1"),
        ("m2", "stood for", "m4", "a kept message says it", ""),
        ("m3", "kept", "", "", "m2"),
        ("m4", "kept", "", "", "m3"),
    ]
    assert conversation["fates"] == {"kept": 3, "changed": 0, "stood for": 1, "dropped": 0, "added": 0}
    assert [m["before"] for m in conversation["messages"]] == [m["content"] for m in ORIGINAL]


def test_without_an_archive_the_texts_tell(ask, pair):
    answer = ask("diff", *pair)
    assert answer.code == 0
    assert "4 messages: 3 kept, 0 changed, 0 stood for, 1 dropped; " in answer.out.decode()
    assert "told by the texts" in answer.err


def test_the_tokens_are_those_of_the_report(ask, chat, tmp_path):
    out, report = tmp_path / "out.jsonl", tmp_path / "report.json"
    assert ask("compress", chat, "-r", 4, "-o", out, "--report", report, "--archive", tmp_path / "a").code == 0
    told = json.loads(report.read_bytes())
    for options in ([], ["--archive", tmp_path / "a"]):
        (conversation,) = json.loads(ask("diff", chat, out, *options, "--json").out)["conversations"]
        assert (conversation["tokens_in"], conversation["tokens_out"]) == (told["tokens_in"], told["tokens_out"])
    fates = told["conversations"][0]["messages"]
    assert [{key: m[key] for key in fates[0]} for m in conversation["messages"]] == fates


def test_people_see_markers_and_both_sides(ask, pair, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")
    answer = ask("diff", *pair, "--archive", tmp_path / "originals")
    lines = answer.out.decode().splitlines()
    assert lines[0].split() == ["message", "original", "compressed"]
    assert any(re.fullmatch(r"& m2 user .*Use the side entrance,.* \(stood for by m4\)", line) for line in lines)
    assert any(re.fullmatch(r"= m3 to m4 +\(2 messages, \d+ tokens\) +\(as they were\)", line) for line in lines)
    assert max(map(len, lines[:-2])) <= 90
    assert answer.err == ""


def test_a_changed_message_shows_its_words(ask, tmp_path):
    before, after = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    before.write_text(json.dumps({"role": "user", "content": "We met at the old harbour on Monday."}) + "\n")
    after.write_text(json.dumps({"role": "user", "content": "We met at the harbour on Tuesday."}) + "\n")
    shown = ask("diff", before, after).out.decode()
    assert "We met at the [-old-] harbour on [-Monday-]." in " ".join(shown.split())
    assert "{+Tuesday+}" in shown
    assert "1 message: 0 kept, 1 changed" in shown


def test_the_reason_of_each_stage_is_said_once(ask, chat, tmp_path):
    out = tmp_path / "out.jsonl"
    ask("compress", chat, "-r", 4, "-p", "prune", "-o", out, "--archive", tmp_path / "a")
    shown = ask("diff", chat, out, "--archive", tmp_path / "a").out.decode()
    assert len(re.findall(r"^prune: \w", shown, re.MULTILINE)) == 1
    assert "by prune" in shown


def test_conversations_are_told_apart(ask, chats, tmp_path):
    out = tmp_path / "out.jsonl"
    ask("compress", chats, "-r", 2, "-o", out)
    shown = ask("diff", chats, out).out.decode()
    assert re.findall(r"^conversation \d", shown, re.MULTILINE) == [f"conversation {n}" for n in (1, 2, 3)]


def test_a_pair_that_the_archive_does_not_know_is_told_by_the_texts(ask, pair, chat, tmp_path):
    data = json.loads(ask("diff", chat, pair[1], "--archive", tmp_path / "originals", "--json").out)
    assert data["known"] is False
    assert ask("diff", *pair, "--archive", tmp_path / "none").code == 1


def test_a_file_beside_itself_is_kept(ask, chat):
    assert "61 messages: 61 kept, 0 changed, 0 stood for, 0 dropped" in ask("diff", chat, chat).out.decode()


def test_nothing_in_a_transcript_is_obeyed(ask, tmp_path):
    nasty = "\x1b[31mred\x1b]0;owned\x07 [bold]b[/bold] [/x] :smile: \u202eevil \ud800"
    before, after = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    said = [
        {"role": ("user", "assistant", nasty)[n % 3], "name": nasty, "content": f"{n} {nasty} and so on"}
        for n in range(9)
    ]
    before.write_text("".join(json.dumps(m) + "\n" for m in said))
    changed = [{**m, "content": m["content"].replace("and so", "so")} for m in said[1:]]
    after.write_text("".join(json.dumps(m) + "\n" for m in changed))
    shown = ask("diff", before, after).out
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xe2\x80\xae", shown)
    assert b"[bold]b[/bold] [/x] :smile:" in b" ".join(shown.split())


def test_a_terminal_gets_its_width_and_colours(pair):
    env = {k: v for k, v in source_roots(ROOT).items() if k != "NO_COLOR"} | {"COLUMNS": "80", "TERM": "xterm"}
    pid, terminal = pty.fork()
    if not pid:
        os.execve(sys.executable, [sys.executable, "-c", COMMAND, "diff", *map(str, pair)], env)
    shown, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.waitpid(pid, 0)
    assert b"\x1b[" in shown
    plain = re.sub(rb"\x1b\[[0-9;]*m", b"", shown).decode().splitlines()
    assert max(len(line) for line in plain if re.match(r"[=~&-] m\d", line)) <= 80
