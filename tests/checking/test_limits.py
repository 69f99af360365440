"""Limits: how they are written, what is wrong with them, and which hold for which file."""

from __future__ import annotations

from pathlib import Path

import pytest

from boildown.checking.limits import Limits, checks, flagged, growth, relative, share
from boildown.errors import UsageError
from boildown.presets import read


@pytest.mark.parametrize(
    ("written", "meant"),
    [("10%", 0.1), ("0.1", 0.1), (0.1, 0.1), (1, 1.0), ("100 %", 1.0), (" 2.5% ", 0.025), (0, 0.0), ("0%", 0.0)],
)
def test_a_share_is_a_number_or_a_percentage(written, meant):
    assert share(written) == growth(written) == pytest.approx(meant)


@pytest.mark.parametrize("written", ["10", 10, "-1%", "ten", "", "%", True, None, "nan", "inf%", "1e400", "101%"])
def test_what_is_no_share_is_refused(written):
    with pytest.raises(ValueError, match=r"is no share|is more than all"):
        share(written)


def test_only_growth_may_be_more_than_all():
    assert growth("150%") == 1.5


@pytest.fixture
def config(tmp_path: Path):
    """Reads a boildown.toml with this text."""

    def made(text: str):
        path = tmp_path / "boildown.toml"
        path.write_text(text)
        return checks(read(str(path)))

    return made


OVERRIDDEN = """
[check]
max-tokens = 100
valid = true
max-growth = "10%"

[[check.overrides]]
paths = ["archive/**", "*.traj"]
max-tokens = 1000

[[check.overrides]]
paths = ["archive/2024/**"]
max-tokens = 5000
valid = false
"""


@pytest.mark.parametrize(
    ("path", "tokens", "valid"),
    [
        ("a.jsonl", 100, True),
        ("archive/a.jsonl", 1000, True),
        ("archive/deep/er/a.jsonl", 1000, True),
        ("archive/2024/a.jsonl", 5000, False),
        ("run.traj", 1000, True),
        ("deep/run.traj", 100, True),
        ("other/archive/a.jsonl", 100, True),
    ],
)
def test_the_last_override_that_names_a_file_holds(config, tmp_path, path, tokens, valid):
    found = config(OVERRIDDEN).of(str(tmp_path / path))
    assert (found.max_tokens, found.valid, found.max_growth) == (tokens, valid, 0.1)


def test_flags_win_over_overrides(config, tmp_path):
    found = config(OVERRIDDEN).of(str(tmp_path / "archive/a.jsonl"), Limits(max_tokens=7, valid=False))
    assert (found.max_tokens, found.valid, found.max_growth) == (7, False, 0.1)


@pytest.mark.parametrize(
    ("pattern", "named", "other"),
    [
        ("a/**/b.json", ["a/b.json", "a/x/y/b.json"], ["a/xb.json", "b.json"]),
        ("./a/*.json", ["a/b.json"], ["a/b/c.json", "a/bxjson"]),
        ("a?.json", ["ab.json"], ["a.json", "a/.json"]),
        ("**", ["a", "a/b"], []),
        ("a+(b).json", ["a+(b).json"], ["aa(b).json"]),
    ],
)
def test_patterns_name_paths(config, tmp_path, pattern, named, other):
    found = config(f'[[check.overrides]]\npaths = ["{pattern}"]\nmax-tokens = 1')
    assert [found.of(str(tmp_path / path)).max_tokens for path in named + other] == [1] * len(named) + [None] * len(
        other
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[check]\nmax-token = 1", "check.max-token: there is no such key. Did you mean 'max-tokens'?"),
        ("[check]\nmax-tokens = 0", "check.max-tokens: 0 is no whole number of at least 1."),
        ("[check]\nvalid = 1", "check.valid: 1 is neither true nor false."),
        ('[check]\nmax-growth = "10"', "check.max-growth: '10' is more than all. If it is percent, write 10%."),
        ("[check.overrides]\nx = 1", "check.overrides: write each as a table"),
        ("[[check.overrides]]\nmax-tokens = 1", "check.overrides[1].paths: say for which files it is"),
        ('[[check.overrides]]\npaths = ["a"]\nmax-toks = 1', "check.overrides[1].max-toks: there is no such key."),
        ('[[check.overrides]]\npaths = ["a"]\nmax-total-tokens = 1', "max-total-tokens: it is of all files together"),
        ('[[check.overrides]]\npaths = ["a"]\nbaseline = "b"', "check.overrides[1].baseline: there is no such key."),
        ("check = 1", "check: 1 is no table."),
    ],
)
def test_what_is_wrong_in_a_configuration_is_named(config, text, said):
    with pytest.raises(UsageError) as caught:
        config(text)
    assert said in str(caught.value)


def test_the_configurations_places_are_seen_from_its_folder(config, tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert Path(config('[check]\nbaseline = "b.json"').baseline).resolve() == tmp_path / "b.json"


def test_pyproject_has_the_same_table(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.boildown.check]\nmax-tokens = 9\n")
    assert checks(read(str(path))).limits == Limits(max_tokens=9)


def test_an_option_that_is_wrong_is_named():
    with pytest.raises(UsageError, match="--max-tool-share: 'x' is no share"):
        flagged({"max_tool_share": "x", "max_tokens": None})


def test_a_path_is_seen_from_a_folder_with_slashes(tmp_path):
    assert relative(str(tmp_path / "a" / "b"), str(tmp_path)) == "a/b"
    assert relative(str(tmp_path / "b"), str(tmp_path / "a")) == "../b"


def test_the_readmes_configuration_is_one(config, root):
    text = (root / "README.md").read_text(encoding="utf-8")
    block = next(part.partition("```")[0] for part in text.split("```toml\n")[1:] if part.startswith("[check]"))
    assert config(block).of("x").fail_on_secret
    assert config(block).overrides
