"""Charts: in the terminal, and as SVG that is the same each time."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

import pytest

from boildown.errors import UsageError
from boildown_cli.plots import Chart, Line, check, drawn, drawn_bars, svg, svg_bars
from conftest import ROOT

SAMPLE = ROOT / "samples" / "openai.jsonl"
CHART = Chart(
    "$1 & <x>\x1b[31m.jsonl", "ratio", "retention", [Line("a", [2, 5], [0.9, 0.4]), Line("b", [3], [0.5])], "x"
)


@pytest.fixture(autouse=True)
def _extra():
    pytest.importorskip("uniplot", reason="needs boildown[plot]")
    pytest.importorskip("matplotlib", reason="needs boildown[plot]")


def test_each_line_is_drawn_with_a_character_of_its_own():
    text = drawn(CHART, colours=False)
    assert "oo a" in text
    assert "xx b" in text
    assert text.count("x") > 2
    assert "\x1b" not in text
    assert "\x1b[" in drawn(CHART, colours=True)


def test_a_bar_is_as_long_as_its_share():
    first, second, third = drawn_bars(["dates", "names (2)", "URLs"], [1.0, 0.5, 0.0]).splitlines()
    assert first.count("█") == 2 * second.count("█") > 10
    assert third.count("█") == 0
    assert third.endswith("0.00")


@pytest.mark.parametrize("made", [lambda: svg(CHART), lambda: svg_bars("$ & <", ["<a>"], [0.5])])
def test_svg_is_well_formed_and_the_same_each_time(made):
    assert made() == made()
    tree = ET.fromstring(made().decode())
    assert tree.tag.endswith("svg")
    assert any("$" in (text.text or "") for text in tree.iter("{http://www.w3.org/2000/svg}text"))


def test_evaluate_draws_bars_and_curves(ask, tmp_path):
    bars, lines = tmp_path / "bars.svg", tmp_path / "lines.svg"
    answer = ask("evaluate", SAMPLE, SAMPLE, "--plot", "--svg", bars)
    assert (answer.code, "█" in answer.out.decode()) == (0, True)
    answer = ask("evaluate", SAMPLE, "-p", "window", "--ratios", "2,5", "--plot", "--svg", lines)
    assert (answer.code, "oo window" in answer.out.decode()) == (0, True)
    assert b"<svg" in bars.read_bytes()
    assert b"window" in lines.read_bytes()


def test_without_the_extra_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [])
    for name in ("uniplot", "matplotlib"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(UsageError, match=r"boildown\[plot\]"):
        check(None)
