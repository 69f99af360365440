"""Reports add up, in every format."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter

import pytest

from boildown.pipeline import Step
from boildown.report import ConversationReport, Fate, Report
from boildown.transcript import Note
from boildown_cli.render import print_report, report_bytes


@pytest.fixture
def report() -> Report:
    steps = (
        Step("dedup", 100, 70, 0.5, "said again", 2, (), ("m2",), ()),
        Step("fit", 70, 40, 0.25, "oldest, to meet the budget", 0, ("m3",), (), ("m1",)),
    )
    fates = (
        Fate("m1", "user", "dropped", 30, 0, "fit", "oldest, to meet the budget"),
        Fate("m2", "assistant", "stood for", 30, 0, "m3", "a kept message says it"),
        Fate("m3", "user|x", "changed", 40, 40, "fit", 'a "quoted", reason\nin two lines'),
    )
    notes = tuple(Note("bad line", f"line {n}", "not JSON, carried") for n in (3, 5, 8, 13))
    one = ConversationReport("a | title\n\x1b[31m", 40, 100, 40, steps, fates, notes)
    two = ConversationReport("", 20, 20, 20, (), (Fate("m1", "user", "kept", 20, 20),))
    return Report("in|put.jsonl", "out", "openai", "anthropic", "o200k_base", "framing", "dedup", (one, two), 1.0)


def test_json_has_the_schema_and_the_computed_figures(report):
    data = json.loads(report_bytes(report, "report.json"))
    assert data["schema"] == 1
    assert (data["tokens_in"], data["tokens_out"], data["ratio"], data["saving"]) == (120, 60, 2.0, 0.5)
    assert data["conversations"][0]["fates"] == {"kept": 0, "changed": 1, "stood for": 1, "dropped": 1}
    assert data["conversations"][0]["steps"][0]["stood_for"] == ["m2"]
    assert list(data)[:2] == ["schema", "input"]


def test_json_can_say_a_lone_surrogate(report):
    odd = Report("\ud800", *[getattr(report, name) for name in report.__slots__[1:]])
    data = report_bytes(odd, "report.json")
    assert json.loads(data)["input"] == "\ud800"
    assert json.loads(data)["conversations"] == json.loads(report_bytes(report, "report.json"))["conversations"]


def test_csv_has_a_row_for_every_source_message(report):
    rows = list(csv.reader(io.StringIO(report_bytes(report, "report.CSV").decode(), newline="")))
    assert rows == [
        ["conversation", "id", "role", "fate", "tokens_in", "tokens_out", "by", "reason"],
        ["1", "m1", "user", "dropped", "30", "0", "fit", "oldest, to meet the budget"],
        ["1", "m2", "assistant", "stood for", "30", "0", "m3", "a kept message says it"],
        ["1", "m3", "user|x", "changed", "40", "40", "fit", 'a "quoted", reason\nin two lines'],
        ["2", "m1", "user", "kept", "20", "20", "", ""],
    ]


def test_markdown_escapes_what_would_break_its_tables(report):
    text = report_bytes(report, "report.md").decode()
    assert text.startswith("# in\\|put.jsonl\n")
    assert "## Conversation 1: a \\| title\n" in text
    assert "| dedup | 100 | 70 | 30 | 0.50 | 2 | 0 | 1 | 0 |" in text
    assert "| all | 100 | 40 | 60 | 0.75 | 0 | 1 | 1 | 1 |" in text
    assert "- note: bad line (4): line 3, line 5, line 8, ...: not JSON, carried" in text
    assert "\x1b" not in text


def test_people_see_the_stages_the_totals_and_the_notes(report, capsys):
    print_report(report)
    said = capsys.readouterr().err.splitlines()
    rows = [line.split() for line in said]
    assert ["dedup", "100", "70", "30", "0.50", "2", "0", "1", "0"] in rows
    assert ["all", "120", "60", "60", "1.00", "1", "1", "1", "1"] in rows
    assert said[-2:] == [
        (
            "in|put.jsonl: 120 -> 60 tokens, ratio 2.00, 50.0% saved; budget 60 in 2 conversations, 100.0% filled; "
            "counted with o200k_base"
        ),
        "note: bad line (4): line 3, line 5, line 8, ...: not JSON, carried",
    ]


@pytest.mark.parametrize("pipeline", ["dedup,extractive,prune", "window", "dedup", "prune"])
def test_a_real_report_adds_up(ask, chats, tmp_path, pipeline):
    out, account = tmp_path / "out.jsonl", tmp_path / "report.json"
    assert ask("compress", chats, "--ratio", 3, "-p", pipeline, "-o", out, "--report", account).code == 0
    data = json.loads(account.read_bytes())
    read, written = (json.loads(ask("count", path, "--json").out) for path in (chats, out))
    assert (data["tokens_in"], data["tokens_out"]) == (read["tokens"], written["tokens"])
    assert len(data["conversations"]) == 3
    for conversation in data["conversations"]:
        taken = sum(step["before"] - step["after"] for step in conversation["steps"])
        assert conversation["tokens_in"] - taken == conversation["tokens_out"] <= conversation["budget"]
        fates = Counter(m["fate"] for m in conversation["messages"])
        assert conversation["fates"] == {f: fates[f] for f in ("kept", "changed", "stood for", "dropped")}
        assert all(m["by"] and m["reason"] for m in conversation["messages"] if m["fate"] != "kept")


@pytest.mark.parametrize("name", ["report.json", "report.csv", "report.md"])
def test_a_report_is_written_for_each_ending(ask, chat, tmp_path, name):
    answer = ask("compress", chat, "--ratio", 3, "--report", tmp_path / name)
    assert answer.code == 0
    assert (tmp_path / name).stat().st_size > 500
    assert answer.out
