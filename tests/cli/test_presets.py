"""`boildown presets`, and presets and configuration files as `boildown compress` takes them."""

from __future__ import annotations

import json
import re

import pytest

from battery import sampled
from boildown.presets import shipped
from quoting import replied


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory of each test, with the chat in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def compressed(ask, *arguments) -> dict[str, object]:
    """The report of a compression that works."""
    answer = ask("compress", *arguments, "-o", "out.jsonl", "--report", "report.json", "-q")
    assert (answer.code, answer.err) == (0, "")
    with open("report.json", encoding="utf-8") as file:
        return json.load(file)


def test_all_presets_are_listed_with_what_they_say_and_where_they_are_from(ask, folder):
    (folder / "boildown.toml").write_text('[presets.mine]\nsummary = "my own"\npipeline = "window"\nratio = 2.5\n')
    out = ask("presets").out.decode()
    assert re.findall(r"^([a-z-]+): ", out, re.MULTILINE) == [*shipped().tables, "mine"]
    assert re.findall(r"^([a-z-]+): .*\n.*\n    asks a model", out, re.MULTILINE) == ["summary", "summary-buffer"]
    assert f"mine: my own\n    pipeline=window  ratio=2.5\n    from {folder / 'boildown.toml'}\n" in out


@pytest.mark.parametrize("name", sampled(shipped().tables, every=3))
def test_a_preset_shown_into_a_file_is_that_preset(ask, chat, folder, name, model_server):
    model_server.answer = replied
    was = compressed(ask, chat, "--preset", name)
    (folder / "boildown.toml").write_bytes(ask("presets", "--show", name).out)
    now = compressed(ask, chat, "--preset", name)
    assert (now["pipeline"], now["tokens_out"]) == (was["pipeline"], was["tokens_out"])


def test_a_preset_brings_its_ratio_and_a_flag_wins_over_it(ask, chat):
    assert compressed(ask, chat, "--preset", "chat")["ratio"] == pytest.approx(10, rel=0.03)
    assert compressed(ask, chat, "--preset", "chat", "--ratio", 3)["ratio"] == pytest.approx(3, rel=0.03)
    assert compressed(ask, chat, "--preset", "chat", "--pipeline", "window")["pipeline"] == "window"


def test_a_configuration_file_gives_defaults_and_a_flag_wins(ask, chat, folder):
    (folder / "pyproject.toml").write_text('[tool.boildown]\nratio = 4\npipeline = ["dedup", "window"]\n')
    report = compressed(ask, chat)
    assert (report["pipeline"], report["ratio"]) == ("dedup,window", pytest.approx(4, rel=0.03))
    assert compressed(ask, chat, "--budget", 500)["tokens_out"] == pytest.approx(500, rel=0.03)


def test_a_file_can_be_named_or_left_out(ask, chat, folder):
    (folder / "boildown.toml").write_text("ratio = 4\n")
    (folder / "other.toml").write_text('preset = "mine"\n[presets.mine]\nratio = 2\n')
    assert compressed(ask, chat, "--config", "other.toml")["ratio"] == pytest.approx(2, rel=0.03)
    answer = ask("compress", chat, "--no-config")
    assert answer.code == 2
    assert "--preset NAME" in answer.err
    assert ask("compress", chat, "--no-config", "--config", "other.toml").code == 2


def test_a_pipeline_can_come_from_a_file(ask, chat, folder):
    (folder / "mine.toml").write_text('pipeline = ["window"]\n')
    assert compressed(ask, chat, "--ratio", 2, "--pipeline", "@mine.toml")["pipeline"] == "window"
    (folder / "mine.toml").write_text("ratio = 3\n")
    answer = ask("compress", chat, "--ratio", 2, "--pipeline", "@mine.toml")
    assert (answer.code, "has no key 'pipeline'" in answer.err) == (2, True)


def test_keys_of_a_preset_reach_the_work(ask, folder):
    said = [{"role": "system", "content": "Be kind, always. " * 40}, {"role": "user", "content": "First. " * 40}]
    said += [
        {"role": "user", "content": f"The harbour has {n} ships and the wind is from the north."} for n in range(40)
    ]
    (folder / "talk.json").write_text(json.dumps(said))
    (folder / "boildown.toml").write_text(
        "[presets.mine]\nratio = 3\npin-system = false\nkeep-first = 1\npin = 'has 7 '\n"
    )
    compressed(ask, "talk.json", "--preset", "mine")
    left = json.loads((folder / "out.jsonl").read_bytes())
    assert said[1] in left
    assert said[9] in left
    assert said[0] not in left


@pytest.mark.parametrize(
    "text",
    [
        'pipeline = "window"\nratio = 4\n',
        '[presets.mine]\npipeline = "window"\nratio = 4\n',
        'preset = "mine"\n[presets.mine]\npipeline = "window"\nratio = 4\n[presets.other]\npipeline = "dedup"\n',
        'ratio = 4\n[presets.mine]\npipeline = "window"\nratio = 2\n',
    ],
)
def test_a_file_named_for_its_pipeline_brings_its_ratio_and_a_flag_wins(ask, chat, folder, text):
    (folder / "mine.toml").write_text(text)
    report = compressed(ask, chat, "--pipeline", "@mine.toml")
    assert (report["pipeline"], report["ratio"]) == ("window", pytest.approx(4, rel=0.03))
    report = compressed(ask, chat, "--pipeline", "@mine.toml", "--ratio", 3)
    assert (report["pipeline"], report["ratio"]) == ("window", pytest.approx(3, rel=0.03))


@pytest.mark.parametrize("arguments", [["--preset", "chta"], ["--config", "none.toml"]])
def test_what_is_not_there_exits_2(ask, chat, arguments):
    answer = ask("compress", chat, *arguments)
    assert answer.code == 2
    assert arguments[1] in answer.err
