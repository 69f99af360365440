"""Presets and defaults: what a TOML file can say, who wins, and errors that name the file and the key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boildown import presets, registry
from boildown.errors import UsageError
from boildown.presets import Config, Preset, find, names, read, search, shipped, toml
from boildown.settings import Settings, settings
from conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def config(folder: Path, text: str, name: str = "boildown.toml") -> Config:
    (folder / name).write_text(text, encoding="utf-8")
    return read(str(folder / name))


@pytest.mark.parametrize("name", ["support", "chat", "code", "documents", "tutor", "summary", "summary-buffer"])
def test_a_preset_that_comes_with_boildown_says_what_how_and_how_far(name: str) -> None:
    preset = find(name, Config())
    assert preset.summary
    assert preset.where == "boildown"
    assert preset.settings.ratio
    assert registry.parse(preset.settings.pipeline or "")


@pytest.mark.parametrize("name", shipped().tables)
def test_the_readme_tells_each_presets_pipeline(name: str) -> None:
    (row,) = re.findall(rf"^\| `{name}` \|.*$", README, re.MULTILINE)
    assert f"`{find(name, Config()).settings.pipeline}`" in row


@pytest.mark.parametrize(
    ("name", "least", "most"), [("support", 5, 7), ("chat", 8, 12), ("code", 3, 5), ("documents", 15, 20)]
)
def test_a_presets_ratio_is_within_its_range(name: str, least: int, most: int) -> None:
    preset = find(name, Config())
    assert least <= (preset.settings.ratio or 0) <= most
    assert f"{least} to {most} times smaller" in preset.summary


def test_every_shipped_preset_printed_and_read_again_is_the_same(tmp_path: Path) -> None:
    mine = config(tmp_path, "\n".join(toml(find(name, Config())) for name in shipped().tables))
    for name in shipped().tables:
        assert find(name, mine).settings == find(name, Config()).settings
        assert find(name, mine).where == mine.path


@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    summary=st.text(st.characters(exclude_categories=["Cs"])),
    pin=st.sampled_from(["a+", r"\d\.\"", "\x7f\x00\n", "日本"]),
    ratio=st.floats(1, 1e6),
)
def test_a_printed_preset_is_toml_whatever_it_holds(name: str, summary: str, pin: str, ratio: float) -> None:
    said = Settings(ratio=ratio, pin=pin, pin_system=False, keep_first=3)
    table = tomllib.loads(toml(Preset(name, summary, said, "")))["presets"][name]
    assert table.pop("summary") == summary
    assert settings(table, "") == said


def test_ones_own_preset_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    mine = config(tmp_path, '[presets.chat]\npipeline = "window"\n[presets.mine]\nratio = 2\n')
    assert find("chat", mine).settings == Settings(pipeline="window")
    assert names(mine) == [*shipped().tables, "mine"]


def test_extending_keeps_what_is_not_said_anew(tmp_path: Path) -> None:
    mine = config(
        tmp_path,
        '[presets.tutor]\nextends = "tutor"\nkeep-recent = 9\n'
        '[presets.exam]\nextends = "tutor"\nsummary = "exams"\nbudget = 500\n',
    )
    was, now, exam = find("tutor", Config()), find("tutor", mine), find("exam", mine)
    assert now.settings == Settings(was.settings.pipeline, ratio=4, keep_first=1, keep_recent=9)
    assert now.summary == was.summary
    assert exam.settings == Settings(was.settings.pipeline, budget=500, keep_first=1, keep_recent=9)
    assert exam.summary == "exams"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ('"dedup, prune"', "dedup, prune"),
        ('["dedup", "prune"]', "dedup,prune"),
        ('["dedup:threshold=0.9", { stage = "extractive", share = 3 }]', "dedup:threshold=0.9,extractive:share=3"),
        ('[{ stage = "prune" }]', "prune"),
    ],
)
def test_a_pipeline_is_a_string_or_an_array(text: str, spec: str, tmp_path: Path) -> None:
    assert config(tmp_path, f"pipeline = {text}").defaults.pipeline == spec


def test_a_flag_wins_over_a_preset_by_flag_over_the_file_over_a_preset_in_the_file(tmp_path: Path) -> None:
    mine = config(
        tmp_path,
        'preset = "low"\npin = "file"\nkeep-first = 2\n'
        '[presets.low]\npin = "low"\nkeep-first = 1\nkeep-recent = 1\ntokenizer = "cl100k_base"\n'
        '[presets.high]\npin = "high"\nkeep-first = 3\n',
    )
    assert mine.settle(Settings()) == Settings(keep_first=2, keep_recent=1, pin="file", tokenizer="cl100k_base")
    assert mine.settle(Settings(keep_first=4), "high") == Settings(keep_first=4, pin="high")


@pytest.mark.parametrize(
    ("flags", "preset", "aims"),
    [
        (Settings(), None, (800, None, None)),
        (Settings(window=9), None, (None, None, 9)),
        (Settings(), "chat", (None, 10, None)),
        (Settings(budget=5, ratio=2), "chat", (5, 2, None)),
    ],
)
def test_who_says_how_far_says_all_of_it(
    flags: Settings, preset: str | None, aims: tuple[int | None, ...], tmp_path: Path
) -> None:
    settled = config(tmp_path, 'preset = "code"\nbudget = 800\n').settle(flags, preset)
    assert (settled.budget, settled.ratio, settled.window) == aims


def test_the_nearest_file_is_read_and_boildown_toml_before_pyproject_toml(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    config(tmp_path, "[tool.boildown]\nbudget = 1\n", "pyproject.toml")
    (tmp_path / "a" / "pyproject.toml").write_text('[project]\nname = "a"\ndependencies = ["boildown"]\n')
    (inner / "pyproject.toml").write_text("this is no TOML, and none of ours")
    assert search(inner).defaults == Settings(budget=1)
    config(tmp_path, "budget = 2\n")
    assert search(inner).defaults == Settings(budget=2)
    config(tmp_path / "a", "[tool.boildown]\nbudget = 3\n[tool.boildown.presets.mine]\nratio = 2\n", "pyproject.toml")
    assert search(inner).defaults == Settings(budget=3)
    assert find("mine", search(inner)).where == str(tmp_path / "a" / "pyproject.toml")


def test_where_there_is_no_file_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presets, "NAMES", ("no-such-boildown.toml", "no-such-pyproject.toml"))
    assert search(tmp_path) == Config()
    assert Config().settle(Settings()) == Settings()


def test_the_readmes_configuration_says_what_it_seems_to(tmp_path: Path) -> None:
    levels, checks, text = re.findall(r"^```toml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert [level.name for level in config(tmp_path, levels).levels] == ["verbatim", "summary"]
    assert config(tmp_path, checks).check
    settled = config(tmp_path, text).settle(Settings())
    assert settled == Settings("dedup,prioritize:recency=0.5,prune", ratio=5, keep_recent=2)


WRONG = {
    "budget = ": "this is no TOML",
    'colour = "red"': "colour: there is no such key. There are: pipeline, budget",
    "keep_recent = 3": "keep_recent: there is no such key. Did you mean 'keep-recent'?",
    "budget = 0": "budget: 0 is no whole number of at least 1.",
    "budget = true": "budget: True is no whole number",
    "budget = 1.5": "budget: 1.5 is no whole number",
    "ratio = 0.5": "ratio: 0.5 is no number of at least 1.",
    "ratio = inf": "ratio: inf is no number",
    'ratio = "3"': "ratio: '3' is no number",
    "keep-first = -1": "keep-first: -1 is no whole number of at least 0.",
    'pin-system = "no"': "pin-system: 'no' is neither true nor false.",
    'pin = "("': "pin: '(' is no regular expression: missing )",
    "pin = 3": "pin: 3 is no string.",
    'model = ""': "model: '' is no model's name.",
    'tokenizer = "gpt"': "tokenizer: 'gpt' is no tokenizer. There are: o200k_base",
    'pipeline = "dedup,prnue"': "pipeline: no stage is called 'prnue'; did you mean 'prune'?",
    "pipeline = []": "pipeline: the pipeline is empty.",
    "pipeline = 3": "pipeline: 3 is neither a string of stages nor an array of them.",
    "pipeline = [3]": "pipeline: 3 is neither a stage's name nor a table with `stage`",
    "pipeline = [{ share = 3 }]": "pipeline: {'share': 3} is neither a stage's name nor a table",
    'pipeline = [{ stage = "prune", size = 3 }]': "pipeline: stage 'prune' has no option 'size'.",
    'pipeline = [{ stage = "prioritize", scorer = "a,b" }]': "pipeline: scorer = 'a,b' is no string (without commas)",
    'preset = ["chat"]': "preset: ['chat'] is no string.",
    "presets = 3": "presets: write each preset as a table of its own: [presets.NAME].",
    "[presets]\nmine = 3": "presets: write each preset as a table of its own",
    "[presets.mine]\nratio = 0": "presets.mine.ratio: 0 is no number of at least 1.",
    "[presets.mine]\nsummary = 3": "presets.mine.summary: 3 is no string.",
    '[presets.mine]\nextends = "cod"': "presets.mine.extends: no preset is called 'cod'. Did you mean 'code'?",
    '[presets.a]\nextends = "b"\n[presets.b]\nextends = "a"': "presets.b.extends: it goes in a circle: a -> b -> a.",
    '[presets.a]\nextends = "a"': "presets.a.extends: it goes in a circle: a -> a.",
    '[presets.mine]\npreset = "chat"': "presets.mine.preset: there is no such key.",
    '[presets.mine]\npipeline = "zzz"': "presets.mine.pipeline: no stage is called 'zzz'.",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items())
def test_what_is_wrong_is_an_error_that_names_the_file_and_the_key(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        config(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'boildown.toml'}: {message}")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("boildown.toml", b"\xff", "this is no TOML"),
        ("pyproject.toml", b"[tool]\nboildown = 3", "tool.boildown: 3 is no table."),
        ("pyproject.toml", b"[project]", "it has no table [tool.boildown]."),
        ("none.toml", None, "it cannot be read: No such file"),
    ],
)
def test_a_file_that_is_none_is_an_error(name: str, data: bytes | None, message: str, tmp_path: Path) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError) as caught:
        read(str(tmp_path / name))
    assert str(caught.value).startswith(f"{tmp_path / name}: {message}")


def test_a_preset_that_is_not_there_is_an_error_that_says_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"is called 'chta'. Did you mean 'chat'\? There are: support, chat,"):
        find("chta", Config())
