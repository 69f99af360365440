"""The stage `auto` on the command line: a user's own levels, and a model without a key."""

from __future__ import annotations


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
