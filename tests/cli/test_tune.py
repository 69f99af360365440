"""`boildown tune`."""

from __future__ import annotations

import json
import tomllib

import pytest

from boildown.measure import candidates, tuning
from boildown.measure.bench import Bench


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The working directory of each test; only few pipelines are tried, for the tests' speed."""
    monkeypatch.setattr(candidates, "PIPELINES", ("dedup,window",))
    monkeypatch.setattr(candidates, "OPTIONS", {})
    monkeypatch.setattr(tuning, "CURVE", (3.0,))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def talk(folder):
    """A short chat, in the working directory."""
    return written(folder / "talk.jsonl", range(12))


def written(path, numbers):
    names = ("harbour", "violin", "glacier", "orchard", "lantern")
    lines = [
        {
            "role": ("user", "assistant")[n % 2],
            "content": f"Well, {names[n % 5]} {n} was {n * 37} EUR, as we had hoped.",
        }
        for n in numbers
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path.name


def compressed(ask, *arguments):
    answer = ask("compress", *arguments, "-o", "out.jsonl", "--report", "report.json", "-q")
    assert (answer.code, answer.err) == (0, "")
    with open("report.json", encoding="utf-8") as file:
        return json.load(file)


def test_the_preset_that_is_written_runs_as_it_was_measured(ask, talk, folder):
    answer = ask("tune", talk, "--min-retention", 0.7, "-o", "mine.toml", "--name", "mine", "--json")
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    winner = found["winner"]
    assert winner["mean"] >= 0.7
    assert found["preset"] == (folder / "mine.toml").read_text()
    table = tomllib.loads(found["preset"])["presets"]["mine"]
    assert (table["pipeline"], table["ratio"]) == (winner["pipeline"], winner["ratio"])
    for how in (["--pipeline", "@mine.toml"], ["--config", "mine.toml", "--preset", "mine"]):
        report = compressed(ask, talk, *how)
        assert (report["pipeline"], 1 - report["saving"]) == (winner["pipeline"], pytest.approx(winner["kept"]))
    measured = json.loads(ask("evaluate", talk, "out.jsonl", "--json").out)
    assert f"{winner['mean']:.6f}" in json.dumps(measured) or str(winner["mean"])[:8] in json.dumps(measured)


def test_the_preset_goes_to_stdout_to_be_appended_and_the_table_to_stderr(ask, talk, folder):
    (folder / "boildown.toml").write_text("keep-recent = 1\n")
    answer = ask("tune", talk, "--min-retention", 0.7)
    assert (answer.code, answer.out.decode().splitlines()[0]) == (0, "[presets.tuned]")
    assert "keep-recent = 1\n" in answer.out.decode()
    assert "the smallest that keeps 0.7: " in answer.err
    with (folder / "boildown.toml").open("ab") as file:
        file.write(answer.out)
    assert compressed(ask, talk, "--preset", "tuned")["ratio"] > 1


def test_what_cannot_be_kept_exits_1_with_the_most_that_can(ask, folder):
    (folder / "dense.json").write_text(json.dumps([{"role": "user", "content": f"{n}7.{n}"} for n in range(11, 30)]))
    answer = ask("tune", "dense.json", "--min-retention", 1)
    assert (answer.code, answer.out) == (1, b"")
    assert "no pipeline keeps 1 at more than 1x: the most is 0." in answer.err
    answer = ask("tune", "dense.json", "--min-retention", 0.5, "--keep-recent", 99)
    assert (answer.code, "Pin less" in answer.err) == (1, True)


def test_what_is_left_out_is_told(ask, folder):
    names = [written(folder / f"{n}.jsonl", range(n, n + 6)) for n in range(4)]
    answer = ask("tune", *names, "--min-retention", 0.7)
    assert answer.code == 0, answer.err
    assert "chosen on 0.jsonl, 1.jsonl, 2.jsonl\nleft out: 3.jsonl; there it keeps " in answer.err


def test_ctrl_c_shows_the_best_so_far_and_exits_130(ask, talk, monkeypatch):
    measured = Bench._measured

    def interrupted(self, pipeline, ratio):
        if len(self.known) == 6:
            raise KeyboardInterrupt
        return measured(self, pipeline, ratio)

    monkeypatch.setattr(Bench, "_measured", interrupted)
    answer = ask("tune", talk, "--min-retention", 0.7, "-o", "mine.toml")
    assert (answer.code, answer.out) == (130, b"")
    assert "the smallest that keeps 0.7: " in answer.err
    assert answer.err.endswith("interrupted after 6 measurements; nothing was written\n")


def test_questions_say_what_counts(ask, talk, folder):
    asked = [{"question": "What was the harbour 10?", "answer": "370 EUR", "evidence": ["m11"]}]
    (folder / "qa.jsonl").write_text("".join(json.dumps(q) + "\n" for q in asked))
    answer = ask("tune", talk, "--min-retention", 1, "--questions", "qa.jsonl", "--json")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["winner"]["ratio"] > 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["talk.jsonl", "--questions", "qa.jsonl", "--questions", "qa.jsonl"], "2 times for 1 file"),
        (["talk.jsonl", "-o", "other.toml"], "holds more than the preset 'tuned'"),
        (["talk.jsonl", "-o", "keys.toml"], "holds more than the preset 'tuned'"),
        (["talk.jsonl", "-o", "talk.jsonl"], "holds more than the preset 'tuned'"),
        (["talk.jsonl", "-o", "pyproject.toml"], "holds more than the preset 'tuned'"),
        (["empty.json"], "there is no conversation in it"),
        (["talk.jsonl", "--svg", "front.png"], "Let the name end in .svg"),
    ],
)
def test_what_is_wrong_exits_2_before_any_work(ask, talk, folder, arguments, said):
    (folder / "other.toml").write_text("[presets.tuned]\nratio = 2\n[presets.mine]\nratio = 3\n")
    (folder / "keys.toml").write_text("keep-first = 1\n[presets.tuned]\nratio = 2\n")
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (folder / "empty.json").write_text("[]")
    answer = ask("tune", *arguments, "--min-retention", 0.9)
    assert (answer.code, said in answer.err) == (2, True), answer.err


def test_the_front_is_drawn(ask, talk, folder):
    pytest.importorskip("matplotlib")
    pytest.importorskip("uniplot")
    answer = ask("tune", talk, "--min-retention", 0.7, "--plot", "--svg", "front.svg", "-q")
    assert "boildown tune: retention by tokens kept" in answer.err
    assert answer.out.startswith(b"[presets.tuned]")
    assert b"the front" in (folder / "front.svg").read_bytes()
