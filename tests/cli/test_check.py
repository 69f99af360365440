"""`boildown check`: the exit code says whether all keeps to its limits, the table what does not."""

from __future__ import annotations

import json
import shutil

import pytest

from damage import broken, drop
from roundtrip import SAMPLES


@pytest.fixture(autouse=True)
def inside(tmp_path, monkeypatch):
    """Run in a folder of its own, so that no configuration above is found."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def sizes(ask, chat) -> int:
    return json.loads(ask("count", chat, "--json").out)["tokens"]


def rows(answer) -> list[tuple[str, ...]]:
    """The cells of the table."""
    lines = answer.out.decode().splitlines()
    return [tuple(cell.strip() for cell in line.split("   ") if cell.strip()) for line in lines[2:]]


def test_what_is_just_small_enough_passes(ask, chat, sizes):
    answer = ask("check", chat, "--max-tokens", sizes)
    assert answer.code == 0
    assert answer.out == b""
    assert f"1 conversation in 1 file checked, {sizes:,} tokens: 0 findings" in answer.err


def test_what_is_one_token_too_large_is_named(ask, chat, sizes):
    answer = ask("check", chat, "--max-tokens", sizes - 1)
    assert answer.code == 1
    assert rows(answer) == [(f"{chat}:1", "max-tokens", f"{sizes:,} tokens, 1 over {sizes - 1:,}")]
    assert "max-tokens: Compress it: boildown compress FILE --budget TOKENS." in answer.err
    assert "1 finding in 1 file" in answer.err


def test_of_several_conversations_each_offender_is_named_by_its_place(ask, chats):
    answer = ask("check", chats, "--max-tokens", 500)
    assert answer.code == 1
    assert [row[0] for row in rows(answer)] == [f"{chats}:2, conversation 2", f"{chats}:3, conversation 3"]


def test_a_directory_is_checked_at_any_depth(ask, chat, tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    chat.rename(deep / "chat.jsonl")
    answer = ask("check", tmp_path, "--max-tokens", 10)
    assert answer.code == 1
    assert str(deep / "chat.jsonl") in answer.out.decode()


def test_an_unreadable_file_outweighs_an_offender_and_comes_first(ask, chat, tmp_path):
    (tmp_path / "x.json").write_text("[{")
    answer = ask("check", tmp_path, "--max-tokens", 10)
    assert answer.code == 2
    assert [row[:2] for row in rows(answer)] == [
        (str(tmp_path / "x.json"), "unreadable"),
        (f"{chat}:1", "max-tokens"),
    ]
    assert f"Error: {tmp_path / 'x.json'}: line " in answer.err
    assert "1 file not read" in answer.err


def test_what_is_no_conversation_is_skipped_in_a_directory_and_refused_by_name(ask, chat, tmp_path):
    other = tmp_path / "package.json"
    other.write_text('{"name": "x", "version": "1"}')
    answer = ask("check", tmp_path, "--max-tokens", 100_000)
    assert answer.code == 0
    assert "1 file skipped: no conversation" in answer.err
    assert ask("check", other, "--max-tokens", 100_000).code == 2
    chat.unlink()
    assert ask("check", tmp_path, "--max-tokens", 100_000).code == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "nothing is asked for. Give a limit, such as --max-tokens 100000"),
        (["--no-valid"], "nothing is asked for"),
        (["--max-tokens", 0], "--max-tokens"),
        (["--max-growth", "10%"], "--max-growth has nothing to compare with. Give --baseline FILE, too."),
        (["--min-retention", "0.9"], "--min-retention has nothing to compare with. Give --original FILE, too."),
        (["--original", ".", "--valid"], "--original is only compared for --min-retention"),
        (["--original", "none", "--min-retention", "1"], "--original none: there is no such file or directory."),
        (["--update-baseline"], "--update-baseline has nothing to write to"),
        (["--baseline", "none.json"], "--baseline none.json: there is no such file. Make it with --update-baseline."),
        (["--max-tool-share", "30"], "--max-tool-share: '30' is more than all. If it is percent, write 30%."),
        (["--valid", "--sarif", "-", "--json", "-"], "--sarif and --json all go to stdout"),
        (["--valid", "--github", "--junit", "-"], "--junit and --github all go to stdout"),
        (["--valid", "--junit", "no/where.xml"], "--junit no/where.xml: there is no directory 'no'."),
    ],
)
def test_what_makes_no_sense_is_said(ask, chat, options, said):
    answer = ask("check", chat, *options)
    assert answer.code == 2
    assert answer.out == b""
    assert said in " ".join(answer.err.split())


def test_stdin_is_checked(ask, chat):
    answer = ask("check", "-", "--max-tokens", 10, input=chat.read_bytes())
    assert answer.code == 1
    assert answer.out.decode().splitlines()[2].startswith("<stdin>:1 ")


def test_all_files_together_are_held_to_a_total(ask, chat, chats, sizes):
    assert ask("check", chat, chats, "--max-total-tokens", 10_000).code == 0
    answer = ask("check", chat, chats, "--max-total-tokens", sizes)
    assert answer.code == 1
    assert "all files together: " in rows(answer)[0][2]


def test_a_file_that_is_named_twice_counts_once(ask, chat, sizes, tmp_path):
    assert ask("check", tmp_path, chat, "chat.jsonl", "--max-total-tokens", sizes).code == 0


def test_growth_is_held_against_the_baseline(ask, chat, chats, sizes, tmp_path):
    baseline = tmp_path / "base" / "boildown-baseline.json"
    baseline.parent.mkdir()
    answer = ask("check", chat, chats, "--baseline", baseline, "--update-baseline")
    assert (answer.code, answer.out) == (0, b"")
    assert "2 files accepted, 2 new, 0 changed, 0 gone" in answer.err
    assert json.loads(baseline.read_bytes())["files"].keys() == {"../chat.jsonl", "../chats.jsonl"}
    assert ask("check", chat, chats, "--baseline", baseline).code == 0

    chat.write_bytes(chat.read_bytes() + b'{"role": "user", "content": "And one more thing, which is short."}\n')
    answer = ask("check", chat, "--baseline", baseline)
    assert answer.code == 1
    assert [row[:2] for row in rows(answer)] == [(str(chat), "max-growth")]
    assert ask("check", chat, "--baseline", baseline, "--max-growth", "10%").code == 0

    assert "0 new, 1 changed, 0 gone" in ask("check", chat, "--baseline", baseline, "--update-baseline").err
    assert len(json.loads(baseline.read_bytes())["files"]) == 2
    assert ask("check", chat, "--baseline", baseline).code == 0


def test_new_and_gone_files_are_told_and_pass(ask, chat, chats, tmp_path):
    baseline = tmp_path / "b.json"
    ask("check", chat, "--baseline", baseline, "--update-baseline")
    chat.unlink()
    answer = ask("check", chats, "--baseline", baseline)
    assert answer.code == 0
    assert [(row[0], row[1]) for row in rows(answer)] == [(str(baseline), "gone-file"), (str(chats), "new-file")]
    answer = ask("check", chats, "--baseline", baseline, "--update-baseline", "--max-tokens", 10)
    assert answer.code == 1, "the other limits hold when growth is accepted"
    assert "1 new, 0 changed, 1 gone" in answer.err


def test_a_baseline_of_another_tokenizer_is_refused(ask, chat, tmp_path):
    baseline = tmp_path / "b.json"
    ask("check", chat, "--baseline", baseline, "--update-baseline")
    before = baseline.read_bytes()
    answer = ask("check", chat, "--baseline", baseline, "--tokenizer", "cl100k_base")
    assert answer.code == 2
    assert "it was counted with o200k_base, and this is cl100k_base" in answer.err
    assert baseline.read_bytes() == before


def test_compressed_files_are_held_against_their_originals_of_the_same_name(ask, chat, tmp_path):
    big, small = tmp_path / "big" / "a", tmp_path / "small" / "a"
    big.mkdir(parents=True)
    small.mkdir(parents=True)
    shutil.move(chat, big / "chat.jsonl")
    ask("compress", big / "chat.jsonl", "--ratio", 4, "-o", small / "chat.jsonl")
    share = json.loads(ask("evaluate", big / "chat.jsonl", small / "chat.jsonl", "--json").out)["retention"]["share"]
    against = ("check", tmp_path / "small", "--original", tmp_path / "big", "--min-retention")
    assert ask(*against, share - 0.001).code == 0
    answer = ask(*against, share + 0.001)
    assert answer.code == 1
    assert rows(answer)[0][1] == "min-retention"
    (small / "other.jsonl").write_bytes((small / "chat.jsonl").read_bytes())
    answer = ask(*against, 0.1)
    assert answer.code == 2
    assert "there is no such file" in answer.out.decode()


def test_secrets_and_violations_are_found(ask, tmp_path):
    session = tmp_path / "session.jsonl"
    session.write_bytes(broken("claude-code.jsonl", drop(23)))
    answer = ask("check", session, SAMPLES / "openai-login.jsonl", "--valid", "--fail-on-secret")
    assert answer.code == 1
    assert [row[1] for row in rows(answer)] == ["orphan-call", "dangling-parent", *["fail-on-secret"] * 3]
    assert "Zq9mmT4vXy" not in answer.out.decode() + answer.err


def test_the_samples_are_sound(ask):
    assert ask("check", SAMPLES, "--valid", "--max-tokens", 4000, "--max-base64-tokens", 2000).code == 0


def test_limits_stand_in_the_configuration_and_differ_by_path(ask, chat, sizes, tmp_path):
    (tmp_path / "archive").mkdir()
    shutil.copy(chat, tmp_path / "archive" / "old.jsonl")
    (tmp_path / "boildown.toml").write_text(
        f'[check]\nmax-tokens = 10\n[[check.overrides]]\npaths = ["archive/**"]\nmax-tokens = {sizes}\n'
    )
    answer = ask("check", "chat.jsonl", "archive")
    assert [row[0] for row in rows(answer)] == ["chat.jsonl:1"]
    assert ask("check", "chat.jsonl", "archive", "--max-tokens", sizes).code == 0
    assert ask("check", "archive", "--max-tokens", 10).code == 1, "an option wins over an override"
    assert ask("check", "chat.jsonl", "--no-config").code == 2


def test_an_unknown_key_of_the_configuration_is_named(ask, chat, tmp_path):
    (tmp_path / "boildown.toml").write_text("[check]\nmax-tokns = 10\n")
    answer = ask("check", chat)
    assert answer.code == 2
    assert "check.max-tokns: there is no such key. Did you mean 'max-tokens'?" in answer.err


def test_what_a_file_says_does_not_reach_the_terminal(ask, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"role": "tool", "tool_call_id": "\x1b[31mred\u202e", "content": ""}]))
    assert b"\x1b" not in ask("check", path, "--valid").out
