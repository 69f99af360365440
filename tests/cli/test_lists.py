"""`boildown stages` and `boildown formats`: all there is, with options and an example that works."""

from __future__ import annotations

import re

import pytest

from boildown import registry
from boildown.formats import FORMATS, load
from quoting import replied


def test_every_stage_is_listed_with_its_summary_and_options(ask):
    out = ask("stages").out.decode()
    for name in registry.STAGES:
        assert f"{name}: {registry.summary(name)}\n" in out
        for option in registry.options(name):
            assert f"    {option.name}={option.default} ({option.type.__name__})" in out
            assert option.help
            assert option.help in out
    assert registry.DEFAULT in out


def test_a_stage_that_asks_a_model_says_so(ask):
    out = ask("stages").out.decode()
    told = re.findall(r"^(\w+): (?:.+\n)+? {4}asks a model", out, re.MULTILINE)
    assert set(told) == set(registry.ASKING)


@pytest.mark.parametrize("name", registry.STAGES)
def test_every_stages_example_works(ask, chat, name, model_server, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    model_server.answer = replied
    out = ask("stages", name).out.decode()
    pipeline, archive = re.search("--pipeline '([^']+)'(.*)", out).groups()
    assert ask("compress", chat, "--ratio", 3, "--pipeline", pipeline, *archive.split()).code == 0


def test_a_stage_that_is_not_there_exits_2(ask):
    answer = ask("stages", "dedupe")
    assert answer.code == 2
    assert "did you mean 'dedup'" in answer.err


def test_a_plugin_that_cannot_be_loaded_does_not_hide_the_others(ask, monkeypatch):
    monkeypatch.setitem(registry.STAGES, "lost", "no_such_module:Lost")
    registry.names.cache_clear()
    try:
        answer = ask("stages")
    finally:
        registry.names.cache_clear()
    assert answer.code == 0
    assert "lost: cannot be loaded" in answer.out.decode()
    assert "dedup: " in answer.out.decode()


def test_every_format_is_listed_with_what_it_can_say_and_an_example(ask):
    out = ask("formats").out.decode()
    for name in FORMATS:
        info = load(name).INFO
        assert f"{name}: {info.title}\n" in out
        assert info.example in out
    assert "says: " in out


def test_a_files_format_is_said(ask, chat):
    assert ask("formats", chat).out.decode() == f"{chat}: openai\n"


def test_a_file_in_no_format_exits_2(ask, tmp_path):
    (tmp_path / "odd.json").write_text('{"colour": 1}')
    answer = ask("formats", tmp_path / "odd.json")
    assert answer.code == 2
    assert "colour" in answer.err
