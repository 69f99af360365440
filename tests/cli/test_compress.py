"""`boildown compress`: what comes out where, what is refused, and that nothing is written then."""

from __future__ import annotations

import json
import os

import pytest

from boildown import run as job
from boildown.errors import InputError


def lines(data: bytes) -> list[dict]:
    return [json.loads(line) for line in data.splitlines()]


def test_the_result_goes_to_stdout_and_the_account_to_stderr(ask, chat):
    answer = ask("compress", chat, "--ratio", 3)
    assert answer.code == 0
    assert 0 < len(lines(answer.out)) <= 61
    assert "ratio 3." in answer.err
    assert str(chat) in answer.err


def test_a_pipe_in_gives_what_a_file_gives(boildown, chat):
    piped = boildown("compress", "-", "--budget", "700", input=chat.read_bytes())
    named = boildown("compress", chat, "--budget", "700")
    assert piped.returncode == named.returncode == 0
    assert piped.stdout == named.stdout
    assert b"<stdin>: " in piped.stderr


def test_output_names_a_file_and_leaves_stdout_empty(ask, chat, tmp_path):
    answer = ask("compress", chat, "--budget", 700, "-o", tmp_path / "small.jsonl")
    assert answer.code == 0
    assert answer.out == b""
    assert (tmp_path / "small.jsonl").read_bytes() == ask("compress", chat, "--budget", 700).out


def test_the_output_may_be_the_input(ask, chat):
    expected = ask("compress", chat, "--budget", 700).out
    assert ask("compress", chat, "--budget", 700, "-o", chat).code == 0
    assert chat.read_bytes() == expected


def test_the_output_counts_no_more_than_the_budget(ask, chat, tmp_path):
    ask("compress", chat, "--budget", 700, "-o", tmp_path / "small.jsonl")
    assert 0.97 * 700 <= json.loads(ask("count", tmp_path / "small.jsonl", "--json").out)["tokens"] <= 700


def test_the_budget_bounds_each_conversation(ask, chats, tmp_path):
    answer = ask("compress", chats, "--budget", 500, "-o", tmp_path / "small.jsonl")
    assert "in 3 conversations" in answer.err
    assert ask("check", tmp_path / "small.jsonl", "--max-tokens", 500).code == 0


def test_of_several_demands_the_tightest_holds(ask, chat):
    assert ask("compress", chat, "-b", 700, "-r", 1.1).out == ask("compress", chat, "-b", 700).out
    assert ask("compress", chat, "-b", 700, "--window", 10_000).out == ask("compress", chat, "-b", 700).out
    assert ask("compress", chat, "--window", 1000).out == ask("compress", chat, "-b", 700).out


def test_what_fits_comes_back_byte_for_byte(ask, chat):
    answer = ask("compress", chat, "--budget", 1_000_000)
    assert answer.out == chat.read_bytes()
    assert "nothing was changed" in answer.err


def test_quiet_says_nothing(ask, chat):
    assert ask("compress", chat, "--ratio", 2, "--quiet").err == ""


def test_quiet_says_errors(ask, tmp_path):
    assert "no such file" in ask("compress", tmp_path / "none.json", "--ratio", 2, "-q").err


def test_the_table_names_every_stage_that_ran(ask, chat):
    head, *rows = [line.split() for line in ask("compress", chat, "--ratio", 4, "-p", "window").err.splitlines()]
    assert head == "stage before after saved seconds kept changed stood for dropped".split()
    assert [row[0] for row in rows if row][1] == "window"
    assert "all" in [row[0] for row in rows if row]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--budget TOKENS, --ratio N, --window TOKENS or --preset NAME"),
        (["--budget", "0"], "--budget"),
        (["--budget", "many"], "--budget"),
        (["--ratio", "0.5"], "--ratio"),
        (["--ratio", "nan"], "--ratio"),
        (["--ratio", "inf"], "--ratio"),
        (["--ratio", "2", "--keep-recent", "-1"], "--keep-recent"),
        (["--ratio", "2", "--pin", "a(b"], "missing ), unterminated subpattern at position 1"),
        (["--ratio", "2", "--pipeline", "dedupe"], "did you mean 'dedup'"),
        (["--ratio", "2", "--pipeline", "dedup:sharpness=2"], "'sharpness'"),
        (["--ratio", "2", "--pipeline", "dedup:threshold=high"], "threshold='high'"),
        (["--ratio", "2", "--pipeline", ","], "the pipeline is empty"),
        (["--ratio", "2", "--from", "word"], "no format is called 'word'"),
        (["--ratio", "2", "--to", "word"], "no format is called 'word'"),
        (["--ratio", "2", "--tokenizer", "words"], "unknown tokenizer 'words'"),
        (["--ratio", "2", "--report", "report.xlsx"], ".json, .csv, .md"),
        (["--ratio", "2", "--report", "report"], ".json, .csv, .md"),
        (["--ratio", "2", "--shrink"], "--shrink"),
        (["--ratio", "2", "--output", "."], "this is a directory"),
        (["--ratio", "2", "--output", "no/such/place.json"], "there is no directory 'no/such'"),
        (["--ratio", "2", "--report", "no/such/place.json"], "there is no directory 'no/such'"),
        (["--ratio", "2", "--output", "a.json", "--report", "a.json"], "this is the output, too"),
        (["--ratio", "2", "--report", "input.json"], "this is the input, too"),
    ],
)
def test_a_wrong_option_is_named_and_exits_2(ask, chat, monkeypatch, arguments, said):
    monkeypatch.chdir(chat.parent)
    chat.rename("input.json")
    before = sorted(os.listdir())
    answer = ask("compress", "input.json", *arguments)
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == b""
    assert sorted(os.listdir()) == before


def test_a_budget_below_what_is_pinned_exits_1_and_touches_no_file(ask, chat, tmp_path):
    target = tmp_path / "small.jsonl"
    target.write_text("precious")
    before = sorted(os.listdir(tmp_path))
    answer = ask("compress", chat, "--budget", 5, "-o", target, "--report", tmp_path / "report.json")
    assert answer.code == 1
    assert "short" in answer.err
    assert f"{chat}, conversation 1" in answer.err
    assert target.read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == before


def test_what_is_pinned_comes_out_as_it_went_in(ask, chat):
    whole = chat.read_bytes().splitlines()
    options = ("--keep-first", 1, "--keep-recent", 2, "--pin", "number 3[0-9]:")
    kept = ask("compress", chat, "--ratio", 3, *options).out.splitlines()
    for line in (
        *whole[:2],
        *whole[-2:],
        *(line for line in whole if b"number 3" in line and b"number 3:" not in line),
    ):
        assert line in kept


def test_the_system_message_can_be_let_go(ask, chat):
    pinned, free = (ask("compress", chat, "--budget", 60, option).out for option in ("--pin-system", "--no-pin-system"))
    assert b'"system"' in pinned
    assert free != pinned


def test_strict_refuses_what_would_be_carried(ask, tmp_path, chat):
    odd = tmp_path / "odd.jsonl"
    odd.write_bytes(b'{"role": "user", "content": "a\n' + chat.read_bytes())
    carried = ask("compress", odd, "--ratio", 2)
    assert carried.code == 0
    assert "note: " in carried.err
    assert "line 1" in carried.err
    refused = ask("compress", odd, "--ratio", 2, "--strict", "-o", tmp_path / "out.jsonl")
    assert refused.code == InputError.exit_code
    assert "line 1" in refused.err
    assert not (tmp_path / "out.jsonl").exists()


def test_another_format_can_be_written(ask, chat):
    answer = ask("compress", chat, "--ratio", 2, "--to", "anthropic")
    assert answer.code == 0
    assert b'"system":' in answer.out


def test_a_claude_window_comes_with_a_warning_about_claude_counts(ask, chat):
    answer = ask("compress", chat, "--window", 1000, "--to", "anthropic")
    assert "Claude counts 1.1 to 1.7 times as many" in answer.err


def test_the_library_gives_the_bytes_that_the_command_writes(ask, chat):
    from boildown import registry

    stages = registry.parse("dedup,prune")
    written, _ = job.run(chat.read_bytes(), "chat", job.Job(stages, registry.spec(stages), ratio=3))
    assert ask("compress", chat, "--ratio", 3, "-p", "dedup,prune").out == written


def test_a_system_message_stays_whole_where_the_target_format_has_no_system_role(ask, root):
    source = root / "samples" / "openai-tools.json"
    system = json.loads(source.read_bytes())[0]["content"]
    answer = ask("compress", source, "--to", "claude-code", "--ratio", 1.5)
    assert lines(answer.out)[0]["message"]["content"] == system


def test_a_budget_that_no_message_fits_into_is_not_met_and_writes_nothing(ask, tmp_path):
    source, target = tmp_path / "chat.jsonl", tmp_path / "small.jsonl"
    source.write_text('{"role": "user", "content": "The door code is 4411."}\n')
    answer = ask("compress", source, "--budget", 5, "-o", target)
    assert (answer.code, target.exists()) == (1, False)
    assert "no message fits into 5 tokens" in answer.err


@pytest.fixture
def request_body(tmp_path):
    """A request long enough to be cached, and a price table in which it is."""
    talk = [
        {"role": ("user", "assistant")[n % 2], "content": f"Turn {n}: " + f"the {n}th plan " * 9} for n in range(40)
    ]
    path = tmp_path / "body.json"
    path.write_text(json.dumps({"model": "claude-opus-5-5", "system": "Be brief.", "messages": talk}))
    return path


def test_cache_says_after_how_many_turns_the_compression_pays(ask, request_body, tmp_path):
    options = ("--ratio", 2, "--keep-first", 12, "-o", tmp_path / "out.json", "--report", tmp_path / "r.json")
    answer = ask("compress", request_body, *options, "-p", "window,cache:model=claude-opus-5-5")
    assert answer.code == 0, answer.err
    account = json.loads((tmp_path / "r.json").read_bytes())["conversations"][0]
    cache = account["cache"]
    assert (
        f"cache: {len(cache['breakpoints'])} new breakpoints; {cache['stays']:,} of {account['tokens_in']:,}"
        in answer.err
    )
    assert (
        f"at claude-opus-5-5 prices the compression pays for the cache it broke after {cache['turns']} turn"
        in answer.err
    )
    assert cache["stays"] + cache["written"] == account["tokens_out"]
    assert (tmp_path / "out.json").read_bytes().count(b'"cache_control"') == len(cache["breakpoints"])


def test_prices_are_the_users_where_a_file_is_given(ask, request_body, tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text("[claude-haiku-5-5]\nminimum = 100000\n")
    options = ("--ratio", 2, "-o", tmp_path / "out.json", "-p", "window,cache")
    assert "0 new breakpoints" in ask("compress", request_body, *options, "--prices", prices).err
    assert "0 new breakpoints" not in ask("compress", request_body, *options).err


def test_prices_without_a_stage_that_uses_them_are_an_error(ask, request_body, tmp_path):
    answer = ask("compress", request_body, "--ratio", 2, "--prices", tmp_path / "none.toml")
    assert (answer.code, answer.out) == (2, b"")
    assert "Add one to --pipeline" in answer.err


def test_a_model_without_prices_is_an_error_that_names_those_with(ask, request_body):
    answer = ask("compress", request_body, "--ratio", 2, "-p", "window,cache:model=gpt-9")
    assert (answer.code, answer.out) == (2, b"")
    assert "claude-haiku-5-5" in answer.err


def test_what_fits_gets_breakpoints_and_says_so(ask, request_body):
    answer = ask("compress", request_body, "--ratio", 1, "-p", "window,cache")
    assert "nothing was changed but the breakpoints" in answer.err
    assert "breaks no cache" in answer.err
    assert answer.out.count(b'"cache_control"') == 1


def test_another_format_has_no_breakpoints_and_a_note_says_so(ask, chat):
    plain = ask("compress", chat, "--ratio", 3, "-p", "window")
    answer = ask("compress", chat, "--ratio", 3, "-p", "window,cache")
    assert answer.out == plain.out
    assert "note: no breakpoints (1): openai output" in answer.err
    assert "cache: 0 new breakpoints" in answer.err
