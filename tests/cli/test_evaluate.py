"""`boildown evaluate`: what survives, in one output or along curves, and the gate."""

from __future__ import annotations

import json

import pytest

from conftest import ROOT

SAMPLE = ROOT / "samples" / "openai.jsonl"


@pytest.fixture
def small(ask, tmp_path):
    path = tmp_path / "small.jsonl"
    assert ask("compress", SAMPLE, "--ratio", 2, "-q", "-o", path).code == 0
    return path


def rows(answer):
    """The table's cells by the first one."""
    lines = [line.split("  ") for line in answer.out.decode().splitlines() if line.strip()]
    return {cells[0].strip(): [c.strip() for c in cells[1:] if c.strip()] for cells in lines}


def test_a_file_against_itself_retains_all(ask):
    answer = ask("evaluate", SAMPLE, SAMPLE, "--min-retention", 1)
    assert answer.code == 0
    found = rows(answer)
    assert found["retention"] == found["relevance"] == ["1.00"]
    assert found["numbers"][2] == found["dates"][2] == found["negations"][2] == "1.00"
    assert "facts and statements" in answer.err


def test_one_output_is_measured(ask, small):
    data = json.loads(ask("evaluate", SAMPLE, small, "--json").out)
    assert (data["schema"], data["original"], data["compressed"]) == (1, str(SAMPLE), str(small))
    found = data["retention"]
    assert 0.5 < found["share"] < 0.9
    assert found["tokens_after"] * 2 <= found["tokens_before"]
    assert found["dollars_after"] < found["dollars_before"]
    assert [kept["name"] for kept in found["facts"]] == [
        "numbers", "dates", "names", "paths", "identifiers", "URLs", "negations", "decisions", "questions",
        "action items",
    ]  # fmt: skip
    assert found["future"] is None
    assert data["conversations"] == [found]


def test_curves_are_measured_over_pipelines_presets_and_ratios(ask):
    answer = ask("evaluate", SAMPLE, "-p", "window", "--preset", "chat", "--ratios", "5,2", "--json", "--no-config")
    points = json.loads(answer.out)["points"]
    assert [(p["pipeline"], p["ratio"]) for p in points] == [("window", 2), ("window", 5), ("chat", 2), ("chat", 5)]
    assert all(p["retention"]["future"]["total"] for p in points)
    assert points[0]["retention"]["share"] > points[1]["retention"]["share"]


def test_without_a_pipeline_the_default_is_measured(ask):
    answer = ask("evaluate", SAMPLE, "--ratios", "2,10", "--no-config")
    assert answer.code == 0
    assert rows(answer)["dedup,prune,ledger"] == ["2x", "10x"]
    assert float(rows(answer)["retention"][0]) > float(rows(answer)["retention"][1])


def test_the_gate_names_what_fell_below_and_by_how_much(ask, small):
    answer = ask("evaluate", SAMPLE, small, "--min-retention", 0.95, "--json")
    share = json.loads(answer.out)["retention"]["share"]
    assert answer.code == 1
    assert f"{small}: {share:.3f}, {0.95 - share:.3f} below" in answer.err
    assert ask("evaluate", SAMPLE, small, "--min-retention", 0.1).code == 0


def test_the_gate_of_curves_names_each_pipeline_and_ratio(ask):
    answer = ask("evaluate", SAMPLE, "-p", "prune", "-p", "window", "--ratios", "1,10", "--min-retention", 0.9)
    assert answer.code == 1
    assert "2 of 4 below --min-retention 0.9" in answer.err
    assert "prune at 10x: 0." in answer.err
    assert "window at 10x: 0." in answer.err
    assert "at 1x" not in answer.err


def test_what_cannot_be_compressed_so_far_is_told_and_does_not_pass_the_gate(ask, tmp_path):
    path = tmp_path / "pinned.jsonl"
    said = [{"role": "system", "content": "Never open the gate. " * 20}, {"role": "user", "content": "Is it 14:30?"}]
    path.write_text("".join(json.dumps(m) + "\n" for m in said))
    answer = ask("evaluate", path, "--ratios", "1,10")
    assert answer.code == 0
    assert "at 10x: the budget of" in answer.err
    assert rows(answer)["retention"] == ["1.00", "-"]
    assert ask("evaluate", path, "--ratios", "5,10", "--min-retention", 0).code == 1
    nothing = ask("evaluate", path, "--ratios", "5,10")
    assert (nothing.code, nothing.out) == (1, b"")
    assert "it cannot be compressed so far. Ask for lower --ratios" in nothing.err


def test_questions_decide_where_there_are_some(ask, small, tmp_path):
    path = tmp_path / "qa.jsonl"
    path.write_text(
        '{"question": "What is the booking reference for the lodge?", "answer": "FL-20931", "evidence": ["m19"]}\n'
        '{"question": "Who sings?", "answer": "Pavarotti"}\n'
    )
    answer = ask("evaluate", SAMPLE, small, "--questions", path, "--json")
    found = json.loads(answer.out)["retention"]
    assert found["share"] == found["answers"]["share"]
    assert (found["answers"]["total"], found["answers"]["skipped"]) == (1, 1)
    shown = ask("evaluate", SAMPLE, small, "--questions", path)
    assert "answers" in rows(shown)
    assert "1 of the questions" in shown.err


def test_conversations_are_paired_by_place(ask, chats, chat):
    data = json.loads(ask("evaluate", chats, chats, "--json").out)
    assert (data["retention"]["share"], len(data["conversations"])) == (1.0, 3)
    lost = json.loads(ask("evaluate", chats, chat, "--json").out)
    assert [one["tokens_after"] > 0 for one in lost["conversations"]] == [True, False, False]
    assert ask("evaluate", chat, chats).code == 2
    assert len(json.loads(ask("evaluate", chats, "--ratios", "2", "--json").out)["points"]) == 1


def test_a_converted_output_is_measured_as_well(ask, tmp_path):
    path = tmp_path / "converted.json"
    assert ask("compress", SAMPLE, "--ratio", 1, "--to", "anthropic", "-q", "-o", path).code == 0
    found = json.loads(ask("evaluate", SAMPLE, path, "--json").out)["retention"]
    assert found["share"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([SAMPLE, SAMPLE, "--ratios", "2"], "Leave one out"),
        ([SAMPLE, SAMPLE, "-p", "prune"], "Leave one out"),
        ([SAMPLE, "--ratios", "2,x"], "write numbers from 1 on"),
        ([SAMPLE, "--ratios", "0.5"], "write numbers from 1 on"),
        ([SAMPLE, "--ratios", "inf"], "write numbers from 1 on"),
        ([SAMPLE, "-p", "prunes"], "did you mean 'prune'"),
        ([SAMPLE, "--preset", "chats"], "chat"),
        ([SAMPLE, SAMPLE, "--min-retention", "1.5"], "min-retention"),
        ([SAMPLE, SAMPLE, "--min-retention", "nan"], "min-retention"),
        ([SAMPLE, SAMPLE, "--model", "gpt"], "no prices for the model"),
        ([SAMPLE, SAMPLE, "--questions", "none.jsonl"], "none.jsonl: the questions cannot be read"),
        ([SAMPLE, SAMPLE, "--json", "--plot"], "Leave one out"),
        ([SAMPLE, SAMPLE, "--svg", "chart.png"], "end in .svg"),
        ([SAMPLE, SAMPLE, "--svg", "nowhere/chart.svg"], "there is no directory"),
    ],
)
def test_wrong_usage_is_told_before_any_work(ask, arguments, said):
    answer = ask("evaluate", *arguments)
    assert (answer.code, answer.out) == (2, b"")
    assert said in answer.err


def test_questions_for_several_conversations_are_refused(ask, chats, tmp_path):
    (tmp_path / "qa.jsonl").write_text('{"question": "Q", "answer": "A"}\n')
    answer = ask("evaluate", chats, chats, "--questions", tmp_path / "qa.jsonl")
    assert answer.code == 2
    assert "there are 3" in answer.err
