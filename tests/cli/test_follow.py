"""`boildown follow` and `resume` as processes: pipes, growing files, signals, and what is there when they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from battery import sampled
from boildown.following.checkpoint import load, name
from boildown.memory.store import opened
from killing import messages, stored
from roundtrip import SAMPLES

LINES = list(messages(120))


def until(is_so: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


def append(path: Path, lines: list[bytes]) -> None:
    with path.open("ab") as file:
        file.write(b"".join(lines))


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "memory"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "session.jsonl"
    path.write_bytes(b"".join(LINES[:40]))
    return path


@pytest.fixture
def follow(start, memory):
    """Starts `boildown follow ARGUMENTS --window 2000 --archive memory`, and ends it if a test has not."""
    made: list[subprocess.Popen[bytes]] = []

    def run(*arguments: object, window: int = 2_000, **streams: int) -> subprocess.Popen[bytes]:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
        command = ("follow", *arguments, "--window", window, "--archive", memory, "--checkpoint", 1)
        made.append(start(*command, **streams))
        return made[-1]

    yield run
    for process in made:
        process.kill()
        process.communicate()


def count(memory: Path, session: str = "session") -> int:
    found = load(str(memory), session).checkpoint
    return found.counters["messages"] if found else -1


def test_stdin_is_followed_to_its_end_and_the_context_printed(boildown):
    done = boildown("follow", "-", "--window", "2000", input=b"".join(LINES))
    assert done.returncode == 0
    context = [json.loads(line) for line in done.stdout.splitlines()]
    assert 10 < len(context) < len(LINES)
    assert context[-1] == json.loads(LINES[-1])
    assert "120 messages" in done.stderr.decode()
    assert "summary: 8" in done.stderr.decode()


def test_a_last_line_without_an_ending_counts_when_stdin_ends(ask):
    done = ask("follow", "-", "--window", "2000", "-q", input=b"".join(LINES[:3]).rstrip(b"\n"))
    assert done.out == b"".join(LINES[:3])
    assert done.err == ""


def test_after_each_message_the_context_is_a_line_of_json(ask):
    done = ask("follow", "-", "--window", "600", "--each", "-q", input=b"".join(LINES[:60]))
    said = [json.loads(line) for line in done.out.splitlines()]
    assert [one["message"] for one in said] == list(range(1, 61))
    assert all(one["tokens"] <= 600 and one["context"][-1] == json.loads(LINES[n]) for n, one in enumerate(said))
    assert len(said[-1]["context"]) < 60


def test_the_context_in_another_format(ask):
    done = ask("follow", "-", "--window", "2000", "--to", "anthropic", "-q", input=b"".join(LINES[:4]))
    assert [m["role"] for m in json.loads(done.out)["messages"]] == ["user", "assistant"] * 2


def test_a_file_is_followed_as_it_grows_half_lines_wait_and_sigterm_ends_it(follow, memory, source, tmp_path):
    output = tmp_path / "context.jsonl"
    process = follow(source, "-o", output)
    until(lambda: count(memory) == 40)
    append(source, [*LINES[40:60], LINES[60][:20]])
    until(lambda: count(memory) == 60)
    append(source, [LINES[60][20:]])
    until(lambda: count(memory) == 61)
    append(source, [LINES[61][:20]])
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "61 messages" in err.decode()
    assert output.read_bytes().splitlines(keepends=True)[-1] == LINES[60]
    assert stored(memory) == [json.loads(line)["content"] for line in LINES[:61]]


def test_ctrl_c_saves_everything_and_leaves_with_130(follow, memory, source):
    process = follow(source)
    until(lambda: count(memory) == 40)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.splitlines(keepends=True)[-1] == LINES[39]


def test_a_signal_asks_for_the_context_at_once(follow, memory, source):
    process = follow(source)
    until(lambda: count(memory) == 40)
    process.send_signal(signal.SIGUSR1)
    assert process.stdout is not None
    said = json.loads(process.stdout.readline())
    assert (said["message"], said["context"][-1]) == (40, json.loads(LINES[39]))


def test_the_output_is_replaced_while_the_stream_goes_on(follow, memory, source, tmp_path):
    output = tmp_path / "context.jsonl"
    follow(source, "-o", output)
    until(lambda: output.exists() and output.read_bytes().endswith(LINES[39]))
    append(source, LINES[40:42])
    until(lambda: output.read_bytes().endswith(LINES[41]))
    assert [path.name for path in tmp_path.iterdir() if "context" in path.name] == ["context.jsonl"]


def test_what_was_killed_goes_on_where_it_was(follow, memory, source, ask):
    process = follow(source)
    until(lambda: count(memory) == 40)
    process.kill()
    process.communicate()
    append(source, LINES[40:])
    process = follow(source)
    until(lambda: count(memory) == 120)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert b"goes on after message 40" in err
    assert stored(memory) == [json.loads(line)["content"] for line in LINES]
    assert ask("resume", "session", "--archive", memory, "-q").out == out


@pytest.mark.parametrize("how", sampled(["replaced", "written anew"], every=2))
def test_another_file_in_its_place_begins_anew(follow, memory, source, how):
    process = follow(source)
    until(lambda: count(memory) == 40)
    if how == "replaced":
        source.with_suffix(".new").write_bytes(b"".join(LINES[60:63]))
        os.replace(source.with_suffix(".new"), source)
    else:
        source.write_bytes(b"".join(LINES[60:63]))
    until(lambda: count(memory) == 3)
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert out == b"".join(LINES[60:63])
    assert b"is another file now: it begins anew" in err


@pytest.mark.battery
def test_what_the_archive_has_lost_is_read_again(follow, memory, source):
    process = follow(source)
    until(lambda: count(memory) == 40)
    process.terminate()
    process.wait()
    for path in memory.glob("memory.db*"):
        path.unlink()
    process = follow(source)
    assert process.stderr is not None
    assert b"40 of the messages of session 'session' are not in the archive any more" in process.stderr.readline()
    until(lambda: (memory / "memory.db").exists() and len(stored(memory)) == 40)
    append(source, LINES[40:50])
    until(lambda: len(stored(memory)) == 50)


@pytest.mark.battery
def test_a_file_that_was_another_when_it_was_left_begins_anew(follow, memory, source):
    process = follow(source)
    until(lambda: count(memory) == 40)
    process.terminate()
    process.communicate()
    source.write_bytes(b"".join(LINES[50:100]))
    process = follow(source)
    until(lambda: count(memory) == 50)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert b"is not the file that session 'session' was read from: it begins anew" in err
    assert load(str(memory), "session").checkpoint.counters["messages"] == 50


@pytest.mark.battery
def test_a_copy_that_begins_alike_is_the_same_file(follow, memory, source):
    process = follow(source)
    until(lambda: count(memory) == 40)
    source.with_suffix(".new").write_bytes(b"".join(LINES[:50]))
    os.replace(source.with_suffix(".new"), source)
    until(lambda: count(memory) == 50)
    process.terminate()
    _, err = process.communicate(timeout=60)
    assert b"anew" not in err
    assert len(stored(memory)) == 50


@pytest.mark.battery
def test_a_broken_checkpoint_is_told_of_and_the_one_before_is_taken(follow, memory, source, ask):
    process = follow(source)
    until(lambda: count(memory) == 40)
    process.terminate()
    process.communicate()
    path = memory / "checkpoints" / f"{name('session', '')}.json"
    path.write_bytes(path.read_bytes()[:100])
    answer = ask("resume", "session", "--archive", memory)
    assert answer.code == 0
    assert "half of one; the one before it is taken" in answer.err
    process = follow(source)
    until(lambda: not load(str(memory), "session").trouble and count(memory) == 40)
    process.terminate()
    process.communicate()
    assert len(stored(memory)) == 40


def test_two_do_not_follow_one_session(follow, memory, source):
    follow(source)
    until(lambda: count(memory) == 40)
    second = follow(source)
    _, err = second.communicate(timeout=60)
    assert second.returncode == 1
    assert b"another process follows the session 'session'" in err


@pytest.fixture(scope="module")
def followed(boildown, tmp_path_factory):
    """An archive in which the sample of a Claude Code session and a chat of ada's were followed."""
    folder = tmp_path_factory.mktemp("followed") / "memory"
    options = ("--window", "600", "--archive", folder, "-q", "--session")
    for sample, *more in (("claude-code.jsonl",), ("openai.jsonl", "--user", "ada")):
        path = SAMPLES / sample
        done = boildown("follow", "-", *options, path.stem, *more, input=path.read_bytes())
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("to", sampled(["claude-code", "anthropic", "openai", "codex"], every=2))
def test_resume_prints_a_context_that_breaks_no_rule(ask, followed, tmp_path, to):
    output = tmp_path / "context"
    assert ask("resume", "claude-code", "--archive", followed, "--to", to, "-o", output).code == 0
    answer = ask("validate", output, "--from", to)
    assert answer.code == 0, answer.err
    assert output.read_bytes()


def test_resume_keeps_to_the_tokens_that_it_may_take(ask, followed, tmp_path):
    output = tmp_path / "context.jsonl"
    assert ask("resume", "openai", "--user", "ada", "--archive", followed, "--max-tokens", 200, "-o", output).code == 0
    assert ask("check", output, "--max-tokens", 200).code == 0
    assert ask("check", output, "--max-tokens", 150).code == 1


def test_a_users_session_is_resumed_by_that_user_only(ask, followed):
    answer = ask("resume", "openai", "--archive", followed)
    assert answer.code == 1
    assert "session 'openai' has no checkpoint. There are: claude-code." in answer.err
    answer = ask("resume", "claude-code", "--archive", followed, "--user", "ada")
    assert "session 'claude-code' of user 'ada' has no checkpoint. There are: openai." in answer.err
    with opened(str(followed)) as store:
        assert [(one.user, one.name) for one in store.sessions()] == [("", "claude-code"), ("ada", "openai")]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-", "--window", 2000, "--archive", "m"), "stdin has none. Give --session"),
        (("nowhere.jsonl", "--window", 2000), "there is no such file"),
        (("-", "--window", 2000, "-o", "no/such/file"), "there is no directory"),
        (("here.jsonl", "--window", 2000, "-o", "./here.jsonl"), "this is the file that is followed"),
        (("-", "--window", 2000, "--tokenizer", "x"), "unknown tokenizer 'x'"),
        (("-", "--window", 2000, "--to", "x"), "no format is called 'x'"),
        (("-", "--window", 2000, "--from", "chatgpt"), "chatgpt has no message a line"),
        (("-",), "--window"),
    ],
)
def test_wrong_usage_exits_2_before_anything_is_read(ask, tmp_path, monkeypatch, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    Path("here.jsonl").write_bytes(LINES[0])
    answer = ask("follow", *arguments)
    assert answer.code == 2
    assert complaint in answer.err


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are UTF-8 there")
def test_a_file_whose_name_is_no_utf_8_is_forgotten_by_what_it_is_called(ask, follow, memory, source, tmp_path):
    path = os.fsencode(tmp_path) + b"/a\xff.jsonl"
    os.rename(source, path)
    process = follow(os.fsdecode(path))
    until(lambda: any((memory / "checkpoints").glob("*.json")))
    process.terminate()
    process.wait()
    done = ask("forget", "--user", "", "--session", "a?", "--archive", memory, "--yes")
    assert (done.code, done.out.strip().endswith(b": 0 found")) == (0, True)
    assert list((memory / "checkpoints").iterdir()) == []


def test_what_a_killed_follower_left_is_forgotten_once_nobody_follows(ask, follow, memory, source):
    process = follow(source, "--user", "ada")
    until(lambda: load(str(memory), "session", "ada").checkpoint)
    busy = ask("forget", "--user", "ada", "--archive", memory, "--yes")
    assert (busy.code, "is being followed" in busy.err) == (1, True)
    assert len(stored(memory)) >= 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    states = memory / "checkpoints"
    own = name("session", "ada")
    (states / f".{own}.json.new").write_bytes((states / f"{own}.json").read_bytes()[:200])
    done = ask("forget", "--user", "ada", "--archive", memory, "--yes")
    assert (done.code, done.out.strip().endswith(b": 0 found")) == (0, True)
    assert list(states.iterdir()) == []
    assert stored(memory) == []
