"""The stage `auto` on the command line: a user's own levels, and a model without a key."""

from __future__ import annotations

import json

import pytest

from battery import battery
from boildown.measure import candidates
from boildown_cli.models import KEYS


def test_a_users_levels_take_the_place_of_those_of_boildown(ask, chat, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boildown.toml").write_text(
        '[[auto.levels]]\nname = "mine"\nfrom = 0.3\npipeline = "window"\naim = 0.2\n'
    )
    answer = ask("compress", chat, "--window", 6000, "--pipeline", "auto")
    assert answer.code == 0
    assert "auto: mine" in answer.err
    assert "auto: mine" not in ask("compress", chat, "--window", 6000, "--pipeline", "auto", "--no-config").err


def test_without_a_key_the_levels_that_would_ask_are_cut_offline(ask, chat, monkeypatch):
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    answer = ask("compress", chat, "--window", 2700, "--pipeline", "auto", "--model", "m")
    assert answer.code == 0
    assert "there is no key for it" in answer.err
    assert "offline, for no model is named" in answer.err


LEVELS = 'pipeline = "auto"\n[[auto.levels]]\nname = "mine"\nfrom = 0.3\npipeline = "window"\naim = 0.2\n'


@pytest.fixture
def levels(monkeypatch, tmp_path):
    """A configuration whose only level keeps the newest turns, as the stage `window` does; and no key."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boildown.toml").write_text(LEVELS)


@pytest.mark.battery
def test_a_users_levels_hold_in_batch(ask, chat, levels, tmp_path):
    for name in ("auto", "window"):
        assert ask("batch", chat, "--ratio", 3, "--pipeline", name, "-o", tmp_path / name).code == 0
    made, expected = ((tmp_path / name / "chat.jsonl").read_bytes() for name in ("auto", "window"))
    assert made == expected


def test_a_users_levels_hold_in_evaluate(ask, chat, levels):
    answer = ask("evaluate", chat, "--pipeline", "auto", "--pipeline", "window", "--ratios", 3, "--json")
    mine, expected = (point["retention"] for point in json.loads(answer.out)["points"])
    assert mine == expected


@battery
def test_a_users_levels_hold_in_tune(ask, chat, levels, monkeypatch):
    monkeypatch.setattr(candidates, "PIPELINES", ("window",))
    monkeypatch.setattr(candidates, "OPTIONS", {})
    trials = json.loads(ask("tune", chat, "--min-retention", 0.3, "--json").out)["trials"]
    kept = {name: {t["ratio"]: t["mean"] for t in trials if t["pipeline"] == name} for name in ("auto", "window")}
    both = kept["auto"].keys() & kept["window"].keys()
    assert both
    assert all(kept["auto"][ratio] == kept["window"][ratio] for ratio in both)


def test_a_users_levels_hold_in_plan_which_measures_the_stage_without_a_model(ask, chat, levels):
    found = json.loads(ask("plan", chat, "--ratio", 3, "--offline", "--json", "-o", "plan.toml").out)["alternatives"]
    kept = {one["pipeline"]: one["kept"] for one in found}
    assert kept["auto"] == kept["window"]
