"""The benchmark page: made from rows alone, the same each time, and fair to who is best."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TOOLS = ("boildown", "boildown, code", "trim_messages", "sumy, Luhn", "headroom-ai")
KEPT = {"boildown": 0.6, "boildown, code": 0.7, "trim_messages": 0.5, "sumy, Luhn": 0.65, "headroom-ai": 0.9}


@pytest.fixture
def peers(root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    """The benchmark's modules, which are no package."""
    import importlib
    import sys

    names = ("packages", "rows", "page")
    monkeypatch.syspath_prepend(str(root / "benchmarks" / "peers"))
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    found = {name: importlib.import_module(name) for name in names}
    for name in names:
        monkeypatch.delitem(sys.modules, name)
    return found


def table(peers: dict[str, ModuleType]) -> Any:
    """The real table with few of its tools, at two ratios."""
    whole = peers["packages"].load()
    kept = [replace(p, tools=tuple(t for t in p.tools if t.name in TOOLS)) for p in whole.packages]
    return replace(whole, packages=tuple(p for p in kept if p.tools or p.not_run), ratios=(2.0, 10.0))


def rows(peers: dict[str, ModuleType]) -> list[Any]:
    """Two cases a suite for each tool; headroom-ai is over its budget everywhere."""
    made = []
    for package, tool in table(peers).tools():
        for suite, case in ((suite, f"{suite}-{n}") for suite in tool.suites for n in (1, 2)):
            scores = peers["page"].MEASURES[suite]
            for asked in (2.0, 10.0):
                values = {"seconds": 0.5, "tokenizing": 0.01, "calls": 3, "date": "2026-11-22"}
                values |= {"fill": 4.0 if tool.name == "headroom-ai" else 0.99, "ratio": asked}
                values |= dict.fromkeys(scores, KEPT[tool.name] / asked)
                row = {"tool": tool.name, "version": package.version, "suite": suite, "case": case, "asked": asked}
                made.append(peers["rows"].Row(**row, **values))
    return made


def line(page: str, heading: str, tool: str) -> str:
    """A tool's line of the table below a heading."""
    return next(x for x in page.split(heading, 1)[1].splitlines() if x.startswith(f"| {tool} |"))


def test_the_same_rows_give_the_same_page_in_any_order(peers: dict[str, ModuleType]) -> None:
    given = rows(peers)
    assert peers["page"].page(table(peers), given) == peers["page"].page(table(peers), given[::-1])


def test_the_best_within_its_budget_is_bold_whoever_it_is(peers: dict[str, ModuleType]) -> None:
    page = peers["page"].page(table(peers), rows(peers))
    assert line(page, "### Chat: `answer`", "sumy, Luhn") == "| sumy, Luhn | **0.325** | **0.065** |"
    assert line(page, "### Chat: `answer`", "boildown") == "| boildown | 0.300 | 0.060 |"
    assert line(page, "### Chat: `answer`", "headroom-ai") == "| headroom-ai | (0.450) | (0.090) |"


def test_each_loss_is_listed_and_no_win(peers: dict[str, ModuleType]) -> None:
    page = peers["page"].page(table(peers), rows(peers))
    losses = page.split("## Where boildown is not the best")[1].split("## What survives")[0].strip().splitlines()
    assert "- chat, `answer` at 2x: sumy, Luhn 0.325, boildown 0.300" in losses
    assert not any("agents" in loss for loss in losses)


def test_a_case_that_a_tool_has_not_been_through_counts_for_none(peers: dict[str, ModuleType]) -> None:
    given = [r for r in rows(peers) if (r.tool, r.case, r.asked) != ("sumy, Luhn", "chat-2", 10.0)]
    assert "chat, 1 of 14 cases; meetings, 2 of 14 cases" in peers["page"].page(table(peers), given)


def test_what_timed_out_is_said_and_is_never_the_best(peers: dict[str, ModuleType]) -> None:
    late = {"wrong": peers["rows"].TIMED_OUT, "fill": 0.0, "answer": 0.0}
    given = [replace(r, **late) if (r.tool, r.case) == ("sumy, Luhn", "meetings-1") else r for r in rows(peers)]
    page = peers["page"].page(table(peers), given)
    assert line(page, "### Meetings: `answer`", "sumy, Luhn") == "| sumy, Luhn | (0.163) | (0.033) |"
    assert line(page, "### Meetings\n", "sumy, Luhn") == "| sumy, Luhn | 0.49, 1 timed out | 0.49, 1 timed out |"


def test_rows_are_read_back_as_they_were_and_another_versions_are_not(
    peers: dict[str, ModuleType], tmp_path: Path
) -> None:
    given, path = rows(peers), tmp_path / "rows.jsonl"
    peers["rows"].write(path, [replace(given[0], version="0"), *given])
    assert list(peers["rows"].read(path, table(peers)).values()) == given


def test_every_adapter_is_in_the_table_and_every_package_is_pinned(peers: dict[str, ModuleType], root: Path) -> None:
    whole = peers["packages"].load()
    named = {tool.adapter for _, tool in whole.tools() if tool.adapter}
    there = {path.name for path in (root / "benchmarks" / "peers" / "adapters").glob("*.py")}
    assert there - named == {"harness.py", "sumy_sentences.py"}
    assert named < there
    assert all(re.search(rf"\b{p.name}\b.*=={p.version}$", p.requires[0]) for p in whole.packages if p.requires)


def test_the_page_in_the_repository_names_every_tool_and_each_reason(peers: dict[str, ModuleType], root: Path) -> None:
    page, whole = (root / "benchmarks" / "README.md").read_text(encoding="utf-8"), peers["packages"].load()
    assert [tool.name for _, tool in whole.tools() if f"| {tool.name} |" not in page] == []
    assert [p.name for p in whole.packages if p.not_run and p.not_run not in page] == []
