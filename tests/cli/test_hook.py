"""Hooks of coding agents: settings that come back as they were, and sessions that are kept and told of."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from battery import battery, sampled
from boildown.hooks.claude_code import RUN
from boildown.hooks.handover import CHARACTERS, Desk
from conftest import COMMAND, ROOT, source_roots
from roundtrip import files

if TYPE_CHECKING:
    from cli.conftest import Answer, Ask

SAMPLE = ROOT / "samples" / "claude-code-edits.jsonl"
SETTINGS = [
    None,
    b"",
    b"{}",
    b'{"model": "opus"}',
    b'{\n  "permissions": {"allow": ["Bash(ls:*)"]},\n  "hooks": {}\n}\n',
    b'{\r\n\t"hooks": {\r\n\t\t"PreCompact": []\r\n\t}\r\n}',
    b'\xef\xbb\xbf{"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "date"}]}]}}\n',
    b'{"b": "\\u00e9", "b": 1.50, "hooks": {"Stop": [ ]} }',
]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return tmp_path / ".claude" / "settings.json"


def write(settings: Path, data: bytes | None) -> None:
    settings.parent.mkdir()
    if data is not None:
        settings.write_bytes(data)


@pytest.mark.parametrize("before", SETTINGS, ids=repr)
def test_uninstall_gives_back_what_was_there_byte_for_byte(ask, tmp_path, settings, before):
    write(settings, before)
    assert ask("hook", "claude-code", "--install", "--project", tmp_path).code == 0
    after = settings.read_bytes()
    assert after.count(RUN.encode()) == 2
    assert ask("hook", "claude-code", "--install", "--project", tmp_path).code == 0
    assert settings.read_bytes() == after
    assert ask("hook", "claude-code", "--install", "--project", tmp_path, "--archive", tmp_path / "it's").code == 0
    assert (
        shlex.join(["--archive", str(tmp_path / "it's")])
        in json.loads(settings.read_text("utf-8-sig"))["hooks"]["PreCompact"][-1]["hooks"][0]["command"]
    )
    assert ask("hook", "claude-code", "--uninstall", "--project", tmp_path).code == 0
    assert (settings.read_bytes() if settings.exists() else None) == before
    assert [path.name for path in settings.parent.iterdir()] == ["settings.json"] * (before is not None)


def test_what_was_changed_meanwhile_stays(ask, tmp_path, settings):
    write(settings, b'{\n  "model": "opus",\n  "env": {}\n}\n')
    ask("hook", "claude-code", "--install", "--project", tmp_path)
    settings.write_bytes(settings.read_bytes().replace(b"opus", b"haiku"))
    assert ask("hook", "claude-code", "--uninstall", "--project", tmp_path).code == 0
    assert settings.read_bytes() == b'{\n  "model": "haiku",\n  "env": {}\n}\n'
    assert settings.with_name("settings.json.bak").read_bytes() == b'{\n  "model": "opus",\n  "env": {}\n}\n'


def test_a_dry_run_prints_the_change_and_writes_nothing(ask, tmp_path, settings):
    write(settings, b'{"model": "opus"}\n')
    answer = ask("hook", "claude-code", "--install", "--project", tmp_path, "--dry-run")
    assert (answer.code, answer.out.count(RUN.encode())) == (0, 2)
    assert b'\n-{"model": "opus"}\n+{"model": "opus", "hooks": {' in answer.out
    assert settings.read_bytes() == b'{"model": "opus"}\n'
    settings.unlink()
    assert (
        b"\n--- /dev/null\n" in b"\n" + ask("hook", "claude-code", "--install", "--project", tmp_path, "--dry-run").out
    )
    assert list(settings.parent.iterdir()) == []


def test_a_project_that_is_not_there_is_not_made(ask, tmp_path):
    answer = ask("hook", "claude-code", "--install", "--project", tmp_path / "new")
    assert (answer.code, (tmp_path / "new").exists()) == (2, False)


def test_broken_settings_are_left_alone(ask, tmp_path, settings):
    for data in (b'{"a": 1', b'{"hooks": []}'):
        settings.parent.mkdir(exist_ok=True)
        settings.write_bytes(data)
        for change in ("--install", "--uninstall"):
            answer = ask("hook", "claude-code", change, "--project", tmp_path)
            assert (answer.code, str(settings) in answer.err) == (2, True)
        assert settings.read_bytes() == data
        assert list(settings.parent.iterdir()) == [settings]


def test_the_users_settings_are_where_the_client_has_them(ask, tmp_path, monkeypatch):
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    assert ask("hook", "claude-code", "--install", "--user").code == 0
    assert (tmp_path / "config" / "settings.json").exists()
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert (
        str(tmp_path / "home" / ".claude" / "settings.json") in ask("hook", "claude-code", "--uninstall", "--user").err
    )


@pytest.mark.parametrize(
    "arguments", [["emacs", "--install"], ["claude-code"], ["claude-code", "--install", "--uninstall"]]
)
def test_it_has_to_be_clear_what_is_to_be_done(ask, arguments):
    assert ask("hook", *arguments).code == 2


Client = Callable[..., "Answer"]


def said(name: str, path: object, session: str = "s1", **more: object) -> bytes:
    """What the client says of an event."""
    event = {"session_id": session, "transcript_path": str(path), "cwd": "/x", "hook_event_name": name, **more}
    return json.dumps(event).encode()


@pytest.fixture
def client(ask: Ask, tmp_path: Path) -> Client:
    """Does what the hook does: client("PreCompact", session file, trigger="auto")."""

    def run(*event: Any, **more: object) -> Answer:
        return ask("hook", "claude-code", "--run", "--archive", tmp_path / "kept", input=said(*event, **more))

    return run


def copy(path: Path, folder: Path, more: bytes = b"") -> Path:
    """A live session: its file changes while it is looked at, so that the last line may be half there."""
    project = folder / "-home-ada-mill"
    project.mkdir(exist_ok=True)
    live = project / path.name
    live.write_bytes(path.read_bytes() + more)
    os.utime(live, ns=(1, 1))
    return live


HALF = b'{"parentUuid":"x","type":"assistant","message":{"role":"assi'


@pytest.mark.parametrize(
    "path",
    sampled(
        files(
            "claude-code/entire-cli-more/00ef13bd*.jsonl", "claude-code/viewer/5c0375b4*.jsonl", samples=[SAMPLE.name]
        ),
        every=3,
    ),
)
def test_a_session_is_kept_and_told_of_when_it_goes_on(boildown, ask, tmp_path, path):
    live, command = copy(path, tmp_path, HALF), ("hook", "claude-code", "--run", "--archive", tmp_path / "kept")
    done = boildown(*command, input=said("PreCompact", live, trigger="auto", custom_instructions=""))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (live.read_bytes(), live.stat().st_mtime_ns) == (path.read_bytes() + HALF, 1)

    done = boildown(*command, input=said("SessionStart", live, source="compact"))
    assert (done.returncode, done.stderr) == (0, b"")
    told = json.loads(done.stdout)["hookSpecificOutput"]
    assert told["hookEventName"] == "SessionStart"
    page = Desk(str(tmp_path / "kept"), live.parent.name, "s1").page
    assert told["additionalContext"] == page.read_text()
    assert "<ledger>" in page.read_text()
    assert len(told["additionalContext"]) < CHARACTERS + 1000 < 10_000

    back = ask("expand", page, "--archive", tmp_path / "kept")
    assert back.out == live.read_bytes(), back.err
    (shown,) = re.findall(r"^  boildown (show .*)", page.read_text(), re.MULTILINE)
    assert ask(*shlex.split(shown.replace("m12", "m1"))).out.startswith(b"m1  ")


def test_messages_are_recalled_and_only_new_ones_are_kept_again(client, ask, tmp_path):
    live = copy(SAMPLE, tmp_path)
    client("PreCompact", live, trigger="manual")
    first = (tmp_path / "kept" / "memory.db").read_bytes()
    client("PreCompact", live, trigger="auto")
    found = ask("recall", "tide", "--archive", tmp_path / "kept", "--session", "s1", "--json")
    assert json.loads(found.out)["hits"], found.err
    assert (tmp_path / "kept" / "memory.db").read_bytes() == first
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0


@battery
def test_messages_are_kept_in_lancedb_where_the_place_says_so(ask, tmp_path, monkeypatch):
    pytest.importorskip("lancedb")
    monkeypatch.chdir(tmp_path)
    assert ask("hook", "claude-code", "--install", "--project", tmp_path, "--archive", "lance:kept").code == 0
    command = json.loads((tmp_path / ".claude" / "settings.json").read_text())["hooks"]["PreCompact"][0]["hooks"][0]
    place = f"lance:{tmp_path / 'kept'}"
    assert f"--archive {place} ||" in command["command"]
    live, run = copy(SAMPLE, tmp_path), ("hook", "claude-code", "--run", "--archive", place)
    for more in (b"", HALF):
        with live.open("ab") as file:
            file.write(more)
        done = ask(*run, input=said("PreCompact", live, trigger="auto"))
        assert (done.code, done.out, done.err) == (0, b"", "")
    told = json.loads(ask(*run, input=said("SessionStart", live, source="compact")).out)["hookSpecificOutput"]
    assert not {path.name for path in tmp_path.iterdir()} - {"kept", live.parent.name, ".claude"}
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {
        "archive.db", "memory.lance", "ledgers", "hook.log",
    }  # fmt: skip
    for line in re.findall(r"^  boildown (.*)", told["additionalContext"], re.MULTILINE):
        done = ask(*shlex.split(line.replace("m12", "m1").replace("QUESTION", "tide")))
        assert (done.code, bool(done.out)) == (0, True), done.err
    assert ask("forget", "--user", "", "--session", "s1", "--archive", place, "--yes").code == 0
    assert ask(*run, input=said("SessionStart", live, source="compact")).out == b""


@pytest.mark.parametrize(("place", "why"), [("s3://bucket/team", "object storage"), ("FILE", "this is a file")])
def test_a_place_that_no_session_could_go_to_is_refused_at_once(ask, tmp_path, settings, place, why):
    place = SAMPLE if place == "FILE" else place
    answer = ask("hook", "claude-code", "--install", "--project", tmp_path, "--archive", place)
    assert (answer.code, why in answer.err, settings.exists()) == (2, True, False)
    done = ask("hook", "claude-code", "--run", "--archive", place, input=said("PreCompact", copy(SAMPLE, tmp_path)))
    assert (done.code, done.out) == (0, b"")


def test_a_session_that_grew_by_no_message_is_still_shown(client, ask, tmp_path):
    live = copy(SAMPLE, tmp_path)
    for more in (b"", HALF):
        with live.open("ab") as file:
            file.write(more)
        client("PreCompact", live, trigger="auto")
    page = Desk(str(tmp_path / "kept"), live.parent.name, "s1").page
    (shown,) = re.findall(r"^  boildown (show .*)", page.read_text(), re.MULTILINE)
    done = ask(*shlex.split(shown.replace("m12", "m1")))
    assert (done.code, done.out[:4]) == (0, b"m1  "), done.err
    assert ask("expand", page, "--archive", tmp_path / "kept").out == live.read_bytes()


def test_without_a_word_sessions_go_to_the_users_data(ask, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert ask("hook", "claude-code", "--run", input=said("PreCompact", copy(SAMPLE, tmp_path))).code == 0
    kept = {path.name for path in (tmp_path / "data" / "boildown" / "claude-code").iterdir()}
    assert kept == {"archive.db", "memory.db", "ledgers", "hook.log"}


@pytest.mark.parametrize(
    ("source", "session", "told"),
    [
        ("compact", "s1", True), ("resume", "s1", True), ("startup", "s2", True), ("compact", "s2", True),
        ("resume", "s2", False), ("clear", "s2", False), ("clear", "s1", False),
    ],
)  # fmt: skip
def test_who_is_told_of_what(client, tmp_path, source, session, told):
    live = copy(SAMPLE, tmp_path)
    client("PreCompact", live, trigger="auto")
    done = client("SessionStart", live.with_name(f"{session}.jsonl"), session, source=source)
    assert (done.code, bool(done.out)) == (0, told)


def test_another_project_and_a_page_that_is_old_are_not_told_of(client, tmp_path):
    live = copy(SAMPLE, tmp_path)
    client("PreCompact", live, trigger="auto")
    assert client("SessionStart", tmp_path / "other" / "s2.jsonl", "s2", source="startup").out == b""
    page = Desk(str(tmp_path / "kept"), live.parent.name, "s1").page
    long_ago = time.time() - 8 * 24 * 3600
    os.utime(page, (long_ago, long_ago))
    assert client("SessionStart", live.with_name("s2.jsonl"), "s2", source="startup").out == b""
    assert client("SessionStart", live, source="resume").out != b""


def test_no_secret_is_in_a_page(client, tmp_path):
    secret = "sk-ant-api03-" + "aB3dE6gH9jK2mN5pQ8sT" * 4 + "-AA"
    call = {
        "type": "tool_use",
        "id": "t1",
        "name": "Bash",
        "input": {"command": f"curl -H 'x-api-key: {secret}' x.org"},
    }
    record = {"type": "assistant", "uuid": "u", "parentUuid": None, "sessionId": "s",
              "message": {"id": "a", "role": "assistant", "content": [call]}}  # fmt: skip
    path = tmp_path / "with-key.jsonl"
    path.write_text(json.dumps(record) + "\n")
    live = copy(path, tmp_path)
    client("PreCompact", live, trigger="auto")
    page = Desk(str(tmp_path / "kept"), live.parent.name, "s1").page.read_text()
    assert secret not in page
    assert "[redacted:" in page


@pytest.mark.parametrize(
    "input", [b"", b"{", b"[]", b"null", b'{"hook_event_name": "PreCompact"}', b"\xff", b"[" * 100_000,
              b'{"hook_event_name": "PreCompact", "session_id": 1, "transcript_path": "x"}'],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_odd_input_never_stops_the_client(ask, tmp_path, input):
    answer = ask("hook", "claude-code", "--run", "--archive", tmp_path / "kept", input=input)
    assert (answer.code, answer.out) == (0, b"")
    assert "not what Claude Code tells a hook" in answer.err


def test_a_failure_never_stops_the_client_and_is_logged(ask, client, tmp_path):
    for path in (tmp_path / "missing.jsonl", tmp_path):
        done = client("PreCompact", path, trigger="auto")
        assert (done.code, done.out) == (0, b"")
        assert "boildown hook: " in done.err
    assert (tmp_path / "kept" / "hook.log").read_text().count("Traceback") == 2
    assert ask("hook", "emacs", "--run", input=b"{}").code == 0
    assert client("Stop", tmp_path).out == b""


def test_a_page_is_written_although_the_messages_cannot_be_kept(client, tmp_path):
    live = copy(SAMPLE, tmp_path)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "memory.db").write_bytes(b"no database" * 1000)
    done = client("PreCompact", live, trigger="auto")
    assert done.code == 0
    assert "memory.db in it is no archive" in done.err
    assert client("SessionStart", live, source="compact").out


def test_the_command_in_the_settings_never_fails_whatever_boildown_it_finds(ask, tmp_path, settings):
    ask("hook", "claude-code", "--install", "--project", tmp_path)
    command = json.loads(settings.read_text())["hooks"]["PreCompact"][0]["hooks"][0]["command"]
    for program in ("exit 2", "kill -9 $$", f'exec {shlex.quote(sys.executable)} -c {shlex.quote(COMMAND)} "$@"'):
        fake = tmp_path / "fake"
        fake.write_text(f"#!/bin/sh\n{program}\n")
        fake.chmod(0o755)
        line = command.replace(command.partition(" hook ")[0], shlex.quote(str(fake)))
        done = subprocess.run(["sh", "-c", line], input=b"{}", env=source_roots(ROOT), capture_output=True, check=False)
        assert done.returncode == 0
    assert (
        subprocess.run(["sh", "-c", f"no-such-{command.lstrip('/')}"], capture_output=True, check=False).returncode == 0
    )
